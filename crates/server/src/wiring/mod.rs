//! From settings to a running core, and back.
//!
//! ```text
//!   folder     made for its owner alone; locked, so that the database has one writer
//!   store      key file, then database: looked at before it is touched
//!   node       on a database that can be shared: joins the others
//!   traces     recorded and exported, if that is wanted
//!   core       keys and handlers in memory; what waits is delivered
//!   close      the same backwards, within the time that is left
//! ```
//!
//! The lock is held by whoever holds the [`Folder`]: it must be dropped last.
mod first_login;
mod folder;
mod node;
mod side;
pub(crate) mod traces;

use std::time::Duration;

use anyhow::Context as _;
use hookswitch_core::Core;
use hookswitch_hooks::{
    Breaker, Retention,
    call::{CallerOptions, script},
};
use hookswitch_store::{Clock, MasterKey, OpenError, Store};
use hookswitch_traces::Traces;
use tokio::time::{Instant, timeout_at};

use crate::{
    config::Settings,
    ending::{Ended, Ending},
};

pub(crate) use first_login::{Given, first_login, url_of};
pub(crate) use folder::Folder;
pub(crate) use side::{Side, nobody_uses};

/// This program, also after its file was replaced by an upgrade.
const OURSELVES: &str = "/proc/self/exe";
/// What ending the store may take of the time that is left.
pub(crate) const CLOSE: Duration = Duration::from_secs(1);

/// Opens the database, or makes it. The folder is asked for because nobody may do this without its lock.
///
/// # Errors
/// When it can't be used; nothing was changed then.
pub(crate) fn store(settings: &Settings, _locked: &Folder) -> Ended<Store> {
    let is_new = !settings.key_file.exists();
    if is_new && has_content(settings) {
        return Err(key_is_missing(settings));
    }
    let key = MasterKey::load_or_create(&settings.key_file)?;
    let options = hookswitch_store::Options { database: settings.database.to_store(), key, clock: Clock::system(), faults: None };
    Store::open(options).map_err(|error| match error {
        OpenError::WrongKey if is_new => {
            // Made a moment ago; kept, it would only hide that the right one is missing.
            let _ = std::fs::remove_file(&settings.key_file);
            key_is_missing(settings)
        }
        error => error.into(),
    })
}

/// The key file that a database was written with: none is made.
///
/// # Errors
/// When it is not there, or is none.
pub(crate) fn key(settings: &Settings) -> Ended<MasterKey> {
    let file = &settings.key_file;
    if !file.exists() {
        let words =
            format!("the key file {} is missing, and without it the database can't be read: --key-file names it", file.display());
        return Err(Ending::Database(words));
    }
    Ok(MasterKey::load_or_create(file)?)
}

/// A new key file beside an old database would only hide that the right one is missing. What is in a server's database is not known
/// before it is opened.
fn has_content(settings: &Settings) -> bool {
    settings.database.file().is_some_and(|file| std::fs::metadata(file).is_ok_and(|metadata| metadata.len() > 0))
}

fn key_is_missing(settings: &Settings) -> Ending {
    let (file, database) = (settings.key_file.display(), &settings.database);
    Ending::Database(format!("the key file {file} is missing, and {database} can't be read without it"))
}

/// Starts what the program can do on this database; what waits there is delivered from now on.
///
/// # Errors
/// Whatever the store says.
pub(crate) async fn core(settings: &Settings, store: Store, traces: Traces) -> Ended<Core> {
    if !script::sandbox::landlock_available() {
        tracing::warn!("this kernel has no landlock: scripts can read the data folder");
    }
    let caller = CallerOptions {
        user_agent: concat!("hookswitch/", env!("CARGO_PKG_VERSION")).to_owned(),
        reseller_networks: settings.reseller_networks.clone(),
        scripts_dir: settings.scripts.clone(),
        data_dir: settings.data.clone(),
        program: Some(OURSELVES.into()),
        script_limits: script::Limits::default(),
        extra_roots_pem: Vec::new(),
        network: None,
        traces,
    };
    let breaker = Breaker { failures: settings.breaker_failures, over: settings.breaker_over };
    let retention = Retention {
        days: settings.retention_days,
        log_bytes_max: settings.log_bytes_max,
        journal_bytes_max: settings.journal_bytes_max,
    };
    let cluster = node::join(settings, &store).await?;
    let hooks = hookswitch_hooks::Options { cluster, caller, breaker, retention };
    let options = hookswitch_core::Options { store, hooks, before_budget: settings.before_budget };
    Ok(Core::open(options).await.context("loading what the database holds")?)
}

/// Ends the core and its database by `end`: deliveries in flight get what time is left. What does not end by then is
/// left to the next start; nothing is lost by that.
pub(crate) async fn close(core: Core, end: Instant) {
    core.stop(end.saturating_duration_since(Instant::now() + CLOSE)).await;
    let store = core.store().clone();
    drop(core);
    close_store(store, end).await;
}

/// Ends the database alone.
pub(crate) async fn close_store(store: Store, end: Instant) {
    match timeout_at(end, store.close()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the database was not closed in order; the next start will see to it"),
        Err(_) => tracing::warn!("the database was not closed in time; the next start will see to it"),
    }
}
