//! The life of a client package on a clock that the test turns: months pass in milliseconds.
mod catch_up;
mod handlers;
mod lives;
mod oracle;
mod random_lives;
mod requests;

use hookswitch_testkit::{Clocked, Value, api::id, json, wait_until, with};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// A server, a client with that much money, and a monthly package of 10 with an activation fee of 5.
pub(crate) struct Scene {
    pub(crate) server: Clocked,
    pub(crate) client: i64,
    pub(crate) package: i64,
}

impl Scene {
    pub(crate) async fn with(money: &str, terms: Value) -> Self {
        let server = Clocked::keeping(10_000).await;
        let client = server.client("Acme").await;
        if money != "0" {
            server.pay(client, money).await;
        }
        let usual = json!({"name": "Flat", "period": "P1M", "activation_fee": 5, "period_fee": 10});
        let package = id(&server.ok("packages.create", with(usual, terms)).await);
        Self { server, client, package }
    }

    /// Assigns the package; returns the client package's id.
    pub(crate) async fn assign(&self, more: Value) -> i64 {
        let what = json!({"clients_id": self.client, "packages_id": self.package});
        id(&self.server.ok("clients.packages.assign", with(what, more)).await)
    }

    pub(crate) async fn get(&self, own: i64) -> Value {
        self.server.wait_nothing_due().await;
        self.server.ok("clients.packages.get", json!({"id": own})).await
    }

    pub(crate) async fn wait_condition(&self, own: i64, condition: &str) -> Value {
        wait_until(&format!("client package {own} is {condition}"), async || self.get(own).await["condition"] == condition).await;
        self.get(own).await
    }

    /// Waits until the last paid period ends then.
    pub(crate) async fn wait_paid_until(&self, own: i64, stop: &str) -> Value {
        wait_until(&format!("client package {own} is paid until {stop}"), async || self.get(own).await["period_stop_dt"] == stop)
            .await;
        self.get(own).await
    }

    /// The balance of the client.
    pub(crate) async fn balance(&self) -> Value {
        self.server.wait_nothing_due().await;
        self.server.ok("clients.get", json!({"id": self.client})).await["balance"].clone()
    }

    /// The client's events, by name.
    pub(crate) async fn events(&self) -> Vec<String> {
        self.server.wait_nothing_due().await;
        self.server.journal(self.client).await.into_iter().map(|(name, _)| name).collect()
    }

    /// The steps of a client package, as `renew 2026-12-23T12:00:00+00:00`, in order of `seq`.
    pub(crate) async fn steps(&self, own: i64) -> Vec<String> {
        self.server.wait_nothing_due().await;
        let filters = json!({"clients_id": self.client, "object_id": own, "order": ["seq"], "limit": 1000});
        let rows = self.server.ok("provisioning.events.search", filters).await;
        let text = |row: &Value| {
            let name = row["events_id"].as_str()?.strip_prefix("clients.packages.")?;
            Some(format!("{name} {}", row["dt"].as_str()?))
        };
        rows.as_array().expect("rows").iter().filter_map(text).collect()
    }
}
