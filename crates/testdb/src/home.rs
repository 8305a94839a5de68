//! Where one test's database lies.
use std::path::Path;

use tempfile::TempDir;

use crate::{Engine, Fresh};

/// A folder of its own, and on PostgreSQL a database of its own too. Both go with this: keep it as long as the database is open.
#[derive(Debug)]
pub struct Home {
    // Dropped first: who uses the database has its files in the folder.
    fresh: Option<Fresh>,
    folder: TempDir,
}

impl Home {
    /// On the engine of this run.
    ///
    /// # Panics
    /// When it can't be made.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it makes things outside of this process")]
    pub fn new() -> Self {
        Self::on(Engine::of_this_run())
    }

    /// On this engine, whichever the run is about.
    ///
    /// # Panics
    /// When it can't be made.
    #[must_use]
    pub fn on(engine: Engine) -> Self {
        let folder = tempfile::Builder::new().prefix("hookswitch-test-").tempdir().expect("a temporary folder");
        let fresh = (engine == Engine::Postgres).then(Fresh::make);
        Self { fresh, folder }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The database's URL, as the program takes it: `sqlite:` and a file in the folder, or `postgres://...`.
    #[must_use]
    pub fn url(&self) -> String {
        let file = self.path().join("hookswitch.db");
        self.fresh.as_ref().map_or_else(|| format!("sqlite:{}", file.display()), |fresh| fresh.url().to_owned())
    }

    /// The database in PostgreSQL, where the run is about that.
    #[must_use]
    pub fn postgres(&self) -> Option<&Fresh> {
        self.fresh.as_ref()
    }
}
