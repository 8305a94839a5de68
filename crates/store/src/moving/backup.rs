//! Files of backups: one SQLite file each, whatever the engine, marked so that nobody serves it by mistake.
//!
//! Nothing here needs a store: a file is worked on through one connection, without a log beside it, so that it can be flushed,
//! closed and renamed.
use std::{fs::File, path::Path};

use hookswitch_model::moment::Moment;
use rusqlite::Connection;

use super::{
    stand::Stand,
    withheld::{self, Kind},
};
use crate::{Clock, Error, MasterKey, OpenError, Tx, Vault, migrate, sqlite, tables};

/// Pages that are copied between two looks at how far it has come: 32 MiB.
const PAGES: i32 = 8_192;

/// What a backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// When it was made.
    pub made: Moment,
    /// Clients.
    pub clients: i64,
    /// Events in the journal.
    pub events: i64,
    /// Deliveries that are not done.
    pub deliveries: i64,
}

/// Copies a SQLite database into a new file as it stands at one moment, while others write to it: `told` hears how many pages are
/// done, and of how many.
///
/// # Errors
/// If the source can't be read, or is damaged; or the file not written.
pub fn copy_pages(from: &Path, to: &Path, told: impl FnMut(i64, i64)) -> Result<(), OpenError> {
    sqlite::copy_pages(from, to, PAGES, told)
}

/// Works on a file that nobody else has open: brings it up to date, and runs the closure in one transaction. When this gives `Ok`,
/// all of it is on the disk, in this one file.
///
/// # Errors
/// If it can't be opened with this key, or the closure's own.
pub fn work_on<T, E: From<OpenError>>(
    path: &Path,
    key: &MasterKey,
    clock: &Clock,
    work: impl FnOnce(&mut Tx<'_>, &Vault) -> Result<T, E>,
) -> Result<T, E> {
    let other = |error: rusqlite::Error| OpenError::Other(error.to_string());
    let mut connection = sqlite::connect(path)?;
    sqlite::set_up_alone(&connection)?;
    migrate::migrate(&mut connection, clock)?;
    let vault = Vault::new(key.clone());
    connection.execute_batch("BEGIN IMMEDIATE").map_err(other)?;
    let mut tx = Tx::sqlite(&connection, clock.now());
    tables::settings::prove_key(&mut tx, &vault)?;
    // A closure that fails leaves its transaction open, and with the connection it is gone.
    let done = work(&mut tx, &vault)?;
    connection.execute_batch("COMMIT").map_err(other)?;
    connection.close().map_err(|(_, error)| other(error))?;
    File::open(path).and_then(|file| file.sync_all()).map_err(|error| OpenError::Other(error.to_string()))?;
    Ok(done)
}

/// Makes a backup of a copy: marks it, and tells what it holds.
///
/// # Errors
/// If it is no copy of a database in use, or another key's.
pub fn finish_backup(path: &Path, key: &MasterKey, clock: &Clock) -> Result<Held, OpenError> {
    work_on(path, key, clock, |tx, _| {
        withheld::refuse(tx)?;
        let stand = Stand::of(tx)?;
        let fingerprint = stand.fingerprint(tx)?;
        withheld::begin(tx, Kind::Backup, &fingerprint)?;
        Ok(held(&stand, tx.now()))
    })
}

fn held(stand: &Stand, made: Moment) -> Held {
    Held { made, clients: stand.rows_of("clients"), events: stand.rows_of("events"), deliveries: stand.rows_of("deliveries") }
}

/// A backup that is only looked at: nothing is written to the file or beside it.
pub struct Backup {
    connection: Connection,
    clock: Clock,
    made: Moment,
}

impl Backup {
    /// Looks at a file; `None` if it is a database, but no backup.
    ///
    /// # Errors
    /// If it is no database, damaged, of another key, or not of this program's schema.
    pub fn look(path: &Path, key: &MasterKey, clock: &Clock) -> Result<Option<Self>, OpenError> {
        sqlite::look_at(path)?;
        let connection = sqlite::reader_of(path)?;
        let applied = migrate::applied(&connection).map_err(sqlite::damaged)?;
        if !migrate::knows_withheld(&applied) {
            return Ok(None);
        }
        let tx = Tx::sqlite(&connection, clock.now());
        let Some(withheld) = withheld::read(&tx)?.filter(|withheld| withheld.kind == Kind::Backup) else { return Ok(None) };
        migrate::is_current(&applied)?;
        sqlite::is_sound(&connection)?;
        tables::settings::check_key(&tx, &Vault::new(key.clone()))?;
        Ok(Some(Self { connection, clock: clock.clone(), made: withheld.dt }))
    }

    /// When it was made.
    #[must_use]
    pub fn made(&self) -> Moment {
        self.made
    }

    /// Reads.
    ///
    /// # Errors
    /// The closure's own.
    pub fn read<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, Error>) -> Result<T, Error> {
        work(&Tx::sqlite(&self.connection, self.clock.now()))
    }
}
