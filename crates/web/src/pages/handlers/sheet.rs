//! The form of a handler, as it is shown: in the order in which a person thinks. Name; when; what; and more, folded away with what the
//! defaults mean in one line.
use askama::Template;
use hookswitch_core::access::Right;
use hookswitch_model::{
    Object,
    event::{CATALOGUE, Stage},
    handler::task::Kind as Task,
    json::MASK,
    refusal::Refusal,
};
use serde_json::{Value, json};

use super::{PATH, kinds, place, typed};
use crate::{
    html::Html,
    markup,
    params::Params,
    parts::{
        form::Faults,
        input::{Choice, Input, Kind},
        list::objects,
    },
    visitor::{Page, Visitor},
};

/// Rows for further headers.
const BLANK_HEADERS: usize = 2;

/// Everything that the page shows.
pub(super) struct Sheet<'a> {
    /// `None`: a new one.
    pub(super) id: Option<i64>,
    pub(super) filled: &'a Params,
    /// What the handler was when the form was shown: its `version`, and what each field held.
    pub(super) was: Option<&'a Object>,
    pub(super) faults: Faults,
    /// Above the form: who was faster.
    pub(super) both: Html,
    /// Below it: what a test came to.
    pub(super) trial: Html,
}

#[derive(Template)]
#[template(path = "pages/handlers/sheet.html")]
pub(super) struct Shown {
    page: Page,
    action: String,
    cancel: String,
    faults: Html,
    both: Html,
    hidden: Vec<(&'static str, String)>,
    name: Html,
    stage: Html,
    events: Events,
    schemes: Vec<(&'static str, Vec<Choice>)>,
    http: Http,
    ready_made: Vec<Html>,
    script: Vec<Html>,
    offers_scripts: bool,
    standing: Vec<Html>,
    more_open: bool,
    more_set: bool,
    limits: Vec<Html>,
    before: Vec<Html>,
    after: Vec<Html>,
    condition: Html,
    headers: Headers,
    rest: Vec<Html>,
    notes: Html,
    trial: Html,
}

/// The choice of events.
struct Events {
    groups: Vec<(&'static str, Vec<Choice>)>,
    several: Html,
    patterns: Html,
    is_several: bool,
    error: Option<String>,
}

/// The address of what is called over HTTP or SMTP.
struct Http {
    when: String,
    host: Html,
    when_over_http: String,
    path: Html,
    when_own: String,
    method: Html,
}

struct Headers {
    rows: Vec<(String, String)>,
    error: Option<String>,
}

impl Sheet<'_> {
    /// Asks for what can be chosen, and puts it together.
    pub(super) async fn shown(self, visitor: &Visitor) -> Result<Shown, Refusal> {
        let scripts = scripts(visitor).await?;
        let resellers = resellers(visitor).await?;
        let (title, action, cancel) = match self.id {
            None => ("New handler".to_owned(), format!("{PATH}/new"), PATH.to_owned()),
            Some(id) => {
                (format!("Edit {}", self.filled.text("name").unwrap_or("handler")), format!("{}/edit", place(id)), place(id))
            }
        };
        let box_of = |name: &'static str, label: &str, kind: Kind, help: &str| self.box_of(name, label, kind, help);
        let limits = vec![
            box_of("timeout_ms", "Time limit (ms)", Kind::Number, "Of one call, at most 30000"),
            box_of("concurrency", "Calls at once", Kind::Number, self.concurrency_help()),
        ];
        let rest = self.rest(resellers);
        Ok(Shown {
            page: visitor.page(title, "handlers"),
            action,
            cancel,
            faults: self.faults.html(),
            hidden: self.hidden(),
            name: self.input("name", "Name", Kind::Line, "For people: what it does").required().html(),
            stage: box_of(
                "type",
                "Type",
                Kind::Choice(stages()),
                "What is ready made, such as a SQL database, is told after, never asked before",
            ),
            events: self.events(),
            schemes: kinds::choices(self.filled.text("scheme").unwrap_or("http"), scripts.is_some()),
            http: self.http(),
            ready_made: kinds::parts(self.filled, &self.faults, visitor.sees_all()),
            offers_scripts: scripts.is_some(),
            script: self.script(scripts.unwrap_or_default()),
            standing: vec![
                box_of("status", "Status", Kind::Choice(statuses()), "Whether it is called"),
                box_of("order", "Order", Kind::Number, "1 is asked first"),
            ],
            more_open: self.is_more_wrong() || self.is_more_set(),
            more_set: self.is_more_set(),
            before: self.before(),
            after: self.after(),
            condition: box_of(
                "condition",
                "Condition",
                Kind::Lines,
                "An expression (CEL) over event, data, previous and object that must be true, such as object.credit > 100. Empty: always",
            ),
            headers: self.headers(),
            notes: box_of("notes", "Notes", Kind::Lines, "Yours"),
            both: self.both,
            trial: self.trial,
            limits,
            rest,
        })
    }

    fn input(&self, name: &'static str, label: &str, kind: Kind, help: &str) -> Input {
        Input::new(name, label, kind).help(help).filled(self.filled.raw(name).unwrap_or_default()).wrong(self.faults.of(name))
    }

    fn box_of(&self, name: &'static str, label: &str, kind: Kind, help: &str) -> Html {
        self.input(name, label, kind, help).html()
    }

    fn concurrency_help(&self) -> &'static str {
        if self.id.is_some() {
            "1 to 256"
        } else {
            "1 to 256; empty: 8 after, 16 in a database, 64 before over HTTP, 4 before by a script"
        }
    }

    fn hidden(&self) -> Vec<(&'static str, String)> {
        let mut hidden = Vec::new();
        if let Some(was) = self.was {
            hidden.push(("was", Value::Object(was.clone()).to_string()));
        }
        if let Some(key) = self.filled.text("idempotency_key") {
            hidden.push(("idempotency_key", key.to_owned()));
        }
        hidden
    }

    fn events(&self) -> Events {
        let one = self.filled.text("event").unwrap_or_default();
        let choice = |kind: &hookswitch_model::event::EventType| {
            let mut choice = Choice::new(kind.events_id, kind.title);
            choice.chosen = kind.events_id == one;
            choice
        };
        let groups: Vec<(&'static str, Vec<Choice>)> =
            grouped().into_iter().map(|(group, kinds)| (group, kinds.into_iter().map(choice).collect())).collect();
        let chosen: Vec<&str> = self.filled.all("events").collect();
        let patterns = self.filled.text("patterns").is_some();
        let boxes = grouped().into_iter().map(|(group, kinds)| {
            let boxes = kinds
                .into_iter()
                .map(|kind| Choice::new(kind.events_id, kind.title.split_once(": ").map_or(kind.title, |(_, what)| what)));
            (group.to_owned(), boxes.collect())
        });
        Events {
            groups,
            several: Input::new("events", "What else it takes", Kind::Several(boxes.collect())).chosen(&chosen).html(),
            patterns: self.box_of(
                "patterns",
                "Names and patterns",
                Kind::Lines,
                "One a line: clients.accounts.* means all of them, also those to come",
            ),
            is_several: !chosen.is_empty() || patterns,
            error: self.faults.of("event"),
        }
    }

    fn http(&self) -> Http {
        let methods = Kind::Choice(Choice::words(&["POST", "PUT", "PATCH"]));
        Http {
            when: kinds::when(|kind| kind.is_over_http() || kind == Task::Mail),
            when_over_http: kinds::when(Task::is_over_http),
            when_own: kinds::when(|kind| kind == Task::Http),
            host: self.box_of("task", "Host and port", Kind::Line, "Such as 127.0.0.1:5000"),
            path: self.box_of("task_path", "Path", Kind::Line, "Such as /api"),
            method: self.box_of("method", "Method", methods, "Of the call"),
        }
    }

    fn script(&self, known: Vec<Choice>) -> Vec<Html> {
        let now = self.filled.text("script").unwrap_or_default();
        let is_listed = now.is_empty() || known.iter().any(|choice| choice.value == now);
        let gone = (!is_listed).then(|| Choice::new(now, format!("{now}: not in the scripts folder")));
        let none = Choice::new("", if known.is_empty() { "There is no script yet" } else { "Choose a script" });
        let choices = [none].into_iter().chain(gone).chain(known).collect();
        let modes =
            vec![Choice::new("once", "once: a process for each call"), Choice::new("worker", "worker: processes that stay")];
        vec![
            self.box_of("script", "Script", Kind::Choice(choices), "An executable file in the scripts folder"),
            self.box_of("args", "Arguments", Kind::Lines, "One a line"),
            self.box_of("mode", "Mode", Kind::Choice(modes), ""),
        ]
    }

    fn before(&self) -> Vec<Html> {
        let policies =
            vec![Choice::new("forbid", "forbid the action"), Choice::new("allow", "allow it, as if it had not been asked")];
        vec![
            self.box_of("on_failure", "If it fails", Kind::Choice(policies), "No answer in time, or none that is a decision"),
            self.box_of(
                "writable",
                "Keys that it may change",
                Kind::Line,
                "Such as credit, notes. Empty: all that the caller could set; none: it may change nothing",
            ),
            self.box_of("dry_run", "It has no side effects: ask it in dry runs too", Kind::Tick, ""),
            self.box_of(
                "notify_outcome",
                "Tell it how each action ended that it was asked about",
                Kind::Tick,
                "For one that reserves something when it is asked",
            ),
        ]
    }

    fn after(&self) -> Vec<Html> {
        let orders = vec![
            Choice::new("per_client", "each client's events in order, one at a time"),
            Choice::new("latest", "in order, and a newer event of an object stands for those that wait"),
            Choice::new("none", "as they come"),
        ];
        vec![
            self.box_of(
                "retries",
                "Waits between attempts (s)",
                Kind::Line,
                "Such as 5, 30, 120. Empty: 5 s, 30 s, 2 min, 10 min, 30 min, 1 h, then every 2 h for a day; none: one attempt only",
            ),
            self.box_of("ordering", "Order of delivery", Kind::Choice(orders), ""),
        ]
    }

    fn headers(&self) -> Headers {
        let blanks = std::iter::repeat_n((String::new(), String::new()), BLANK_HEADERS);
        Headers { rows: typed::header_rows(self.filled).into_iter().chain(blanks).collect(), error: self.faults.of("headers") }
    }

    fn is_for_people(&self) -> bool {
        kinds::of_form(self.filled).is_for_people()
    }

    fn rest(&self, resellers: Vec<Choice>) -> Vec<Html> {
        let bases = vec![
            Choice::new("live", "live: payments minus charges"),
            Choice::new("available", "available: that plus the credit"),
        ];
        let passwords = "Send it passwords of accounts";
        let switch = self.box_of("passwords", passwords, Kind::Tick, "A softswitch needs them; otherwise they are masked");
        let mut rest = vec![
            // People never get them.
            markup!("<div data-when=\"{}\">{}</div>", kinds::when(|kind| !kind.is_for_people()), switch),
            self.box_of("balance_basis", "Whose balance events", Kind::Choice(bases), ""),
        ];
        if !resellers.is_empty() {
            let help = "Only events of this reseller and those below it";
            rest.insert(0, self.box_of("companies_id", "Reseller", Kind::Choice(resellers), help));
        }
        rest
    }

    /// True if something of what is folded away is wrong.
    fn is_more_wrong(&self) -> bool {
        ["concurrency", "headers"].iter().chain(MORE.iter().map(|(name, _)| name)).any(|name| self.faults.of(name).is_some())
    }

    /// True if something of it is set otherwise than by default.
    fn is_more_set(&self) -> bool {
        let is_set = |(name, default): &(&str, &str)| {
            let is_fixed = *name == "passwords" && self.is_for_people();
            !is_fixed && self.filled.text(name).is_some_and(|text| text != *default)
        };
        let is_before = self.filled.text("type") == Some("before");
        let is_usual =
            |concurrency: &str| [if is_before { "64" } else { "8" }, if is_before { "4" } else { "16" }].contains(&concurrency);
        MORE.iter().any(is_set)
            || self.filled.text("concurrency").is_some_and(|concurrency| !is_usual(concurrency))
            || !typed::header_rows(self.filled).is_empty()
    }
}

/// What is folded away, and how it is by default.
const MORE: &[(&str, &str)] = &[
    ("timeout_ms", "3000"),
    ("on_failure", "forbid"),
    ("writable", ""),
    ("dry_run", "false"),
    ("notify_outcome", "false"),
    ("retries", ""),
    ("ordering", "per_client"),
    ("condition", ""),
    ("companies_id", ""),
    ("passwords", "true"),
    ("balance_basis", "live"),
    ("notes", ""),
];

/// The catalogue under its three titles, and what does not belong to any.
fn grouped() -> Vec<(&'static str, Vec<&'static hookswitch_model::event::EventType>)> {
    let mut groups: Vec<(&str, Vec<_>)> = Vec::new();
    for kind in CATALOGUE {
        let group = kind.title.split(": ").next().unwrap_or_default();
        match groups.last_mut() {
            Some((last, kinds)) if *last == group => kinds.push(*kind),
            _ => groups.push((group, vec![*kind])),
        }
    }
    groups
}

fn stages() -> Vec<Choice> {
    vec![
        Choice::new(Stage::After.word(), "after: told once it is done"),
        Choice::new(Stage::Before.word(), "before: asked while it is undecided, may change or forbid")
            .when(kinds::when(|kind| !kind.is_ready_made())),
    ]
}

fn statuses() -> Vec<Choice> {
    vec![
        Choice::new("enabled", "enabled"),
        Choice::new("shadow", "shadow: before only; asked, but decides nothing"),
        Choice::new("disabled", "disabled"),
        Choice::new("archived", "archived: out of sight"),
    ]
}

/// The scripts that can be chosen; `None` = he may not configure any.
async fn scripts(visitor: &Visitor) -> Result<Option<Vec<Choice>>, Refusal> {
    if !visitor.sees_all() {
        return Ok(None);
    }
    let rows = objects(visitor.ask("provisioning.scripts.list", json!({})).await?);
    let choice = |row: &Object| {
        let (name, error) = (super::text(row, "name"), super::text(row, "error"));
        Choice::new(name, if error.is_empty() { name.to_owned() } else { format!("{name}: can't be started, {error}") })
    };
    Ok(Some(rows.iter().map(choice).collect()))
}

/// The resellers that a handler can be for: none to choose from for who belongs to one.
async fn resellers(visitor: &Visitor) -> Result<Vec<Choice>, Refusal> {
    if !visitor.sees_all() || !visitor.may(Right::Administer) {
        return Ok(Vec::new());
    }
    crate::pages::resellers::choices(visitor, "All: the whole system").await
}

impl Headers {
    /// True of a value that is stored and not shown.
    fn is_masked(value: &str) -> bool {
        value == MASK
    }
}
