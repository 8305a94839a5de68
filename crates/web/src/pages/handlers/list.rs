//! Who is asked and who is told: all handlers, grouped by what happens.
use std::collections::BTreeMap;

use askama::Template;
use hookswitch_core::access::Right;
use hookswitch_model::{
    Object,
    event::{CATALOGUE, Stage},
    refusal::{FieldErrors, Refusal},
};
use serde_json::{Value, json};

use super::{
    PATH,
    chains::{self, Chain, is_resellers},
    figures::{self, Figures, counted, held},
    kinds, number, place, text,
};
use crate::{
    answer::{Answer, show},
    html::Html,
    markup,
    params::Params,
    parts::{
        input::{Choice, Input, Kind},
        json::cut,
        list::{asked, filters, objects},
        table::{Empty, Table},
        words,
    },
    visitor::{Page, Visitor},
};

const METHOD: &str = "provisioning.handlers.search";
/// Handlers that are looked through at most.
const FOUND_MAX: usize = 1_000;
/// So much of an address is shown.
const TASK_BYTES_SHOWN: usize = 120;
/// Rows of a page: each has a picture.
const ROWS: usize = 30;

#[derive(Template)]
#[template(path = "pages/handlers/list.html")]
struct List {
    page: Page,
    filters: Html,
    sections: Vec<Section>,
    /// What is said where there are none.
    empty: Html,
    before: Option<String>,
    after: Option<String>,
    /// True if there may be more than were looked through.
    is_cut: bool,
    /// Where a button's deed leads back to.
    back: String,
}

/// A group, as far as it is on this page.
struct Section {
    title: String,
    is_before: bool,
    /// What names the chain when one of it is moved.
    events_id: &'static str,
    rows: Vec<Row>,
}

struct Row {
    id: i64,
    name: String,
    href: String,
    order: i64,
    task: String,
    kind: Html,
    status: Html,
    held: &'static str,
    reseller: Option<i64>,
    figures: Html,
    /// The one before it in the chain, and the one behind: with whom it can change places.
    up: Option<i64>,
    down: Option<i64>,
}

pub(super) async fn list(visitor: Visitor) -> Answer {
    let Found { handlers: found, is_cut, errors } = find(&visitor).await?;
    let mut chains = chains::chains(&found);
    if let Some(events_id) = visitor.query.text("event") {
        chains.retain(|chain| chain.events.iter().any(|kind| kind.events_id == events_id));
    }
    let offset = usize::try_from(visitor.query.number("offset").unwrap_or(0)).unwrap_or(0);
    let total: usize = chains.iter().map(|chain| chain.handlers.len()).sum();
    let sections = sections(&visitor, chains, offset).await?;
    let at = |offset: usize| {
        let text = offset.to_string();
        visitor.query.with("offset", (offset > 0).then_some(text.as_str())).href(PATH)
    };
    let page = List {
        filters: boxes(&visitor, &errors),
        empty: if sections.is_empty() { empty(&visitor) } else { Html::default() },
        sections,
        before: (offset > 0).then(|| at(offset.saturating_sub(ROWS))),
        after: (offset + ROWS < total).then(|| at(offset + ROWS)),
        is_cut,
        back: visitor.query.href(PATH),
        page: visitor.page("Handlers", "handlers"),
    };
    Ok(show(&page))
}

/// What fits the address.
struct Found {
    handlers: Vec<Object>,
    is_cut: bool,
    errors: FieldErrors,
}

