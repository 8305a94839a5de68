//! Databases that are not to be served: backups, and what is only a part of a copy. Whoever opens one to serve it is refused by
//! [`refuse`], in words that say what to do.
use hookswitch_model::moment::Moment;

use super::catalogue::{self, Part, TABLES};
use crate::{Error, OpenError, Tx, params};

/// Why a database is not to be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `hookswitch copy` has not come to its end.
    Copy,
    /// `hookswitch restore` has not come to its end.
    Restore,
    /// It is a backup.
    Backup,
}

/// The source of what nothing was copied into yet.
pub(super) const NOTHING_YET: &str = "";

impl Kind {
    const ALL: [Self; 3] = [Self::Copy, Self::Restore, Self::Backup];

    const fn word(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Restore => "restore",
            Self::Backup => "backup",
        }
    }
}

/// A database that is withheld.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// Why.
    pub kind: Kind,
    /// How its source stood, as a hash.
    pub source: String,
    /// Since when; of a backup, when it was made.
    pub dt: Moment,
}

/// Why this database is withheld; `None` = it is in use.
///
/// # Errors
/// Whatever the engine says.
pub(super) fn read(tx: &Tx<'_>) -> Result<Option<Withheld>, Error> {
    tx.first("SELECT kind, source, dt FROM withheld", &[], |row| {
        let word: String = row.get(0)?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word);
        let kind = kind.ok_or_else(|| Error::engine(format!("the database is withheld for an unknown reason: {word}")))?;
        Ok(Withheld { kind, source: row.get(1)?, dt: row.get(2)? })
    })
}

/// Refuses to serve a database that is withheld.
pub(crate) fn refuse(tx: &Tx<'_>) -> Result<(), OpenError> {
    match read(tx)? {
        None => Ok(()),
        Some(withheld) => Err(OpenError::Withheld(withheld.kind)),
    }
}

/// Withholds the database from now on.
pub(super) fn begin(tx: &mut Tx<'_>, kind: Kind, source: &str) -> Result<(), Error> {
    let now = tx.now();
    end(tx)?;
    tx.execute("INSERT INTO withheld (kind, source, dt) VALUES ($1, $2, $3)", params![kind.word(), source, now]).map(drop)
}

/// A database that was just made to be filled is not served, also if that is broken off before anything is in it.
pub(crate) fn withhold_if_new(tx: &mut Tx<'_>) -> Result<(), Error> {
    if read(tx)?.is_none() && is_new(tx)? { begin(tx, Kind::Copy, NOTHING_YET) } else { Ok(()) }
}

/// The database is whole, and may be served.
pub(super) fn end(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.execute("DELETE FROM withheld", &[])?;
    tx.execute("DELETE FROM copying", &[]).map(drop)
}

/// Makes a database in use of one that was withheld: what belonged to the nodes that ran on it is gone. Tells why it was withheld.
///
/// # Errors
/// Whatever the engine says.
pub fn release(tx: &mut Tx<'_>) -> Result<Option<Withheld>, Error> {
    let withheld = read(tx)?;
    for table in TABLES.iter().filter(|table| table.part == Part::Nodes) {
        tx.execute(&format!("DELETE FROM {}", table.name), &[])?;
    }
    end(tx)?;
    Ok(withheld)
}

/// How far a table has come.
#[derive(Debug, Clone, Default)]
pub(super) struct Come {
    /// The key of the last row that is there.
    pub(super) mark: Option<String>,
    pub(super) rows: i64,
    pub(super) whole: bool,
}

/// How far each table has come, by its name.
pub(super) fn come(tx: &Tx<'_>) -> Result<Vec<(String, Come)>, Error> {
    tx.query("SELECT name, mark, rows_copied, whole FROM copying ORDER BY name", &[], |row| {
        Ok((row.get(0)?, Come { mark: row.get(1)?, rows: row.get(2)?, whole: row.get(3)? }))
    })
}

/// Notes how far a table has come.
pub(super) fn note(tx: &mut Tx<'_>, table: &str, come: &Come) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO copying (name, mark, rows_copied, whole) VALUES ($1, $2, $3, $4)
      ON CONFLICT (name) DO UPDATE SET mark = excluded.mark, rows_copied = excluded.rows_copied, whole = excluded.whole";
    tx.put(SQL, params![table, come.mark.as_ref(), come.rows, come.whole])
}

/// What a new database has before anybody has used it: counters, the proof of the key file, the first reseller.
const OF_A_NEW_ONE: [&str; 5] = ["versions", "id_blocks", "counters", "settings", "companies"];

/// True if nobody has used this database yet. (Nobody can do anything without being a user.)
///
/// # Errors
/// Whatever the engine says.
pub fn is_new(tx: &Tx<'_>) -> Result<bool, Error> {
    for table in catalogue::copied().filter(|table| !OF_A_NEW_ONE.contains(&table.name)) {
        let any = format!("SELECT {} FROM {} LIMIT 1", table.columns[0].name, table.name);
        if tx.first(&any, &[], |_| Ok(()))?.is_some() {
            return Ok(false);
        }
    }
    Ok(tx.first("SELECT id FROM companies WHERE id <> 1 LIMIT 1", &[], |_| Ok(()))?.is_none())
}

/// Takes everything out that a copy would bring.
pub(super) fn empty(tx: &mut Tx<'_>) -> Result<(), Error> {
    catalogue::copied().try_for_each(|table| tx.execute(&format!("DELETE FROM {}", table.name), &[]).map(drop))
}
