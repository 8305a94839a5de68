//! The PostgreSQL of a whole run of the tests: a temporary cluster with a template that has the schema of this program, so that each test
//! gets its database in some milliseconds. Writes the URL of a database that is always there to standard output, for
//! `HOOKSWITCH_TEST_POSTGRES`, and goes on until its standard input ends.
//!
//! `./test` starts it. For single tests, from another terminal:
//!
//! ```text
//! target/debug/hookswitch-test-postgres
//! HOOKSWITCH_TEST_POSTGRES=postgres://... HOOKSWITCH_TEST_ENGINE=postgres cargo nextest run -p hookswitch-tests -E 'test(crash)'
//! ```
use std::io::{self, Write as _};

use hookswitch_store::{Clock, Database, MasterKey, Options, Store};
use hookswitch_testdb::{Cluster, TEMPLATE, query};

/// What the program writes into a new database beside the schema: the proof of a key file that each test has for itself, and the first
/// reseller, whose creation has a time.
const EMPTY: &str = "DELETE FROM settings; DELETE FROM companies; DELETE FROM id_blocks";

#[tokio::main]
async fn main() -> io::Result<()> {
    let cluster = Cluster::start();
    make_template(&cluster).await;
    writeln!(io::stdout(), "{}", cluster.administration())?;
    io::stdout().flush()?;
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

async fn make_template(cluster: &Cluster) {
    cluster.rows(&format!("CREATE DATABASE {TEMPLATE}"));
    let url = cluster.url(TEMPLATE);
    let (database, key) = (Database::Postgres(url.clone()), MasterKey::from_bytes([0; 32]));
    let store = Store::open(Options { database, key, clock: Clock::system(), faults: None });
    store.expect("a database that can be opened").close().await.expect("a database that can be closed");
    query::rows(&url, EMPTY);
    cluster.rows(&format!("ALTER DATABASE {TEMPLATE} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false"));
    // What is still connected would keep it from being copied.
    cluster.rows(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{TEMPLATE}'"));
}
