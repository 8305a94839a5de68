//! All calls to handlers, newest first.
use hookswitch_core::access::Right;
use hookswitch_model::{Object, event::Stage, refusal::FieldErrors};

use super::{PATH, text};
use crate::{
    answer::{Answer, show},
    html::Html,
    markup,
    pages::live::LivePage,
    parts::{
        happened::{self, Names},
        input::{Choice, Input, Kind},
        list::List,
        table::{Empty, Table},
        waterfall, words,
    },
    visitor::Visitor,
};

const TITLES: &[&str] = &["When", "What", "Handler", "Object", "Answer", "Took"];

pub(super) async fn list(visitor: Visitor) -> Answer {
    let mut list = List::ask(&visitor, "provisioning.executions.search", text::range(&visitor.query, visitor.now())).await?;
    let is_too_wide = list.errors.iter().any(|(name, words)| name == "q" && words.starts_with("needs"));
    if is_too_wide {
        list.errors = FieldErrors::one("q", text::TOO_WIDE);
    }
    let names = Names::of(&visitor, &list.rows).await?;
    let is_live = visitor.query.text("order").is_none() && visitor.query.number("offset").unwrap_or(0) == 0;
    let mut table = Table { live: is_live, empty: empty(&visitor, &list), ..Table::new("Calls to handlers", TITLES) };
    table = table.numbers(&["Took"]).cut("tight", &["What", "Handler", "Object"]);
    for row in &list.rows {
        table.row(row["id"].to_string(), cells(row, &names, &visitor));
    }
    Ok(show(&LivePage {
        page: visitor.page("Logs", "logs"),
        tabs: Html::default(),
        above: Html::default(),
        filters: filters(&visitor, &list, &names),
        note: text::note(&visitor.query, is_too_wide),
        table: table.html(),
        pager: list.pager(),
        is_live,
    }))
}

fn cells(row: &Object, names: &Names, visitor: &Visitor) -> Vec<Html> {
    let (stage, status) = (happened::text(row, "stage"), happened::text(row, "status"));
    let attempt = row["attempt"].as_i64().filter(|attempt| *attempt > 1);
    let attempt = attempt.map_or_else(Html::default, |attempt| markup!(" <span class=\"quiet\">attempt {}</span>", attempt));
    let shadow = if row["shadow"] == true { markup!(" <span class=\"chip\">shadow</span>") } else { Html::default() };
    let stage_words = if stage == "outcome" { "how it ended" } else { stage };
    vec![
        words::link(&format!("{PATH}/{}", row["id"]), words::ago(visitor.now(), &row["dt"])),
        markup!("{} <span class=\"quiet\">{}</span>", happened::title(happened::text(row, "events_id")), stage_words),
        names.handler(&row["handlers_id"], Some(happened::text(row, "handlers_name"))),
        names.object(row),
        markup!(
            "{}{}{}{}{}",
            waterfall::verdict(stage, status, row["shadow"] == true, false),
            answered(row),
            shadow,
            attempt,
            words::why(happened::text(row, "error"))
        ),
        if status == "skipped" { words::nothing() } else { words::milliseconds(&row["duration_ms"]) },
    ]
}

/// HTTP status or exit status, where it says more than the verdict.
fn answered(row: &Object) -> Html {
    match row["response_status"].as_i64() {
        None | Some(0 | 200..=299) => Html::default(),
        Some(status) => markup!(" <span class=\"quiet\">{}</span>", status),
    }
}

fn filters(visitor: &Visitor, list: &List, names: &Names) -> Html {
    let query = &visitor.query;
    let any = |words: &str| Choice::new("", words);
    let statuses = vec![
        any("All"),
        Choice::new("success", "success"),
        Choice::new("forbidden", "refused"),
        Choice::new("failed", "failed"),
        Choice::new("skipped", "not called"),
    ];
    let stages = Stage::LOGGED.iter().map(|word| match *word {
        "outcome" => Choice::new(*word, "how it ended"),
        word => Choice::new(word, word),
    });
    let stages = std::iter::once(any("All")).chain(stages).collect();
    let handlers = names.choices(query.text("handlers_id")).map_or(Kind::Number, Kind::Choice);
    let shadows = vec![any("All"), Choice::new("false", "asked in earnest"), Choice::new("true", "as a shadow")];
    let seen = vec![
        Input::new("q", "Text in data or error", Kind::Line),
        Input::new("status", "Answer", Kind::Choice(statuses)),
        Input::new("handlers_id", "Handler", handlers),
        Input::new("events_id", "Event", Kind::Choice(happened::choices())),
        Input::new("clients_id", "Client's id", Kind::Number),
        Input::new("dt_from", "From", day(query.text("dt_from"))),
        Input::new("dt_to", "Before", day(query.text("dt_to"))),
    ];
    let more = vec![
        Input::new("stage", "Stage", Kind::Choice(stages)),
        Input::new("object_id", "Object's id", Kind::Number),
        Input::new("response_status", "HTTP or exit status", Kind::Number),
        Input::new("attempt", "Attempt", Kind::Number),
        Input::new("shadow", "Shadows", Kind::Choice(shadows)),
        Input::new("event_id", "Id of the action", Kind::Line),
    ];
    list.filters(seen, more)
}

/// A box for a day; one that holds a moment to the second is shown as it is.
pub(crate) fn day(text: Option<&str>) -> Kind {
    if text.is_some_and(|text| text.len() > "2026-11-23".len()) { Kind::Line } else { Kind::Day }
}

fn empty(visitor: &Visitor, list: &List) -> Empty {
    if !list.errors.is_empty() {
        return Empty::new("Nothing was searched.");
    }
    if list.is_filtered() {
        return Empty::new("No call is like that.");
    }
    let empty = Empty::new(
        "Every call to a handler is kept here: what was sent, what came back, how long it took, and what it led to. There was none yet.",
    )
    .curl("provisioning.executions.search", "{\"status\":\"failed\"}");
    if visitor.may(Right::Administer) { empty.button("/provisioning/handlers/new", "New handler") } else { empty }
}
