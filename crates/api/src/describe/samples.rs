//! A plausible value for each field: by its name where that tells more than its kind. One story runs through them, so that
//! a request and its answer belong together: Acme Telecom, client 12, its account, its payment.
use hookswitch_model::field::{Field, Kind};
use serde_json::{Value, json};

const EVENT: &str = "019aa9b2-7c1e-7d33-9d0a-3b1f5c0e8a11";
const MOMENT: &str = "2026-11-23T21:14:07+00:00";

/// What a caller might send.
pub(super) fn given(collection: &str, field: &Field) -> Value {
    named(collection, field.name).unwrap_or_else(|| by_kind(field))
}

/// What an answer might show: what was never set is null.
pub(super) fn shown(collection: &str, field: &Field) -> Value {
    named(collection, field.name).unwrap_or_else(|| match field {
        field if field.is_list() => json!([]),
        field if field.null => Value::Null,
        field => by_kind(field),
    })
}

/// True if a value of this name is worth showing in a request that could do without it.
pub(super) fn is_telling(collection: &str, name: &str) -> bool {
    let names: &[&str] = match collection {
        "clients" => &["credit", "c_email", "tags"],
        "clients.accounts" => &["name", "accname", "password"],
        "accounting.transactions" => &["external_id"],
        "companies" => &["timezone"],
        "provisioning.handlers" => &["id", "type", "reason", "events_id"],
        "provisioning.deliveries" | "provisioning.outcomes" => &["handlers_id", "state"],
        "users" => &["overlap_hours"],
        _ => &[],
    };
    names.contains(&name)
}

fn named(collection: &str, name: &str) -> Option<Value> {
    of_object(collection, name).or_else(|| anywhere(name))
}

fn of_object(collection: &str, name: &str) -> Option<Value> {
    Some(match (collection, name) {
        ("clients", "id" | "custom_fields") | ("clients.custom_fields", "id") => match name {
            "id" => json!(12),
            _ => json!({}),
        },
        ("clients", "name") => json!("Acme Telecom"),
        ("clients", "status") => json!("active"),
        ("clients.accounts", "name") => json!("Desk"),
        ("clients.accounts", "id") => json!(40),
        ("accounting.transactions", "id") => json!(7),
        ("accounting.transactions", "type") => json!("payment"),
        ("companies", "name") => json!("Reseller East"),
        ("companies", "id") => json!(2),
        ("companies", "parent_id") => json!(1),
        ("custom_fields", "key") => json!("sla_level"),
        ("custom_fields", "title") => json!("Service level"),
        ("packages", "name") => json!("Unlimited calls"),
        ("provisioning.handlers", "id") => json!(3),
        ("provisioning.handlers", "name") => json!("crm"),
        ("provisioning.handlers", "headers") => json!({}),
        ("provisioning.handlers", "companies_id") => Value::Null,
        ("provisioning.handlers", "type") => json!("after"),
        ("provisioning.handlers", "clients_id") => json!([12, 13]),
        ("provisioning.resyncs", name) => of_resync(name)?,
        ("provisioning.events", "id") => json!(EVENT),
        ("provisioning.events", "data" | "previous" | "object") => data(name),
        ("provisioning.deliveries" | "provisioning.outcomes", "state") => json!("dead"),
        ("provisioning.deliveries" | "provisioning.outcomes", "next_dt") => Value::Null,
        ("provisioning.outcomes", "outcome") => json!("aborted"),
        ("provisioning.outcomes", "by") => json!({"type": "conflict"}),
        ("provisioning.executions", "status") => json!("success"),
        ("users", "role") => json!("operator"),
        _ => return None,
    })
}

/// One that is half done.
fn of_resync(name: &str) -> Option<Value> {
    Some(match name {
        "clients_id" | "companies_id" | "reason" => Value::Null,
        "id" => json!(7),
        "state" => json!("running"),
        "by" => json!("crm"),
        "total" => json!(1_200),
        "sent" => json!(600),
        "rate" => json!(500),
        "delivered" => json!(580),
        "waiting" => json!(20),
        "retrying" | "dead" | "discarded" => json!(0),
        "eta_s" => json!(2),
        _ => return None,
    })
}

