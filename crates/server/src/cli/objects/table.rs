//! Answers as people read them: lists as tables with aligned columns, an object as its names and values.
//!
//! A table shows the columns that a person looks for first and cuts what is long; `--wide` shows everything. Whatever else a
//! program may write into a field (a client may be called anything) can't steer the terminal: control characters are shown as such.
use hookswitch_core::registry::{Gives, Method};
use hookswitch_model::{
    Object,
    field::{Field, Kind, LEGACY_BYTES_MAX},
};
use serde_json::Value;

use super::names;
use crate::cli::paint::{Paint, Tone, tone_of};

/// Characters of a cell.
const CELL_MAX: usize = 40;
/// Columns of a table.
const COLUMNS_MAX: usize = 9;
/// Characters between two columns.
const GAP: &str = "  ";

/// What is looked for first, by collection. All others show their first fields.
const COLUMNS: [(&str, &[&str]); 10] = [
    ("clients", &["id", "name", "status", "balance", "credit", "available", "companies_id", "c_dt"]),
    ("clients.accounts", &["id", "clients_id", "clients_name", "auth_type", "accname", "ani", "ips", "tech_prefix"]),
    ("clients.packages", &["id", "clients_id", "packages_name", "quantity", "status", "start_dt", "period_stop_dt"]),
    ("packages", &["id", "name", "status", "period", "activation_fee", "period_fee", "companies_id"]),
    ("accounting.transactions", &["id", "clients_id", "type", "amount", "balance_after", "c_dt", "notes"]),
    ("provisioning.handlers", &["id", "name", "status", "type", "event", "order", "task", "paused"]),
    ("provisioning.events", &["id", "dt", "events_id", "clients_id", "object_id", "seq", "actor"]),
    (
        "provisioning.executions",
        &["id", "dt", "events_id", "stage", "handlers_name", "attempt", "status", "duration_ms", "error"],
    ),
    ("provisioning.deliveries", &["id", "events_id", "handlers_id", "clients_id", "seq", "state", "attempt", "next_dt", "error"]),
    ("provisioning.resyncs", &["id", "handlers_id", "state", "total", "sent", "by", "started_dt", "ended_dt"]),
];

/// How answers are shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// Everything, uncut.
    pub(super) wide: bool,
    pub(super) paint: Paint,
}

/// An answer, with a line end.
pub(super) fn shown(method: &Method, answer: &Value, look: Look) -> String {
    match (answer, answer.get("rows")) {
        (Value::Array(rows), _) => table(method, rows, look),
        (Value::Object(page), Some(Value::Array(rows))) if page.contains_key("total") => {
            format!("{}{} in all\n", table(method, rows, look), page["total"])
        }
        (Value::Object(object), _) => whole(object, look),
        (other, _) if matches!(method.gives, Gives::Count) => format!("{other} done\n"),
        (other, _) => format!("{}\n", cell(other)),
    }
}

/// One object: a line for each value that it has, and a table for each list of objects.
fn whole(object: &Object, look: Look) -> String {
    let is_nothing = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    let (tables, told): (Vec<_>, Vec<_>) = object
        .iter()
        .filter(|(_, value)| look.wide || !is_nothing(value))
        .partition(|(_, value)| value.as_array().is_some_and(|rows| !rows.is_empty() && rows.iter().all(Value::is_object)));
    let width = told.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let line = |(name, value): &(&String, &Value)| {
        let name = look.paint.on(Tone::Quiet, &format!("{name:width$}"));
        format!("{name}{GAP}{}\n", toned(&cell(value), value, look))
    };
    let mut text: String = told.iter().map(line).collect();
    for (name, rows) in tables {
        let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
        if object.len() > 1 {
            text.push_str(&format!("\n{name}:\n"));
        }
        text.push_str(&of_rows(&first_columns(rows, look.wide), rows, look));
    }
    text
}

/// What the rows of a list begin with, as far as that is short.
fn first_columns(rows: &[Value], wide: bool) -> Vec<String> {
    let first = rows.iter().find_map(Value::as_object);
    let is_short = |value: &Value| wide || !(value.is_object() || value.is_array());
    let names = first.into_iter().flat_map(|row| row.iter().filter(|(_, value)| is_short(value)).map(|(name, _)| name.clone()));
    names.take(if wide { usize::MAX } else { COLUMNS_MAX }).collect()
}

fn table(method: &Method, rows: &[Value], look: Look) -> String {
    of_rows(&columns(method, rows, look.wide), rows, look)
}

