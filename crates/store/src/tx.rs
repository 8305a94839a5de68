//! The face of a transaction: straight, synchronous code over it is all that domain code knows of a database.
//!
//! Reading takes `&Tx`, writing `&mut Tx`: a closure that was given a snapshot can't write by its type. Statements use
//! `$1, $2...`, which must first occur in ascending order (SQLite numbers them by first occurrence).
use hookswitch_model::moment::Moment;
use rusqlite::{CachedStatement, Connection};

use crate::{Error, Param, Row, Subject};

/// Run after the commit, in the order of commits, by the thread that committed: it must neither block nor take long.
pub(crate) type OnCommit = Box<dyn FnOnce() + Send>;

/// One transaction, or one caller's part of it.
pub struct Tx<'c> {
    connection: &'c Connection,
    now: Moment,
    pub(crate) on_commit: Vec<OnCommit>,
}

impl<'c> Tx<'c> {
    pub(crate) fn new(connection: &'c Connection, now: Moment) -> Self {
        Self { connection, now, on_commit: Vec::new() }
    }

    /// The time of the transaction, by the store's clock.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.now
    }

    /// What time it is by the database's own clock, which is the same for all nodes; with one node, by the store's.
    ///
    /// # Errors
    /// The engine's words.
    #[expect(clippy::unnecessary_wraps, reason = "an engine elsewhere has to be asked")]
    pub fn database_now(&self) -> Result<Moment, Error> {
        Ok(self.now)
    }

    /// Runs a statement; gives the number of rows that it changed.
    ///
    /// # Errors
    /// [`Error::Taken`] for what must be unique, else the engine's words.
    pub fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, Error> {
        let changed = self.prepared(sql)?.execute(rusqlite::params_from_iter(params))?;
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }

    /// Runs a statement of which nothing needs to be known but that it succeeds. It may be sent along with the next one, and fail
    /// with it: at the latest when the transaction is committed.
    ///
    /// # Errors
    /// As [`Tx::execute`].
    pub fn put(&mut self, sql: &str, params: &[Param<'_>]) -> Result<(), Error> {
        self.execute(sql, params).map(drop)
    }

    /// Until the end of this transaction nobody else has the subject, not even shared. Whoever needs several takes them in the order in
    /// which [`Subject`] names them, and of one kind in ascending order. What is read afterwards is as the last holder left it.
    ///
    /// With one writer there is nothing to wait for.
    ///
    /// # Errors
    /// The engine's words.
    pub fn lock(&mut self, _subject: Subject) -> Result<(), Error> {
        Ok(())
    }

    /// Until the end of this transaction nobody has the subject for himself alone.
    ///
    /// # Errors
    /// The engine's words.
    pub fn lock_shared(&mut self, _subject: Subject) -> Result<(), Error> {
        Ok(())
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
        let mut statement = self.prepared(sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(params))?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(read(&Row(row))?);
        }
        Ok(all)
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
        let mut statement = self.prepared(sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(params))?;
        rows.next()?.map(|row| read(&Row(row))).transpose()
    }

    /// Has something done once, and only if, this is committed.
    pub fn on_commit(&mut self, then: impl FnOnce() + Send + 'static) {
        self.on_commit.push(Box::new(then));
    }

    /// How often a statement was planned anew since it was prepared.
    #[cfg(test)]
    pub(crate) fn planned_again(&self, sql: &str) -> Result<i32, Error> {
        Ok(self.prepared(sql)?.get_status(rusqlite::StatementStatus::RePrepare))
    }

    fn prepared(&self, sql: &str) -> Result<CachedStatement<'c>, Error> {
        let statement = self.connection.prepare_cached(sql)?;
        debug_assert!(
            (1..=statement.parameter_count()).all(|n| statement.parameter_name(n) == Some(&format!("${n}"))),
            "placeholders must first occur in ascending order: {sql}"
        );
        Ok(statement)
    }
}
