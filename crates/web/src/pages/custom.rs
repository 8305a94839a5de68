//! Custom fields of clients and packages, as boxes of their forms: a carrier's own keys, known from the database only.
use hookswitch_model::{Object, refusal::Refusal};
use serde_json::{Number, Value, json};

use crate::{
    params::Params,
    parts::{
        form::{self, Faults},
        input::{Input, Kind},
        list::objects,
    },
    visitor::Visitor,
};

/// What the name of such a box begins with.
pub(crate) const PREFIX: &str = "custom_fields.";

/// A key and what people see of it.
pub(crate) struct Definition {
    pub(crate) key: String,
    pub(crate) title: String,
}

/// The definitions that count for objects of a reseller, as far as the reader may see them.
///
/// # Errors
/// Every refusal.
pub(crate) async fn of(visitor: &Visitor, object_type: &str, companies_id: Option<i64>) -> Result<Vec<Definition>, Refusal> {
    let asked = json!({"object_type": object_type, "order": ["order"], "limit": 1_000});
    let found = objects(visitor.ask("custom_fields.search", asked).await?);
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let above = way_up(visitor, companies_id).await?;
    let counts = |row: &&Object| row["companies_id"].as_i64().is_none_or(|id| above.contains(&id));
    let text = |row: &Object, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    Ok(found.iter().filter(counts).map(|row| Definition { key: text(row, "key"), title: text(row, "title") }).collect())
}

/// A reseller and those above it.
async fn way_up(visitor: &Visitor, companies_id: Option<i64>) -> Result<Vec<i64>, Refusal> {
    let all = objects(visitor.ask("companies.search", json!({"limit": 1_000})).await?);
    let (mut way, mut next) = (Vec::new(), companies_id);
    while let Some(id) = next.filter(|id| !way.contains(id)) {
        way.push(id);
        next = all.iter().find(|row| row["id"] == id).and_then(|row| row["parent_id"].as_i64());
    }
    Ok(way)
}

/// The boxes, filled: with what was typed, else with what is set.
pub(crate) fn inputs(definitions: &[Definition], values: &Object, filled: &mut Params, faults: &Faults) -> Vec<Input> {
    let mut inputs = Vec::new();
    for Definition { key, title } in definitions {
        let (name, was) = (format!("{PREFIX}{key}"), format!("was.{PREFIX}{key}"));
        let set = values.get(key).map(form::shown_text).unwrap_or_default();
        if !filled.has(&was) {
            filled.set(&was, &form::was(&set));
        }
        let text = filled.raw(&name).map_or(set, str::to_owned);
        let kind = if text.contains('\n') { Kind::Lines } else { Kind::Line };
        inputs.push(Input::new(name.as_str(), title.as_str(), kind).filled(text).wrong(faults.of(&name)));
    }
    inputs
}

/// What was changed, by key: what is emptied is taken away, what was a number stays one if it can be read so.
pub(crate) fn changes(typed: &Params, values: &Object) -> Object {
    let mut changes = Object::new();
    for (name, text) in typed.iter() {
        let Some(key) = name.strip_prefix(PREFIX) else { continue };
        let was = typed.raw(&format!("was.{name}")).unwrap_or_default();
        if !form::is_still(was, text) {
            changes.insert(key.to_owned(), meant(&text.trim().replace("\r\n", "\n"), values.get(key)));
        }
    }
    changes
}

fn meant(text: &str, old: Option<&Value>) -> Value {
    match old {
        _ if text.is_empty() => Value::Null,
        Some(Value::Number(_)) => text.parse::<Number>().map_or_else(|_| text.into(), Value::Number),
        Some(Value::Bool(_)) => text.parse::<bool>().map_or_else(|_| text.into(), Value::Bool),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_changed_is_sent_and_a_number_stays_one() {
        let typed = Params::read(
            b"custom_fields.a=x&was.custom_fields.a=x&custom_fields.b=6&was.custom_fields.b=5&custom_fields.c=&was.custom_fields.c=old&name=n",
        );
        let Value::Object(values) = json!({"a": "x", "b": 5, "c": "old"}) else { panic!() };
        assert_eq!(Value::Object(changes(&typed, &values)), json!({"b": 6, "c": null}));
    }
}
