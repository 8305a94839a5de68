//! What can go wrong where rows live. Nothing of it reaches a caller in these words.
use hookswitch_model::refusal::Refusal;

use crate::{moving::Kind, taken};

/// A statement or transaction that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A value that must be unique is there already; the engine's name for the rule.
    #[error("{constraint} is taken")]
    Taken {
        /// Such as `clients.companies_id, clients.name` or an index's name.
        constraint: String,
    },
    /// Others changed the same at that moment: nothing was kept, and it may be tried again as it is.
    #[error("others changed the same at that moment")]
    Again,
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// It read for too long.
    #[error("it took too long")]
    TooLong,
    /// The server can't be reached, or was lost: nothing was kept.
    #[error("the database can't be reached: {0}")]
    Unreachable(String),
    /// The server was lost while it committed: what was written may be there or not.
    #[error("the database was lost during a commit: {0}")]
    InDoubt(String),
    /// Anything else, in the engine's words.
    #[error("{0}")]
    Engine(String),
}

impl Error {
    pub(crate) fn engine(words: impl std::fmt::Display) -> Self {
        Self::Engine(words.to_string())
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::TooLong => {
                Self::TooLarge("this takes too long; ask for less: one client, one handler, a shorter time".to_owned())
            }
            Error::Again => Self::Again,
            Error::Taken { constraint } => {
                taken::refusal(&constraint).unwrap_or_else(|| Self::internal(format!("{constraint} is taken")))
            }
            other => Self::internal(other),
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let rusqlite::Error::SqliteFailure(failure, words) = &error else { return Self::engine(error) };
        let words = words.clone().unwrap_or_default();
        match failure.code {
            rusqlite::ErrorCode::DiskFull => Self::Full,
            rusqlite::ErrorCode::OperationInterrupted => Self::TooLong,
            rusqlite::ErrorCode::ConstraintViolation if words.starts_with("UNIQUE constraint failed: ") => {
                Self::Taken { constraint: words.trim_start_matches("UNIQUE constraint failed: ").to_owned() }
            }
            _ => Self::engine(error),
        }
    }
}

/// Why a database can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It was written by a newer program.
    #[error("the database is of a newer version of hookswitch (schema {found}, this program knows {known}); nothing was changed")]
    Newer {
        /// The schema that it has.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// It was written by an older program, and may only be read.
    #[error(
        "it is of an older version of hookswitch; `hookswitch restore` brings a backup up to date, `hookswitch serve` a database"
    )]
    Older,
    /// It is a backup, or only a part of a copy.
    #[error("{}", words(*.0))]
    Withheld(Kind),
    /// It is no database, or it is damaged.
    #[error("the database is damaged or no database at all ({0}); nothing was changed")]
    Damaged(String),
    /// Its schema is not the one that its version promises.
    #[error("migration {0} of the database is not the one that this program knows; nothing was changed")]
    Foreign(i64),
    /// The server is too old.
    #[error("the server is PostgreSQL {found}; hookswitch needs 13 or newer; nothing was changed")]
    TooOld {
        /// Its version.
        found: String,
    },
    /// The key file is not the one that it was written with.
    #[error("the key file is not the one that this database was written with; nothing was changed")]
    WrongKey,
    /// The key file can't be read.
    #[error("the key file {path}: {words}")]
    KeyFile {
        /// Which one.
        path: String,
        /// What is wrong with it.
        words: String,
    },
    /// Others are in the way of changing the schema.
    #[error(
        "others read or write the database without a pause, so that its schema can't be changed: when a backup or a long query has ended, start it again; nothing was changed"
    )]
    Busy,
    /// Anything else.
    #[error("the database can't be used: {0}")]
    Other(String),
}

fn words(kind: Kind) -> &'static str {
    match kind {
        Kind::Backup => "this is a backup, which is not to be used itself: `hookswitch restore --from` makes a database of it",
        Kind::Copy => "the database is only a part of a copy: run the same `hookswitch copy` again, and it goes on where it was",
        Kind::Restore => "the database is only a part of a restored backup: run the same `hookswitch restore` again",
    }
}

impl From<Error> for OpenError {
    fn from(error: Error) -> Self {
        match error {
            Error::Again => Self::Busy,
            error => Self::Other(error.to_string()),
        }
    }
}
