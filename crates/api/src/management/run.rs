//! An action, from its parameters to what it returns.
use std::sync::Arc;

use axum::http::HeaderMap;
use hookswitch_core::{Answer, Call, access::Caller, registry};
use hookswitch_model::{
    Object,
    field::Access,
    refusal::{FieldErrors, Refusal},
};
use serde_json::{Value, json};

use super::{
    actions::{Action, Does},
    names,
};
use crate::{Api, RequestSpan};

/// Rows of a list, if nothing is said.
const ROWS: i64 = 100;

/// What an action returns.
#[derive(Debug)]
pub(super) struct Returned {
    pub(super) value: Value,
    /// What handlers wanted the caller to know.
    pub(super) messages: Vec<String>,
}

impl Returned {
    fn plain(value: Value) -> Self {
        Self { value, messages: Vec::new() }
    }
}

/// What runs calls for one caller.
struct Desk<'a> {
    api: &'a Api,
    span: RequestSpan,
    headers: &'a HeaderMap,
    caller: &'a Arc<Caller>,
    object: &'static str,
}

/// Runs an action.
pub(super) async fn run(
    api: &Api,
    (span, headers): (&RequestSpan, &HeaderMap),
    caller: &Arc<Caller>,
    action: &Action,
    params: Object,
) -> Result<Returned, Refusal> {
    let desk = Desk { api, span: span.of_several(), headers, caller, object: action.object };
    let done = match action.does {
        Does::List(method) => desk.list(method, params).await,
        Does::Show(method, name) => desk.show(method, name, params).await,
        Does::Blank(method) => desk.blank(method),
        Does::Write(method) => desk.write(method, params).await,
        Does::Fields => desk.fields(params).await,
        Does::ChangeFields => desk.change_fields(params).await,
        Does::Packages => desk.packages(params).await,
        Does::Logs => desk.logs(params).await,
    };
    done.map_err(|refusal| in_its_names(action.object, refusal))
}

/// Wrong fields under the names that the caller knows.
fn in_its_names(object: &str, refusal: Refusal) -> Refusal {
    let Refusal::Invalid(errors) = refusal else { return refusal };
    let mut named = FieldErrors::new();
    for (field, words) in errors.iter() {
        named.add(&names::field_outward(object, field), words);
    }
    Refusal::Invalid(named)
}

/// A change is meant only if it says so.
fn take_apply(params: &mut Object) -> Result<(), Refusal> {
    let applied = params.shift_remove("apply");
    let is_meant = applied.is_some_and(|apply| [json!(1), json!("1"), json!(true)].contains(&apply));
    if is_meant { Ok(()) } else { Err(Refusal::field("apply", "must be 1: without it nothing is changed")) }
}

