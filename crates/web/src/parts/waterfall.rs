//! All that handlers did about one action, as a waterfall: who was asked, one after another, how long it took and what each said; who
//! was told then; who was told how it ended.
//!
//! The log has its times in whole seconds: the place of a bar among those who were asked follows from how long those before it
//! took, since they are asked one after another.
use std::collections::BTreeMap;

use hookswitch_model::{Object, moment::Moment, refusal::Refusal};
use serde_json::{Value, json};

use super::{
    happened::{Names, short, text},
    json,
    list::objects,
    picture,
    table::Table,
    words,
};
use crate::{html::Html, markup, visitor::Visitor};

/// Calls of one action that are read; there are more only where many handlers fail for long.
const CALLS_MAX: usize = 300;
/// Lines of a part.
const LINES_MAX: usize = 25;
/// Keys that are said to be changed in a line.
const KEYS_MAX: usize = 4;
/// Calls that are looked into for what they changed.
const LOOKED_INTO_MAX: usize = 8;

/// The calls of one action.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chain {
    event_id: String,
    rows: Vec<Object>,
    /// What before handlers changed, by the number of the call.
    changes: BTreeMap<i64, Object>,
    more: bool,
}

/// How an action ended, as its calls tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// A handler refused it.
    Refused,
    /// A handler failed that had to be asked.
    Failed,
    /// Neither: nothing in its calls speaks against it.
    Unopposed,
}

impl Chain {
    /// Asks the log.
    ///
    /// # Errors
    /// Whatever it is refused with.
    pub(crate) async fn ask(visitor: &Visitor, event_id: &str) -> Result<Self, Refusal> {
        let asked = json!({"event_id": event_id, "order": ["id"], "limit": CALLS_MAX + 1});
        let mut rows = objects(visitor.ask("provisioning.executions.search", asked).await?);
        let more = rows.len() > CALLS_MAX;
        rows.truncate(CALLS_MAX);
        let mut changes = BTreeMap::new();
        let said_yes = |row: &&Object| text(row, "stage") == "before" && text(row, "status") == "success";
        let ids: Vec<i64> = rows.iter().filter(said_yes).filter_map(|row| row["id"].as_i64()).take(LOOKED_INTO_MAX).collect();
        for id in ids {
            if let Value::Object(changed) = &visitor.ask("provisioning.executions.get", json!({"id": id})).await?["changes"] {
                changes.insert(id, changed.clone());
            }
        }
        Ok(Self { event_id: event_id.to_owned(), rows, changes, more })
    }

    /// Its calls, in order.
    pub(crate) fn rows(&self) -> &[Object] {
        &self.rows
    }

    /// How it ended: what the last of those says that were asked in earnest.
    pub(crate) fn end(&self) -> End {
        let asked = || self.rows.iter().filter(|row| text(row, "stage") == "before" && row["shadow"] != true);
        match asked().next_back().map(|row| text(row, "status")) {
            Some("forbidden") => End::Refused,
            Some("failed" | "skipped") if self.rows.iter().all(|row| text(row, "stage") != "after") => End::Failed,
            _ => End::Unopposed,
        }
    }

    /// As markup. `happened`: when it was committed, if it was; `here`: the call whose page this is.
    pub(crate) fn html(&self, names: &Names, happened: Option<Moment>, here: Option<i64>) -> Html {
        let mut tables = self.asked(names, here);
        tables.push(&self.told(names, happened, here, "after"));
        tables.push(&self.told(names, None, here, "outcome"));
        let mut html = markup!("<div class=\"waterfall\">{}</div>", tables);
        if self.more || self.rows.len() > LINES_MAX {
            let href = format!("/provisioning/logs?event_id={}", self.event_id);
            html.push(&markup!("<p>{}</p>", words::link(&href, "All calls of this action")));
        }
        html
    }

    fn asked(&self, names: &Names, here: Option<i64>) -> Html {
        let rows: Vec<&Object> = self.rows.iter().filter(|row| text(row, "stage") == "before").collect();
        if rows.is_empty() {
            return markup!("<p class=\"quiet\">Nobody was asked before.</p>");
        }
        let took = |row: &Object| row["duration_ms"].as_f64().unwrap_or(0.0);
        let in_earnest = |row: &Object| row["shadow"] != true;
        let whole: f64 = rows.iter().filter(|row| in_earnest(row)).map(|row| took(row)).sum();
        let longest = rows.iter().map(|row| took(row)).fold(whole, f64::max).max(1.0);
        let mut table = Table::new("Who was asked", &["Asked", "When", "Took", "Answer"]).numbers(&["Took"]);
        let mut at = 0.0;
        for row in rows.iter().take(LINES_MAX) {
            let from = if in_earnest(row) { at } else { 0.0 };
            table.row(text_of(&row["id"]), self.line(row, names, here, (from, longest)));
            at += if in_earnest(row) { took(row) } else { 0.0 };
        }
        table.html()
    }

