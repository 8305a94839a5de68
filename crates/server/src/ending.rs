//! How the program ends when it does not end well: the exit status that scripts and supervisors go by, and one line that
//! says why. A supervisor may try again after a 1; a 2 or a 3 does not get better by that.
use std::{fmt, process::ExitCode};

use hookswitch_store::OpenError;

use crate::telemetry;

/// Why a command ends otherwise than with 0.
#[derive(Debug)]
pub(crate) enum Ending {
    /// Something failed: status 1.
    Failed(anyhow::Error),
    /// The command line or the configuration is wrong: status 2.
    Usage(String),
    /// The database can't be used (damaged, newer): status 3.
    Database(String),
    /// Another process has the database: status 3.
    Locked(String),
}

/// What every command gives.
pub(crate) type Ended<T = ()> = Result<T, Ending>;

impl Ending {
    /// The exit status.
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::Database(_) | Self::Locked(_) => 3,
        }
    }

    /// Says why, and gives the status.
    pub(crate) fn report(&self) -> ExitCode {
        telemetry::last_word(&self.to_string());
        ExitCode::from(self.status())
    }
}

/// One line, whatever the words came with.
impl fmt::Display for Ending {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::Failed(error) => format!("{error:#}"),
            Self::Usage(words) | Self::Database(words) | Self::Locked(words) => words.clone(),
        };
        out.write_str(&words.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

impl From<anyhow::Error> for Ending {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<OpenError> for Ending {
    fn from(error: OpenError) -> Self {
        Self::Database(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_is_one_line() {
        let error = anyhow::anyhow!("the cause,\n  over two lines").context("what was done");
        assert_eq!(Ending::from(error).to_string(), "what was done: the cause, over two lines");
    }
}
