//! What a handler can be: a program of its owner, or something ready made that is only configured. In words, for the form's choice and
//! wherever a task is shown.
use askama::Template;
use hookswitch_model::{
    Object,
    handler::task::{Kind, SCHEMES},
};

use super::{database, settings, text};
use crate::{
    html::Html,
    markup,
    params::Params,
    parts::{form::Faults, input::Choice},
};

/// The kinds that are configured rather than programmed, in the order in which they are offered.
pub(super) const READY_MADE: &[Kind] = &[Kind::Sql, Kind::Mail, Kind::Chat, Kind::Rest, Kind::Kamailio];

/// The word for a kind, in names of boxes and in filters.
pub(super) fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Http => "http",
        Kind::Script => "script",
        Kind::Sql => "sql",
        Kind::Mail => "mail",
        Kind::Chat => "chat",
        Kind::Rest => "rest",
        Kind::Kamailio => "kamailio",
    }
}

/// What a kind is called.
pub(super) fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::Http => "Your own program",
        Kind::Script => "Your own script",
        Kind::Sql => "SQL database",
        Kind::Mail => "E-mail",
        Kind::Chat => "Chat",
        Kind::Rest => "REST",
        Kind::Kamailio => "Kamailio",
    }
}

/// What it does, for who has just chosen it.
fn about(kind: Kind) -> &'static str {
    match kind {
        Kind::Http | Kind::Script => "",
        Kind::Sql => {
            "Statements in a database of yours, in one transaction for each event. A template has all that its product needs."
        }
        Kind::Mail => "A message to people, by your mail server. Passwords are never in it.",
        Kind::Chat => "A message to a room of Slack, or of what understands its webhooks. Passwords are never in it.",
        Kind::Rest => "Requests to a CRM or another REST API, as you write them here.",
        Kind::Kamailio => "JSON-RPC calls of a running Kamailio: reload a table, unregister an account.",
    }
}

/// The kind that a form describes.
pub(super) fn of_form(form: &Params) -> Kind {
    of_scheme(form.text("scheme").unwrap_or("http"))
}

/// The kind that a scheme says.
pub(super) fn of_scheme(scheme: &str) -> Kind {
    SCHEMES.iter().find(|(known, _)| *known == scheme).map_or(Kind::Http, |(_, kind)| *kind)
}

/// The kind of a handler as the API shows it.
pub(super) fn of(handler: &Object) -> Kind {
    Kind::of(text(handler, "task"))
}

/// When something is shown that suits some kinds only: `scheme=http|https`.
pub(super) fn when(suits: impl Fn(Kind) -> bool) -> String {
    let schemes: Vec<&str> = SCHEMES.iter().filter(|(_, kind)| suits(*kind)).map(|(scheme, _)| *scheme).collect();
    format!("scheme={}", schemes.join("|"))
}

/// All schemes to choose from, under what they have in common.
pub(super) fn choices(chosen: &str, scripts: bool) -> Vec<(&'static str, Vec<Choice>)> {
    let choice = |(scheme, kind): &(&'static str, Kind)| {
        let more = if *kind == Kind::Rest { ": CRM and others" } else { "" };
        let label = if kind.is_ready_made() { format!("{}{more} ({scheme}://)", title(*kind)) } else { format!("{scheme}://") };
        let mut choice = Choice::new(*scheme, label);
        choice.chosen = *scheme == chosen;
        choice
    };
    let is_offered = |scheme: &str| scripts || scheme != "script" || chosen == scheme;
    let group = |ready_made: bool| {
        SCHEMES.iter().filter(|(scheme, kind)| kind.is_ready_made() == ready_made && is_offered(scheme)).map(choice).collect()
    };
    vec![("Your own program", group(false)), ("Ready made", group(true))]
}

/// What a list can be filtered by.
pub(super) fn filters() -> impl Iterator<Item = Choice> {
    let own = [("http", "http://"), ("https", "https://"), ("script", "script://"), ("worker", "script that stays (worker)")];
    let own = own.into_iter().map(|(value, label)| Choice::new(value, label));
    own.chain(READY_MADE.iter().map(|kind| Choice::new(word(*kind), title(*kind))))
}

/// True if a handler is what such a filter names: a kind, a scheme, or a script that stays.
pub(super) fn is_like(handler: &Object, filter: &str) -> bool {
    match filter {
        "worker" => text(handler, "mode") == "worker",
        "http" | "https" => text(handler, "task").split("://").next() == Some(filter),
        kind => word(of(handler)) == kind,
    }
}

/// What stands beside a task: of which kind it is, where its address says it to who knows.
pub(super) fn chip(handler: &Object) -> Html {
    let kind = of(handler);
    let words = match kind {
        _ if kind.is_ready_made() => title(kind),
        Kind::Script if text(handler, "mode") == "worker" => "worker",
        _ => return Html::default(),
    };
    markup!(" <span class=\"chip\">{}</span>", words)
}

#[derive(Template)]
#[template(path = "pages/handlers/kind.html")]
struct Part {
    when: String,
    title: &'static str,
    about: &'static str,
    place: Html,
    error: Option<String>,
    boxes: Vec<Html>,
}

/// The boxes of the ready-made kinds, each kind's in a part of its own.
pub(super) fn parts(form: &Params, faults: &Faults, has_files: bool) -> Vec<Html> {
    let chosen = of_form(form);
    let part = |kind: &Kind| {
        let part = Part {
            when: when(|other| other == *kind),
            title: title(*kind),
            about: about(*kind),
            place: if *kind == Kind::Sql { database::boxes(form, faults, has_files) } else { Html::default() },
            error: faults.of("settings").filter(|_| *kind == chosen),
            boxes: settings::boxes(*kind, form, faults),
        };
        // Its template has nothing that can fail.
        Html::of(part.render().unwrap_or_default())
    };
    READY_MADE.iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn every_scheme_can_be_chosen_and_each_kind_can_be_filtered_by() {
        let offered: usize = choices("http", true).iter().map(|(_, choices)| choices.len()).sum();
        assert_eq!(offered, SCHEMES.len());
        assert_eq!(choices("http", false)[0].1.len(), 2);
        assert_eq!(choices("script", false)[0].1.len(), 3, "what is there already is kept");
        let Value::Object(handler) = json!({"task": "smtps://mail.example"}) else { panic!() };
        assert!(is_like(&handler, "mail") && !is_like(&handler, "chat") && chip(&handler).to_string().contains("E-mail"));
        assert_eq!(when(|kind| kind == Kind::Chat), "scheme=chat+https|chat+http");
    }
}
