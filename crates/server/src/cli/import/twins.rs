//! What stands twice in one file: a real import hears of it from the server, a dry run has to know by itself.
use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
};

use serde_json::Value;

use super::file::{Group, Row};

/// Names that were seen, by hashes: a file may be long, and a dry run that is wrong about one line in many billions does no harm.
#[derive(Default)]
pub(super) struct Twins {
    seen: HashMap<u64, u64>,
    hasher: RandomState,
}

impl Twins {
    /// The lines of a group that repeat what an earlier line has.
    pub(super) fn of(&mut self, group: &Group) -> Vec<(Row, String)> {
        let mut twins = Vec::new();
        if let Some(client) = &group.client
            && let Some(name) = client.get("name")
            && let Some(line) =
                self.earlier(&("client", name.to_string(), client.get("companies_id").map(Value::to_string)), group.row.line)
        {
            twins.push((group.row.clone(), format!("name is the same as in line {line}, and other lines are between them")));
        }
        for (row, account) in &group.accounts {
            if let Some(name) = account.get("accname")
                && let Some(line) = self.earlier(&("account", name.to_string(), None::<String>), row.line)
            {
                twins.push((row.clone(), format!("account.accname is the same as in line {line}")));
            }
        }
        twins
    }

    /// The line that has it already.
    fn earlier(&mut self, what: &(&str, String, Option<String>), line: u64) -> Option<u64> {
        let hash = self.hasher.hash_one(what);
        let first = *self.seen.entry(hash).or_insert(line);
        (first != line).then_some(first)
    }
}
