//! What the server's errors mean.
use tokio_postgres::error::SqlState;

use crate::Error;

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(failure) = error.as_db_error() else {
            return if error.is_closed() || is_io(&error) {
                Self::Unreachable(words(&error))
            } else {
                Self::engine(words(&error))
            };
        };
        let code = failure.code();
        match *code {
            SqlState::UNIQUE_VIOLATION => Self::Taken { constraint: failure.constraint().unwrap_or_default().to_owned() },
            SqlState::DISK_FULL => Self::Full,
            SqlState::QUERY_CANCELED => Self::TooLong,
            SqlState::T_R_DEADLOCK_DETECTED | SqlState::T_R_SERIALIZATION_FAILURE | SqlState::LOCK_NOT_AVAILABLE => {
                tracing::debug!(error = failure.message(), "others were in the way");
                Self::Again
            }
            _ if ends_the_session(code) => Self::Unreachable(failure.message().to_owned()),
            _ => Self::engine(failure),
        }
    }
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if cause.is::<std::io::Error>() {
            return true;
        }
        source = cause.source();
    }
    false
}

/// Classes 08 (connections), 57P (shut down, taken away), 53300 (too many connections), 25P03 (idle for too long), 25006 (a replica).
fn ends_the_session(code: &SqlState) -> bool {
    let code = code.code();
    code.starts_with("08") || code.starts_with("57P") || matches!(code, "53300" | "25P03" | "25006")
}

/// An error with what is behind it.
pub(super) fn words(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
