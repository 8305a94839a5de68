//! OpenTelemetry's own variables of the environment, as far as they are about traces over HTTP. Whether anything is exported at all, and
//! where to, is a setting of the program.
use std::fmt;

use percent_encoding::percent_decode_str;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::sampler::Sampler;

/// The only one that is spoken.
const PROTOCOL: &str = "http/protobuf";
const SERVICE: &str = "hookswitch";
const SERVICE_NAME: &str = "service.name";

/// Where spans go, and what goes with them.
#[derive(Clone)]
pub struct Settings {
    pub(crate) endpoint: Url,
    pub(crate) headers: HeaderMap,
    /// What all spans have in common: who we are.
    pub(crate) resource: Vec<(String, String)>,
    pub(crate) sampler: Sampler,
}

/// Header values may be secret, and so may what stands in a URL.
impl fmt::Debug for Settings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Settings({})", self.endpoint())
    }
}

/// What is wrong with a variable, without its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Wrong(String);

impl Settings {
    /// Spans go to this URL as it stands; what more there is to say is said by variables. `None` if they say that nothing is to be
    /// exported. `own` is what we say of ourselves, such as `service.version`.
    ///
    /// # Errors
    /// The first that is wrong.
    pub fn read(endpoint: Url, own: &[(&str, String)], variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<Self>, Wrong> {
        // Empty is as good as not set.
        let variable = |name: &str| variable(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let is_off = variable("OTEL_SDK_DISABLED").is_some_and(|disabled| disabled.eq_ignore_ascii_case("true"))
            || variable("OTEL_TRACES_EXPORTER").is_some_and(|exporter| exporter == "none");
        if is_off {
            return Ok(None);
        }
        let protocols = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
        if let Some(protocol) = protocols.into_iter().find_map(variable).filter(|protocol| protocol != PROTOCOL) {
            tracing::warn!(
                protocol,
                "traces are exported by {PROTOCOL} only; a collector takes that at another port, usually 4318"
            );
        }
        let headers = ["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"];
        let headers = headers.into_iter().find_map(|name| Some((name, variable(name)?)));
        let headers = headers.map(|(name, text)| read_headers(name, &text)).transpose()?.unwrap_or_default();
        let sampler = variable("OTEL_TRACES_SAMPLER");
        let sampler = sampler.map(|name| Sampler::read(&name, variable("OTEL_TRACES_SAMPLER_ARG").as_deref()).map_err(Wrong));
        let mut resource: Vec<(String, String)> = own.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        if let Some(text) = variable("OTEL_RESOURCE_ATTRIBUTES") {
            for (key, value) in pairs("OTEL_RESOURCE_ATTRIBUTES", &text)? {
                put(&mut resource, key, value);
            }
        }
        if let Some(name) = variable("OTEL_SERVICE_NAME") {
            put(&mut resource, SERVICE_NAME.to_owned(), name);
        }
        if !resource.iter().any(|(key, _)| key == SERVICE_NAME) {
            put(&mut resource, SERVICE_NAME.to_owned(), SERVICE.to_owned());
        }
        Ok(Some(Self { endpoint, headers, resource, sampler: sampler.transpose()?.unwrap_or_default() }))
    }

    /// The URL, without what may be secret in it.
    #[must_use]
    pub fn endpoint(&self) -> String {
        let mut shown = self.endpoint.clone();
        // Both can fail only for URLs without a host, which are not HTTP.
        let _removed = (shown.set_username(""), shown.set_password(None));
        shown.set_query(None);
        shown.into()
    }
}

fn put(resource: &mut Vec<(String, String)>, key: String, value: String) {
    resource.retain(|(known, _)| *known != key);
    resource.push((key, value));
}

fn read_headers(variable: &str, text: &str) -> Result<HeaderMap, Wrong> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs(variable, text)? {
        let unfit = || Wrong(format!("{variable} has a header that can't be sent"));
        let name = HeaderName::try_from(name).map_err(|_| unfit())?;
        let mut value = HeaderValue::try_from(value).map_err(|_| unfit())?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

/// `key=value,key=value`, percent-encoded.
fn pairs(variable: &str, text: &str) -> Result<Vec<(String, String)>, Wrong> {
    let decoded = |text: &str| percent_decode_str(text.trim()).decode_utf8().map(String::from).ok();
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=')?;
        Some((decoded(key).filter(|key| !key.is_empty())?, decoded(value)?))
    };
    let all: Option<_> = text.split(',').filter(|one| !one.trim().is_empty()).map(pair).collect();
    all.ok_or_else(|| Wrong(format!("{variable} must be key=value,key=value, with % before what is no plain letter")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<Settings>, Wrong> {
        let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let endpoint = "http://me:s3cret@collector:4318/v1/traces?key=s3cret".parse().unwrap();
        Settings::read(endpoint, &[("service.version", "1".to_owned())], &variable)
    }

    fn resource(variables: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut resource = read(variables).unwrap().unwrap().resource;
        resource.sort();
        resource
    }

    #[test]
    fn the_service_is_called_as_the_variables_say() {
        let owned = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        assert_eq!(resource(&[]), owned(&[("service.name", "hookswitch"), ("service.version", "1")]));
        let attributes = ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test%20bed, service.name=a,service.version=2");
        assert_eq!(
            resource(&[attributes]),
            owned(&[("deployment.environment.name", "test bed"), ("service.name", "a"), ("service.version", "2")])
        );
        assert_eq!(resource(&[attributes, ("OTEL_SERVICE_NAME", "b")])[1], owned(&[("service.name", "b")])[0]);
    }

    #[test]
    fn headers_are_read_and_never_shown() {
        let settings = read(&[("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer%20s3cret,x-scope=a")]).unwrap().unwrap();
        assert_eq!(settings.headers["authorization"], "Bearer s3cret");
        assert_eq!(settings.headers["x-scope"], "a");
        assert!(!format!("{settings:?}").contains("s3cret"), "{settings:?}");
        for wrong in ["s3cret", "=s3cret", "a b=s3cret", "a=s3cret%0a"] {
            let Wrong(words) = read(&[("OTEL_EXPORTER_OTLP_HEADERS", wrong)]).unwrap_err();
            assert!(words.starts_with("OTEL_EXPORTER_OTLP_HEADERS") && !words.contains("s3cret"), "{words}");
        }
    }

    #[test]
    fn it_can_be_switched_off() {
        for off in [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")] {
            assert!(read(&[off]).unwrap().is_none());
        }
        assert!(read(&[("OTEL_SDK_DISABLED", ""), ("OTEL_TRACES_SAMPLER", "")]).unwrap().is_some());
        assert!(read(&[("OTEL_TRACES_SAMPLER", "x")]).is_err());
    }
}
