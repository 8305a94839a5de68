//! What most tests begin or end with, in one call each.
use serde_json::{Value, json};

use crate::{Api, Recorder, api::id};

impl Api {
    /// A new client; returns its id.
    pub async fn client(&self, name: &str) -> i64 {
        id(&self.ok("clients.create", json!({"name": name})).await)
    }

    /// A new handler; returns its id.
    pub async fn handler(&self, fields: Value) -> i64 {
        id(&self.ok("provisioning.handlers.create", fields).await)
    }

    /// A new user of this role; returns a client with its key.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn user(&self, login: &str, role: &str, companies_id: Value) -> Api {
        let fields = json!({"login": login, "role": role, "companies_id": companies_id, "password": "a long enough password"});
        let user = self.ok("users.create", fields).await;
        self.with_key(user["key"].as_str().expect("create returns the key"))
    }

    /// Log rows, newest first.
    pub async fn log(&self, filters: Value) -> Vec<Value> {
        match self.ok("provisioning.executions.search", filters).await {
            Value::Array(rows) => rows,
            other => panic!("a bare array, not {other}"),
        }
    }

    /// Waits until exactly this many log rows are found, and returns them, oldest first.
    pub async fn wait_log(&self, filters: Value, count: usize) -> Vec<Value> {
        let what = format!("{count} log rows for {filters}");
        let mut rows = crate::wait_for(&what, || async {
            let rows = self.log(filters.clone()).await;
            (rows.len() >= count).then_some(rows)
        })
        .await;
        assert_eq!(rows.len(), count, "log rows for {filters}: {rows:#?}");
        rows.reverse();
        rows
    }

    /// Waits until no delivery is waiting, retrying or dead.
    pub async fn wait_all_delivered(&self) {
        crate::wait_until("every delivery is done", || async {
            self.ok("provisioning.deliveries.search", json!({"limit": 1})).await == json!([])
        })
        .await;
    }

    /// A payment, or a charge when the amount is negative; returns the transaction.
    pub async fn pay(&self, clients_id: i64, amount: &str) -> Value {
        let amount: Value = amount.parse().expect("an amount is a JSON number");
        let kind = if amount.to_string().starts_with('-') { "charge" } else { "payment" };
        self.ok("accounting.transactions.create", json!({"clients_id": clients_id, "type": kind, "amount": amount})).await
    }

    /// A new account that is known by its name and has a password; returns its id.
    pub async fn account(&self, clients_id: i64, accname: &str) -> i64 {
        let login = json!({"auth_type": "name", "accname": accname, "password": "s3cret-s3cret"});
        let fields = with(login, json!({"clients_id": clients_id, "name": accname}));
        id(&self.ok("clients.accounts.create", fields).await)
    }

    /// A new reseller below this one; returns its id.
    pub async fn company(&self, name: &str, parent_id: i64) -> i64 {
        id(&self.ok("companies.create", json!({"name": name, "parent_id": parent_id})).await)
    }

    /// The journal's events of a client, in order of `seq`, as pairs of `events_id` and `seq`.
    pub async fn journal(&self, clients_id: i64) -> Vec<(String, i64)> {
        let rows =
            self.ok("provisioning.events.search", json!({"clients_id": clients_id, "order": ["seq"], "limit": 1000})).await;
        let seen = |row: &Value| Some((row["events_id"].as_str()?.to_owned(), row["seq"].as_i64()?));
        rows.as_array().expect("rows").iter().map(|row| seen(row).expect("an events_id and a seq")).collect()
    }
}

/// A before handler for these events, to be saved as it is or [`with`] more.
#[must_use]
pub fn before(event: impl Into<Value>, recorder: &Recorder) -> Value {
    json!({"name": "before", "event": event.into(), "type": "before", "task": recorder.url()})
}

/// An after handler for these events.
#[must_use]
pub fn after(event: impl Into<Value>, recorder: &Recorder) -> Value {
    json!({"name": "after", "event": event.into(), "type": "after", "task": recorder.url()})
}

/// An object with further or other members.
///
/// # Panics
/// When one of them is no object.
#[must_use]
#[track_caller]
pub fn with(mut object: Value, more: Value) -> Value {
    let (Value::Object(members), Value::Object(more)) = (&mut object, more) else { panic!("two objects") };
    members.extend(more);
    object
}
