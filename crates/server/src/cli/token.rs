//! `hookswitch token`: a new key for a user, on standard output and nothing else there.
//!
//! Without a server it is written to the tables directly. Opening the core for it would start deliveries, and whoever has
//! lost his key wants his key.
use anyhow::{Context as _, anyhow};
use clap::Args;
use hookswitch_core::access::keys::{key_hash, new_key};
use hookswitch_model::refusal::Refusal;
use hookswitch_store::{
    Subject, Tx,
    tables::{users, versions},
};
use serde_json::json;
use tokio::time::Instant;

use super::remote::{Remote, Server, there_is_another_way};
use crate::{
    cli::{block_on, say},
    config::{
        self, Settings,
        flags::{Flags, Place},
    },
    ending::Ended,
    wiring::{self, Folder},
};

const HOUR_MS: i64 = 60 * 60 * 1_000;
/// Of the logins that are there, so many are named to somebody who has mistyped one.
const LOGINS_SHOWN_MAX: usize = 10;

/// Makes a new API key for a user and prints it. His old keys end.
///
/// With --url or --key it goes through a running server, for an admin. Without, it works on the data folder of a server
/// that is stopped: for the day on which nobody remembers the key.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  hookswitch token --data ./hookswitch-data --login admin")]
pub(crate) struct Token {
    /// Whose key
    #[arg(long, default_value = "admin")]
    login: String,
    /// How many hours his old keys go on working
    #[arg(long, value_name = "HOURS", default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..=8_760))]
    overlap_hours: i64,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    remote: Remote,
}

impl Token {
    /// Makes it.
    ///
    /// # Errors
    /// When there is no such user, or nobody may.
    pub(crate) fn run(self) -> Ended {
        let Self { login, overlap_hours, place, remote } = self;
        let settings = Settings::read(&Flags::of_place(place), &config::environment)?;
        let key = match remote.server(&settings)? {
            Some(server) => block_on(ask(&server, &login, overlap_hours))??,
            None => {
                let folder = Folder::existing(&settings).map_err(there_is_another_way)?;
                block_on(write(&settings, &folder, login, overlap_hours))??
            }
        };
        say(&format!("{key}\n"))
    }
}

async fn ask(server: &Server, login: &str, overlap_hours: i64) -> anyhow::Result<String> {
    let found = server.call("users.search", json!({"login": login})).await?;
    let user = found.get(0).with_context(|| format!("there is no user {login}, or he is not yours to see"))?;
    let params = json!({"id": user["id"], "overlap_hours": overlap_hours});
    let rotated = server.call("users.rotate_key", params).await?;
    Ok(rotated["key"].as_str().context("the server gave no key")?.to_owned())
}

async fn write(settings: &Settings, folder: &Folder, login: String, overlap_hours: i64) -> Ended<String> {
    let store = wiring::store(settings, folder)?;
    let written = store.write(move |tx| rotate(tx, &login, overlap_hours)).await;
    wiring::close_store(store, Instant::now() + wiring::CLOSE).await;
    Ok(written.map_err(|refusal| match refusal {
        Refusal::Internal(detail) => anyhow!(detail),
        other => anyhow!(other),
    })?)
}

/// As `users.rotate_key` does it.
fn rotate(tx: &mut Tx<'_>, login: &str, overlap_hours: i64) -> Result<String, Refusal> {
    tx.lock(Subject::Configuration)?;
    let Some(user) = users::by_login(tx, login)? else { return Err(unknown(tx, login)?) };
    let key = new_key()?;
    let end = tx.now().plus_millis(overlap_hours * HOUR_MS);
    users::expire_keys(tx, user.id, end)?;
    users::add_key(tx, user.id, &key_hash(&key))?;
    versions::bump(tx, versions::ACCESS)?;
    Ok(key)
}

fn unknown(tx: &Tx<'_>, login: &str) -> Result<Refusal, Refusal> {
    let logins: Vec<String> = users::all(tx)?.into_iter().take(LOGINS_SHOWN_MAX).map(|user| user.login).collect();
    let there = if logins.is_empty() { "nobody: `hookswitch serve` makes the first admin".to_owned() } else { logins.join(", ") };
    Ok(Refusal::internal(format!("there is no user {login}; there is {there}")))
}
