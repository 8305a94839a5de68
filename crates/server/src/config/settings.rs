//! The settings, whole and typed.
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use ipnet::IpNet;
use toml::Value;

use super::{
    Environment, Shown, Wrong,
    database::{self, Database},
    file::File,
    flags::Flags,
    keys,
    layers::Layers,
    otlp::{self, Otlp},
    read,
};
use crate::{telemetry::Format, tls};

const LISTEN: &str = "127.0.0.1:3080";
const DATA: &str = "./hookswitch-data";
const BEFORE_BUDGET_MS: i64 = 10_000;
const RETENTION_DAYS: i64 = 30;
const LOG_MAX_BYTES: i64 = 10_000_000_000;
const JOURNAL_MAX_BYTES: i64 = 50_000_000_000;
const BREAKER_FAILURES: i64 = 10;
const BREAKER_SECONDS: i64 = 30;

/// Beyond these a number is a mistake: ten minutes for a chain, a hundred years of log, a day of failures.
const BEFORE_BUDGET_MS_MAX: u64 = 600_000;
const RETENTION_DAYS_MAX: u64 = 36_500;
const LOG_BYTES_MIN: u64 = 1_000_000;
const BREAKER_FAILURES_MAX: u64 = 1_000_000;
const BREAKER_SECONDS_MAX: u64 = 86_400;

/// What counts. All paths are absolute.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    /// Where the API listens.
    pub(crate) listen: SocketAddr,
    /// The data folder.
    pub(crate) data: PathBuf,
    /// The database.
    pub(crate) database: Database,
    /// The folder of scripts.
    pub(crate) scripts: PathBuf,
    /// The key file.
    pub(crate) key_file: PathBuf,
    /// How the log is written.
    pub(crate) log: Format,
    /// Where traces go, if anywhere.
    pub(crate) otlp: Option<Otlp>,
    /// The time for a whole before chain.
    pub(crate) before_budget: Duration,
    /// How long the execution log and the journal are kept.
    pub(crate) retention_days: u32,
    /// What the execution log stays below.
    pub(crate) log_bytes_max: u64,
    /// What the event journal stays below.
    pub(crate) journal_bytes_max: u64,
    /// So many failures in a row trip a handler,
    pub(crate) breaker_failures: u32,
    /// over at least so long.
    pub(crate) breaker_over: Duration,
    /// Whose `X-Forwarded-For` counts.
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// Private networks that resellers' handlers may reach.
    pub(crate) reseller_networks: Vec<IpNet>,
    /// The listener's certificate, if it has one.
    pub(crate) tls: Option<tls::Files>,
    /// The configuration file, if there is one.
    pub(crate) file: Option<PathBuf>,
    /// Each of them as text, and where it came from.
    pub(crate) shown: Vec<Shown>,
}

impl Settings {
    /// Asks all layers.
    ///
    /// # Errors
    /// The first value that is wrong; an unknown key of the file.
    pub(crate) fn read(flags: &Flags, environment: Environment<'_>) -> Result<Self, Wrong> {
        let mut layers = Layers { flags, environment, file: File::find(flags, environment)?, shown: Vec::new() };
        let listen = layers.take(&keys::LISTEN, LISTEN, read::address)?;
        let data = layers.take(&keys::DATA, DATA, read::path)?;
        let inside = |name: &str| Value::from(data.join(name).display().to_string());
        let default = Value::from(format!("sqlite:{}", data.join(database::FILE).display()));
        let database = layers.take(&keys::DATABASE, default, |value| Database::read(value, &data))?;
        let scripts = layers.take(&keys::SCRIPTS, inside("scripts"), read::path)?;
        let key_file = layers.take(&keys::KEY_FILE, inside("master.key"), read::path)?;
        let log = layers.take(&keys::LOG, "text", read::format)?;
        let otlp = layers.take_if_set(&keys::OTLP, otlp::read)?.flatten();
        let budget_ms = layers.take(&keys::BEFORE_BUDGET_MS, BEFORE_BUDGET_MS, read::number(1, BEFORE_BUDGET_MS_MAX))?;
        let days = layers.take(&keys::RETENTION_DAYS, RETENTION_DAYS, read::number(1, RETENTION_DAYS_MAX))?;
        let log_bytes_max = layers.take(&keys::LOG_MAX_BYTES, LOG_MAX_BYTES, read::number(LOG_BYTES_MIN, i64::MAX as u64))?;
        let journal_bytes_max =
            layers.take(&keys::JOURNAL_MAX_BYTES, JOURNAL_MAX_BYTES, read::number(LOG_BYTES_MIN, i64::MAX as u64))?;
        let failures = layers.take(&keys::BREAKER_FAILURES, BREAKER_FAILURES, read::number(1, BREAKER_FAILURES_MAX))?;
        let seconds = layers.take(&keys::BREAKER_SECONDS, BREAKER_SECONDS, read::number(0, BREAKER_SECONDS_MAX))?;
        let trusted_proxies = layers.take(&keys::TRUSTED_PROXIES, Value::Array(Vec::new()), read::networks)?;
        let reseller_networks = layers.take(&keys::RESELLER_NETWORKS, Value::Array(Vec::new()), read::networks)?;
        let tls = tls_files(&mut layers)?;
        outside(&scripts, &data)?;
        let Layers { file, shown, .. } = layers;
        Ok(Self {
            listen,
            data,
            database,
            scripts,
            key_file,
            log,
            otlp,
            before_budget: Duration::from_millis(budget_ms),
            retention_days: at_most_u32(days),
            log_bytes_max,
            journal_bytes_max,
            breaker_failures: at_most_u32(failures),
            breaker_over: Duration::from_secs(seconds),
            trusted_proxies,
            reseller_networks,
            tls,
            file: file.map(|file| file.path),
            shown,
        })
    }

    /// True if the password of the database stands in the command line, where every user of the machine can read it.
    pub(crate) fn tells_password(&self) -> bool {
        self.shown.iter().any(|shown| {
            shown.key == keys::DATABASE.name
                && matches!(shown.origin, super::layers::Origin::Flag(_))
                && shown.value.as_ref().and_then(Value::as_str).is_some_and(database::hides)
        })
    }
}

/// Bounded far below already.
fn at_most_u32(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn tls_files(layers: &mut Layers<'_>) -> Result<Option<tls::Files>, Wrong> {
    let cert = layers.take_if_set(&keys::TLS_CERT, read::path)?;
    let key = layers.take_if_set(&keys::TLS_KEY, read::path)?;
    match (cert, key) {
        (Some(cert), Some(key)) => Ok(Some(tls::Files { cert, key })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(Wrong("tls_cert is set, but tls_key is not".to_owned())),
        (None, Some(_)) => Err(Wrong("tls_key is set, but tls_cert is not".to_owned())),
    }
}

/// Scripts may enter their own folder and not the data folder: so the one can't hold the other.
fn outside(scripts: &Path, data: &Path) -> Result<(), Wrong> {
    if data.starts_with(scripts) {
        return Err(Wrong(format!("scripts must not be a folder that the data folder is in: {}", scripts.display())));
    }
    Ok(())
}
