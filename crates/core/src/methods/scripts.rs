//! `provisioning.scripts.list`: which scripts there are, so that one can be chosen rather than typed.
use hookswitch_model::{
    Object,
    field::{Field, Kind, schema},
    refusal::Refusal,
};
use hookswitch_store::Tx;
use serde_json::{Value, json};

use crate::{
    perform::At,
    registry::{Gives, Method, Takes},
};

pub(crate) static METHODS: &[Method] = &[Method::reads(
    "provisioning.scripts.list",
    "Lists the files of the scripts folder, and why one can't be started; none for users of a reseller",
    Takes::Fields(&[]),
    Gives::Other(list_schema),
    list,
)];

const ROW: &[Field] = &[
    Field::new("name", Kind::Line { min: 1, max: 255 }, "What follows script://"),
    Field::new("error", Kind::Text { max: usize::MAX }, "Why it can't be started; null = it can").or_null(),
];

fn list_schema() -> Value {
    json!({"type": "array", "items": schema::object(ROW, &["name", "error"])})
}

fn list(_: &Tx, at: &At, _: &Object) -> Result<Value, Refusal> {
    if at.caller.companies_id.is_some() {
        // Which scripts there are is none of a reseller's business.
        return Ok(json!([]));
    }
    Ok(at.handlers.scripts().into_iter().map(|(name, error)| json!({"name": name, "error": error})).collect())
}
