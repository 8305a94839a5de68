//! What happened to a client, the newest first, and what each handler did: its events, what was asked for and refused, and what was
//! booked between them.
//!
//! A page of it costs a handful of questions, however many handlers there are: its events, the calls of these events, what is not
//! delivered of them, and the transactions and refusals of the same span of time.
use std::collections::{BTreeMap, BTreeSet};

use hookswitch_model::{Object, moment::Moment, refusal::Refusal};
use serde_json::{Value, json};

use super::story::{self, Called};
use crate::{
    html::Html,
    markup,
    pages::transactions,
    parts::{happened::text, list::objects, waterfall::verdict_words, words},
    visitor::Visitor,
};

/// Events on a page.
const EVENTS: usize = 25;
const PAGE: i64 = EVENTS as i64;
/// Calls that are looked at for a page: some ten for each event. Where there are more, the events concerned say so.
const CALLS_MAX: usize = 300;
/// Transactions of a page's span; what is more is in their list.
const BOOKED_MAX: usize = 200;
/// So many in a row stand one by one; more are told in one line.
const BOOKED_APART_MAX: usize = 3;
/// Refusals of a page's span.
const REFUSED_MAX: usize = 50;

/// A page of the timeline.
pub(super) struct Timeline {
    clients_id: i64,
    entries: Vec<(Moment, u8, Entry)>,
    told: Told,
    /// Before which event the earlier page is, and where the later one.
    pub(super) earlier: Option<i64>,
    pub(super) later: Option<Place>,
}

/// A page: the newest, or that before the client's event of this number. A client's events are numbered without a gap, so that no
/// page costs more than another, and none moves when something happens.
pub(super) type Place = Option<i64>;

enum Entry {
    Event(Object),
    /// What was asked for and refused: by its last call.
    Refused(Object),
    Booked(Object),
}

/// What each handler did about which event.
#[derive(Default)]
struct Told {
    /// Calls by event, newest first.
    calls: BTreeMap<String, Vec<Object>>,
    deliveries: BTreeMap<String, Vec<Object>>,
    /// Up to when calls and deliveries are missing, because there were too many.
    calls_cut: Cut,
    deliveries_cut: Cut,
    /// What handlers are called.
    names: BTreeMap<i64, String>,
}

/// Where the rows end that were looked at, if there were more: with this event, or with one of that time.
#[derive(Default)]
struct Cut(Option<(String, Moment)>);

impl Cut {
    /// Of rows that come newest first: one more than is shown was asked for.
    fn of(rows: &mut Vec<Object>) -> Self {
        if rows.len() <= CALLS_MAX {
            return Self(None);
        }
        rows.truncate(CALLS_MAX);
        Self(rows.last().map(|row| (text(row, "event_id").to_owned(), at(row, "dt"))))
    }

    /// True if some of an event's may be missing.
    fn concerns(&self, event_id: &str, dt: Moment) -> bool {
        self.0.as_ref().is_some_and(|(last, until)| dt <= *until || event_id == last)
    }
}

fn at(row: &Object, name: &str) -> Moment {
    row[name].as_str().and_then(Moment::parse).unwrap_or(Moment(0))
}

impl Timeline {
    /// Asks for a page; `status` says what handlers are called, and how many events there are.
    pub(super) async fn ask(visitor: &Visitor, clients_id: i64, place: Place, status: &Value) -> Result<Self, Refusal> {
        let limit = EVENTS + 1 + usize::from(place.is_some());
        let mut asked = json!({"clients_id": clients_id, "limit": limit});
        if let Some(before) = place {
            // That one too: the page ends where it happened.
            asked["seq"] = (before - PAGE - 1..=before).rev().filter(|seq| *seq > 0).collect();
        }
        let mut events = objects(visitor.ask("provisioning.events.search", asked).await?);
        let is_later = place.is_some() && events.first().is_some_and(|event| event["seq"].as_i64() == place);
        let to = is_later.then(|| events.remove(0)["dt"].clone());
        let more = events.len() > EVENTS;
        events.truncate(EVENTS);
        let from = events.last().filter(|_| more).map(|event| event["dt"].clone());
        let earlier = events.last().filter(|_| more).and_then(|event| event["seq"].as_i64());
        let last = status["last_seq"].as_i64().unwrap_or_default();
        let later = place.map(|before| Some(before + PAGE).filter(|later| *later <= last));

        let refused = refused(visitor, clients_id, &events, from.as_ref(), to.as_ref()).await?;
        let booked = booked(visitor, clients_id, from.as_ref(), to.as_ref()).await?;
        let told = Told::ask(visitor, clients_id, &events, &refused, status).await?;
        let mut entries: Vec<(Moment, u8, Entry)> = Vec::new();
        // Within one second: what came of it above what it was, and the beginning below all.
        let rank = |event: &Object| if story::events_id(event) == "clients.create" { 3 } else { 0 };
        entries.extend(events.into_iter().map(|event| (at(&event, "dt"), rank(&event), Entry::Event(event))));
        entries.extend(refused.into_iter().map(|call| (at(&call, "dt"), 1, Entry::Refused(call))));
        entries.extend(booked.into_iter().map(|row| (at(&row, "c_dt"), 2, Entry::Booked(row))));
        entries.sort_by_key(|(at, rank, _)| (std::cmp::Reverse(*at), *rank));
        Ok(Self { clients_id, entries, told, earlier, later })
    }

