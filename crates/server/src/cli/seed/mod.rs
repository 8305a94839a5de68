//! `hookswitch seed`: clients, accounts and transactions to try things on.
//!
//! They are made through the one door like everybody else's: handlers are asked and told, events are written. So a filled
//! database is one that could have come about.
mod invented;

use std::{sync::Arc, time::Instant};

use anyhow::{Context as _, anyhow};
use clap::Args;
use hookswitch_core::{Call, Core, access::Caller, registry};
use hookswitch_model::refusal::Refusal;
use serde_json::Value;
use tokio::task::JoinSet;

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
use invented::Invented;

/// Clients that are being made at once: enough to share a flush of the disk.
const AT_ONCE: usize = 16;
/// What handlers that are still being told get at the end; the server's next start tells the rest.
const TOLD_WITHIN: std::time::Duration = std::time::Duration::from_secs(5);

/// Fills in clients, accounts and transactions to try things on.
///
/// Everything is made up, under names that differ from run to run. With --url or --key it goes through a running server.
/// Without, it works on the data folder of a server that is stopped, and makes one if there is none.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  hookswitch seed --clients 1000 --url http://127.0.0.1:3080 --key KEY")]
pub(crate) struct Seed {
    #[command(flatten)]
    amount: Amount,
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
}

impl Seed {
    /// Fills them in.
    ///
    /// # Errors
    /// At the first that is refused; what was made before stays.
    pub(crate) fn run(self) -> Ended {
        let settings = Settings::read(&Flags::of_place(self.place), &config::environment)?;
        match self.remote.server(&settings)? {
            Some(server) => block_on(fill(Door::Server(server), self.amount))??,
            None => {
                let folder = Folder::make(&settings).map_err(there_is_another_way)?;
                block_on(fill_folder(&settings, &folder, self.amount))??;
            }
        }
        Ok(())
    }
}

async fn fill_folder(settings: &Settings, folder: &Folder, amount: Amount) -> Ended {
    let core = wiring::core(settings, wiring::store(settings, folder)?).await?;
    let filled = fill(Door::Core(Arc::new(core.clone())), amount).await;
    wiring::close(core, tokio::time::Instant::now() + TOLD_WITHIN).await;
    Ok(filled?)
}

async fn fill(door: Door, amount: Amount) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut tag = [0; 4];
    getrandom::fill(&mut tag).context("random numbers")?;
    let (mut made, mut making) = (0, JoinSet::new());
    for number in 0..amount.clients {
        if making.len() == AT_ONCE {
            made += one_more(&mut making).await.with_context(|| format!("after {made} clients"))?;
        }
        making.spawn(client(door.clone(), Invented::new(u32::from_be_bytes(tag), number), amount));
    }
    while !making.is_empty() {
        made += one_more(&mut making).await.with_context(|| format!("after {made} clients"))?;
    }
    let (accounts, transactions) = (u64::from(amount.accounts) * made, u64::from(amount.transactions) * made);
    let took = started.elapsed().as_secs_f64();
    say(&format!("{made} clients, {accounts} accounts, {transactions} transactions in {took:.1} s\n"))
        .map_err(|ending| anyhow!("{ending}"))
}

async fn one_more(making: &mut JoinSet<anyhow::Result<()>>) -> anyhow::Result<u64> {
    match making.join_next().await {
        Some(made) => made?.map(|()| 1),
        None => Ok(0),
    }
}

/// One client with all that is his, one after another.
async fn client(door: Door, mut invented: Invented, amount: Amount) -> anyhow::Result<()> {
    let client = door.call("clients.create", invented.client()).await?;
    let id = &client["id"];
    for number in 0..amount.accounts {
        door.call("clients.accounts.create", invented.account(id, number)).await?;
    }
    for number in 0..amount.transactions {
        door.call("accounting.transactions.create", invented.transaction(id, number)).await?;
    }
    Ok(())
}

/// Where it is made: the same methods either way.
#[derive(Clone)]
enum Door {
    Server(Server),
    Core(Arc<Core>),
}

impl Door {
    async fn call(&self, method: &'static str, params: Value) -> anyhow::Result<Value> {
        match self {
            Self::Server(server) => server.call(method, params).await,
            Self::Core(core) => perform(core, method, params).await,
        }
    }
}

async fn perform(core: &Core, name: &'static str, params: Value) -> anyhow::Result<Value> {
    let method = registry::find(name).with_context(|| format!("{name} is unknown"))?;
    let Value::Object(params) = params else { return Err(anyhow!("{name} takes named parameters")) };
    let caller = Arc::new(Caller::command_line());
    let answer = core.perform(Call::new(method, params, caller)).await.map_err(|refusal| match refusal {
        Refusal::Internal(detail) => anyhow!("{name}: {detail}"),
        Refusal::Invalid(errors) => anyhow!("{name}: {:?}", errors.iter().collect::<Vec<_>>()),
        other => anyhow!("{name}: {other}"),
    })?;
    Ok(answer.result)
}
