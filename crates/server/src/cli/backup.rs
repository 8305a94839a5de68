//! `hookswitch backup`: one file with everything as it stood at one moment, while the server goes on.
//!
//! It is written under another name, flushed, and renamed: under its own name it is whole, or not there.
use std::{
    fs::{self, File},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args;
use hookswitch_store::{
    Clock, Database, MasterKey, OpenError, Options, Store,
    moving::{self, Held, Kind},
};

use super::{copy::fill, meter::Meter};
use crate::{
    cli::{block_on, say},
    config::{
        self, Settings,
        flags::{Flags, Place},
    },
    ending::{Ended, Ending},
    wiring,
};

/// Writes a backup of the whole database into one file, while the server runs.
///
/// The file is a SQLite database whatever the engine, as everything stood at one moment. `hookswitch check` looks at it,
/// `hookswitch restore` makes a database of it, of either engine. The key file is not in it, and is needed to restore it: keep both,
/// apart from each other.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  hookswitch backup --to /backup/hookswitch-2026-11-23.db --data ./hookswitch-data")]
pub(crate) struct Backup {
    /// The file to write
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    place: Place,
}

impl Backup {
    /// Writes it.
    ///
    /// # Errors
    /// When the database can't be read, or the file not written.
    pub(crate) fn run(self) -> Ended {
        let Self { to, force, place } = self;
        let settings = Settings::read(&Flags::of_place(place), &config::environment)?;
        let key = wiring::key(&settings)?;
        may_write(&to, force)?;
        let partial = Partial::of(&to);
        match settings.database.file() {
            Some(file) if !file.is_file() => return Err(Ending::Database(format!("there is no database {}", file.display()))),
            Some(file) => {
                let mut meter = Meter::of("pages");
                moving::copy_pages(file, &partial.0, |done, all| meter.show(done, all, ""))?;
            }
            None => block_on(from_server(&settings, &key, &partial.0))??,
        }
        let held = moving::finish_backup(&partial.0, &key, &Clock::system())?;
        may_write(&to, force)?;
        partial.put_in_place(&to).with_context(|| to.display().to_string())?;
        say(&text(held, &to, &settings.key_file))
    }
}

/// A copy of a snapshot of a server's database, while nodes work on it.
async fn from_server(settings: &Settings, key: &MasterKey, to: &Path) -> Ended {
    let options = |database| Options { database, key: key.clone(), clock: Clock::system(), faults: None };
    let from = Store::open_to_read(options(settings.database.to_store()))?;
    private(to).with_context(|| to.display().to_string())?;
    let file = Store::open_to_fill(options(Database::Sqlite(to.to_owned())))?;
    let copied = fill(&from, &file, Kind::Copy).await;
    drop(from);
    // All of it is brought from its log into the file now, which takes as long as it takes.
    file.close_whole().await.context("closing the backup")?;
    copied.map(drop)
}

/// For its owner alone from its first byte on.
fn private(file: &Path) -> io::Result<File> {
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)
}

fn may_write(to: &Path, force: bool) -> Ended {
    if force || !to.exists() {
        return Ok(());
    }
    Err(Ending::Usage(format!("{} is there already; --force replaces it", to.display())))
}

/// A file that is not whole yet, under a name of its own; deleted unless it is put in its place.
pub(super) struct Partial(pub(super) PathBuf);

impl Partial {
    /// Beside the file that it is to be.
    pub(super) fn of(file: &Path) -> Self {
        let mut name = file.as_os_str().to_owned();
        name.push(format!(".{}.partial", std::process::id()));
        Self(name.into())
    }

    /// Gives it its name, for good. Its content is flushed already.
    pub(super) fn put_in_place(self, file: &Path) -> io::Result<()> {
        fs::rename(&self.0, file)?;
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm", "-journal"] {
            let mut name = self.0.clone().into_os_string();
            name.push(end);
            // Mostly it is not there any more.
            let _ = fs::remove_file(name);
        }
    }
}

fn text(held: Held, to: &Path, key_file: &Path) -> String {
    let Held { made, clients, events, deliveries } = held;
    format!(
        "{}: {clients} clients, {events} events, {deliveries} deliveries that wait, as of {}\n\
         The key file {} is not in it, and is needed to restore it: keep both, apart from each other.\n",
        to.display(),
        made.iso(),
        key_file.display()
    )
}

/// What a file that is no backup is told.
pub(super) fn no_backup(file: &Path) -> Ending {
    Ending::Database(format!("{} is no backup: `hookswitch backup` makes one", file.display()))
}

/// An error about one file among several.
pub(super) fn about(file: &Path) -> impl Fn(OpenError) -> Ending {
    move |error| Ending::Database(format!("{}: {error}", file.display()))
}
