//! `hookswitch resync`: brings a softswitch up to date, and shows how far that has come.
//!
//! The work is the server's: this asks for it and looks on. Whoever stops looking (Ctrl-C) stops nothing.
mod bar;

use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use clap::{ArgGroup, Args};
use serde_json::{Value, json};

use super::remote::{Remote, Server};
use crate::{
    cli::{block_on, say},
    config::{self, Settings, flags::Flags},
    ending::{Ended, Ending},
};
use bar::Bar;

/// Between two looks at how far it has come.
const LOOK: Duration = Duration::from_millis(250);
/// So long a server that does not answer is waited for.
const SERVER_WITHIN: Duration = Duration::from_secs(30);

/// Tells a handler how all clients stand now, or some of them, and shows how far that has come.
///
/// It is counted first, then begun; nothing is asked. What happens meanwhile comes in order beside it. Ctrl-C leaves it running.
/// Ends with status 1 if it was cancelled, or if deliveries of it are dead.
#[derive(Debug, Clone, Args)]
#[command(
    group(ArgGroup::new("what").required(true).args(["handler", "watch", "pause", "resume", "cancel"])),
    after_help = "Example:\n  hookswitch resync --handler 3 --url http://127.0.0.1:3080 --key KEY\n  hookswitch resync --handler 3 --company 7 --count --url http://127.0.0.1:3080 --key KEY"
)]
pub(crate) struct Resync {
    /// Tell this handler how things stand
    #[arg(long, value_name = "ID")]
    handler: Option<i64>,
    /// Only these clients
    #[arg(long, value_name = "ID,ID...", value_delimiter = ',', conflicts_with_all = ["watch", "pause", "resume", "cancel"])]
    clients: Option<Vec<i64>>,
    /// Only clients of this reseller and those below it
    #[arg(long, value_name = "ID", conflicts_with_all = ["watch", "pause", "resume", "cancel"])]
    company: Option<i64>,
    /// Only events for which this CEL expression is true
    #[arg(long, value_name = "CEL", conflicts_with_all = ["watch", "pause", "resume", "cancel"])]
    condition: Option<String>,
    /// Events a second at most [default: 500]
    #[arg(long, value_name = "N", conflicts_with_all = ["watch", "pause", "resume", "cancel"])]
    rate: Option<i64>,
    /// Only say how many events there would be
    #[arg(long, conflicts_with_all = ["watch", "pause", "resume", "cancel"])]
    count: bool,
    /// Show how far this resync has come until it is over
    #[arg(long, value_name = "ID")]
    watch: Option<i64>,
    /// Write no more events of this resync for now
    #[arg(long, value_name = "ID")]
    pause: Option<i64>,
    /// Go on with this resync where it was, and show how far it has come
    #[arg(long, value_name = "ID")]
    resume: Option<i64>,
    /// End this resync
    #[arg(long, value_name = "ID")]
    cancel: Option<i64>,
    #[command(flatten)]
    remote: Remote,
}

impl Resync {
    /// Does what was asked for.
    ///
    /// # Errors
    /// When the server refuses, or the resync does not end well.
    pub(crate) fn run(self) -> Ended {
        let settings = Settings::read(&Flags::default(), &config::environment)?;
        let server = self.remote.clone().server(&settings)?;
        let server = server.ok_or_else(|| {
            Ending::Usage("a resync is made by a running server: give its --url, and --key or HOOKSWITCH_KEY".to_owned())
        })?;
        Ok(block_on(self.act(&server))??)
    }

    async fn act(&self, server: &Server) -> anyhow::Result<()> {
        if let Some(id) = self.pause {
            return steered(server, "provisioning.resyncs.pause", id).await;
        }
        if let Some(id) = self.cancel {
            return steered(server, "provisioning.resyncs.cancel", id).await;
        }
        if let Some(id) = self.resume {
            steered(server, "provisioning.resyncs.resume", id).await?;
            return watch(server, id).await;
        }
        match (self.watch, self.count) {
            (Some(id), _) => watch(server, id).await,
            (None, true) => self.count(server).await,
            (None, false) => self.begin(server).await,
        }
    }

    /// The method's parameters.
    fn request(&self, count_only: bool) -> Value {
        let mut request = json!({"id": self.handler, "count_only": count_only});
        let chosen = [
            ("clients_id", self.clients.as_ref().map(|ids| json!(ids))),
            ("companies_id", self.company.map(Value::from)),
            ("condition", self.condition.as_deref().map(Value::from)),
            ("rate", self.rate.map(Value::from)),
        ];
        for (name, value) in chosen.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            request[name] = value;
        }
        request
    }

    async fn count(&self, server: &Server) -> anyhow::Result<()> {
        let counted = server.call("provisioning.handlers.resync", self.request(true)).await?;
        said(&format!("{} events\n", counted["total"]))
    }

    async fn begin(&self, server: &Server) -> anyhow::Result<()> {
        let begun = server.call("provisioning.handlers.resync", self.request(false)).await?;
        let id = begun["id"].as_i64().context("the server gave no id")?;
        let total = begun["total"].as_i64().map_or_else(|| "still counting".to_owned(), |total| format!("{total} events"));
        said(&format!("resync {id} has begun: {total}\n"))?;
        watch(server, id).await
    }
}

async fn steered(server: &Server, method: &str, id: i64) -> anyhow::Result<()> {
    let resync = server.call(method, json!({"id": id})).await?;
    said(&format!("resync {id} is {}: {}\n", word(&resync, "state"), bar::figures(&resync)))
}

/// Looks on until it is over, or somebody has seen enough.
async fn watch(server: &Server, id: i64) -> anyhow::Result<()> {
    tokio::select! {
        over = look_on(server, id) => over,
        _stopped = tokio::signal::ctrl_c() => {
            said(&format!("resync {id} goes on; hookswitch resync --watch {id} shows how far it has come\n"))
        }
    }
}

async fn look_on(server: &Server, id: i64) -> anyhow::Result<()> {
    let mut bar = Bar::new();
    loop {
        let resync = look(server, id).await?;
        let state = word(&resync, "state");
        match state {
            "done" => {
                drop(bar);
                return said(&format!("resync {id} is done: {}{}\n", bar::figures(&resync), reason(&resync)));
            }
            "cancelled" | "incomplete" => {
                drop(bar);
                return Err(anyhow!("resync {id} is {state}: {}{}", bar::figures(&resync), reason(&resync)));
            }
            _ => bar.show(&resync),
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// A resync as it stands. It survives its server, so a server that is being started again is waited for.
async fn look(server: &Server, id: i64) -> anyhow::Result<Value> {
    let began = Instant::now();
    loop {
        match server.call("provisioning.resyncs.get", json!({"id": id})).await {
            Ok(resync) => return Ok(resync),
            Err(refused) if server.is_ready().await.is_ok() => return Err(refused),
            Err(gone) if began.elapsed() > SERVER_WITHIN => {
                return Err(gone.context(format!("resync {id} goes on when its server is there again")));
            }
            Err(_gone) => tokio::time::sleep(LOOK).await,
        }
    }
}

fn word<'a>(resync: &'a Value, name: &str) -> &'a str {
    resync[name].as_str().unwrap_or_default()
}

fn reason(resync: &Value) -> String {
    resync["reason"].as_str().map_or_else(String::new, |reason| format!("; {reason}"))
}

fn said(text: &str) -> anyhow::Result<()> {
    say(text).map_err(|ending| anyhow!("{ending}"))
}
