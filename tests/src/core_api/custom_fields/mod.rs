//! Custom fields: keys of the carrier's own, for clients and packages.
mod definitions;
mod handlers;
mod packages;
mod values;

use hookswitch_testkit::{Api, Value, api::id, json, with};

/// Defines a field of clients with the key's default reseller, or as `more` says; returns its id.
async fn define(api: &Api, key: &str, more: Value) -> i64 {
    let fields = json!({"object_type": "clients", "key": key, "title": format!("The {key}")});
    id(&api.ok("custom_fields.create", with(fields, more)).await)
}
