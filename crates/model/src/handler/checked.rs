//! From what a caller sent to a handler, and the rules across its fields.
//!
//! A field that only suits the other kind of handler (`retries` of a before handler, `args` of a URL) is an error
//! when it says something, and is set back to its default when the handler changes its kind without naming it: so
//! that no stale setting waits for the day on which it counts again.
use serde_json::Value;

use super::{
    Basis, FIELDS, Handler, Method, Mode, OnFailure, Ordering, Status, events, headers, settings,
    task::{self, Kind},
};
use crate::{
    Object,
    event::Stage,
    field::{self, Checked, Field},
    refusal::FieldErrors,
};

/// Calls in flight at once, where the caller says nothing.
const CONCURRENCY_AFTER: u32 = 8;
/// The more transactions wait, the more of them share a flush of the target's disk.
const CONCURRENCY_SQL: u32 = 16;
const CONCURRENCY_BEFORE_HTTP: u32 = 64;
const CONCURRENCY_BEFORE_SCRIPT: u32 = 4;

/// Checks what was sent for a new handler: each field, and the rules across them.
///
/// # Errors
/// Every wrong field.
pub fn check_create(given: &Object) -> Result<Object, FieldErrors> {
    let mut checked = deepen(field::survey_create(FIELDS, given));
    // Which rules count depends on the type and the task: while these are wrong the rules would only mislead.
    if !checked.errors.names("type") && !checked.errors.names("task") {
        let rules = Handler::from_checked(0, &checked.good).err();
        checked.errors.merge(rules.unwrap_or_default());
    }
    checked.all_good()
}

/// Checks what was sent to change a handler, its `id` included. The rules across fields need the stored handler:
/// [`Handler::apply`] has them.
///
/// # Errors
/// Every wrong field.
pub fn check_update(given: &Object) -> Result<Object, FieldErrors> {
    let mut changes = given.clone();
    let identity = changes.shift_remove_entry("id").into_iter().collect();
    let Checked { good: mut checked, mut errors } = field::survey_create(&[Field::ID], &identity);
    let changes = deepen(field::survey_update(FIELDS, &changes));
    checked.extend(changes.good);
    errors.merge(changes.errors);
    Checked { good: checked, errors }.all_good()
}

/// Checks what a field's kind does not tell, and normalises the task.
fn deepen(checked: Checked) -> Checked {
    let Checked { mut good, mut errors } = checked;
    let mut wrong = |name: &'static str, good: &mut Object, words: String| {
        good.shift_remove(name);
        errors.add(name, words);
    };
    if let Some(names) = good.get("event").map(names)
        && let Some(words) = event_error(&names)
    {
        wrong("event", &mut good, words);
    }
    match good.get("task").and_then(Value::as_str).map(task::normalise) {
        Some(Ok(task)) => drop(good.insert("task".to_owned(), task.into())),
        Some(Err(words)) => wrong("task", &mut good, words),
        None => {}
    }
    if let Some(words) = good.get("headers").and_then(Value::as_object).and_then(headers::error) {
        wrong("headers", &mut good, words);
    }
    Checked { good, errors }
}

fn event_error(names: &[String]) -> Option<String> {
    if names.is_empty() {
        Some("must name at least one event".to_owned())
    } else {
        names.iter().find_map(|name| events::name_error(name))
    }
}

