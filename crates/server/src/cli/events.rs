//! `hookswitch events tail`: what happens, as it happens.
//!
//! It looks again and again at what stands behind an anchor, a row that it has seen. Where several nodes write, rows come to light
//! out of order, a little later than others behind them. So the anchor follows a few seconds behind, and what was shown
//! already is remembered until it is passed: nothing is missed, nothing shown twice.
use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    time::{Duration, Instant},
};

use clap::Args;
use serde_json::{Value, json};

use super::{
    objects::table::{cell, visible},
    paint::{Paint, Tone},
    pattern,
    remote::{Refused, Remote, Server},
    say,
    stop::asked_to_stop,
};
use crate::{
    cli::block_on,
    ending::{Ended, Ending},
};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(300);
/// So much later than others behind it a row may come to light.
const OVERLAP: Duration = Duration::from_secs(5);
/// So often a new anchor is taken where nothing happens: the journal forgets old rows.
const ANCHOR_EVERY: Duration = Duration::from_secs(60);
/// Rows of a page.
const PAGE: usize = 1_000;

/// Shows events as they happen, until Ctrl-C.
///
/// Many nodes, late commits: nothing is missed, nothing shown twice. A server that is away is waited for.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  hookswitch events tail --event 'clients.*' --client 12")]
pub(crate) struct Tail {
    /// Only these events; clients.* means all that begin so
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    event: Vec<String>,
    /// Only events of this client
    #[arg(long, value_name = "ID")]
    client: Option<i64>,
    /// Only events of this reseller
    #[arg(long, value_name = "ID")]
    company: Option<i64>,
    /// Show so many past ones first
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=1000))]
    last: u16,
    /// One JSON object a line, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

impl Tail {
    /// Shows them.
    ///
    /// # Errors
    /// When there is no server at the beginning, or it refuses.
    pub(crate) fn run(self) -> Ended {
        let server = self.remote.clone().needed_server()?;
        block_on(async {
            tokio::select! {
                ended = self.follow(server) => ended,
                () = asked_to_stop() => Ok(()),
            }
        })?
    }

    fn filters(&self) -> Value {
        let mut filters = json!({});
        for (name, value) in [("clients_id", self.client), ("companies_id", self.company)] {
            if let Some(value) = value {
                filters[name] = value.into();
            }
        }
        filters
    }

