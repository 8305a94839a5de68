//! `hookswitch check`: is the database what it promises to be?
//!
//! The promises are read from whole tables while nothing moves, so that needs the data folder for itself. A backup is only read; a server's
//! database is read in one snapshot, whoever works on it. Of a running server it is asked whether it is ready and how its queues
//! stand.
use std::fmt::Write as _;

use anyhow::{Context as _, anyhow, ensure};
use clap::Args;
use hookswitch_core::check::{self, Finding};
use hookswitch_store::{Clock, Options, Store, moving::Backup};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    backup::about,
    remote::{Remote, Server, there_is_another_way},
};
use crate::{
    cli::{block_on, say},
    config::{
        self, Settings,
        flags::{Flags, Place},
    },
    ending::{Ended, Ending},
    wiring::{self, Folder},
};

/// Looks whether the database is what it promises to be: ledger and balances, edges, sequences, queue.
///
/// SQLite's data folder must not be in use: stop the server first. A PostgreSQL database may be, and a backup, named by
/// --database sqlite:FILE, is only read. With --url or --key it asks a running server instead
/// whether it is ready, and how its queues stand. Ends with status 1 if something is broken.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Example:\n  hookswitch check --data ./hookswitch-data\n  hookswitch check --database sqlite:/backup/hookswitch.db --key-file ./hookswitch-data/master.key\n  hookswitch check --url http://127.0.0.1:3080 --key KEY"
)]
pub(crate) struct Check {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    remote: Remote,
}

impl Check {
    /// Looks.
    ///
    /// # Errors
    /// When something is broken, or it can't be looked at.
    pub(crate) fn run(self) -> Ended {
        let settings = Settings::read(&Flags::of_place(self.place), &config::environment)?;
        if let Some(server) = self.remote.server(&settings)? {
            return Ok(block_on(ask(&server))??);
        }
        if let Some(findings) = look_at_backup(&settings)? {
            return told(&settings, &findings);
        }
        if settings.database.file().is_none() {
            return block_on(look_beside_nodes(&settings))?;
        }
        let folder = Folder::existing(&settings).map_err(there_is_another_way)?;
        block_on(look(&settings, &folder))?
    }
}

/// A server's database is read in one snapshot, while nodes work on it.
async fn look_beside_nodes(settings: &Settings) -> Ended {
    let (database, key) = (settings.database.to_store(), wiring::key(settings)?);
    let store = Store::open_to_read(Options { database, key, clock: Clock::system(), faults: None })?;
    told(settings, &check::check(&store).await.context("reading the database")?)
}

/// A backup is only read, and needs no lock; `None` if it is none.
fn look_at_backup(settings: &Settings) -> Ended<Option<Vec<Finding>>> {
    let is_known = settings.key_file.exists();
    let Some(file) = settings.database.file().filter(|file| is_known && file.is_file()) else { return Ok(None) };
    let key = wiring::key(settings)?;
    let Some(backup) = Backup::look(file, &key, &Clock::system()).map_err(about(file))? else { return Ok(None) };
    Ok(Some(backup.read(check::look).with_context(|| format!("reading {}", file.display()))?))
}

async fn look(settings: &Settings, folder: &Folder) -> Ended {
    let store = wiring::store(settings, folder)?;
    let findings = check::check(&store).await;
    wiring::close_store(store, Instant::now() + wiring::CLOSE).await;
    told(settings, &findings.context("reading the database")?)
}

fn told(settings: &Settings, findings: &[Finding]) -> Ended {
    say(&format!("{}\n{}", settings.database, text(findings)))?;
    let broken = findings.iter().filter(|finding| !finding.broken.is_empty()).count();
    if broken == 0 {
        return Ok(());
    }
    Err(Ending::Failed(anyhow!("{broken} of {} promises are broken", findings.len())))
}

fn text(findings: &[Finding]) -> String {
    let mut text = String::new();
    for Finding { promise, broken } in findings {
        let word = if broken.is_empty() { "ok    " } else { "BROKEN" };
        // Writing to a text can't fail.
        let _ = writeln!(text, "  {word}  {promise}");
        for words in broken {
            let _ = writeln!(text, "            {words}");
        }
    }
    text
}

async fn ask(server: &Server) -> anyhow::Result<()> {
    let ready = server.is_ready().await?;
    let status = server.call("system.status", json!({})).await?;
    say(&standing(&server.url, ready, &status)).map_err(|ending| anyhow!("{ending}"))?;
    ensure!(ready, "the server is not ready");
    Ok(())
}

fn standing(url: &str, ready: bool, status: &Value) -> String {
    let word = if ready { "ready" } else { "NOT READY" };
    let text = |key: &str| status[key].as_str().unwrap_or("?");
    let mut lines = format!("{url}: {word}, version {}, {}\n", text("version"), text("database"));
    for handler in status["handlers"].as_array().into_iter().flatten() {
        let number = |key: &str| handler[key].as_i64().unwrap_or(0);
        let paused = if handler["paused"].is_null() { "" } else { ", paused" };
        let _ = writeln!(
            lines,
            "  handler {} {}: {} waiting, {} retrying, {} dead{paused}",
            handler["id"],
            handler["name"].as_str().unwrap_or_default(),
            number("waiting"),
            number("retrying"),
            number("dead")
        );
    }
    lines.push_str("The promises of its database can be looked at while it is stopped: hookswitch check --data DIR\n");
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_broken_is_named_below_its_promise() {
        let finding = |promise, broken: &[&str]| Finding { promise, broken: broken.iter().map(ToString::to_string).collect() };
        let text = text(&[finding("one", &[]), finding("two", &["client 7: so", "client 8: so"])]);
        assert_eq!(text, "  ok      one\n  BROKEN  two\n            client 7: so\n            client 8: so\n");
    }

    #[test]
    fn a_server_s_queues_are_told_in_words() {
        let status = json!({"version": "1.2.3", "database": "sqlite", "handlers": [
            {"id": 2, "name": "crm", "waiting": 3, "retrying": 1, "dead": 0, "paused": {"by": "admin"}}]});
        let text = standing("http://x", true, &status);
        assert!(
            text.starts_with("http://x: ready, version 1.2.3, sqlite\n  handler 2 crm: 3 waiting, 1 retrying, 0 dead, paused\n")
        );
    }
}
