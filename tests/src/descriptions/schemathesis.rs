//! schemathesis makes requests from the OpenAPI description, good ones and bad ones, and checks every answer against it: with
//! all of its checks, and one of ours.
//!
//! A short run, the same each time, is part of the tests. `HOOKSWITCH_SCHEMATHESIS_EXAMPLES=200` makes a long one.
use std::fs;

use hookswitch_testkit::{Server, companion::python};
use tokio::process::Command;

use super::{file, run};

/// Examples of each operation in the short run: about a minute on two cores.
const EXAMPLES: &str = "8";

#[tokio::test]
async fn schemathesis_finds_no_failure() {
    // So that it may come from many addresses.
    let server = Server::setup().config("trusted_proxies = [\"127.0.0.1/32\"]").env("RUST_LOG", "warn").start().await;
    let examples = std::env::var("HOOKSWITCH_SCHEMATHESIS_EXAMPLES").unwrap_or_else(|_| EXAMPLES.to_owned());
    // A folder of its own: schemathesis keeps notes of what it found, and looks there for its hooks.
    let folder = tempfile::tempdir().unwrap();
    for name in ["schemathesis.toml", "hooks.py"] {
        fs::copy(file("schemathesis").join(name), folder.path().join(name)).unwrap();
    }
    let mut command = Command::new(python());
    command
        .current_dir(folder.path())
        .args(["-m", "schemathesis.cli", "--config-file", "schemathesis.toml"])
        .args(["run", &format!("{}/api/openapi.json", server.base()), "--no-color", "--generation-deterministic"])
        .args(["--max-examples", &examples])
        .env("HOOKSWITCH_KEY", server.key())
        .env("PYTHONDONTWRITEBYTECODE", "1");
    run(&mut command).await;
}
