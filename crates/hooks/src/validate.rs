//! What can be found out about a handler when it is saved, so that one that can't work is refused then: the URL and its
//! address, the script, the condition.
use std::{path::PathBuf, sync::Arc};

use hookswitch_model::{
    handler::{Handler, task::Kind},
    refusal::{FieldErrors, Refusal},
};
use ipnet::IpNet;
use url::Url;

use crate::{
    call::{address::Reach, headers, mail, requests, script, signature, sql},
    condition::Condition,
};

/// Checks handlers and makes their secrets; a cheap handle.
#[derive(Clone)]
pub struct Checks(Arc<Known>);

struct Known {
    scripts_dir: PathBuf,
    data_dir: PathBuf,
    reseller_networks: Vec<IpNet>,
}

impl Checks {
    pub(crate) fn new(scripts_dir: PathBuf, data_dir: PathBuf, reseller_networks: Vec<IpNet>) -> Self {
        Self(Arc::new(Known { scripts_dir, data_dir, reseller_networks }))
    }

    /// What can't work, by field. Whether a name can be looked up or somebody answers is no reason to refuse a handler: it
    /// may be started later.
    #[must_use]
    pub fn validate(&self, handler: &Handler) -> FieldErrors {
        let mut errors = FieldErrors::new();
        let reach = Reach::new(handler.companies_id.is_some(), self.0.reseller_networks.clone().into());
        match handler.kind() {
            Kind::Script => {
                let name = handler.task.strip_prefix(script::SCHEME).unwrap_or_default();
                if let Err(unfit) = script::folder::check(&self.0.scripts_dir, name) {
                    errors.add("task", unfit.to_string());
                }
            }
            Kind::Http => {
                if let Err(words) = check_url(&handler.task, &reach) {
                    errors.add("task", words);
                }
            }
            Kind::Sql => errors.merge(sql::validate(handler, &reach, &self.0.data_dir)),
            Kind::Mail => errors.merge(mail::validate(handler, &reach)),
            Kind::Chat | Kind::Rest | Kind::Kamailio => errors.merge(requests::validate(handler, &reach)),
        }
        for (name, value) in &handler.headers {
            if let Err(unfit) = headers::check(name, value) {
                errors.add("headers", format!("{name} {unfit}"));
            }
        }
        if !handler.condition.trim().is_empty()
            && let Err(unfit) = Condition::compile(&handler.condition)
        {
            errors.add("condition", unfit.to_string());
        }
        errors
    }

    /// The files of the scripts folder in the order of their names, each with why it can't be started, if so. A folder that can't
    /// be read has none.
    #[must_use]
    pub fn scripts(&self) -> Vec<(String, Option<String>)> {
        script::folder::names(&self.0.scripts_dir)
            .into_iter()
            .map(|name| {
                let unfit = script::folder::check(&self.0.scripts_dir, &name).err();
                (name, unfit.map(|unfit| unfit.to_string()))
            })
            .collect()
    }

    /// A new signing secret.
    ///
    /// # Errors
    /// `Internal` if the system has no random numbers to give.
    pub fn new_secret(&self) -> Result<String, Refusal> {
        signature::new_secret().map_err(Refusal::internal)
    }
}

fn check_url(task: &str, reach: &Reach) -> Result<(), String> {
    let url = Url::parse(task).map_err(|error| format!("is not a URL: {error}"))?;
    if url.host_str().is_none_or(str::is_empty) {
        return Err("must name a host".to_owned());
    }
    reach.check_url(&url).map_err(|forbidden| forbidden.to_string())
}
