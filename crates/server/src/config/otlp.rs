//! Where traces go: a URL, which may hold a secret, so nothing here shows more of it than the host and the path.
use std::fmt;

use toml::Value;
use url::Url;

/// Where OTLP takes traces, unless a path is said.
const PATH: &str = "/v1/traces";
const HIDDEN: &str = "***";

/// The collector's URL, whole.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Otlp(pub(crate) Url);

/// `http://HOST:4318`, or a URL with a path, which is taken as it is. An empty text switches traces off, whatever the lower layers
/// say. What is wrong is not repeated.
pub(super) fn read(value: &Value) -> Result<Option<Otlp>, String> {
    let wrong = || "must be the URL of an OTLP collector, such as http://127.0.0.1:4318".to_owned();
    let text = value.as_str().ok_or_else(wrong)?;
    if text.is_empty() {
        return Ok(None);
    }
    if text.contains(HIDDEN) {
        return Err(format!("has {HIDDEN} in it, as `hookswitch config` shows it: write the URL itself"));
    }
    let mut url: Url = text.parse().map_err(|_| wrong())?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err(wrong());
    }
    if url.path() == "/" {
        url.set_path(PATH);
    }
    Ok(Some(Otlp(url)))
}

/// What `OTEL_EXPORTER_OTLP_ENDPOINT` means: the path of traces stands behind it, whatever path it has. An address that is none of
/// HTTP, such as those of gRPC without a scheme, is meant for other programs of the machine.
pub(super) fn below(endpoint: &str) -> Option<String> {
    let mut url = of_http(endpoint)?;
    if !url.path().ends_with(PATH) {
        let path = format!("{}{PATH}", url.path().trim_end_matches('/'));
        url.set_path(&path);
    }
    Some(url.into())
}

/// What `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` means.
pub(super) fn as_it_stands(endpoint: &str) -> Option<String> {
    of_http(endpoint).map(|_| endpoint.to_owned())
}

fn of_http(endpoint: &str) -> Option<Url> {
    endpoint.parse::<Url>().ok().filter(|url| ["http", "https"].contains(&url.scheme()))
}

/// The value of the key as it may be shown. What is no URL is not shown at all.
pub(super) fn masked(value: &Value) -> Value {
    let text = value.as_str().unwrap_or_default();
    text.parse::<Url>().map_or_else(|_| if text.is_empty() { "".into() } else { HIDDEN.into() }, |url| mask(url).into())
}

fn mask(mut url: Url) -> String {
    if !url.username().is_empty() || url.password().is_some() {
        // Both can fail only for URLs without a host.
        let _removed = (url.set_password(None), url.set_username(HIDDEN));
    }
    if url.query().is_some() {
        url.set_query(Some(HIDDEN));
    }
    url.set_fragment(None);
    url.into()
}

impl fmt::Debug for Otlp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&mask(self.0.clone()))
    }
}