fn data(member: &str) -> Value {
    match member {
        "data" => json!({"id": 12, "name": "Acme Telecom"}),
        "previous" => json!({"name": "Acme"}),
        _ => json!({"id": 12, "name": "Acme Telecom", "status": "active"}),
    }
}

fn anywhere(name: &str) -> Option<Value> {
    of_money(name).or_else(|| of_handlers(name)).or_else(|| {
        Some(match name {
            "clients_id" => json!(12),
            "companies_id" | "currencies_id" => json!(1),
            "clients_name" => json!("Acme Telecom"),
            "c_email" => json!("noc@acme.example"),
            "tags" => json!(["wholesale"]),
            "accname" => json!("acme-100"),
            "password" => json!("a long enough password"),
            "external_id" => json!("invoice-2026-117"),
            "login" => json!("crm"),
            "key" => json!("3f8a...: 64 hexadecimal digits"),
            "secret" => json!("whsec_..."),
            "timezone" => json!("Europe/Warsaw"),
            "overlap_hours" => json!(24),
            "reason" => json!("maintenance of the CRM"),
            _ => return None,
        })
    })
}

/// Client 12 has paid 250.5.
fn of_money(name: &str) -> Option<Value> {
    Some(match name {
        "balance" | "balance_accountant" | "balance_after" | "amount" => amount("250.5"),
        "credit" => json!(100),
        "available" => amount("350.5"),
        _ => return None,
    })
}

/// Exact: never through a binary float.
fn amount(text: &str) -> Value {
    text.parse().unwrap_or_default()
}

fn of_handlers(name: &str) -> Option<Value> {
    Some(match name {
        "event" | "events_id" => json!("clients.update"),
        "task" => json!("https://crm.example/hookswitch"),
        "method" => json!("POST"),
        "event_id" => json!(EVENT),
        "handlers_id" => json!(3),
        "handlers_name" => json!("crm"),
        "object_id" => json!(12),
        "seq" => json!(41),
        "actor" => json!({"type": "user", "id": 3, "login": "crm"}),
        "timeout_ms" => json!(3000),
        "concurrency" => json!(8),
        "duration_ms" => json!(14),
        "response_status" => json!(200),
        "order" => json!(100),
        _ => return None,
    })
}

fn by_kind(field: &Field) -> Value {
    match field.shown.unwrap_or(field.kind) {
        Kind::Boolean => true.into(),
        Kind::Time => MOMENT.into(),
        Kind::Uuid => EVENT.into(),
        Kind::NetList { .. } => json!(["203.0.113.7", "2001:db8::/48"]),
        Kind::Integer { min, .. } => min.max(1).into(),
        _ => field.stand_in(),
    }
}

/// A value that fits a schema of an object's own making.
pub(super) fn of_schema(collection: &str, name: &str, schema: &Value) -> Value {
    if let Some(known) = named(collection, name).filter(|known| is_of_type(schema, known)) {
        return known;
    }
    if let Some(Value::Array(either)) = schema.get("anyOf") {
        return either.first().map_or(Value::Null, |first| of_schema(collection, name, first));
    }
    if let Some(Value::Array(words)) = schema.get("enum") {
        return words.first().cloned().unwrap_or_default();
    }
    let kind = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str),
        kind => kind.and_then(Value::as_str),
    };
    match kind.unwrap_or_default() {
        "object" => {
            let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
            properties.map(|(name, schema)| (name.clone(), of_schema(collection, name, schema))).collect()
        }
        "array" => json!([of_schema(collection, "", schema.get("items").unwrap_or(&Value::Null))]),
        "integer" | "number" => json!(1),
        "boolean" => json!(true),
        "string" => {
            if schema.get("format") == Some(&json!("date-time")) {
                json!(MOMENT)
            } else {
                json!("text")
            }
        }
        _ => Value::Null,
    }
}

/// A name may mean something else in an object of another making.
fn is_of_type(schema: &Value, value: &Value) -> bool {
    let is = |kind: &Value| match kind.as_str() {
        Some("object") => value.is_object() && schema.get("properties").is_none(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer" | "number") => value.is_number(),
        Some("null") => value.is_null(),
        _ => true,
    };
    match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(is),
        Some(kind) => is(kind),
        None => true,
    }
}