    /// Who is told is told beside the others: each from the beginning, the last attempt of each.
    fn told(&self, names: &Names, happened: Option<Moment>, here: Option<i64>, stage: &str) -> Html {
        let mut last: BTreeMap<i64, (&Object, usize)> = BTreeMap::new();
        for row in self.rows.iter().filter(|row| text(row, "stage") == stage) {
            let entry = last.entry(row["handlers_id"].as_i64().unwrap_or(0)).or_insert((row, 0));
            let is_here = here.is_some() && entry.0["id"].as_i64() == here;
            *entry = (if is_here { entry.0 } else { row }, entry.1 + 1);
        }
        if last.is_empty() {
            return if stage == "after" { self.told_nobody(happened) } else { Html::default() };
        }
        let longest = last.values().filter_map(|(row, _)| row["duration_ms"].as_f64()).fold(1.0, f64::max);
        let title = if stage == "after" { "Told" } else { "Told how it ended" };
        let mut table = Table::new(title, &[title, "When", "Took", "Answer"]).numbers(&["Took"]);
        for (row, attempts) in last.values().take(LINES_MAX) {
            let mut cells = self.line(row, names, here, (0.0, longest));
            if *attempts > 1 {
                let href = format!("/provisioning/logs?event_id={}&handlers_id={}", self.event_id, row["handlers_id"]);
                let tried = format!("{} calls", words::number(i64::try_from(*attempts).unwrap_or(0)));
                cells[3].push(&markup!(" <span class=\"quiet\">({})</span>", words::link(&href, tried)));
            }
            table.row(text_of(&row["id"]), cells);
        }
        table.html()
    }

    fn told_nobody(&self, happened: Option<Moment>) -> Html {
        let words = match (self.end(), happened) {
            (_, Some(_)) => "Nobody was told yet: nobody listens, or it still waits.",
            (End::Refused | End::Failed, None) => "Nobody was told: nothing was changed.",
            (End::Unopposed, None) => "Nobody was told.",
        };
        markup!("<p class=\"quiet\">{}</p>", words)
    }

    fn line(&self, row: &Object, names: &Names, here: Option<i64>, (from, whole): (f64, f64)) -> Vec<Html> {
        let id = row["id"].as_i64();
        let name = text(row, "handlers_name");
        let name =
            if name.is_empty() { names.handler_name(row["handlers_id"].as_i64().unwrap_or(0)).unwrap_or("–") } else { name };
        let name = match id.filter(|id| here != Some(*id)) {
            Some(id) => words::link(&format!("/provisioning/logs/{id}"), short(name)),
            None => markup!("<strong aria-current=\"true\">{}</strong>", short(name)),
        };
        let shadow = if row["shadow"] == true { markup!(" <span class=\"chip\">shadow</span>") } else { Html::default() };
        let again = row["attempt"].as_i64().filter(|attempt| *attempt > 1);
        let again = again.map_or_else(Html::default, |attempt| markup!(" <span class=\"quiet\">attempt {}</span>", attempt));
        let took = row["duration_ms"].as_f64().unwrap_or(0.0);
        let bar = match text(row, "status") {
            "skipped" => markup!("<span class=\"quiet\">not called</span>"),
            status => {
                let said = format!("from {from:.0} ms, for {took:.0} ms");
                picture::bar(from, took, whole, bar_class(status), &said)
            }
        };
        vec![markup!("{}{}{}", name, shadow, again), bar, words::milliseconds(&row["duration_ms"]), self.answer(row)]
    }

    /// What it said, in words.
    fn answer(&self, row: &Object) -> Html {
        let error = text(row, "error");
        let said = json::cut_by_markup(error, 400);
        let changes = row["id"].as_i64().and_then(|id| self.changes.get(&id));
        let verdict = verdict(text(row, "stage"), text(row, "status"), row["shadow"] == true, changes.is_some());
        match changes {
            Some(changes) => markup!("{}: {}", verdict, briefly(changes)),
            None if said.is_empty() => verdict,
            None => markup!("{}: {}", verdict, said),
        }
    }
}

/// A verdict: colour, word and shape.
pub(crate) fn verdict(stage: &str, status: &str, is_shadow: bool, changed: bool) -> Html {
    let (class, shape, word) = verdict_words(stage, status, is_shadow, changed);
    markup!("<span class=\"state {}\"><span aria-hidden=\"true\">{}</span> {}</span>", class, shape, word)
}

/// The class, the shape and the word of a verdict: one vocabulary for all pages.
pub(crate) fn verdict_words(
    stage: &str,
    status: &str,
    is_shadow: bool,
    changed: bool,
) -> (&'static str, &'static str, &'static str) {
    match (status, stage, is_shadow) {
        ("success", "before", false) if changed => ("good", "●", "changed"),
        ("success", "before", false) => ("good", "●", "allowed"),
        ("success", "before", true) => ("good", "●", "would have allowed"),
        ("success", "outcome", _) => ("good", "●", "told how it ended"),
        ("success", _, _) => ("good", "●", "told"),
        ("forbidden", _, false) => ("refused", "⊘", "refused"),
        ("forbidden", _, true) => ("refused", "⊘", "would have refused"),
        ("failed", _, _) => ("bad", "✕", "failed"),
        _ => ("off", "○", "not called"),
    }
}

/// The first keys that a handler changed, in a line.
fn briefly(changes: &Object) -> Html {
    let one = |(key, change): (&String, &Value)| markup!("{} {}", key, json::change(change.get("old"), change.get("new")));
    let shown = Html::joined(changes.iter().take(KEYS_MAX).map(one), ", ");
    match changes.len() - changes.len().min(KEYS_MAX) {
        0 => shown,
        more => markup!("{} and {} more", shown, more),
    }
}

fn bar_class(status: &str) -> &'static str {
    match status {
        "success" => "good",
        "forbidden" => "refused",
        "failed" => "bad",
        _ => "off",
    }
}

fn text_of(value: &Value) -> String {
    value.to_string()
}
