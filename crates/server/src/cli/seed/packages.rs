//! Packages, and what clients have of them: most are left to the clock, which activates them or finds that the money is missing;
//! some are still to begin, some are closed.
use anyhow::Context as _;
use serde_json::{Value, json};

use super::invented::Invented;
use crate::cli::door::Door;

/// The packages of one run.
#[derive(Debug, Clone, Default)]
pub(super) struct Packages(Vec<Value>);

impl Packages {
    /// Makes them, if any client is to have one.
    pub(super) async fn make(door: &Door, tag: u32, each: u32) -> anyhow::Result<Self> {
        let mut ids = Vec::new();
        for package in if each > 0 { Invented::packages(tag) } else { Vec::new() } {
            ids.push(door.call("packages.create", package).await?["id"].take());
        }
        Ok(Self(ids))
    }

    /// Gives a client one.
    pub(super) async fn give(&self, door: &Door, invented: &mut Invented, clients_id: &Value) -> anyhow::Result<()> {
        let packages_id = invented.one_of(&self.0).context("no packages were made")?;
        let fate = invented.fate();
        let mut wanted = json!({"clients_id": clients_id, "packages_id": packages_id});
        if fate == Fate::Later {
            wanted["start_dt"] = FAR_AHEAD.into();
        }
        let given = door.call("clients.packages.assign", wanted).await?;
        if fate == Fate::Closed {
            door.call("clients.packages.close", json!({"id": given["id"], "reason": "seed"})).await?;
        }
        Ok(())
    }
}

/// When those begin that are still to begin.
const FAR_AHEAD: &str = "2099-01-01T00:00:00+00:00";

/// What becomes of a client package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It begins now, as soon as there is money.
    Now,
    /// It begins in many years.
    Later,
    /// It is closed at once.
    Closed,
}
