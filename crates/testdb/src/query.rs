//! SQL from a test. On a thread and a runtime of its own, so that it may be used in any test, synchronous or not, and in `Drop`.
use std::{thread, time::Duration};

use tokio::time::timeout;
use tokio_postgres::{Config, NoTls, SimpleQueryMessage};

/// Making a database on a busy machine is the longest that is done here.
const WITHIN: Duration = Duration::from_secs(60);

/// What a statement gives, each value as text and NULL as an empty one.
///
/// # Panics
/// When it fails.
pub fn rows(url: &str, sql: &str) -> Vec<Vec<String>> {
    try_rows(url, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// The same, for what may fail.
///
/// # Errors
/// In PostgreSQL's words.
pub fn try_rows(url: &str, sql: &str) -> Result<Vec<Vec<String>>, String> {
    thread::scope(|scope| {
        let asked = scope.spawn(|| {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
            runtime
                .block_on(async { timeout(WITHIN, ask(url, sql)).await.unwrap_or_else(|_| Err("no answer in time".to_owned())) })
        });
        asked.join().unwrap_or_else(|_| Err("asking panicked".to_owned()))
    })
}

async fn ask(url: &str, sql: &str) -> Result<Vec<Vec<String>>, String> {
    let config: Config = url.parse().map_err(words)?;
    let (client, connection) = config.connect(NoTls).await.map_err(words)?;
    let connection = tokio::spawn(connection);
    let messages = client.simple_query(sql).await.map_err(words)?;
    drop(client);
    // Ended in order: a database with a connection can't be a template.
    connection.await.map_err(|error| error.to_string())?.map_err(words)?;
    let row = |message: &SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|at| row.get(at).unwrap_or_default().to_owned()).collect()),
        _ => None,
    };
    Ok(messages.iter().filter_map(row).collect())
}

/// Its causes too: PostgreSQL's own words are one of them.
#[expect(clippy::needless_pass_by_value, reason = "it maps errors")]
fn words(error: tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(
        || std::error::Error::source(&error).map_or_else(|| error.to_string(), |source| format!("{error}: {source}")),
        |error| format!("{} ({})", error.message(), error.code().code()),
    )
}