    /// As markup.
    pub(super) fn html(&self, now: Moment, called: &Called) -> Html {
        let (mut lines, mut at) = (Html::default(), 0);
        while let Some((_, _, entry)) = self.entries.get(at) {
            let run = self.entries[at..].iter().take_while(|(_, _, entry)| matches!(entry, Entry::Booked(_))).count();
            if run > BOOKED_APART_MAX {
                lines.push(&self.booked_together(now, at, run));
                at += run;
                continue;
            }
            lines.push(&match entry {
                Entry::Event(event) => self.event(now, event, called),
                Entry::Refused(call) => self.refusal(now, call, called),
                Entry::Booked(row) => booked_alone(now, row),
            });
            at += 1;
        }
        if lines.is_empty() {
            markup!("<p class=\"quiet\">Nothing yet.</p>")
        } else {
            markup!("<ol class=\"timeline timed\">{}</ol>", lines)
        }
    }

    fn event(&self, now: Moment, event: &Object, called: &Called) -> Html {
        let id = text(event, "id");
        let title = words::link(&format!("/provisioning/events/{id}"), story::past(event));
        markup!(
            "<li>{}<div>{}{}{}{} <span class=\"quiet\" title=\"The number of the client’s event\">#{}</span>{}</div></li>",
            when(now, &event["dt"]),
            called.object(event),
            title,
            story::changed(event),
            story::by(event),
            event["seq"].to_string(),
            self.told.about(now, id, at(event, "dt"))
        )
    }

    fn refusal(&self, now: Moment, call: &Object, called: &Called) -> Html {
        let said = text(call, "error");
        let said = if said.is_empty() { Html::default() } else { markup!(" <q>{}</q>", words::said(said)) };
        markup!(
            "<li class=\"off\">{}<div>{}{} <strong>did not happen</strong>: {} {}{}{}</div></li>",
            when(now, &call["dt"]),
            called.object(call),
            words::link(&format!("/provisioning/logs/{}", call["id"]), story::asked(call)),
            text(call, "handlers_name"),
            if text(call, "status") == "forbidden" { "said no" } else { "had to be asked, and failed" },
            said,
            self.told.about(now, text(call, "event_id"), at(call, "dt"))
        )
    }

    /// Many transactions in a row, in one line: from which balance to which.
    fn booked_together(&self, now: Moment, at: usize, run: usize) -> Html {
        let rows: Vec<&Object> = self.entries[at..at + run]
            .iter()
            .filter_map(|(_, _, entry)| if let Entry::Booked(row) = entry { Some(row) } else { None })
            .collect();
        let (Some(newest), Some(oldest)) = (rows.first(), rows.last()) else { return Html::default() };
        let query: crate::params::Params = [
            ("clients_id", self.clients_id.to_string()),
            ("c_dt_from", text(oldest, "c_dt").to_owned()),
            ("c_dt_to", self.entries[at].0.plus_millis(1_000).iso()),
        ]
        .into_iter()
        .collect();
        let many = words::counted(i64::try_from(run).unwrap_or(i64::MAX), "transaction", "transactions");
        markup!(
            "<li class=\"off\">{}<div>{}, the first {}: balance {} → {}</div></li>",
            when(now, &newest["c_dt"]),
            words::link(&query.href("/transactions"), many),
            words::ago(now, &oldest["c_dt"]),
            words::money(&oldest["balance_after"]),
            words::money(&newest["balance_after"])
        )
    }
}

