//! `hookswitch bench`: how fast this program is on this machine, and what the machine itself could do.
//!
//! ```text
//!   bench ---- starts ----> serve       what is measured, in a temporary folder (subject.rs)
//!     |------- starts ----> __load      sends requests, measures answers        (load.rs, template.rs)
//!     |------- starts ----> __receive   the handler                             (receive.rs)
//!     '------- starts ----> __post      the raw ceiling                         (post.rs, limits.rs)
//! ```
//!
//! All of them are this binary, each a process of its own; they talk over the loopback, as bare HTTP (wire.rs). Every
//! run measures the machine's limits first, because a figure without them says nothing about the program. What is
//! measured, and what is wanted of it, is in `scenarios/`.
mod database;
mod histogram;
mod limits;
mod load;
mod post;
pub(crate) mod process;
mod receive;
mod report;
mod scenarios;
mod subject;
mod template;
mod wire;

use std::{
    io::Write as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use clap::ValueEnum as _;

use limits::{Ceilings, Limits};
use report::{Figure, Section};
use scenarios::Circumstances;
pub(crate) use scenarios::Scenario;
use subject::Place;

/// No scenario takes longer, whatever happens; its processes are killed then. Large databases take their time.
const SCENARIO_MAX: Duration = Duration::from_secs(600);
/// So much longer it may take for each client or client package.
const SCENARIO_MAX_PER_ROW: Duration = Duration::from_millis(10);

/// What is to be measured.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// How long one measurement takes.
    pub(crate) seconds: f64,
    /// How many clients lists are searched for.
    pub(crate) clients: u32,
    /// How many client packages are renewed at one moment.
    pub(crate) packages: u32,
    /// How many deliveries wait in `backlog`.
    pub(crate) waiting: u32,
    /// Which scenarios; none = all.
    pub(crate) only: Vec<Scenario>,
    /// Where the temporary folders are made: on the disk that is meant.
    pub(crate) folder: PathBuf,
    /// The URL of a PostgreSQL server; `None` = the database inside.
    pub(crate) database: Option<String>,
    /// The URL of a database for the statements of `sql`.
    pub(crate) sql_database: Option<String>,
    /// JSON on standard output in place of the table.
    pub(crate) json: bool,
    /// Where to write the figures as Markdown.
    pub(crate) markdown: Option<PathBuf>,
}

impl Options {
    fn wants(&self, scenario: Scenario) -> bool {
        if self.only.is_empty() { scenario.is_usual(self.database.is_some()) } else { self.only.contains(&scenario) }
    }
}

/// Measures, and prints each scenario as it is done. True if nothing misses what is wanted.
///
/// # Errors
/// When a process can't be started, or what it does is wrong: an event lost, an order broken, an error answered.
pub(crate) async fn run(options: &Options) -> anyhow::Result<bool> {
    let limits = Limits::measure(&options.folder, options.seconds).await.context("measuring the machine's limits")?;
    let mut sections = Vec::new();
    show(options, &mut sections, machine(&limits))?;
    let server = options.database.as_deref().map(|url| database::Server::at(url, &options.folder));
    let ceilings = match &server {
        Some(server) => Some(Ceilings::measure(server, options.seconds).await.context("measuring the database's limits")?),
        None => None,
    };
    if let Some(ceilings) = &ceilings {
        show(options, &mut sections, ceilings.section())?;
    }
    let place = Place { folder: options.folder.clone(), database: server };
    let Options { clients, packages, waiting, seconds, .. } = *options;
    let sql_database = options.sql_database.clone();
    let mut at =
        Circumstances { place, sql_database, seconds, clients, packages, waiting, limits, ceilings, creates_per_second: None };
    let longest =
        SCENARIO_MAX + Duration::from_secs_f64(seconds) + SCENARIO_MAX_PER_ROW * clients.max(packages).max(waiting / 10);
    for scenario in Scenario::value_variants() {
        if options.wants(*scenario) {
            let started = Instant::now();
            let measured = tokio::time::timeout(longest, scenario.run(&mut at)).await;
            let section = measured.context("it took too long").flatten().with_context(|| format!("{scenario:?}"))?;
            show(options, &mut sections, section)?;
            tracing::debug!(?scenario, took = ?started.elapsed(), "measured");
        }
    }
    finish(options, &sections)?;
    Ok(sections.iter().all(Section::met))
}

fn machine(limits: &Limits) -> Section {
    Section {
        name: "machine",
        about: "what it can do at all, measured in this run",
        figures: vec![
            Figure::new("processors", std::thread::available_parallelism().map_or(0, usize::from) as f64, ""),
            Figure::new("flushes of the disk (4 KiB appended, fdatasync)", limits.flushes_per_second, "/s"),
            Figure::new("one flush, median", limits.flush_ms, "ms"),
            Figure::new("raw ceiling: bare posts of the same client, 64 in flight", limits.posts_per_second, "/s"),
        ],
    }
}

fn show(options: &Options, sections: &mut Vec<Section>, section: Section) -> anyhow::Result<()> {
    if !options.json {
        let mut out = std::io::stdout().lock();
        out.write_all(section.text().as_bytes())?;
        out.flush()?;
    }
    sections.push(section);
    Ok(())
}

fn finish(options: &Options, sections: &[Section]) -> anyhow::Result<()> {
    if options.json {
        let all = serde_json::json!({
            "version": env!("CARGO_PKG_VERSION"),
            "sections": sections.iter().map(Section::json).collect::<Vec<_>>(),
        });
        writeln!(std::io::stdout().lock(), "{all:#}")?;
    }
    if let Some(path) = &options.markdown {
        let text: String = sections.iter().map(Section::markdown).collect();
        std::fs::write(path, text.trim_start()).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}
