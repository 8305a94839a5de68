//! `hookswitch bench`: the command line of [`crate::bench`].
use std::path::PathBuf;

use clap::Args;

use crate::bench::{self, Options, Scenario};

/// Measures how fast this program is here, and what the machine itself could do.
///
/// Servers, load and receivers are processes of their own, in a temporary folder. Nothing is written but what
/// --markdown names.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Example:\n  hookswitch bench --only create --only drain --seconds 5\n  hookswitch bench create transactions delivered nodes --database postgres://hookswitch@127.0.0.1/postgres\n\nUse a release build: cargo run --release -- bench"
)]
pub(crate) struct Bench {
    /// Only these scenarios
    #[arg(value_name = "SCENARIO")]
    scenarios: Vec<Scenario>,
    /// How long one measurement takes; the sustained one three times as long; `soak` should have 600 or more
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    seconds: u16,
    /// `search`: how many clients there are, with 5 accounts each
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    clients: u32,
    /// `night`: how many client packages are renewed at one moment
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    packages: u32,
    /// The same, one at a time; may be repeated
    #[arg(long, value_name = "NAME")]
    only: Vec<Scenario>,
    /// `backlog`: how many deliveries wait
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(1_000..=10_000_000))]
    waiting: u32,
    /// Where `sql` runs its statements: postgres://USER:PASSWORD@HOST/DATABASE, mysql://... or sqlite:///FILE
    #[arg(long, value_name = "URL")]
    sql_database: Option<String>,
    /// Where the temporary folders are made: name one on the disk that you mean to use [default: the system's temporary folder]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Measure on a PostgreSQL server: the URL of a database that is always there; others are made beside it, and removed
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Also write the figures to this file, as Markdown
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// End with status 1 if a figure misses what is wanted of it
    #[arg(long)]
    strict: bool,
}

impl Bench {
    /// Measures.
    ///
    /// # Errors
    /// When something does not work, or with `--strict` when a figure misses what is wanted.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        if cfg!(debug_assertions) {
            tracing::warn!("this is a debug build: its figures say nothing; use cargo run --release -- bench");
        }
        let met = bench::run(&Options {
            seconds: f64::from(self.seconds),
            clients: self.clients,
            packages: self.packages,
            waiting: self.waiting,
            sql_database: self.sql_database,
            only: [self.scenarios, self.only].concat(),
            folder: self.folder.unwrap_or_else(std::env::temp_dir),
            database: self.database,
            json: self.json,
            markdown: self.markdown,
        })
        .await?;
        anyhow::ensure!(met || !self.strict, "a figure misses what is wanted of it");
        Ok(())
    }
}
