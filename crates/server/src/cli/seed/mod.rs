//! `hookswitch seed`: clients, accounts, transactions and client packages to try things on.
//!
//! They are made through the one door like everybody else's: handlers are asked and told, events are written. So a filled
//! database is one that could have come about. What is made up depends on nothing but the seed (`invented.rs`).
mod invented;
mod packages;
mod progress;

use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use clap::Args;
use hookswitch_traces::Traces;
use tokio::task::JoinSet;

use super::{
    door::Door,
    remote::{Remote, there_is_another_way},
};
use crate::{
    cli::{block_on, say},
    config::{
        self, Settings,
        flags::{Flags, Place},
    },
    ending::Ended,
    wiring::{self, Folder},
};

use invented::Invented;
use packages::Packages;
use progress::Progress;

/// Clients that are being made at once: enough to share a flush of the disk.
const AT_ONCE: usize = 128;
/// What handlers that are still being told get at the end; the server's next start tells the rest.
const TOLD_WITHIN: std::time::Duration = std::time::Duration::from_secs(5);

/// Fills in clients, accounts, transactions and client packages to try things on.
///
/// Everything is made up; the same --seed makes up the same. With --url or --key it goes through a running server. Without, it
/// works on the data folder of a server that is stopped, and makes one if there is none. How far it has come is said on
/// standard error.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  hookswitch seed --clients 1000 --url http://127.0.0.1:3080 --key KEY")]
pub(crate) struct Seed {
    #[command(flatten)]
    amount: Amount,
    /// What the inventions begin with; once for a database, as names are unique [default: any]
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Clone, Copy, Args)]
struct Amount {
    /// How many clients
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    clients: u32,
    /// How many accounts each
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    accounts: u32,
    /// How many transactions each
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    transactions: u32,
    /// How many client packages each
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    packages: u32,
}

impl Seed {
    /// Fills them in.
    ///
    /// # Errors
    /// At the first that is refused; what was made before stays.
    pub(crate) fn run(self) -> Ended {
        let settings = Settings::read(&Flags::of_place(self.place), &config::environment)?;
        let seed = self.seed.map_or_else(any, Ok)?;
        match self.remote.server(&settings)? {
            Some(server) => block_on(fill(Door::Server(server), seed, self.amount))??,
            None => {
                let folder = Folder::make(&settings).map_err(there_is_another_way)?;
                block_on(fill_folder(&settings, &folder, seed, self.amount))??;
            }
        }
        Ok(())
    }
}

fn any() -> anyhow::Result<u32> {
    let mut seed = [0; 4];
    getrandom::fill(&mut seed).context("random numbers")?;
    Ok(u32::from_be_bytes(seed))
}

async fn fill_folder(settings: &Settings, folder: &Folder, seed: u32, amount: Amount) -> Ended {
    let core = wiring::core(settings, wiring::store(settings, folder)?, Traces::off()).await?;
    let filled = fill(Door::Core(Arc::new(core.clone())), seed, amount).await;
    wiring::close(core, tokio::time::Instant::now() + TOLD_WITHIN).await;
    Ok(filled?)
}

async fn fill(door: Door, seed: u32, amount: Amount) -> anyhow::Result<()> {
    let packages = Packages::make(&door, seed, amount.packages).await?;
    let (mut progress, mut making) = (Progress::of(u64::from(amount.clients)), JoinSet::new());
    for number in 0..amount.clients {
        if making.len() == AT_ONCE {
            one_more(&mut making, &mut progress).await?;
        }
        making.spawn(client(door.clone(), Invented::new(seed, number), packages.clone(), amount));
    }
    while !making.is_empty() {
        one_more(&mut making, &mut progress).await?;
    }
    let (made, took) = (progress.done(), progress.seconds());
    drop(progress);
    say(&summary(made, amount, took, seed)).map_err(|ending| anyhow!("{ending}"))
}

fn summary(made: u64, amount: Amount, took: f64, seed: u32) -> String {
    let of_all = [(amount.accounts, "accounts"), (amount.transactions, "transactions"), (amount.packages, "client packages")];
    let mut words = format!("{made} clients");
    for (each, what) in of_all.into_iter().take(if amount.packages > 0 { 3 } else { 2 }) {
        words.push_str(&format!(", {} {what}", u64::from(each) * made));
    }
    format!("{words} in {took:.1} s (seed {seed})\n")
}

async fn one_more(making: &mut JoinSet<anyhow::Result<()>>, progress: &mut Progress) -> anyhow::Result<()> {
    if let Some(made) = making.join_next().await {
        made?.with_context(|| format!("after {} clients", progress.done()))?;
        progress.one_more();
    }
    Ok(())
}

/// One client with all that is his, one after another.
async fn client(door: Door, mut invented: Invented, packages: Packages, amount: Amount) -> anyhow::Result<()> {
    let client = door.call("clients.create", invented.client()).await?;
    let id = &client["id"];
    for number in 0..amount.accounts {
        door.call("clients.accounts.create", invented.account(id, number)).await?;
    }
    for number in 0..amount.transactions {
        door.call("accounting.transactions.create", invented.transaction(id, number)).await?;
    }
    for _ in 0..amount.packages {
        packages.give(&door, &mut invented, id).await?;
    }
    Ok(())
}
