//! A new database in a cluster. Migrating an empty one takes a third of a second, copying a template some 20 ms: a run needs
//! hundreds.
use std::{
    process,
    sync::atomic::{AtomicU64, Ordering},
};

use crate::{query, shared};

/// The database in `./test`'s cluster that has the schema of this program already, and nothing else. Where it is absent, a fresh
/// database is an empty one.
pub const TEMPLATE: &str = "hookswitch_template";

static COUNT: AtomicU64 = AtomicU64::new(0);

/// A database of one test; it is dropped with this.
#[derive(Debug)]
pub struct Fresh {
    url: String,
    name: String,
    /// A database of the same cluster that is always there.
    administration: String,
}

impl Fresh {
    /// In the cluster of this run.
    ///
    /// # Panics
    /// When it can't be made.
    #[must_use]
    pub fn make() -> Self {
        Self::in_cluster(&shared::administration())
    }

    /// In the cluster of this database, to which there is always a connection.
    pub(crate) fn in_cluster(administration: &str) -> Self {
        let name = format!("test_{}_{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let found = query::rows(administration, &format!("SELECT 1 FROM pg_database WHERE datname = '{TEMPLATE}'"));
        let template = if found.is_empty() { "template1" } else { TEMPLATE };
        // The way by the log, which newer versions take unasked, writes each page twice.
        let newer =
            query::rows(administration, "SHOW server_version_num")[0][0].parse::<u32>().is_ok_and(|number| number >= 150_000);
        let strategy = if newer { "STRATEGY file_copy" } else { "" };
        query::rows(administration, &format!("CREATE DATABASE {name} TEMPLATE {template} {strategy}"));
        Self { url: with_database(administration, &name), name, administration: administration.to_owned() }
    }

    /// Its URL, with a user and a password.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The URL of a database in the same cluster that is always there: what stops all connections to this one goes through it.
    #[must_use]
    pub fn administration(&self) -> &str {
        &self.administration
    }

    /// What a statement gives there, each value as text and NULL as an empty one.
    ///
    /// # Panics
    /// When it fails.
    pub fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        query::rows(&self.url, sql)
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        // The cluster may have been stopped by the test, and goes as a whole anyway.
        if let Err(error) = query::try_rows(&self.administration, &format!("DROP DATABASE {} WITH (FORCE)", self.name)) {
            eprintln!("{} stays until its cluster goes: {error}", self.name);
        }
    }
}

/// The same URL with another database at its end.
pub(crate) fn with_database(url: &str, name: &str) -> String {
    let (server, _) = url.rsplit_once('/').expect("a URL of ours ends with a database");
    format!("{server}/{name}")
}
