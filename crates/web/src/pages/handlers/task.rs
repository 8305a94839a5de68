//! A task in parts, as the form asks for it: scheme, host and port, path; the name of a script; or the boxes of a database.
use hookswitch_model::handler::task::{Kind, SCHEMES, is_scheme};

use super::{database, kinds, settings};
use crate::params::Params;

/// The boxes of a task besides those of a database.
const BOXES: [&str; 4] = ["scheme", "task", "task_path", "script"];
/// Where Slack's webhooks are. What stands behind it is a secret.
const SLACK: &str = "hooks.slack.com/services/";

/// The boxes that an address can fill in.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    BOXES.iter().chain(database::BOXES).copied()
}

/// Takes a task apart: what each box holds. One that is none stands where a host does.
pub(super) fn apart(task: &str) -> Vec<(&'static str, String)> {
    let (scheme, rest) = task.split_once("://").unwrap_or(("http", task));
    let (mut host, mut path, mut script) = ("", "", "");
    match kinds::of_scheme(scheme) {
        Kind::Script => script = rest,
        Kind::Sql => {}
        // It has no path: what stands there nevertheless is kept.
        Kind::Mail => host = rest,
        Kind::Http | Kind::Chat | Kind::Rest | Kind::Kamailio => {
            (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        }
    }
    let boxes = BOXES.into_iter().zip([scheme, host, path, script].map(str::to_owned));
    let database = if kinds::of_scheme(scheme) == Kind::Sql { database::apart(task) } else { Vec::new() };
    boxes.chain(database).collect()
}

/// Puts together what was typed; `None` = nothing was.
pub(super) fn together(form: &Params) -> Option<String> {
    let scheme = form.text("scheme").unwrap_or("http");
    let path = match kinds::of_form(form) {
        Kind::Script => return form.text("script").map(|name| format!("script://{name}")),
        Kind::Sql => return database::together(form),
        Kind::Mail => "",
        Kind::Http | Kind::Chat | Kind::Rest | Kind::Kamailio => form.text("task_path").unwrap_or_default(),
    };
    let host = form.text("task")?;
    Some(joined(&if pasted(host).is_some() { host.to_owned() } else { format!("{scheme}://{host}") }, path))
}

fn joined(address: &str, path: &str) -> String {
    let between = if path.is_empty() || path.starts_with(['/', '?', '#']) { "" } else { "/" };
    let address = if path.is_empty() { address } else { address.trim_end_matches('/') };
    format!("{address}{between}{path}")
}

/// Scheme and rest of a whole address. `127.0.0.1:5000/api?next=http://...` is none.
fn pasted(text: &str) -> Option<(String, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    is_scheme(scheme).then(|| (scheme.to_ascii_lowercase(), rest))
}

/// The form as it is meant: a whole address that was typed or pasted into the box for the host stands in the boxes of its parts.
/// The path of a chat room's webhook is what lets one write there: it goes to the secrets.
pub(super) fn understood(mut form: Params) -> Params {
    let chosen = form.text("scheme").unwrap_or("http").to_owned();
    let kind = kinds::of_form(&form);
    let spot = match kind {
        Kind::Script => return form,
        Kind::Sql => database::HOST,
        _ => "task",
    };
    let address = form.text(spot).and_then(pasted).map(|(scheme, rest)| (scheme, rest.to_owned()));
    let is_plain = address.as_ref().is_some_and(|(scheme, _)| ["http", "https"].contains(&scheme.as_str()));
    if let Some((scheme, rest)) = address {
        let scheme = match chosen.split_once('+') {
            Some((kind, _)) if is_plain => format!("{kind}+{scheme}"),
            _ => scheme,
        };
        if SCHEMES.iter().any(|(known, _)| *known == scheme) {
            let path = form.text("task_path").filter(|_| kinds::of_scheme(&scheme).is_over_http()).unwrap_or_default();
            let task = joined(&format!("{scheme}://{rest}"), path);
            fill(&mut form, &task);
        }
    }
    if kinds::of_form(&form) == Kind::Chat
        && let Some(task) = together(&form).filter(|task| is_plain || task.contains(&format!("://{SLACK}")))
        // Whoever has parted it himself has said what is secret of it.
        && (is_plain || form.text(&settings::name(Kind::Chat, "secret")).is_none())
    {
        fill(&mut form, &task);
        hide_path(&mut form);
    }
    form
}

fn fill(form: &mut Params, task: &str) {
    apart(task).iter().for_each(|(name, text)| form.set(name, text));
}

fn hide_path(form: &mut Params) {
    if let Some(path) = form.text("task_path").map(str::to_owned) {
        form.set(&settings::name(Kind::Chat, "secret"), &path);
        form.set("task_path", "");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(scheme: &str, host: &str, path: &str) -> Params {
        let pairs = [("scheme", scheme), ("task", host), ("task_path", path)];
        understood(pairs.into_iter().map(|(name, text)| (name, text.to_owned())).collect())
    }

    fn typed(scheme: &str, host: &str, path: &str) -> Option<String> {
        together(&form(scheme, host, path))
    }

    #[test]
    fn what_is_taken_apart_comes_together_again() {
        for task in [
            "http://127.0.0.1:5000/api",
            "https://crm.example",
            "http://[::1]:80/a/b?c=http://d",
            "https://h?x",
            "script://x.py",
            "sql://u@h/d?engine=postgres",
            "sql://u@h/d?what",
            "smtp://mail.example:25",
            "smtps://mail.example/x?y",
            "chat+https://hooks.slack.com",
            "rest+http://crm.example/v1/",
            "kamailio+http://127.0.0.1:5060/RPC",
        ] {
            assert_eq!(together(&apart(task).into_iter().collect()).as_deref(), Some(task));
        }
    }

    #[test]
    fn it_is_understood_however_it_is_typed() {
        for (host, path) in [
            ("127.0.0.1:5000/api", ""),
            ("127.0.0.1:5000", "api"),
            ("127.0.0.1:5000/", "/api"),
            ("http://127.0.0.1:5000", "/api"),
        ] {
            assert_eq!(typed("http", host, path).as_deref(), Some("http://127.0.0.1:5000/api"), "{host} {path}");
        }
        assert_eq!(typed("http", " ", "/api"), None);
        assert_eq!(typed("https", "h/api?next=http://x", "").as_deref(), Some("https://h/api?next=http://x"));
    }

    #[test]
    fn a_pasted_address_says_what_is_meant() {
        for (scheme, host, expected) in [
            ("http", "HTTPS://crm.example/api", "https://crm.example/api"),
            ("http", "sql://u@h/d?engine=mysql", "sql://u@h/d?engine=mysql"),
            ("smtp", "smtps://mail.example", "smtps://mail.example"),
            ("rest+https", "http://crm.example/v1", "rest+http://crm.example/v1"),
            ("kamailio+http", "kamailio+https://sip.example/RPC", "kamailio+https://sip.example/RPC"),
            ("http", "ftp://h", "ftp://h"),
        ] {
            assert_eq!(typed(scheme, host, "").as_deref(), Some(expected));
        }
        let pasted: Params = [("scheme", "sql"), ("sql_host", "sql:///a.db?engine=sqlite")]
            .map(|(name, text)| (name, text.to_owned()))
            .into_iter()
            .collect();
        assert_eq!(understood(pasted).text("sql_file"), Some("/a.db"));
    }

    #[test]
    fn the_path_of_a_webhook_is_a_secret() {
        let slack = ("chat+https://hooks.slack.com", Some("/services/T/B/X"));
        for (scheme, host, path) in [
            ("chat+https", "https://hooks.slack.com/services/T/B/X", ""),
            ("chat+http", "https://hooks.slack.com/services/T/B/X", ""),
            ("chat+https", "hooks.slack.com/services/T/B/X", ""),
            ("chat+https", "hooks.slack.com", "services/T/B/X"),
            ("chat+https", "chat+https://hooks.slack.com", "/services/T/B/X"),
        ] {
            let form = form(scheme, host, path);
            assert_eq!((together(&form).unwrap().as_str(), form.text("set.chat.secret")), slack, "{scheme} {host} {path}");
        }
        let pairs = [
            ("scheme", "chat+https"),
            ("task", "hooks.slack.com"),
            ("task_path", "/services/T0"),
            ("set.chat.secret", "********"),
        ];
        let parted = understood(pairs.into_iter().map(|(name, text)| (name, text.to_owned())).collect());
        assert_eq!(parted.text("set.chat.secret"), Some("********"));
        assert_eq!(together(&parted).as_deref(), Some("chat+https://hooks.slack.com/services/T0"));
        let other = form("chat+https", "https://chat.example:8065/hooks/x", "");
        assert_eq!(
            (together(&other).as_deref(), other.text("set.chat.secret")),
            (Some("chat+https://chat.example:8065"), Some("/hooks/x"))
        );
        let kept = form("chat+https", "chat.example", "/hooks");
        assert_eq!((together(&kept).as_deref(), kept.text("set.chat.secret")), (Some("chat+https://chat.example/hooks"), None));
    }
}