fn of_rows(columns: &[String], rows: &[Value], look: Look) -> String {
    if rows.is_empty() || columns.is_empty() {
        return if rows.is_empty() { String::new() } else { rows.iter().map(|row| format!("{}\n", cell(row))).collect() };
    }
    let cells: Vec<Vec<String>> =
        rows.iter().map(|row| columns.iter().map(|name| cut(cell(&row[name]), look.wide)).collect()).collect();
    let widths: Vec<usize> = (0..columns.len())
        .map(|at| cells.iter().map(|row| row[at].chars().count()).max().unwrap_or(0).max(columns[at].chars().count()))
        .collect();
    let is_number: Vec<bool> = columns.iter().map(|name| rows.iter().any(|row| row[name].is_number())).collect();
    let padded = |at: usize, text: &str| match is_number[at] {
        true => format!("{text:>width$}", width = widths[at]),
        false => format!("{text:width$}", width = widths[at]),
    };
    let heading: Vec<String> = columns.iter().enumerate().map(|(at, name)| padded(at, name)).collect();
    let mut text = format!("{}\n", look.paint.on(Tone::Strong, heading.join(GAP).trim_end()));
    for (row, cells) in rows.iter().zip(&cells) {
        let line: Vec<String> =
            cells.iter().enumerate().map(|(at, text)| toned(&padded(at, text), &row[&columns[at]], look)).collect();
        text.push_str(line.join(GAP).trim_end());
        text.push('\n');
    }
    text
}

fn toned(text: &str, value: &Value, look: Look) -> String {
    value.as_str().and_then(tone_of).map_or_else(|| text.to_owned(), |tone| look.paint.on(tone, text))
}

/// The columns of a list: all that any row has, or those that are looked for first.
fn columns(method: &Method, rows: &[Value], wide: bool) -> Vec<String> {
    let first = rows.iter().find_map(Value::as_object);
    let there = |name: &str| first.is_some_and(|row| row.contains_key(name));
    if wide {
        return first_columns(rows, true);
    }
    let (collection, verb) = names::split(method);
    let chosen = COLUMNS.iter().find(|(known, _)| *known == collection && verb == "search");
    let chosen: Vec<&str> = match (chosen, method.gives) {
        (Some((_, columns)), _) => columns.to_vec(),
        (None, Gives::Rows(fields)) => fields.iter().filter(|field| is_short(field)).map(|field| field.name).collect(),
        (None, _) => return first_columns(rows, false),
    };
    chosen.into_iter().filter(|name| there(name)).take(COLUMNS_MAX).map(str::to_owned).collect()
}

fn is_short(field: &Field) -> bool {
    !matches!(field.kind, Kind::Any { bytes: LEGACY_BYTES_MAX } | Kind::LongText { .. } | Kind::Object { .. })
}

/// A value on one line.
pub(in crate::cli) fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => visible(text),
        Value::Array(items) if items.iter().all(|item| item.is_string() || item.is_number()) => {
            items.iter().map(cell).collect::<Vec<_>>().join(",")
        }
        // Who did it, why it is paused: the words in it say enough.
        Value::Object(object) if object.contains_key("type") && object.len() <= 3 => {
            let of = |name: &str| object.get(name).map(cell).filter(|text| !text.is_empty());
            of("login").or_else(|| of("type")).unwrap_or_default()
        }
        other => visible(&other.to_string()),
    }
}

/// Without control characters, which could be orders to a terminal.
pub(in crate::cli) fn visible(text: &str) -> String {
    text.chars().map(|sign| if sign.is_control() { '\u{fffd}' } else { sign }).collect()
}

fn cut(text: String, wide: bool) -> String {
    if wide || text.chars().count() <= CELL_MAX {
        return text;
    }
    let kept: String = text.chars().take(CELL_MAX - 1).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use hookswitch_core::registry::find;
    use serde_json::json;

    use super::*;

    fn plain(method: &str, answer: Value, wide: bool) -> String {
        shown(find(method).unwrap(), &answer, Look { wide, paint: Paint::off() })
    }

    #[test]
    fn a_list_is_a_table_whose_numbers_stand_on_the_right() {
        let rows = json!([
            {"id": 1, "name": "Acme", "status": "active", "balance": -12.5, "notes": "x"},
            {"id": 20, "name": "b\u{1b}[2Jad", "status": "stopped", "balance": 0, "notes": null},
        ]);
        let expected = "id  name     status   balance\n 1  Acme     active     -12.5\n20  b\u{fffd}[2Jad  stopped        0\n";
        assert_eq!(plain("clients.search", rows, false), expected);
    }

    #[test]
    fn long_values_are_cut_unless_all_is_wanted() {
        let rows = json!([{"id": 1, "name": "n".repeat(60)}]);
        assert!(plain("clients.search", rows.clone(), false).contains(&format!("{}…\n", "n".repeat(39))));
        assert!(plain("clients.search", rows, true).contains(&"n".repeat(60)));
    }

    #[test]
    fn a_list_within_an_object_is_a_table() {
        let rows = json!([{"id": 3, "state": "in_step", "outcomes": {"asked": 0}}]);
        assert_eq!(plain("provisioning.handlers.status", json!({"handlers": rows}), false), "id  state\n 3  in_step\n");
        let with_more = plain("provisioning.handlers.status", json!({"clients_id": 1, "handlers": rows}), false);
        assert_eq!(with_more, "clients_id  1\n\nhandlers:\nid  state\n 3  in_step\n");
    }

    #[test]
    fn an_object_is_its_names_and_values_and_a_count_a_word() {
        assert_eq!(plain("clients.get", json!({"id": 1, "c_city": null, "tags": ["a", "b"]}), false), "id    1\ntags  a,b\n");
        assert_eq!(plain("clients.archive", json!(1), false), "1 done\n");
    }
}
