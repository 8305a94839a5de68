//! The rows that a product has for an account: which table, what is in them, and by what they are found again.
//!
//! `a` is the account's row in `hookswitch_accounts`. An account that may not make calls has none of these rows: the product then
//! knows nobody of that name, and refuses whoever registers or calls with it.
use hookswitch_model::Object;
use serde_json::Value as Json;

use super::super::super::configured::settings::text;

/// One row of an account in one table.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) table: &'static str,
    /// Columns that say which row it is, each with its value.
    pub(super) key: Vec<(&'static str, String)>,
    /// The others.
    pub(super) rest: Vec<(&'static str, String)>,
}

fn columns<const N: usize>(columns: [(&'static str, &str); N]) -> Vec<(&'static str, String)> {
    columns.map(|(name, value)| (name, value.to_owned())).into()
}

/// `subscriber` as auth_db reads it, with `calculate_ha1` 0 for digests.
pub(super) fn kamailio() -> Vec<Row> {
    let key = columns([("username", "a.username"), ("domain", "a.domain")]);
    let rest = columns([("password", "a.secret"), ("ha1", "a.ha1"), ("ha1b", "a.ha1b")]);
    vec![Row { table: "subscriber", key, rest }]
}

/// The same, as OpenSIPS has it since 3.2: without `ha1b`, which was replaced by digests of other kinds.
pub(super) fn opensips() -> Vec<Row> {
    let key = columns([("username", "a.username"), ("domain", "a.domain")]);
    vec![Row { table: "subscriber", key, rest: columns([("password", "a.secret"), ("ha1", "a.ha1")]) }]
}

/// `radcheck` with the password, `radreply` and `radusergroup` as they were set.
pub(super) fn freeradius(settings: &Object, clear: bool) -> Result<Vec<Row>, String> {
    let (attribute, value) = if clear { ("Cleartext-Password", "a.secret") } else { ("Digest-HA1", "a.ha1") };
    let user = ("username", "a.username".to_owned());
    let mut rows = vec![Row {
        table: "radcheck",
        key: vec![user.clone(), ("attribute", format!("'{attribute}'"))],
        rest: columns([("op", "':='"), ("value", value)]),
    }];
    for (attribute, given) in settings.get("reply").and_then(Json::as_object).into_iter().flatten() {
        if !is_word(attribute) || !given.is_string() {
            return Err("has reply, which must be an object: a text for each name of an attribute".to_owned());
        }
        rows.push(Row {
            table: "radreply",
            key: vec![user.clone(), ("attribute", format!("'{attribute}'"))],
            rest: vec![("op", "':='".to_owned()), ("value", format!("{{{{settings.reply[\"{attribute}\"]}}}}"))],
        });
    }
    if text(settings, "group")?.is_some() {
        let rest = columns([("groupname", "{{settings.group}}"), ("priority", "1")]);
        rows.push(Row { table: "radusergroup", key: vec![user], rest });
    }
    Ok(rows)
}

/// An endpoint, its auth and its aor, all under the account's name.
pub(super) fn asterisk(settings: &Object, clear: bool) -> Result<Vec<Row>, String> {
    let contacts = match settings.get("max_contacts") {
        None => 1,
        Some(given) => {
            given.as_u64().filter(|count| (1..=1000).contains(count)).ok_or("has max_contacts, which must be 1 to 1000")?
        }
    };
    let mut endpoint = columns([("aors", "a.username"), ("auth", "a.username"), ("disallow", "'all'")]);
    for (setting, needed) in [("context", true), ("allow", true), ("transport", false)] {
        match text(settings, setting)? {
            Some(_) => endpoint.push((setting, format!("{{{{settings.{setting}}}}}"))),
            None if needed => return Err(format!("must have {setting} for the template asterisk")),
            None => {}
        }
    }
    let key = || columns([("id", "a.username")]);
    let credentials = if clear {
        columns([("auth_type", "'userpass'"), ("username", "a.username"), ("password", "a.secret"), ("realm", "a.domain")])
    } else {
        columns([("auth_type", "'md5'"), ("username", "a.username"), ("md5_cred", "a.ha1"), ("realm", "a.domain")])
    };
    Ok(vec![
        Row {
            table: "ps_aors",
            key: key(),
            rest: vec![("max_contacts", contacts.to_string()), ("remove_existing", "'yes'".to_owned())],
        },
        Row { table: "ps_auths", key: key(), rest: credentials },
        Row { table: "ps_endpoints", key: key(), rest: endpoint },
    ])
}

/// As names of RADIUS attributes are.
fn is_word(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|character| character.is_ascii_alphanumeric() || "-._".contains(character))
}
