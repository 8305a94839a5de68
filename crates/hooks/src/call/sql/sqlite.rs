//! A transaction in a SQLite file, on a thread for what blocks. One at a time: a file has one writer.
use std::{
    path::PathBuf,
    sync::{Arc, PoisonError},
    time::Duration,
};

use rusqlite::{
    Connection, Error, ErrorCode, InterruptHandle, OpenFlags, TransactionBehavior,
    hooks::{AuthAction, AuthContext, Authorization},
    params_from_iter,
    types::Value,
};
use tokio::sync::Mutex;

use super::{
    job::{Done, Job, Trouble},
    place::{self, Engine},
    seen,
    statement::Bound,
};

/// A file, opened when it is first needed.
pub(super) struct Sqlite {
    path: PathBuf,
    data_dir: PathBuf,
    timeout: Duration,
    connection: Arc<Mutex<Option<Connection>>>,
    running: Arc<std::sync::Mutex<Option<InterruptHandle>>>,
}

/// A job that a thread can take along.
struct Owned {
    seen: Option<seen::Seen>,
    statements: Vec<(String, Vec<Value>)>,
}

/// Breaks off what runs when nobody waits for it any more.
struct BreakOff(Arc<std::sync::Mutex<Option<InterruptHandle>>>);

impl Drop for BreakOff {
    fn drop(&mut self) {
        if let Some(handle) = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            handle.interrupt();
        }
    }
}

impl Sqlite {
    pub(super) fn new(path: PathBuf, data_dir: PathBuf, timeout: Duration) -> Self {
        Self { path, data_dir, timeout, connection: Arc::default(), running: Arc::default() }
    }

    pub(super) async fn run(&self, job: &Job<'_>, tables: Vec<(&'static str, Vec<&'static str>)>) -> Result<Done, Trouble> {
        let owned = Owned {
            seen: job.seen.clone(),
            statements: job.statements.iter().map(|one| (one.sql.to_owned(), one.values.iter().map(value).collect())).collect(),
        };
        let mut place = Arc::clone(&self.connection).lock_owned().await;
        let (path, data_dir, timeout, running) =
            (self.path.clone(), self.data_dir.clone(), self.timeout, Arc::clone(&self.running));
        // From here on this call is the one that runs.
        let break_off = BreakOff(Arc::clone(&self.running));
        let thread = tokio::task::spawn_blocking(move || {
            let connection = match place.take() {
                Some(connection) => connection,
                None => open(&path, &data_dir, timeout, &tables)?,
            };
            *running.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection.get_interrupt_handle());
            let (connection, done) = transaction(connection, &owned);
            *running.lock().unwrap_or_else(PoisonError::into_inner) = None;
            // After a refusal everything is looked at anew: whatever stands there may be another than it was.
            *place = (!matches!(done, Err(Trouble::Refused { .. }))).then_some(connection);
            done
        });
        let done = thread.await.unwrap_or_else(|_| Err(Trouble::Lost("the database could not be used".to_owned())));
        drop(break_off);
        done
    }
}

fn open(
    path: &std::path::Path,
    data_dir: &std::path::Path,
    timeout: Duration,
    tables: &[(&str, Vec<&str>)],
) -> Result<Connection, Trouble> {
    // Once more: what is there may have changed since the handler was saved.
    let path = place::of_file(path, data_dir).map_err(|words| Trouble::Unreachable(format!("the task {words}")))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let mut connection = Connection::open_with_flags(path, flags).map_err(|error| Trouble::Unreachable(words(&error)))?;
    connection.busy_timeout(timeout).map_err(|error| trouble(&error, None))?;
    for (probe, make) in tables {
        if connection.prepare(probe).is_ok() {
            continue;
        }
        for sql in make {
            connection.execute_batch(sql).map_err(|error| trouble(&error, None))?;
        }
    }
    // A statement must not come to other files, such as our own database.
    let guard = |context: AuthContext<'_>| match context.action {
        AuthAction::Attach { .. } => Authorization::Deny,
        _ => Authorization::Allow,
    };
    connection.authorizer(Some(guard)).map_err(|error| trouble(&error, None))?;
    Ok(connection)
}

fn transaction(mut connection: Connection, job: &Owned) -> (Connection, Result<Done, Trouble>) {
    let done = run(&mut connection, job);
    (connection, done)
}

fn run(connection: &mut Connection, job: &Owned) -> Result<Done, Trouble> {
    // Dropped without a commit it is rolled back.
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|error| trouble(&error, None))?;
    if let Some(seen) = &job.seen {
        let values = rusqlite::params![seen.handler, seen.kind, seen.id, seen.era, seen.seq, seen.heard];
        let raised = transaction.prepare_cached(seen::raise(Engine::Sqlite)).and_then(|mut raise| raise.execute(values));
        if raised.map_err(|error| trouble(&error, None))? == 0 {
            return Ok(Done::Old);
        }
    }
    let mut rows = Vec::with_capacity(job.statements.len());
    for (index, (sql, values)) in job.statements.iter().enumerate() {
        let ran = transaction.prepare_cached(sql).and_then(|mut statement| {
            // A statement that gives rows, such as one with RETURNING, is run to its end.
            if statement.column_count() == 0 {
                return statement.execute(params_from_iter(values));
            }
            let mut given = statement.query(params_from_iter(values))?;
            let mut count = 0;
            while given.next()?.is_some() {
                count += 1;
            }
            Ok(count)
        });
        rows.push(ran.map_err(|error| trouble(&error, Some(index)))? as u64);
    }
    if job.seen.is_some() {
        transaction.commit().map_err(|error| trouble(&error, None))?;
    }
    Ok(Done::Applied(rows))
}

fn value(bound: &Bound) -> Value {
    match bound {
        Bound::Null => Value::Null,
        Bound::Bool(value) => i64::from(*value).into(),
        Bound::Int(value) => (*value).into(),
        Bound::Float(value) => (*value).into(),
        Bound::Text(text) => text.clone().into(),
    }
}

fn trouble(error: &Error, statement: Option<usize>) -> Trouble {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::OperationInterrupted) => {
            Trouble::Again(words(error))
        }
        _ => Trouble::Refused { statement, words: words(error) },
    }
}

fn words(error: &Error) -> String {
    match error {
        Error::SqliteFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    }
}
