//! Which engine this run of the tests is about.

const VARIABLE: &str = "HOOKSWITCH_TEST_ENGINE";

/// Where databases of tests are made, unless a test says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A file in the test's folder.
    Sqlite,
    /// A database in a temporary cluster.
    Postgres,
}

impl Engine {
    /// What `HOOKSWITCH_TEST_ENGINE` says: `sqlite`, as without it, or `postgres`.
    ///
    /// # Panics
    /// When it says something else: the suite would pass without having been run on what was meant.
    #[must_use]
    pub fn of_this_run() -> Self {
        match std::env::var(VARIABLE).as_deref() {
            Err(_) | Ok("" | "sqlite") => Self::Sqlite,
            Ok("postgres") => Self::Postgres,
            Ok(other) => panic!("{VARIABLE} must be sqlite or postgres, not {other}"),
        }
    }

    /// As `system.status` names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}
