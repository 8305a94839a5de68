//! A database that a command has for itself, of whatever engine, and without a configuration of its own: one side of a copy.
use hookswitch_store::{Clock, Error, MasterKey, Options, Store, tables::nodes};

use super::folder::{Folder, make_folder_of};
use crate::{
    config::Database,
    ending::{Ended, Ending},
};

/// One side of a copy; a file is locked while this lives.
pub(crate) struct Side {
    pub(crate) database: Database,
    _locked: Option<Folder>,
}

impl Side {
    /// One that is there already.
    ///
    /// # Errors
    /// When it is not, or another process has it.
    pub(crate) fn existing(database: Database) -> Ended<Self> {
        match database.file() {
            Some(file) if !file.is_file() => Err(Ending::Database(format!("there is no database {}", file.display()))),
            _ => Self::locked(database),
        }
    }

    /// One that may be new: the folder of its file is made.
    ///
    /// # Errors
    /// When that can't be made, or another process has it.
    pub(crate) fn new(database: Database) -> Ended<Self> {
        database.file().map_or(Ok(()), make_folder_of)?;
        Self::locked(database)
    }

    fn locked(database: Database) -> Ended<Self> {
        let locked = database.file().map(Folder::of_file).transpose()?;
        Ok(Self { database, _locked: locked })
    }

    /// What a store of it is made of.
    pub(crate) fn options(&self, key: &MasterKey) -> Options {
        Options { database: self.database.to_store(), key: key.clone(), clock: Clock::system(), faults: None }
    }
}

/// Looks whether nodes work on this database. (A file is locked by the one that does.)
///
/// # Errors
/// When some do.
pub(crate) async fn nobody_uses(store: &Store) -> Ended {
    let alive = |tx: &hookswitch_store::Tx<'_>| {
        let now = tx.database_now()?;
        Ok::<_, Error>(nodes::all(tx)?.into_iter().filter(|node| node.is_alive(now)).map(|node| node.name).collect::<Vec<_>>())
    };
    let names = store.read(alive).await.map_err(|error| Ending::Database(format!("{}: {error}", store.shown())))?;
    if names.is_empty() {
        return Ok(());
    }
    Err(Ending::Locked(format!("{} is in use: stop these nodes first: {}", store.shown(), names.join(", "))))
}
