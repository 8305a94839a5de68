//! `hookswitch restore`: a database made from a backup.
//!
//! ```text
//!   the backup is copied beside the new database, under another name     nothing is written to the backup
//!   brought up to date, looked at by `check`                             refused if a promise is broken
//!   handlers paused, era raised, what was under way put right            one transaction
//!   flushed, and renamed, or copied into a server's new database         from here on there is a database
//! ```
use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use clap::Args;
use hookswitch_core::{
    check::{self, Finding},
    restored::{self, Restored, Waiting},
};
use hookswitch_store::{
    Clock, Database, Error, MasterKey, OpenError, Options, Store, Tx, Vault,
    moving::{self, Kind},
};
use tokio::time::Instant;

use super::{
    backup::{Partial, about, no_backup},
    copy::fill,
    meter::Meter,
};
use crate::{
    cli::{block_on, say},
    config::{
        self, Settings,
        flags::{Flags, Place},
    },
    ending::{Ended, Ending},
    wiring::{self, Folder},
};

/// Makes a new database from a backup, with every handler paused.
///
/// The backup is looked at first, as `hookswitch check` does, and left as it is. What happened after it was made is lost here, but
/// handlers have heard of it: they are all paused until you say for each how to go on, and from now on every event says `era`,
/// higher than ever before. What waited for each handler is shown.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  hookswitch restore --from /backup/hookswitch-2026-11-23.db --data ./hookswitch-data")]
pub(crate) struct Restore {
    /// The backup
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Restore it although `check` finds something broken in it
    #[arg(long)]
    even_if_broken: bool,
    #[command(flatten)]
    place: Place,
}

/// Why it came to nothing.
enum Failed {
    Open(OpenError),
    NoBackup,
    Broken(Vec<Finding>),
}

impl From<OpenError> for Failed {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Open(error.into())
    }
}

impl Restore {
    /// Restores it.
    ///
    /// # Errors
    /// When the backup won't do, or there is a database already.
    pub(crate) fn run(self) -> Ended {
        let Self { from, even_if_broken, place } = self;
        let settings = Settings::read(&Flags::of_place(place), &config::environment)?;
        let key = wiring::key(&settings)?;
        if !from.is_file() {
            return Err(Ending::Database(format!("there is no backup {}", from.display())));
        }
        let _folder = Folder::make(&settings)?;
        let restored = match settings.database.file() {
            Some(file) => {
                is_free(file)?;
                let partial = Partial::of(file);
                let restored = prepare(&from, &partial.0, &key, even_if_broken)?;
                is_free(file)?;
                partial.put_in_place(file).with_context(|| file.display().to_string())?;
                restored
            }
            None => {
                let partial = Partial::of(&settings.data.join("restored"));
                let restored = prepare(&from, &partial.0, &key, even_if_broken)?;
                block_on(to_server(&settings, &partial.0, &key))??;
                restored
            }
        };
        say(&text(&restored, &settings))
    }
}

/// Fills a server's new database with what was made of the backup.
async fn to_server(settings: &Settings, file: &Path, key: &MasterKey) -> Ended {
    let options = |database| Options { database, key: key.clone(), clock: Clock::system(), faults: None };
    let to = Store::open_to_fill(options(settings.database.to_store()))?;
    let from = Store::open(options(Database::Sqlite(file.to_owned())))?;
    let filled = async {
        wiring::nobody_uses(&to).await?;
        fill(&from, &to, Kind::Restore).await
    };
    let filled = filled.await;
    for store in [from, to] {
        wiring::close_store(store, Instant::now() + wiring::CLOSE).await;
    }
    filled.map(drop)
}

/// Nothing is overwritten; nor may a log be left there, which the engine would take for that of the new database.
fn is_free(database: &Path) -> Ended {
    let log = |end: &str| {
        let mut name = database.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    let has_content = |path: &Path| fs::metadata(path).is_ok_and(|metadata| metadata.len() > 0);
    match [database.to_owned(), log("-wal"), log("-journal")].into_iter().find(|path| has_content(path)) {
        None => Ok(()),
        Some(there) => Err(Ending::Database(format!(
            "{} is there already: a backup is restored into a new database; move the old one, with all that begins with its name, elsewhere",
            there.display()
        ))),
    }
}

/// Makes a database in use of a copy of the backup, in a file of its own.
fn prepare(from: &Path, to: &Path, key: &MasterKey, even_if_broken: bool) -> Ended<Restored> {
    let mut meter = Meter::of("pages");
    moving::copy_pages(from, to, |done, all| meter.show(done, all, "")).map_err(about(from))?;
    drop(meter);
    let work = |tx: &mut Tx<'_>, vault: &Vault| {
        let findings = check::look(tx)?;
        if !even_if_broken && findings.iter().any(|finding| !finding.broken.is_empty()) {
            return Err(Failed::Broken(findings));
        }
        restored::start_over(tx, vault)?.ok_or(Failed::NoBackup)
    };
    moving::work_on(to, key, &Clock::system(), work).map_err(|failed| match failed {
        Failed::Open(error) => about(from)(error),
        Failed::NoBackup => no_backup(from),
        Failed::Broken(findings) => {
            let broken: Vec<String> = findings.into_iter().flat_map(|finding| finding.broken).collect();
            Ending::Failed(anyhow!(
                "the backup is broken, nothing was restored (--even-if-broken restores it all the same): {}",
                broken.join("; ")
            ))
        }
    })
}

fn text(restored: &Restored, settings: &Settings) -> String {
    let Restored { made, era, handlers, resyncs } = restored;
    let mut text = format!("{}: restored from a backup of {}; era {era}\n", settings.database, made.iso());
    text.push_str("Every handler is paused. What waited when the backup was made:\n");
    for Waiting { id, name, stage, waiting, retrying, dead } in handlers {
        // Writing to a text can't fail.
        let _ = writeln!(text, "  handler {id} {name} ({}): {waiting} waiting, {retrying} retrying, {dead} dead", stage.word());
    }
    if handlers.is_empty() {
        text.push_str("  there are no handlers\n");
    }
    if *resyncs > 0 {
        let _ = writeln!(text, "{resyncs} resyncs that were under way are paused too.");
    }
    text.push_str(HOW_TO_GO_ON);
    text
}

const HOW_TO_GO_ON: &str = "Start the server (hookswitch serve), then say for each handler how to go on:
  resume   provisioning.handlers.resume {\"id\": ID}
           What waited is sent, though the handler may have heard it; then what happens from now on.
  discard  provisioning.deliveries.discard {\"handlers_id\": ID, \"reason\": \"restored\"}, then resume
           What waited is not sent.
  resync   discard and resume, then hookswitch resync --handler ID
           The handler is told how everything stands now, and can drop the rest: the surest way.
Until a before handler is resumed it counts as failed, and its on_failure decides.
";