/// A text or a list of texts, as a list without repeats.
fn names(value: &Value) -> Vec<String> {
    let mut names = Vec::new();
    let given = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    for name in given.iter().filter_map(Value::as_str) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

impl Handler {
    /// A new handler from checked fields, its secret still empty.
    ///
    /// # Errors
    /// What does not go together.
    pub fn from_checked(id: i64, checked: &Object) -> Result<Self, FieldErrors> {
        let mut handler = Self {
            id,
            name: String::new(),
            status: Status::Enabled,
            event: Vec::new(),
            event_is_single: false,
            stage: Stage::After,
            order: 100,
            task: String::new(),
            args: Vec::new(),
            mode: Mode::Once,
            method: Method::Post,
            headers: Vec::new(),
            settings: Object::new(),
            secret: String::new(),
            old_secret: None,
            timeout_ms: 3_000,
            on_failure: OnFailure::Forbid,
            retries: None,
            concurrency: CONCURRENCY_AFTER,
            ordering: Ordering::PerClient,
            companies_id: None,
            condition: String::new(),
            writable: None,
            dry_run: false,
            notify_outcome: false,
            passwords: true,
            balance_basis: Basis::Live,
            notes: String::new(),
            version: 1,
            paused: None,
            still_since: None,
        };
        handler.apply(checked)?;
        Ok(handler)
    }

    /// Takes over what checked fields change; what they leave out stays, but for settings that only suit another
    /// kind of handler than it is now. Nothing changes if it fails. `version` is not touched.
    ///
    /// # Errors
    /// What does not go together.
    pub fn apply(&mut self, checked: &Object) -> Result<(), FieldErrors> {
        let mut changed = self.clone();
        let mut errors = FieldErrors::new();
        changed.take_texts(checked);
        changed.take_choices(checked);
        changed.take_numbers(checked);
        changed.take_lists(checked, &mut errors);
        changed.settle(self, checked);
        errors.merge(changed.rules());
        if !errors.is_empty() {
            return Err(errors);
        }
        *self = changed;
        Ok(())
    }

    fn take_texts(&mut self, checked: &Object) {
        let texts =
            [("name", &mut self.name), ("task", &mut self.task), ("condition", &mut self.condition), ("notes", &mut self.notes)];
        for (name, own) in texts {
            if let Some(value) = checked.get(name) {
                *own = value.as_str().unwrap_or_default().to_owned();
            }
        }
    }

    fn take_choices(&mut self, checked: &Object) {
        take_word(&mut self.status, checked, "status", Status::from_word);
        take_word(&mut self.stage, checked, "type", Stage::from_word);
        take_word(&mut self.mode, checked, "mode", Mode::from_word);
        take_word(&mut self.method, checked, "method", Method::from_word);
        take_word(&mut self.on_failure, checked, "on_failure", OnFailure::from_word);
        take_word(&mut self.ordering, checked, "ordering", Ordering::from_word);
        take_word(&mut self.balance_basis, checked, "balance_basis", Basis::from_word);
        let switches =
            [("dry_run", &mut self.dry_run), ("notify_outcome", &mut self.notify_outcome), ("passwords", &mut self.passwords)];
        for (name, own) in switches {
            if let Some(value) = checked.get(name).and_then(Value::as_bool) {
                *own = value;
            }
        }
    }

    fn take_numbers(&mut self, checked: &Object) {
        if let Some(order) = checked.get("order").and_then(Value::as_i64) {
            self.order = order;
        }
        for (name, own) in [("timeout_ms", &mut self.timeout_ms), ("concurrency", &mut self.concurrency)] {
            if let Some(number) = checked.get(name).and_then(small) {
                *own = number;
            }
        }
        if let Some(id) = checked.get("companies_id") {
            self.companies_id = id.as_i64();
        }
    }

    fn take_lists(&mut self, checked: &Object, errors: &mut FieldErrors) {
        if let Some(value) = checked.get("event") {
            self.event = names(value);
            self.event_is_single = value.is_string();
        }
        if let Some(value) = checked.get("args") {
            self.args = texts(value).unwrap_or_default();
        }
        if let Some(value) = checked.get("writable") {
            self.writable = texts(value);
        }
        if let Some(value) = checked.get("retries") {
            self.retries = value.as_array().map(|waits| waits.iter().filter_map(small).collect());
        }
        match checked.get("headers") {
            None => {}
            Some(Value::Object(given)) => match headers::unmasked(given, &self.headers) {
                Ok(headers) => self.headers = headers,
                Err(words) => errors.add("headers", words),
            },
            Some(_) => self.headers = Vec::new(),
        }
        match checked.get("settings") {
            None => {}
            Some(Value::Object(given)) => match settings::unmasked(given, &self.settings) {
                Ok(settings) => self.settings = settings,
                Err(words) => errors.add("settings", words),
            },
            Some(_) => self.settings = Object::new(),
        }
    }

    /// Sets back what was not named and only suits another kind of handler. A concurrency that was the default stays
    /// the default.
    fn settle(&mut self, old: &Self, checked: &Object) {
        let unnamed = |name: &str| !checked.contains_key(name);
        if self.stage == Stage::After {
            self.on_failure = if unnamed("on_failure") { OnFailure::Forbid } else { self.on_failure };
            self.writable = self.writable.take().filter(|_| !unnamed("writable"));
            self.dry_run &= !unnamed("dry_run");
            self.notify_outcome &= !unnamed("notify_outcome");
        } else {
            self.retries = self.retries.take().filter(|_| !unnamed("retries"));
            self.ordering = if unnamed("ordering") { Ordering::PerClient } else { self.ordering };
        }
        if !self.is_script() {
            self.mode = if unnamed("mode") { Mode::Once } else { self.mode };
            self.args = if unnamed("args") { Vec::new() } else { std::mem::take(&mut self.args) };
        }
        if !self.kind().is_ready_made() && unnamed("settings") {
            self.settings = Object::new();
        }
        self.passwords &= !(self.kind().is_for_people() && unnamed("passwords"));
        if unnamed("concurrency") && old.concurrency == old.concurrency_default() {
            self.concurrency = self.concurrency_default();
        }
    }

    fn concurrency_default(&self) -> u32 {
        match self.stage {
            Stage::Before if self.is_script() => CONCURRENCY_BEFORE_SCRIPT,
            Stage::Before => CONCURRENCY_BEFORE_HTTP,
            Stage::After | Stage::Outcome if self.kind() == Kind::Sql => CONCURRENCY_SQL,
            Stage::After | Stage::Outcome => CONCURRENCY_AFTER,
        }
    }

    /// What does not go together.
    #[must_use]
    pub fn rules(&self) -> FieldErrors {
        let mut errors = FieldErrors::new();
        let (before, after) = (self.stage == Stage::Before, self.stage == Stage::After);
        let kind = self.kind();
        let rules = [
            (after && self.on_failure != OnFailure::Forbid, "on_failure", "is for before handlers only"),
            (after && self.writable.is_some(), "writable", "is for before handlers only"),
            (after && self.dry_run, "dry_run", "is for before handlers only"),
            (after && self.notify_outcome, "notify_outcome", "is for before handlers only"),
            (after && self.is_shadow(), "status", "shadow is for before handlers only"),
            (before && self.retries.is_some(), "retries", "is for after handlers only"),
            (before && self.ordering != Ordering::PerClient, "ordering", "is for after handlers only"),
            (!self.is_script() && !self.args.is_empty(), "args", "is for scripts only"),
            (!self.is_script() && self.mode != Mode::Once, "mode", "is for scripts only"),
            (!kind.is_ready_made() && !self.settings.is_empty(), "settings", "is for ready-made kinds such as sql:// only"),
            (before && kind.is_ready_made(), "type", "must be after: a ready-made handler is told, never asked"),
            (
                kind.is_ready_made() && !kind.is_over_http() && !self.headers.is_empty(),
                "headers",
                "is for handlers over HTTP only",
            ),
            (kind.is_for_people() && self.passwords, "passwords", "must be false: e-mail and chat never get passwords"),
        ];
        for (_, field, words) in rules.into_iter().filter(|(broken, ..)| *broken) {
            errors.add(field, words);
        }
        if let Some(name) = self.event.iter().find(|name| !events::offered_at(name, self.stage)) {
            errors.add("event", format!("{name} can only be told after it happened, never asked about before"));
            errors.add("type", format!("must be after for {name}"));
        }
        errors
    }
}

fn take_word<T>(own: &mut T, checked: &Object, name: &str, from_word: impl Fn(&str) -> Option<T>) {
    if let Some(word) = checked.get(name).and_then(Value::as_str).and_then(from_word) {
        *own = word;
    }
}

fn small(value: &Value) -> Option<u32> {
    value.as_i64().and_then(|number| u32::try_from(number).ok())
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array().map(|items| items.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}
