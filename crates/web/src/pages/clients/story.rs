//! What it is called when something happens to a client.
use std::collections::BTreeMap;

use hookswitch_model::Object;
use serde_json::Value;

use crate::{
    html::Html,
    markup,
    pages::{accounts, client_packages},
    parts::words,
};

/// Keys of an update that are named.
const KEYS_MAX: usize = 6;

/// What a client's accounts and packages are called.
pub(super) struct Called {
    accounts: BTreeMap<i64, String>,
    packages: BTreeMap<i64, String>,
}

impl Called {
    pub(super) fn new(accounts: &[Object], packages: &[Object]) -> Self {
        let by_id = |rows: &[Object], name: fn(&Object) -> String| {
            rows.iter().filter_map(|row| Some((row["id"].as_i64()?, name(row)))).collect()
        };
        Self { accounts: by_id(accounts, accounts::name), packages: by_id(packages, client_packages::package_name) }
    }

    /// What an event is about, if it is not the client itself: with a link where it is still there.
    pub(super) fn object(&self, event: &Object) -> Html {
        let id = event["object_id"].as_i64().unwrap_or_default();
        let (word, path, names) = match about(event) {
            About::Account => ("Account", "/accounts", &self.accounts),
            About::Package => ("Package", "/client-packages", &self.packages),
            About::Client => return Html::default(),
        };
        match names.get(&id) {
            Some(name) => markup!("{} {} ", word, words::link(&format!("{path}/{id}"), name)),
            None => markup!("{} #{} ", word, id),
        }
    }
}

enum About {
    Client,
    Account,
    Package,
}

fn about(event: &Object) -> About {
    match events_id(event) {
        name if name.starts_with("clients.accounts.") => About::Account,
        name if name.starts_with("clients.packages.") => About::Package,
        _ => About::Client,
    }
}

pub(super) fn events_id(row: &Object) -> &str {
    row["events_id"].as_str().unwrap_or_default()
}

/// What happened, and what it is called if it did not.
fn words(events_id: &str) -> Option<(&'static str, &'static str)> {
    Some(match events_id {
        "clients.balance_zero" => ("Balance became ≤ 0", "balance"),
        "clients.balance_notzero" => ("Balance became ≥ 0", "balance"),
        "clients.custom_fields.update" => ("Custom fields changed", "change of custom fields"),
        _ => match events_id.rsplit('.').next()? {
            "create" => ("created", "creation"),
            "update" => ("changed", "change"),
            "delete" => ("deleted", "deletion"),
            "archive" => ("archived", "archiving"),
            "assign" => ("assigned", "assignment"),
            "activate" => ("activated", "activation"),
            "deactivate" => ("deactivated", "deactivation"),
            "renew" => ("renewed", "renewal"),
            "close" => ("closed", "closing"),
            _ => return None,
        },
    })
}

/// What happened: `created`; as it begins a line if it is about the client itself.
pub(super) fn past(event: &Object) -> Html {
    let name = events_id(event);
    match (words(name), about(event)) {
        (Some((past, _)), About::Client) => Html::text(&capital(past)),
        (Some((past, _)), _) => Html::text(past),
        (None, _) => words::code(name),
    }
}

/// The same of what was asked for and did not happen: `Change`.
pub(super) fn asked(row: &Object) -> Html {
    let name = events_id(row);
    match (words(name), about(row)) {
        (Some((_, noun)), About::Client) => Html::text(&capital(noun)),
        (Some((_, noun)), _) => Html::text(noun),
        (None, _) => words::code(name),
    }
}

fn capital(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().into_iter().flat_map(char::to_uppercase).chain(characters).collect()
}

/// Which fields an update changed.
pub(super) fn changed(event: &Object) -> Html {
    let keys: Vec<&str> =
        event.get("changed").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let more = keys.len().saturating_sub(KEYS_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let keys: Vec<String> = keys.iter().take(KEYS_MAX).map(|key| key.replace('_', " ")).collect();
    if keys.is_empty() { Html::default() } else { Html::text(&format!(": {}{more}", keys.join(", "))) }
}

/// Who did it, and in reaction to what.
pub(super) fn by(event: &Object) -> Html {
    let actor = &event["actor"];
    let who = match (actor["type"].as_str(), actor["login"].as_str()) {
        (Some("clock"), _) => "the clock".to_owned(),
        (_, Some(login)) => login.to_owned(),
        (Some(kind), None) => kind.to_owned(),
        (None, None) => return Html::default(),
    };
    let why = match event["cause"].as_str() {
        None => Html::default(),
        Some("resync") => Html::text(", told anew by a resync"),
        Some(cause) => markup!(", {}", words::link(&format!("/provisioning/events/{cause}"), "in reaction")),
    };
    markup!(" <span class=\"quiet\">by {}{}</span>", who, why)
}
