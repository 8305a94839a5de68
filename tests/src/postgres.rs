//! PostgreSQL as the program is told of it (`operations.md`): its URL, passwords, TLS, and what is said where it can't be used.
use std::{path::Path, process::Output, time::Instant};

use hookswitch_testkit::{
    Server, json,
    postgres::{Cluster, Fresh, Halt, cluster::PASSWORD},
    program::run,
};

/// For `localhost` and 127.0.0.1, with its key; and the root that vouches for it.
const CERTIFICATE: &str = include_str!("../../crates/hooks/src/call/http/tests/test_certificate/server.pem");
const ROOT: &str = include_str!("../../crates/hooks/src/call/http/tests/test_certificate/root.pem");
/// A certificate that vouches for nobody else.
const STRANGER: &str = include_str!("../../crates/server/src/tls/test_certificate/cert.pem");
/// A server that is not there is given up long before a supervisor would kill the program.
const SOON_S: u64 = 15;

/// Starts the program on a database, which does not work out.
async fn refused(home: &Path, url: &str, words: &[&str]) {
    let args = ["serve", "--listen", "127.0.0.1:0", "--data", "data"];
    let output = run(home, &args, &[("HOOKSWITCH_DATABASE", url)]).await;
    let stderr = all_of(&output);
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    let last = stderr.lines().last().unwrap_or_default();
    assert!(words.iter().all(|word| last.contains(word)), "{words:?} in {stderr}");
    assert!(!stderr.contains(PASSWORD) && !stderr.contains("panicked"), "{stderr}");
}

fn all_of(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

async fn serves(url: &str) -> Server {
    let server = Server::setup().env("HOOKSWITCH_DATABASE", url).env("RUST_LOG", "debug").start().await;
    server.client("Acme").await;
    server
}

#[tokio::test]
async fn a_password_opens_the_database_and_is_shown_nowhere() {
    let cluster = Cluster::setup().with_passwords().start();
    let fresh = cluster.fresh();
    let mut server = serves(fresh.url()).await;
    let status = server.ok("system.status", json!({})).await;
    let metrics = server.get("/metrics").await;
    server.terminate().await;
    for shown in [server.stderr(), status.to_string(), metrics.text] {
        assert!(!shown.contains(PASSWORD), "{shown}");
    }
    assert!(server.stderr().contains("hookswitch:***@127.0.0.1"), "{}", server.stderr());
    let home = tempfile::tempdir().unwrap();
    for command in ["config", "check", "token"] {
        let output = run(home.path(), &[command, "--database", fresh.url()], &[]).await;
        assert!(!all_of(&output).contains(PASSWORD), "{command}: {}", all_of(&output));
    }
    let wrong = fresh.url().replace(PASSWORD, "wrong-but-no-less-secret");
    refused(home.path(), &wrong, &["127.0.0.1", "password authentication failed"]).await;
}

#[tokio::test]
async fn a_server_is_reached_by_its_socket_too() {
    let cluster = Cluster::start();
    let fresh = cluster.fresh();
    let mut server = serves(&cluster.socket_url(fresh.name())).await;
    let stderr = server.stderr();
    server.terminate().await;
    assert!(!stderr.contains(PASSWORD), "{stderr}");
    assert_eq!(fresh.rows("SELECT name FROM clients"), [["Acme"]]);
}

#[tokio::test]
async fn a_connection_is_encrypted_if_that_is_asked_for_and_its_server_is_who_it_should_be() {
    let cluster = Cluster::setup().with_tls(CERTIFICATE).start();
    let home = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = home.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (root, stranger) = (file("root.pem", ROOT), file("stranger.pem", STRANGER));
    for parameters in ["sslmode=require".to_owned(), format!("sslmode=verify-full&sslrootcert={root}")] {
        let fresh = cluster.fresh();
        let server = serves(&format!("{}?{parameters}", fresh.url())).await;
        assert_eq!(encrypted(&fresh), [["t"]], "{parameters}");
        drop(server);
    }
    let fresh = cluster.fresh();
    let with = |parameters: &str| format!("{}?{parameters}", fresh.url());
    refused(home.path(), &with(&format!("sslmode=verify-full&sslrootcert={stranger}")), &["certificate"]).await;
    refused(home.path(), &with("sslmode=verify-full"), &["certificate"]).await;
    refused(home.path(), &with("sslmode=verify-full&sslrootcert=/nonexistent/root.pem"), &["/nonexistent/root.pem"]).await;
    let plain = Cluster::start();
    refused(home.path(), &format!("{}?sslmode=require", plain.administration()), &["TLS"]).await;
}

/// What all connections to a database are, but for the one that asks.
fn encrypted(fresh: &Fresh) -> Vec<Vec<String>> {
    fresh.rows(
        "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
         WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
    )
}

#[tokio::test]
async fn without_the_key_file_a_database_is_not_read_and_no_other_key_is_made() {
    let mut server = Server::start().await;
    let url = server.database().url();
    server.terminate().await;
    let home = tempfile::tempdir().unwrap();
    refused(home.path(), &url, &["the key file", "master.key is missing"]).await;
    assert!(!home.path().join("data/master.key").exists());
    server.start_again().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_or_has_no_such_database_is_named() {
    let cluster = Cluster::start();
    let (home, began) = (tempfile::tempdir().unwrap(), Instant::now());
    refused(home.path(), &cluster.url("nowhere"), &["nowhere", "does not exist"]).await;
    cluster.stop(Halt::Fast);
    refused(home.path(), &cluster.url("nowhere"), &[&format!("127.0.0.1:{}", cluster.port()), "can't be reached"]).await;
    assert!(began.elapsed().as_secs() < SOON_S, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_database_of_another_encoding_is_refused_untouched() {
    let cluster = Cluster::start();
    cluster.rows("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    let home = tempfile::tempdir().unwrap();
    refused(home.path(), &cluster.url("latin"), &["LATIN1", "UTF8"]).await;
    let tables = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(hookswitch_testkit::postgres::query::rows(&cluster.url("latin"), tables), [["0"]]);
}
