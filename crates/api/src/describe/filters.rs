//! What a list may be asked, as schemas: from its columns, like the check itself (`store::tables::search::parse`).
//!
//! A query string knows texts only. There a repeated key is an array, and `null` stands for *has no value* where no
//! text is meant.
use hookswitch_model::field;
use hookswitch_store::tables::search::{
    Column, Kind, LIMIT_DEFAULT, LIMIT_MAX, List, OFFSET_MAX, QUICK_BYTES_MAX, SORTED_BY_MAX,
};
use hookswitch_store::tables::search::{TEXT_BYTES_MAX, VALUES_MAX};
use serde_json::{Value, json};

use super::params::Param;

/// Where a filter is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// In JSON.
    Json,
    /// In a query string.
    Query,
}

/// The filters and the paging of a search.
pub(super) fn of_search(list: &List, written: Written) -> Vec<Param> {
    [of_selection(list, written), paging(list)].concat()
}

/// The filters alone. A column that is called like a parameter of the paging can't be filtered by.
pub(super) fn of_selection(list: &List, written: Written) -> Vec<Param> {
    let mut filters = Vec::new();
    for column in list.columns.iter().filter(|column| column.name != "order") {
        filters.push(Param::optional(
            column.name,
            values(column, written),
            &format!("{}: one value, or any of several", column.name),
        ));
        if column.kind == Kind::Time {
            for (end, words) in [("from", "at or after this"), ("to", "before this")] {
                let name = format!("{}_{end}", column.name);
                filters.push(Param::optional(
                    &name,
                    time_or_date(),
                    &format!("{} {words}; a date is its first moment", column.name),
                ));
            }
        }
    }
    let quick: Vec<&str> = list.columns.iter().filter(|column| column.quick).map(|column| column.name).collect();
    if !quick.is_empty() {
        let about = format!("Quick search in {}; * stands for anything", quick.join(", "));
        filters.push(Param::optional("q", json!({"type": "string", "maxLength": QUICK_BYTES_MAX}), &about));
    }
    filters
}

fn paging(list: &List) -> Vec<Param> {
    let after_id = match list.columns.iter().find(|column| column.name == "id").map(|column| column.kind) {
        Some(Kind::Uuid) => json!({"type": "string", "format": "uuid"}),
        _ => json!({"type": "integer", "minimum": 0, "format": "int64"}),
    };
    let limit = json!({"type": "integer", "minimum": 1, "maximum": LIMIT_MAX});
    let offset = json!({"type": "integer", "minimum": 0, "maximum": OFFSET_MAX});
    let order = order(list);
    vec![
        Param::optional("limit", limit, &format!("Rows at most (default {LIMIT_DEFAULT})")),
        Param::optional("offset", offset, "Rows to leave out first (default 0)"),
        Param::optional("order", order, "Columns to sort by; a leading - sorts downwards"),
        Param::optional("after_id", after_id, "The page behind the row of this id, in order of id; in place of offset and order"),
        Param::optional("with_total", json!({"type": "boolean"}), "Count all rows that the filters find (default false)"),
    ]
}

fn order(list: &List) -> Value {
    let columns: Vec<String> =
        list.columns.iter().flat_map(|column| [column.name.to_owned(), format!("-{}", column.name)]).collect();
    let one = json!({"type": "string", "enum": columns});
    json!({"anyOf": [one, {"type": "array", "minItems": 1, "maxItems": SORTED_BY_MAX, "items": one}]})
}

fn values(column: &Column, written: Written) -> Value {
    let one = one(column);
    let mut ways = vec![one.clone(), json!({"type": "array", "items": one, "maxItems": VALUES_MAX})];
    if column.kind == Kind::Time {
        ways[0] = time_or_date();
    }
    match written {
        Written::Json => ways.push(json!({"type": "null"})),
        Written::Query if column.kind != Kind::Text => ways.push(json!({"const": "null"})),
        Written::Query => {}
    }
    json!({"anyOf": ways})
}

fn one(column: &Column) -> Value {
    match column.kind {
        Kind::Integer => json!({"type": "integer", "format": "int64"}),
        // Counted in bytes, which JSON Schema can't say.
        Kind::Text => json!({"type": "string", "maxLength": TEXT_BYTES_MAX}),
        Kind::Choice(words) => json!({"type": "string", "enum": words}),
        Kind::Money => field::schema::any_amount(),
        Kind::Time => json!({"type": "string", "format": "date-time"}),
        Kind::Uuid => json!({"type": "string", "format": "uuid"}),
        Kind::Boolean => json!({"type": "boolean"}),
    }
}

fn time_or_date() -> Value {
    json!({"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]})
}
