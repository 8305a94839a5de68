//! What counts: flags win over the environment, the environment over the file, the file over the defaults; and for each
//! value, where it came from. Nothing here touches the disk but for reading the file, so that `hookswitch config` can
//! look without starting anything.
//!
//! | file | subject |
//! |---|---|
//! | [`flags`] | the command line's part |
//! | `keys` | every key, and the names that it has in each layer |
//! | `file` | the TOML file: no unknown key |
//! | `database` | which database; its password is never shown |
//! | `otlp` | where traces go |
//! | `layers` | which layer wins; what is to be shown |
//! | `read` | from a value to its type, or what is wrong with it |
//! | [`settings`](Settings) | the whole, typed |
mod database;
mod file;
pub(crate) mod flags;
mod keys;
mod layers;
mod otlp;
mod read;
mod settings;
#[cfg(test)]
mod tests;

use std::{ffi::OsString, path::Path};

use crate::ending::Ending;

pub(crate) use database::{Database, FILE as DATABASE_FILE};
pub(crate) use layers::Shown;
pub(crate) use otlp::Otlp;
pub(crate) use settings::Settings;

/// What is wrong with the configuration, in one line: which value, from where, and what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong(pub(crate) String);

impl From<Wrong> for Ending {
    fn from(Wrong(words): Wrong) -> Self {
        Self::Usage(words)
    }
}

/// A database that is named on the command line by a flag of its own.
///
/// # Errors
/// If it is none.
pub(crate) fn database(flag: &str, url: &str, data: &Path) -> Result<Database, Wrong> {
    Database::read(&url.into(), data).map_err(|words| Wrong(format!("{flag} {words}")))
}

/// How a variable of the environment is looked up; a parameter, so that tests have an environment of their own.
pub(crate) type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// This process's own.
pub(crate) fn environment(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// A variable of the environment as text.
///
/// # Errors
/// If it is none.
pub(crate) fn variable(environment: Environment<'_>, name: &str) -> Result<Option<String>, Wrong> {
    let text = environment(name).map(OsString::into_string).transpose();
    text.map_err(|_| Wrong(format!("{name} must be UTF-8")))
}