/// The handlers that fit the address. There are few enough to be grouped here, and looked through for what the method has no filter for.
async fn find(visitor: &Visitor) -> Result<Found, Refusal> {
    let mut query = visitor.query.with("order", None).with("offset", None);
    if let Some(words) = query.text("q").filter(|words| !words.contains('*')) {
        let anywhere = format!("*{words}*");
        query = query.with("q", Some(&anywhere));
    }
    let mut params = asked(METHOD, &query);
    if query.text("status").is_none() {
        params.insert("status".to_owned(), json!(["enabled", "shadow", "disabled"]));
    }
    params.retain(|_, value| value.as_str() != Some(""));
    params.insert("limit".to_owned(), FOUND_MAX.into());
    let mut found = match visitor.act(METHOD, params).await {
        Ok(answer) => objects(answer.result),
        Err(Refusal::Invalid(errors)) => return Ok(Found { handlers: Vec::new(), is_cut: false, errors }),
        Err(other) => return Err(other),
    };
    let is_cut = found.len() == FOUND_MAX;
    if let Some(kind) = query.text("kind") {
        found.retain(|handler| kinds::is_like(handler, kind));
    }
    if let Some(events_id) = query.text("event") {
        found.retain(|handler| chains::events_of(handler).iter().any(|kind| kind.events_id == events_id));
    }
    Ok(Found { handlers: found, is_cut, errors: FieldErrors::new() })
}

fn boxes(visitor: &Visitor, errors: &FieldErrors) -> Html {
    let any = |words: &str| Choice::new("", words);
    let events = CATALOGUE.iter().map(|kind| Choice::new(kind.events_id, kind.title));
    let statuses = [any("all but archived")].into_iter().chain(Choice::words(&["enabled", "shadow", "disabled", "archived"]));
    let inputs = vec![
        Input::new("q", "Search", Kind::Line),
        Input::new("event", "Event", Kind::Choice([any("any")].into_iter().chain(events).collect())),
        Input::new("type", "Type", Kind::Choice([any("any")].into_iter().chain(Choice::words(&["before", "after"])).collect())),
        Input::new("kind", "Task", Kind::Choice([any("any")].into_iter().chain(kinds::filters()).collect())),
        Input::new("status", "Status", Kind::Choice(statuses.collect())),
    ];
    filters(PATH, &visitor.query, errors, inputs, Vec::new())
}

fn empty(visitor: &Visitor) -> Html {
    let is_filtered = visitor.query.iter().any(|(_, text)| !text.is_empty());
    let words = if is_filtered {
        "No handler is like that."
    } else {
        "A handler is a program of yours that takes part in what happens: a before handler is asked and may change or refuse it, an after \
         handler is told once it is done. They will stand here, grouped by event, in the order in which they are asked."
    };
    let curl = r#"{"name":"crm","event":"clients.create","type":"after","task":"http://127.0.0.1:5000/api"}"#;
    let mut empty = Empty::new(words);
    if !is_filtered {
        empty = empty.curl("provisioning.handlers.create", curl);
        if visitor.may(Right::Administer) {
            empty = empty.button(&format!("{PATH}/new"), "New handler");
        }
    }
    Table { empty, ..Table::new("Handlers", &[]) }.html()
}

