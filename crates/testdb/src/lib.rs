//! Where a test's database lies. One suite runs on both engines: `HOOKSWITCH_TEST_ENGINE` says on which, and a test that takes
//! its [`Home`] from here follows that without knowing.
//!
//! PostgreSQL is a temporary [`Cluster`] of the tests' own, on a free port of the loopback and on a socket, removed with the process
//! that made it, however that ends. `./test` starts one for its whole run and names it in `HOOKSWITCH_TEST_POSTGRES`; a test that
//! is run by hand without one starts its own.
//!
//! | file | what |
//! |---|---|
//! | `engine` | which engine this run is about |
//! | `home` | a folder, and on PostgreSQL a database, for one test |
//! | `fresh` | a new database in a cluster, made from a template that has the schema already |
//! | `cluster` | PostgreSQL: started, stopped, killed, started again |
//! | `mariadb` | MariaDB, as a target of handlers |
//! | `replica` | a standby that follows a cluster, and takes its place |
//! | `programs` | PostgreSQL's programs, which refuse to be run by root |
//! | `guard` | what removes a cluster, also after a killed test |
//! | `port` | a port that nobody else will be given |
//! | `query` | SQL from a test, wherever it runs |
pub mod cluster;
mod engine;
mod fresh;
mod guard;
mod home;
mod mariadb;
mod port;
mod programs;
pub mod query;
mod replica;
mod shared;
#[cfg(test)]
mod tests;

pub use cluster::{Cluster, Halt};
pub use engine::Engine;
pub use fresh::{Fresh, TEMPLATE};
pub use home::Home;
pub use mariadb::MariaDb;
pub use port::Port;
pub use shared::CLUSTER_VARIABLE;