fn when(now: Moment, dt: &Value) -> Html {
    markup!("<span class=\"when\">{}</span>", words::ago(now, dt))
}

fn booked_alone(now: Moment, row: &Object) -> Html {
    let link = words::link(&format!("/transactions/{}", row["id"]), transactions::kind(row));
    let notes = if row["notes"].is_null() {
        Html::default()
    } else {
        markup!(" <span class=\"quiet\">{}</span>", transactions::notes(row))
    };
    markup!(
        "<li class=\"off\">{}<div>{} {}{}, balance {}</div></li>",
        when(now, &row["c_dt"]),
        link,
        words::money(&row["amount"]),
        notes,
        words::money(&row["balance_after"])
    )
}

/// A question about a client and a span of time.
fn span(clients_id: i64, limit: usize, name: &str, from: Option<&Value>, to: Option<&Value>) -> Object {
    let mut asked = Object::new();
    asked.insert("clients_id".to_owned(), clients_id.into());
    asked.insert("limit".to_owned(), limit.into());
    for (end, moment) in [("from", from), ("to", to)] {
        if let Some(moment) = moment {
            asked.insert(format!("{name}_{end}"), moment.clone());
        }
    }
    asked
}

async fn booked(visitor: &Visitor, clients_id: i64, from: Option<&Value>, to: Option<&Value>) -> Result<Vec<Object>, Refusal> {
    let mut asked = span(clients_id, BOOKED_MAX, "c_dt", from, to);
    asked.insert("order".to_owned(), json!(["-id"]));
    Ok(objects(visitor.act("accounting.transactions.search", asked).await?.result))
}

/// Calls that ended an action before it happened: each stands for its whole chain.
async fn refused(
    visitor: &Visitor,
    clients_id: i64,
    events: &[Object],
    from: Option<&Value>,
    to: Option<&Value>,
) -> Result<Vec<Object>, Refusal> {
    let mut asked = span(clients_id, REFUSED_MAX, "dt", from, to);
    asked.insert("stage".to_owned(), "before".into());
    asked.insert("status".to_owned(), json!(["forbidden", "failed", "skipped"]));
    asked.insert("shadow".to_owned(), false.into());
    let mut calls = objects(visitor.act("provisioning.executions.search", asked).await?.result);
    let mut seen: BTreeSet<String> = events.iter().map(|event| text(event, "id").to_owned()).collect();
    calls.retain(|call| seen.insert(text(call, "event_id").to_owned()));
    if calls.is_empty() {
        return Ok(calls);
    }
    // One that failed and may fail did not keep it from happening; its event may stand on another page.
    let ids: Vec<&str> = calls.iter().map(|call| text(call, "event_id")).collect();
    let asked = json!({"clients_id": clients_id, "id": ids, "limit": ids.len()});
    let happened = objects(visitor.ask("provisioning.events.search", asked).await?);
    let happened: BTreeSet<&str> = happened.iter().map(|event| text(event, "id")).collect();
    calls.retain(|call| !happened.contains(text(call, "event_id")));
    Ok(calls)
}

impl Told {
    async fn ask(
        visitor: &Visitor,
        clients_id: i64,
        events: &[Object],
        refused: &[Object],
        status: &Value,
    ) -> Result<Self, Refusal> {
        let named = objects(status["handlers"].clone());
        let names = named.iter().filter_map(|row| Some((row["id"].as_i64()?, text(row, "name").to_owned()))).collect();
        let ids: Vec<&str> =
            events.iter().map(|event| text(event, "id")).chain(refused.iter().map(|call| text(call, "event_id"))).collect();
        if ids.is_empty() {
            return Ok(Self { names, ..Self::default() });
        }
        let asked = json!({"clients_id": clients_id, "event_id": ids, "limit": CALLS_MAX + 1});
        let mut calls = objects(visitor.ask("provisioning.executions.search", asked.clone()).await?);
        let mut asked = asked;
        asked["order"] = json!(["-id"]);
        let mut deliveries = objects(visitor.ask("provisioning.deliveries.search", asked).await?);
        let (calls_cut, deliveries_cut) = (Cut::of(&mut calls), Cut::of(&mut deliveries));
        Ok(Self { calls: grouped(calls), deliveries: grouped(deliveries), calls_cut, deliveries_cut, names })
    }