    async fn follow(&self, server: Server) -> Ended {
        let mut journal = Journal::new(server, self.filters());
        let mut past = journal.begin(self.last.into()).await?;
        past.reverse();
        self.show(&past)?;
        let (mut is_away, mut anchored) = (false, Instant::now());
        loop {
            match journal.look().await {
                Ok(new) => {
                    is_away = false;
                    self.show(&new)?;
                    if anchored.elapsed() > ANCHOR_EVERY && journal.follow_up().await.is_ok() {
                        anchored = Instant::now();
                    }
                }
                Err(error) if error.is::<Refused>() => return Err(Ending::Failed(error)),
                Err(error) if !is_away => {
                    is_away = true;
                    tracing::warn!("{error:#}; trying again");
                }
                Err(_) => {}
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn show(&self, events: &[Value]) -> Ended {
        let paint = Paint::of_output();
        let wanted = events.iter().filter(|event| pattern::means(&self.event, event["events_id"].as_str().unwrap_or_default()));
        let lines: String = wanted.map(|event| if self.json { format!("{event}\n") } else { line(event, paint) }).collect();
        if lines.is_empty() { Ok(()) } else { say(&lines) }
    }
}

/// An event in one line.
pub(super) fn line(event: &Value, paint: Paint) -> String {
    let name = event["events_id"].as_str().unwrap_or_default();
    let dt = event["dt"].as_str().unwrap_or_default();
    let time = dt.get(..19).unwrap_or(dt).replace('T', " ");
    let by = match cell(&event["actor"]) {
        who if who.is_empty() => String::new(),
        who => format!(" by {who}"),
    };
    let (client, object, seq) = (&event["clients_id"], &event["object_id"], &event["seq"]);
    let seq = if seq.is_null() { String::new() } else { format!(" seq {seq}") };
    format!(
        "{} {} client {client} object {object}{seq}{by}\n",
        paint.on(Tone::Quiet, &visible(&time)),
        paint.on(tone(name), &visible(name))
    )
}

fn tone(events_id: &str) -> Tone {
    match events_id.rsplit('.').next().unwrap_or_default() {
        "create" | "unarchive" | "activate" | "balance_notzero" => Tone::Good,
        "delete" | "archive" | "deactivate" | "close" | "balance_zero" => Tone::Bad,
        _ => Tone::Strong,
    }
}

/// The journal behind an anchor.
struct Journal {
    server: Server,
    filters: Value,
    /// A row behind which everything is looked at; none: the journal was empty.
    anchor: Option<Value>,
    /// The newest row when the anchor was last renewed.
    next_anchor: Option<Value>,
    /// The anchor at that time.
    at_last: Option<Value>,
    /// What was shown, and when it was first seen.
    seen: HashMap<String, Instant>,
}

impl Journal {
    fn new(server: Server, filters: Value) -> Self {
        Self { server, filters, anchor: None, next_anchor: None, at_last: None, seen: HashMap::new() }
    }

    async fn search(&self, params: Value) -> anyhow::Result<Vec<Value>> {
        match self.server.call("provisioning.events.search", params).await? {
            Value::Array(rows) => Ok(rows),
            other => anyhow::bail!("the server gave no list but {other}"),
        }
    }

    async fn newest(&self) -> anyhow::Result<Option<Value>> {
        Ok(self.search(json!({"limit": 1})).await?.first().map(|row| row["id"].clone()))
    }

    /// Begins with the present; gives as many past events, newest first.
    async fn begin(&mut self, last: usize) -> anyhow::Result<Vec<Value>> {
        self.anchor = self.newest().await?;
        (self.next_anchor, self.at_last) = (self.anchor.clone(), self.anchor.clone());
        if last == 0 {
            return Ok(Vec::new());
        }
        let mut params = self.filters.clone();
        params["limit"] = last.into();
        let past = self.search(params).await?;
        // What came between the two questions is shown now, and not again.
        self.seen.extend(past.iter().filter_map(|row| Some((row["id"].as_str()?.to_owned(), Instant::now()))));
        Ok(past)
    }

    /// What is new.
    async fn look(&mut self) -> anyhow::Result<Vec<Value>> {
        let (mut new, mut order, mut after) = (Vec::new(), Vec::new(), self.anchor.clone());
        loop {
            let mut params = self.filters.clone();
            params["limit"] = PAGE.into();
            match &after {
                Some(id) => params["after_id"] = id.clone(),
                None => params["order"] = json!(["id"]),
            }
            let page = self.search(params).await?;
            after = page.last().map(|row| row["id"].clone()).or(after);
            let is_last = page.len() < PAGE;
            for row in page {
                let id = row["id"].as_str().unwrap_or_default().to_owned();
                order.push(id.clone());
                if let Entry::Vacant(unseen) = self.seen.entry(id) {
                    unseen.insert(Instant::now());
                    new.push(row);
                }
            }
            if is_last {
                self.pass(&order);
                return Ok(new);
            }
        }
    }

    /// Takes the anchor as far as everything has been seen for long enough, and forgets what it passes.
    fn pass(&mut self, order: &[String]) {
        let is_old = |id: &&String| self.seen.get(*id).is_some_and(|seen| seen.elapsed() > OVERLAP);
        let passed = order.iter().take_while(is_old).count();
        if let Some(last) = order[..passed].last() {
            self.anchor = Some(last.as_str().into());
        }
        let kept: HashSet<&String> = order[passed..].iter().collect();
        self.seen.retain(|id, _| kept.contains(id));
    }

    /// Where nothing has happened since the last time, the anchor goes to what was newest then: everything up to there has been looked
    /// at many times. So it never is a row that is about to be forgotten.
    async fn follow_up(&mut self) -> anyhow::Result<()> {
        let newest = self.newest().await?;
        if newest.is_none() || self.anchor == self.at_last {
            self.anchor = self.next_anchor.take().filter(|_| newest.is_some());
        }
        self.at_last.clone_from(&self.anchor);
        self.next_anchor = newest;
        Ok(())
    }
}