impl Desk<'_> {
    async fn call(&self, method: &'static str, params: Object) -> Result<Answer, Refusal> {
        let method = registry::find(method).ok_or_else(|| Refusal::internal(format!("no method {method}")))?;
        let params = names::inward(method, self.object, params);
        self.api.perform(&self.span, self.headers, Call::new(method, params, Arc::clone(self.caller))).await
    }

    async fn list(&self, method: &'static str, mut params: Object) -> Result<Returned, Refusal> {
        params.entry("limit").or_insert(ROWS.into());
        params.insert("with_total".to_owned(), true.into());
        let mut result = self.call(method, params).await?.result;
        let total = result["total"].take();
        let rows: Vec<Value> = rows(result["rows"].take()).map(|row| names::outward(self.object, row).into()).collect();
        Ok(Returned::plain(json!({"rows": rows, "total": total})))
    }

    async fn show(&self, method: &'static str, name: &str, params: Object) -> Result<Returned, Refusal> {
        let Value::Object(found) = self.call(method, params).await?.result else { return Err(Refusal::internal("no object")) };
        Ok(Returned::plain(json!({name: names::outward(self.object, found)})))
    }

    /// The fields that a new one can be given, each with what it may hold.
    fn blank(&self, method: &'static str) -> Result<Returned, Refusal> {
        let method = registry::find(method).ok_or_else(|| Refusal::internal(format!("no method {method}")))?;
        self.caller.demand(method.right)?;
        let settable =
            method.takes.fields().iter().filter(|field| !matches!(field.access, Access::ReadOnly | Access::UpdateOnly));
        let fields = settable.map(|field| {
            let name = names::field_outward(self.object, field.name);
            json!({"name": name, "required": field.required, "about": field.about})
        });
        Ok(Returned::plain(json!({"fields": fields.collect::<Vec<_>>()})))
    }

    async fn write(&self, method: &'static str, mut params: Object) -> Result<Returned, Refusal> {
        take_apply(&mut params)?;
        let Answer { result, warnings } = self.call(method, params).await?;
        let value = match result {
            Value::Object(object) => {
                let id = object.get("id").cloned().unwrap_or_default();
                let mut value = json!({"id": id});
                // Shown once, and nowhere else.
                if let Some(secret) = object.get("secret") {
                    value["secret"] = secret.clone();
                }
                value
            }
            affected => json!({"affected": affected}),
        };
        Ok(Returned { value, messages: warnings })
    }

    async fn fields(&self, params: Object) -> Result<Returned, Refusal> {
        let values = self.call("clients.custom_fields.get", params).await?.result;
        let titles = json!({"object_type": "clients", "limit": 1000, "order": ["order"]});
        let titles = self.call("custom_fields.search", titles.as_object().cloned().unwrap_or_default()).await?.result;
        let row = |definition: Object| {
            let value = definition["key"].as_str().and_then(|key| values.get(key)).cloned().unwrap_or_default();
            json!({"key": definition["key"], "title": definition["title"], "value": value})
        };
        let known = |definition: &Object| definition["key"].as_str().is_some_and(|key| values.get(key).is_some());
        Ok(Returned::plain(json!({"rows": rows(titles).filter(known).map(row).collect::<Vec<_>>(), "fields": values})))
    }

    /// Keys of definitions are nobody's names: they go on as they came, in an object of their own or beside the id.
    async fn change_fields(&self, mut params: Object) -> Result<Returned, Refusal> {
        take_apply(&mut params)?;
        let id = params.shift_remove("id_clients").or_else(|| params.shift_remove("id")).unwrap_or_default();
        let mut changes = match params.shift_remove("fields") {
            Some(Value::Object(fields)) => fields,
            Some(_) => return Err(Refusal::field("fields", "must be an object: values by key")),
            None => params,
        };
        let id = match &id {
            Value::String(text) => text.parse::<i64>().map_or_else(|_| id.clone(), Value::from),
            _ => id,
        };
        changes.insert("id".to_owned(), id);
        let method = registry::find("clients.custom_fields.update").ok_or_else(|| Refusal::internal("no such method"))?;
        let call = Call::new(method, changes, Arc::clone(self.caller));
        let Answer { result, warnings } = self.api.perform(&self.span, self.headers, call).await?;
        Ok(Returned { value: json!({"affected": result}), messages: warnings })
    }

    async fn packages(&self, mut params: Object) -> Result<Returned, Refusal> {
        if !params.contains_key("id_clients") {
            return Err(Refusal::field("clients_id", "is required"));
        }
        params.entry("limit").or_insert(ROWS.into());
        let held: Vec<Object> = rows(self.call("clients.packages.search", params).await?.result).collect();
        let mut ids: Vec<i64> = held.iter().filter_map(|row| row["packages_id"].as_i64()).collect();
        ids.sort_unstable();
        ids.dedup();
        let periods: Vec<Object> = if ids.is_empty() {
            Vec::new()
        } else {
            let asked = json!({"id": ids, "limit": 1000});
            let method = registry::find("packages.search").ok_or_else(|| Refusal::internal("no such method"))?;
            let asked = asked.as_object().cloned().unwrap_or_default();
            rows(self.api.perform(&self.span, self.headers, Call::new(method, asked, Arc::clone(self.caller))).await?.result)
                .collect()
        };
        let shown = held.into_iter().map(|row| {
            let package = periods.iter().find(|package| package["id"] == row["packages_id"]);
            let period = package.map_or(Value::Null, |package| package["period"].clone());
            let (name, from, till) = (row["packages_name"].clone(), row["start_dt"].clone(), row["stop_dt"].clone());
            let mut shown = names::outward(self.object, row);
            shown.extend([("package_name", name), ("activation_dt", from), ("expire_dt", till), ("period", period)].map(named));
            Value::from(shown)
        });
        Ok(Returned::plain(json!({"rows": shown.collect::<Vec<_>>()})))
    }

    async fn logs(&self, mut params: Object) -> Result<Returned, Refusal> {
        // The module's own object is the handler here.
        if let Some(id) = params.shift_remove("id_provisioning").or_else(|| params.shift_remove("id")) {
            params.insert("handlers_id".to_owned(), id);
        }
        params.entry("limit").or_insert(ROWS.into());
        let found = rows(self.call("provisioning.executions.search", params).await?.result);
        let shown = found.map(|mut row| {
            let id = row.shift_remove("id").unwrap_or_default();
            let mut shown = names::outward(self.object, row);
            shown.shift_insert(0, "id".to_owned(), id);
            Value::from(shown)
        });
        Ok(Returned::plain(json!({"rows": shown.collect::<Vec<_>>()})))
    }
}

fn named((name, value): (&str, Value)) -> (String, Value) {
    (name.to_owned(), value)
}

fn rows(result: Value) -> impl Iterator<Item = Object> {
    let rows = if let Value::Array(rows) = result { rows } else { Vec::new() };
    rows.into_iter().filter_map(|row| if let Value::Object(row) = row { Some(row) } else { None })
}