    /// What each handler did about an event: its last call of each kind, and what it is still to be told.
    fn about(&self, now: Moment, event_id: &str, dt: Moment) -> Html {
        let waits = self.deliveries.get(event_id).map(Vec::as_slice).unwrap_or_default();
        let mut seen = BTreeSet::new();
        let mut last: Vec<&Object> = self.calls.get(event_id).into_iter().flatten().collect();
        last.retain(|call| seen.insert((text(call, "stage"), call["handlers_id"].as_i64())));
        let waits_for =
            |call: &Object| text(call, "stage") == "after" && waits.iter().any(|wait| wait["handlers_id"] == call["handlers_id"]);
        // In the order in which they were asked and told.
        last.sort_by_key(|call| {
            let is_asked = text(call, "stage") == "before";
            let order = if is_asked { &call["id"] } else { &call["handlers_id"] };
            (!is_asked, order.as_i64())
        });
        let calls = last.iter().filter(|call| !waits_for(call)).map(|call| called(call));
        let waiting = waits.iter().map(|wait| {
            let name = wait["handlers_id"].as_i64().and_then(|id| self.names.get(&id)).map_or("a handler", String::as_str);
            waiting(now, wait, name)
        });
        let more = [(&self.calls_cut, "logs", "more calls"), (&self.deliveries_cut, "deliveries", "more that waits")];
        let more = more
            .into_iter()
            .filter(|(cut, ..)| cut.concerns(event_id, dt))
            .map(|(_, page, word)| words::link(&format!("/provisioning/{page}?event_id={event_id}"), format!("perhaps {word}")));
        let all = Html::joined(calls.chain(waiting).chain(more), " ");
        if all.is_empty() { all } else { markup!("<div class=\"told\">{}</div>", all) }
    }
}

fn grouped(rows: Vec<Object>) -> BTreeMap<String, Vec<Object>> {
    let mut grouped: BTreeMap<String, Vec<Object>> = BTreeMap::new();
    for row in rows {
        grouped.entry(text(&row, "event_id").to_owned()).or_default().push(row);
    }
    grouped
}

/// A call in a few words.
fn called(call: &Object) -> Html {
    let (class, shape, word) = verdict_words(text(call, "stage"), text(call, "status"), call["shadow"] == true, false);
    let attempt = match call["attempt"].as_i64() {
        Some(attempt) if attempt > 1 => format!(", attempt {attempt}"),
        _ => String::new(),
    };
    let took = match call["duration_ms"].as_i64() {
        None => Html::default(),
        Some(0) => Html::text(" <1 ms"),
        Some(ms) if ms < 10_000 => Html::text(&format!(" {ms} ms")),
        Some(_) => markup!(" {}", words::milliseconds(&call["duration_ms"])),
    };
    markup!(
        "<a class=\"state {}\" href=\"/provisioning/logs/{}\"><span aria-hidden=\"true\">{}</span> <span class=\"what\">{} {}{}{}</span></a>",
        class,
        call["id"].to_string(),
        shape,
        text(call, "handlers_name"),
        word,
        attempt,
        took
    )
}

/// What a handler is still to be told, in a few words.
fn waiting(now: Moment, wait: &Object, name: &str) -> Html {
    let next = wait["next_dt"].as_str().and_then(Moment::parse).map(|next| words::relative(now, next));
    let (class, shape, word) = match text(wait, "state") {
        "dead" => ("bad", "✕", "dead".to_owned()),
        "retrying" => ("waiting", "◔", next.map_or_else(|| "retrying".to_owned(), |next| format!("retry {next}"))),
        _ => ("waiting", "◔", "waiting".to_owned()),
    };
    markup!(
        "<a class=\"state {}\" href=\"/provisioning/deliveries/{}\"><span aria-hidden=\"true\">{}</span> {} {}</a>",
        class,
        wait["id"].to_string(),
        shape,
        name,
        word
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(many: usize) -> Vec<Object> {
        let row = |at: usize| json!({"event_id": format!("e{at}"), "dt": Moment(-(at as i64) * 1_000_000).iso()});
        objects((0..many).map(row).collect())
    }

    #[test]
    fn events_whose_calls_did_not_all_fit_say_so() {
        let mut all = rows(CALLS_MAX);
        assert!(!Cut::of(&mut all).concerns("e299", Moment(-299_000_000)));
        let mut all = rows(CALLS_MAX + 1);
        let cut = Cut::of(&mut all);
        assert_eq!(all.len(), CALLS_MAX);
        assert!(cut.concerns("e299", Moment(0)) && cut.concerns("e300", Moment(-300_000_000)));
        assert!(!cut.concerns("e298", Moment(-298_000_000)));
    }
}
