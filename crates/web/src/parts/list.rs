//! A `search` method as a page. Filters, order and place are in the address, under the method's own names, so that a page can be sent
//! to a colleague and says the same there. One row more is asked for than is shown: that tells whether there is a next page, and
//! nothing is counted for it.
use askama::Template;
use hookswitch_api::meant::Meant;
use hookswitch_core::registry::{self, Takes};
use hookswitch_model::{
    Object,
    refusal::{FieldErrors, Refusal},
};
use serde_json::Value;

use super::{
    input::Input,
    table::{Column, Direction, Sort},
};
use crate::{html::Html, params::Params, visitor::Visitor};

/// Further than this nobody turns pages.
const OFFSET_MAX: i64 = 10_000_000;
/// Rows on a page.
pub(crate) const ROWS: usize = 50;

/// What was found, and how the page goes on from there.
pub(crate) struct List {
    pub(crate) rows: Vec<Object>,
    /// What is wrong with the filters.
    pub(crate) errors: FieldErrors,
    path: String,
    query: Params,
    more: bool,
    offset: i64,
}

impl List {
    /// Asks a method of lists for what the address says; `fixed` goes along and wins.
    ///
    /// # Errors
    /// Every refusal but that of a filter: that is shown at its box.
    pub(crate) async fn ask(visitor: &Visitor, method: &'static str, fixed: Value) -> Result<Self, Refusal> {
        let offset = visitor.query.number("offset").unwrap_or(0).clamp(0, OFFSET_MAX);
        let mut asked = asked(method, &visitor.query);
        if let Value::Object(fixed) = fixed {
            asked.extend(fixed);
        }
        asked.insert("limit".to_owned(), (ROWS + 1).into());
        asked.insert("offset".to_owned(), offset.into());
        let (mut rows, errors) = match visitor.act(method, asked).await {
            Ok(answer) => (objects(answer.result), FieldErrors::new()),
            Err(Refusal::Invalid(errors)) => (Vec::new(), errors),
            Err(other) => return Err(other),
        };
        let more = rows.len() > ROWS;
        rows.truncate(ROWS);
        Ok(Self { rows, errors, path: visitor.path.clone(), query: visitor.query.clone(), more, offset })
    }

    /// A column that the list can be ordered by.
    pub(crate) fn sorted(&self, title: &str, name: &str, class: &'static str) -> Column {
        let order = self.query.text("order").unwrap_or_default();
        let now = match order.strip_prefix('-') {
            Some(column) if column == name => Some(Direction::Down),
            None if order == name => Some(Direction::Up),
            _ => None,
        };
        let next = if now == Some(Direction::Up) { format!("-{name}") } else { name.to_owned() };
        let href = self.query.with("order", Some(&next)).with("offset", None).href(&self.path);
        Column { title: title.to_owned(), class, sort: Some(Sort { href, now }) }
    }

    /// The boxes of its filters, as they are filled: a few that are seen, more behind a click.
    pub(crate) fn filters(&self, seen: Vec<Input>, more: Vec<Input>) -> Html {
        filters(&self.path, &self.query, &self.errors, seen, more)
    }

    /// To the pages before and after.
    pub(crate) fn pager(&self) -> Html {
        let rows = i64::try_from(ROWS).unwrap_or(0);
        let at = |offset: i64| {
            let offset = (offset > 0).then(|| offset.to_string());
            self.query.with("offset", offset.as_deref()).href(&self.path)
        };
        let before = (self.offset > 0).then(|| at((self.offset - rows).max(0)));
        let after = self.more.then(|| at(self.offset + rows));
        let first = self.offset + 1;
        let last = self.offset + i64::try_from(self.rows.len()).unwrap_or(0);
        Html::of(Pager { before, after, first, last }.render().unwrap_or_default())
    }

    /// True if something is filtered.
    pub(crate) fn is_filtered(&self) -> bool {
        self.query.iter().any(|(name, text)| !text.is_empty() && !["order", "offset"].contains(&name))
    }
}

/// Boxes of filters, filled with what the address says: a few that are seen, more behind a click.
pub(crate) fn filters(path: &str, query: &Params, errors: &FieldErrors, seen: Vec<Input>, more: Vec<Input>) -> Html {
    let fill = |input: Input| {
        let value = query.text(&input.name).unwrap_or_default().to_owned();
        let error = errors.iter().find(|(field, _)| *field == input.name).map(|(_, words)| words.to_owned());
        input.filled(value).wrong(error)
    };
    let (seen, more): (Vec<_>, Vec<_>) = (seen.into_iter().map(fill).collect(), more.into_iter().map(fill).collect());
    let is_filtered = seen.iter().chain(&more).any(|input| !input.value.is_empty());
    let open = more.iter().any(|input| !input.value.is_empty() || input.error.is_some());
    let shown = |name: &str| seen.iter().chain(&more).any(|input| input.name == name);
    let others = errors.iter().filter(|(field, _)| !shown(field));
    let others = others.map(|(field, words)| format!("{field} {words}")).collect();
    let order = query.text("order").map(str::to_owned);
    Html::of(Filters { path, seen, more, open, is_filtered, others, order }.render().unwrap_or_default())
}

#[derive(Template)]
#[template(path = "parts/filters.html")]
struct Filters<'a> {
    path: &'a str,
    seen: Vec<Input>,
    more: Vec<Input>,
    open: bool,
    is_filtered: bool,
    /// What is wrong with filters that have no box here.
    others: Vec<String>,
    order: Option<String>,
}

#[derive(Template)]
#[template(path = "parts/pager.html")]
struct Pager {
    before: Option<String>,
    after: Option<String>,
    first: i64,
    last: i64,
}

/// What the address says of a method's filters; names that it does not know say nothing.
pub(crate) fn asked(method: &'static str, query: &Params) -> Object {
    let mut asked = Object::new();
    let Some(method) = registry::find(method) else { return asked };
    for (name, _) in query.iter() {
        if name == "offset" || asked.contains_key(name) || !takes(&method.takes, name) {
            continue;
        }
        let meant = Meant::of(&method.takes, name);
        let read = |text: &str| meant.read(text).unwrap_or_else(|| text.into());
        let values: Vec<Value> = if name == "order" {
            query.all(name).flat_map(|text| text.split(',')).map(Value::from).collect()
        } else {
            query.all(name).map(read).collect()
        };
        match values.len() {
            0 => {}
            1 if name != "order" => drop(asked.insert(name.to_owned(), values.into_iter().next().unwrap_or_default())),
            _ => drop(asked.insert(name.to_owned(), Value::Array(values))),
        }
    }
    asked
}

fn takes(takes: &Takes, name: &str) -> bool {
    let bare = name.strip_suffix("_from").or_else(|| name.strip_suffix("_to")).unwrap_or(name);
    ["q", "order"].contains(&name)
        || takes.list().is_some_and(|list| list.columns.iter().any(|column| [name, bare].contains(&column.name)))
        || takes.fields().iter().any(|field| field.name == name)
}

/// The rows of an answer.
pub(crate) fn objects(rows: Value) -> Vec<Object> {
    let Value::Array(rows) = rows else { return Vec::new() };
    rows.into_iter().filter_map(|row| if let Value::Object(row) = row { Some(row) } else { None }).collect()
}
