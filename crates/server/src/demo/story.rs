//! The story that the demo tells: each step is a real request, and each event is waited for.
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};

use super::{
    example_handler::{CREDIT, UNWANTED},
    screen::Screen,
};
use crate::bench::process::Listening;

/// An event that does not arrive within this time is a fault.
const ARRIVES_WITHIN: Duration = Duration::from_secs(10);

/// The two processes, and where to tell of them.
pub(super) struct Story<'a> {
    pub(super) screen: Screen,
    pub(super) client: reqwest::Client,
    pub(super) url: String,
    pub(super) key: String,
    pub(super) handler: &'a mut Listening,
}

impl Story<'_> {
    pub(super) async fn tell(&mut self) -> anyhow::Result<()> {
        self.handlers().await?;
        let id = self.changed().await?;
        self.forbidden().await?;
        self.across_zero(&id).await
    }

    async fn handlers(&mut self) -> anyhow::Result<()> {
        self.screen.step("1. Two handlers are saved. They count from the next event on.")?;
        let address = self.handler.address;
        let before =
            json!({"name": "vetting", "event": "clients.create", "type": "before", "task": format!("http://{address}/before")});
        let events = ["clients.create", "clients.balance_zero", "clients.balance_notzero"];
        let after = json!({"name": "crm", "event": events, "type": "after", "task": format!("http://{address}/after")});
        for handler in [before, after] {
            let saved = self.must("provisioning.handlers.create", handler).await?;
            self.screen.answer(&format!("handler {}: {} ({})", saved["id"], saved["name"], saved["type"]))?;
        }
        Ok(())
    }

    async fn changed(&mut self) -> anyhow::Result<Value> {
        self.screen.step("2. A client is created. The before handler is asked first, and changes him.")?;
        let client = self.must("clients.create", json!({"name": "Acme Telecom"})).await?;
        self.screen.answer(&format!("client {}: credit {}, tags {}", client["id"], client["credit"], client["tags"]))?;
        ensure!(client["credit"] == CREDIT, "the before handler's credit did not count: {client}");
        self.told("clients.create").await?;
        Ok(client["id"].clone())
    }

    async fn forbidden(&mut self) -> anyhow::Result<()> {
        self.screen.step("3. Another one is forbidden by the same handler. Nothing was changed, nobody is told.")?;
        let answer = self.call("clients.create", json!({"name": UNWANTED})).await?;
        let error = answer.get("error").with_context(|| format!("this should have been forbidden: {answer}"))?;
        self.screen.refusal(error["message"].as_str().unwrap_or_default()).context("standard output")
    }

    async fn across_zero(&mut self, id: &Value) -> anyhow::Result<()> {
        self.screen.step("4. Money comes and goes. The balance crosses zero downwards, later upwards: each is told once.")?;
        for (kind, amount, event) in [
            ("payment", 100, None),
            ("charge", -60, None),
            ("charge", -70, Some("clients.balance_zero")),
            ("charge", -5, None),
            ("payment", 80, Some("clients.balance_notzero")),
        ] {
            let entry = json!({"clients_id": id, "type": kind, "amount": amount});
            let entry = self.must("accounting.transactions.create", entry).await?;
            self.screen.answer(&format!("balance {}", entry["balance_after"]))?;
            if let Some(event) = event {
                self.told(event).await?;
            }
        }
        Ok(())
    }

    /// Waits until the after handler says that it was told.
    async fn told(&mut self, event: &str) -> anyhow::Result<()> {
        let line = tokio::time::timeout(ARRIVES_WITHIN, self.handler.lines.next_line());
        let line = line.await.with_context(|| format!("{event} did not arrive"))??.context("the example handler ended")?;
        ensure!(line.starts_with(event), "expected {event}, the after handler was told {line}");
        Ok(self.screen.event(&line)?)
    }

    /// A request that must succeed.
    async fn must(&self, method: &str, params: Value) -> anyhow::Result<Value> {
        let mut answer = self.call(method, params).await?;
        match answer.get_mut("result") {
            Some(result) => Ok(result.take()),
            None => bail!("{method}: {answer}"),
        }
    }

    async fn call(&self, method: &str, params: Value) -> anyhow::Result<Value> {
        self.screen.request(&format!("{method} {params}"))?;
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        let request = self.client.post(format!("{}/api/", self.url)).header("x-api-key", &self.key);
        let answer = request.header("content-type", "application/json").body(body).send().await?;
        Ok(serde_json::from_slice(&answer.bytes().await?)?)
    }
}
