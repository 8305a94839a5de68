//! What is measured, one question a file. Every scenario has a server of its own, with an empty database.
mod backlog;
mod before;
mod delivered;
mod fan_out;
mod hang;
mod memory;
mod night;
mod nodes;
mod search;
mod soak;
mod sql;
mod throughput;
mod workers;

use clap::ValueEnum;

use super::{
    limits::{Ceilings, Limits},
    load::Until,
    report::Section,
    subject::{Load, Place, Subject},
};

/// One question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// Clients created, without handlers
    Create,
    /// Transactions created, without handlers
    Transactions,
    /// Created and delivered, sustained
    Delivered,
    /// A prepared queue, drained
    Drain,
    /// Every event to ten handlers
    FanOut,
    /// A long queue: a restart with it, and its end
    Backlog,
    /// What a before handler adds
    Before,
    /// A handler that hangs beside a healthy one
    Hang,
    /// Memory, at rest and with a queue
    Memory,
    /// Lists over many clients
    Search,
    /// Renewals that fall due at one moment
    Night,
    /// Half of the possible for a long time: does anything grow? (only when named)
    Soak,
    /// Statements in the database of --sql-database (only when named)
    Sql,
    /// Calls to a script that stays
    Workers,
    /// Two nodes on one database, beside one (only with `--database`)
    Nodes,
}

/// What the scenarios of one run share.
pub(super) struct Circumstances {
    pub(super) place: Place,
    /// How long one measurement takes.
    pub(super) seconds: f64,
    /// How many clients lists are searched for.
    pub(super) clients: u32,
    /// How many client packages are renewed at one moment.
    pub(super) packages: u32,
    /// How many deliveries wait.
    pub(super) waiting: u32,
    /// Where the statements of `sql` are run.
    pub(super) sql_database: Option<String>,
    pub(super) limits: Limits,
    /// Of the database server, if there is one.
    pub(super) ceilings: Option<Ceilings>,
    /// Creates per second of this run, once measured.
    pub(super) creates_per_second: Option<f64>,
}

impl Circumstances {
    /// A server that has seen some requests: statements are prepared, files have grown.
    async fn warm_server(&self) -> anyhow::Result<Subject> {
        let server = Subject::start(&self.place).await?;
        server.load(Load { until: Until::Seconds(1.0), ..Load::clients_create() }).await?;
        Ok(server)
    }
}

impl Scenario {
    /// True if it is measured unless others are named.
    pub(super) fn is_usual(self, with_server: bool) -> bool {
        !matches!(self, Self::Soak | Self::Sql) && (self != Self::Nodes || with_server)
    }

    /// Measures.
    pub(super) async fn run(self, at: &mut Circumstances) -> anyhow::Result<Section> {
        match self {
            Self::Create => throughput::create(at).await,
            Self::Transactions => throughput::transactions(at).await,
            Self::Delivered => delivered::sustained(at).await,
            Self::Drain => delivered::drain(at).await,
            Self::FanOut => fan_out::drain(at).await,
            Self::Backlog => backlog::restart(at).await,
            Self::Before => before::overhead(at).await,
            Self::Hang => hang::neighbour(at).await,
            Self::Memory => memory::held(at).await,
            Self::Search => search::lists(at).await,
            Self::Night => night::renewals(at).await,
            Self::Soak => soak::soak(at).await,
            Self::Sql => sql::drain(at).await,
            Self::Workers => workers::calls(at).await,
            Self::Nodes => nodes::beside_one(at).await,
        }
    }
}