async fn sections(visitor: &Visitor, chains: Vec<Chain>, offset: usize) -> Result<Vec<Section>, Refusal> {
    let shown = on_page(chains, offset);
    let ids: Vec<i64> = shown.iter().flat_map(|(_, part)| part.clone()).map(|at| at.id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let known = Known { figures: Figures::ask(visitor, &ids).await?, standing: figures::standing(visitor, None).await? };
    Ok(shown.iter().map(|(chain, part)| section(visitor, chain, part, &known)).collect())
}

/// One handler of a chain: its place there.
#[derive(Debug, Clone, Copy)]
struct At {
    id: i64,
    place: usize,
}

/// The chains as far as they are on the page that begins with this row.
fn on_page(chains: Vec<Chain>, offset: usize) -> Vec<(Chain, Vec<At>)> {
    let (mut skip, mut left) = (offset, ROWS);
    let mut shown = Vec::new();
    for chain in chains {
        let all = chain.handlers.iter().enumerate().map(|(place, handler)| At { id: number(handler, "id"), place });
        let part: Vec<At> = all.skip(skip).take(left).collect();
        skip = skip.saturating_sub(chain.handlers.len());
        left -= part.len();
        if !part.is_empty() {
            shown.push((chain, part));
        }
    }
    shown
}

struct Known {
    figures: Figures,
    standing: BTreeMap<i64, Object>,
}

fn section(visitor: &Visitor, chain: &Chain, part: &[At], known: &Known) -> Section {
    let rows = part.iter().map(|at| row(visitor, chain, at.place, known)).collect();
    let events_id = chain.events.first().map_or("", |kind| kind.events_id);
    Section { title: chain.title(), is_before: chain.stage == Stage::Before, events_id, rows }
}

fn row(visitor: &Visitor, chain: &Chain, place_in_chain: usize, known: &Known) -> Row {
    let handler = &chain.handlers[place_in_chain];
    let id = number(handler, "id");
    let standing = known.standing.get(&id);
    // Whom a reseller has added comes behind those of the whole system, whatever the numbers are.
    let beside = |other: Option<&Object>| {
        other.filter(|other| is_resellers(other) == is_resellers(handler)).map(|other| number(other, "id"))
    };
    let administers = visitor.may(Right::Administer);
    Row {
        id,
        name: text(handler, "name").to_owned(),
        href: place(id),
        order: number(handler, "order"),
        task: cut(&words::task(text(handler, "task")), TASK_BYTES_SHOWN).to_owned(),
        kind: kinds::chip(handler),
        status: status(handler, administers),
        held: held(handler, standing),
        reseller: handler.get("companies_id").and_then(Value::as_i64),
        figures: figures(handler, standing, known),
        up: beside(place_in_chain.checked_sub(1).and_then(|before| chain.handlers.get(before))),
        down: beside(chain.handlers.get(place_in_chain + 1)),
    }
}

/// The status; a click on it switches the handler on or off. One that is archived or a shadow is so on purpose: the form changes that.
pub(super) fn status(handler: &Object, administers: bool) -> Html {
    let word = text(handler, "status");
    let other = match word {
        "enabled" => "disabled",
        "disabled" => "enabled",
        _ => return words::state(word),
    };
    if !administers {
        return words::state(word);
    }
    let (class, shape) = if word == "enabled" { ("good", "●") } else { ("off", "○") };
    markup!(
        "<button form=\"act\" formaction=\"{}/status\" name=\"status\" value=\"{}\" class=\"state {}\" title=\"Click to have it {}\"><span aria-hidden=\"true\">{}</span> {}</button>",
        place(number(handler, "id")),
        other,
        class,
        other,
        shape,
        word
    )
}

fn figures(handler: &Object, standing: Option<&Object>, known: &Known) -> Html {
    let (id, day) = (number(handler, "id"), known.figures.of(number(handler, "id")));
    let log = |status: &str| known.figures.log(id, status);
    let mut parts = vec![counted(day.count(""), "calls", "", &log(""))];
    if !day.median_ms.is_null() {
        parts.push(markup!(
            "<span title=\"Half of its last calls took at most this\">median {}</span>",
            words::milliseconds(&day.median_ms)
        ));
    }
    if chains::stage_of(handler) == Stage::Before {
        parts.push(counted(day.count("forbidden"), "refused", "refused", &log("forbidden")));
    }
    parts.push(counted(day.count("failed"), "failed", "bad", &log("failed")));
    if let Some(standing) = standing {
        parts.extend(waiting(id, standing));
    }
    markup!("{}<span class=\"quiet\">24 h</span> {}", day.picture(96, 20), Html::joined(parts, " "))
}

/// What waits and what was given up, and since when.
fn waiting(id: i64, standing: &Object) -> Vec<Html> {
    let deliveries = |state: &str| format!("/provisioning/deliveries?handlers_id={id}&state={state}");
    let mut parts = Vec::new();
    for (state, class) in [("waiting", "waiting"), ("retrying", "waiting"), ("dead", "bad")] {
        let count = number(standing, state);
        if count > 0 {
            parts.push(counted(count, state, class, &deliveries(state)));
        }
    }
    if let Some(age) = standing.get("oldest_age_s").and_then(Value::as_i64) {
        parts.push(markup!("<span>oldest {}</span>", words::span(age)));
    }
    parts
}

/// The same list, when a deed is done: an address of ours only.
pub(super) fn back(form: &Params) -> String {
    form.text("back").filter(|back| back.starts_with(PATH)).unwrap_or(PATH).to_owned()
}
