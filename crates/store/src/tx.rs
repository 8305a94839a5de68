//! The face of a transaction: straight, synchronous code over it is all that domain code knows of a database.
//!
//! Reading takes `&Tx`, writing `&mut Tx`: a closure that was given a snapshot can't write by its type. Statements use
//! `$1, $2...`, which must first occur in ascending order (SQLite numbers them by first occurrence).
use hookswitch_model::moment::Moment;
use rusqlite::{CachedStatement, Connection};

use crate::{Error, Param, Row, Subject, postgres::Session};

/// Run after the commit, in the order of commits, by the thread that committed: it must neither block nor take long.
pub(crate) type OnCommit = Box<dyn FnOnce() + Send>;

/// One transaction, or one caller's part of it.
pub struct Tx<'c> {
    engine: Engine<'c>,
    now: Moment,
    pub(crate) on_commit: Vec<OnCommit>,
}

/// Where its statements run.
#[derive(Clone, Copy)]
enum Engine<'c> {
    Sqlite(&'c Connection),
    Postgres(&'c Session),
}

impl<'c> Tx<'c> {
    pub(crate) fn sqlite(connection: &'c Connection, now: Moment) -> Self {
        Self { engine: Engine::Sqlite(connection), now, on_commit: Vec::new() }
    }

    pub(crate) fn postgres(session: &'c Session, now: Moment) -> Self {
        Self { engine: Engine::Postgres(session), now, on_commit: Vec::new() }
    }

    /// The time of the transaction, by the store's clock.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.now
    }

    /// The time by the clock that all share who work on this database.
    ///
    /// # Errors
    /// The engine's words.
    pub fn database_now(&self) -> Result<Moment, Error> {
        const SQL: &str = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)";
        match self.engine {
            Engine::Sqlite(_) => Ok(self.now),
            Engine::Postgres(_) => self.first(SQL, &[], |row| row.get(0))?.ok_or_else(|| Error::engine("no time was given")),
        }
    }

    /// True if the engine is the one inside; for the few places where engines differ.
    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self.engine, Engine::Sqlite(_))
    }

    /// True if the engine knows how its rows are distributed, and finds its way by itself.
    pub(crate) fn has_statistics(&self) -> bool {
        matches!(self.engine, Engine::Postgres(_))
    }

    /// Runs a statement; gives the number of rows that it changed.
    ///
    /// # Errors
    /// [`Error::Taken`] for what must be unique, else the engine's words.
    pub fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, Error> {
        match self.engine {
            Engine::Sqlite(connection) => {
                let changed = prepared(connection, sql)?.execute(rusqlite::params_from_iter(params))?;
                Ok(u64::try_from(changed).unwrap_or(u64::MAX))
            }
            Engine::Postgres(session) => session.execute(sql, params),
        }
    }

    /// Runs a statement of which nothing needs to be known but that it succeeds. It may be sent along with the next one, and fail
    /// with it: at the latest when the transaction is committed.
    ///
    /// # Errors
    /// As [`Tx::execute`].
    pub fn put(&mut self, sql: &str, params: &[Param<'_>]) -> Result<(), Error> {
        match self.engine {
            Engine::Sqlite(_) => self.execute(sql, params).map(drop),
            Engine::Postgres(session) => session.put(sql, params),
        }
    }

    /// Until the end of this transaction nobody else has the subject, not even shared. Whoever needs several takes them in the order in
    /// which [`Subject`] names them, and of one kind in ascending order. What is read afterwards is as the last holder left it.
    ///
    /// With one writer there is nothing to wait for.
    ///
    /// # Errors
    /// The engine's words.
    pub fn lock(&mut self, subject: Subject) -> Result<(), Error> {
        self.take(subject, false)
    }

    /// Until the end of this transaction nobody has the subject for himself alone.
    ///
    /// # Errors
    /// The engine's words.
    pub fn lock_shared(&mut self, subject: Subject) -> Result<(), Error> {
        self.take(subject, true)
    }

    fn take(&mut self, subject: Subject, shared: bool) -> Result<(), Error> {
        match self.engine {
            Engine::Sqlite(_) => Ok(()),
            Engine::Postgres(session) => session.lock(subject, shared),
        }
    }

    /// Runs an update that changes nothing: nobody else changes these rows until the end of this transaction, and what is
    /// read afterwards is as the last one who changed them left it. For what no [`Subject`] covers.
    ///
    /// With one writer there is nothing to wait for, and nothing is run.
    ///
    /// # Errors
    /// The engine's words.
    pub fn hold(&mut self, sql: &str, params: &[Param<'_>]) -> Result<(), Error> {
        match self.engine {
            Engine::Sqlite(_) => Ok(()),
            Engine::Postgres(session) => session.put(sql, params),
        }
    }

    /// Runs a statement that gives back at most one row (`INSERT ... RETURNING`).
    ///
    /// # Errors
    /// As [`Tx::execute`].
    pub fn returning<T>(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        self.first(sql, params, read)
    }

    /// Every row of an answer, read.
    ///
    /// # Errors
    /// The engine's words, or what `read` says.
    pub fn query<T>(
        &self,
        sql: &str,
        params: &[Param<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        match self.engine {
            Engine::Sqlite(connection) => {
                let mut statement = prepared(connection, sql)?;
                let mut rows = statement.query(rusqlite::params_from_iter(params))?;
                let mut all = Vec::new();
                while let Some(row) = rows.next()? {
                    all.push(read(&Row::Sqlite(row))?);
                }
                Ok(all)
            }
            Engine::Postgres(session) => session.query(sql, params)?.iter().map(|row| read(&Row::Postgres(row))).collect(),
        }
    }

    /// The rows of one statement for each of several sets of values, as [`Tx::query`] gives them. The sets go on their way together.
    ///
    /// # Errors
    /// The engine's words, or what `read` says.
    pub fn query_each<T>(
        &self,
        sql: &str,
        sets: &[Vec<Param<'_>>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<Vec<T>>, Error> {
        match self.engine {
            Engine::Sqlite(_) => sets.iter().map(|set| self.query(sql, set, &mut read)).collect(),
            Engine::Postgres(session) => {
                let answers = session.query_each(sql, sets)?;
                answers.iter().map(|rows| rows.iter().map(|row| read(&Row::Postgres(row))).collect()).collect()
            }
        }
    }

    /// The first row of an answer, read.
    ///
    /// # Errors
    /// The engine's words, or what `read` says.
    pub fn first<T>(
        &self,
        sql: &str,
        params: &[Param<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        match self.engine {
            Engine::Sqlite(connection) => {
                let mut statement = prepared(connection, sql)?;
                let mut rows = statement.query(rusqlite::params_from_iter(params))?;
                rows.next()?.map(|row| read(&Row::Sqlite(row))).transpose()
            }
            Engine::Postgres(session) => session.query(sql, params)?.first().map(|row| read(&Row::Postgres(row))).transpose(),
        }
    }

    /// Has something done once, and only if, this is committed.
    pub fn on_commit(&mut self, then: impl FnOnce() + Send + 'static) {
        self.on_commit.push(Box::new(then));
    }

    /// How often a statement was planned anew since it was prepared.
    #[cfg(test)]
    pub(crate) fn planned_again(&self, sql: &str) -> Result<i32, Error> {
        match self.engine {
            Engine::Sqlite(connection) => Ok(prepared(connection, sql)?.get_status(rusqlite::StatementStatus::RePrepare)),
            Engine::Postgres(_) => Ok(0),
        }
    }
}

fn prepared<'c>(connection: &'c Connection, sql: &str) -> Result<CachedStatement<'c>, Error> {
    let statement = connection.prepare_cached(sql)?;
    debug_assert!(
        (1..=statement.parameter_count()).all(|n| statement.parameter_name(n) == Some(&format!("${n}"))),
        "placeholders must first occur in ascending order: {sql}"
    );
    Ok(statement)
}
