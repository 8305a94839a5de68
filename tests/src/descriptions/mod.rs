//! The descriptions against the real program and against real tools: what is described is what happens, and what others make
//! of it works.
//!
//! | file | subject |
//! |---|---|
//! | `described` | an answer compared with its description, in which an unknown key is an error too |
//! | `payloads` | what a handler gets fits the event's schema in `docs/schemas` |
//! | `schemathesis` | thousands of requests made from the OpenAPI description |
//! | `generated_client` | a client in TypeScript, generated from it |
//! | `openrpc` | the validator of OpenRPC's makers |
//!
//! (That every method's answer fits is among the walks.)
pub(crate) mod described;
mod generated_client;
mod openrpc;
mod payloads;
mod schemathesis;

use std::path::{Path, PathBuf};

use hookswitch_testkit::companion::repository;
use tokio::process::Command;

/// A file of these tests that is not Rust.
fn file(path: &str) -> PathBuf {
    repository().join("tests/descriptions").join(path)
}

/// What npm installed.
fn node_modules() -> PathBuf {
    let folder = repository().join("target/npm/node_modules");
    assert!(folder.exists(), "{} is missing: ./test makes it", folder.display());
    folder
}

/// Runs a program to its end, which must be a good one; gives what it printed.
async fn run(command: &mut Command) -> String {
    let shown = format!("{command:?}");
    let output = command.kill_on_drop(true).output().await.unwrap_or_else(|error| panic!("{shown} can't be started: {error}"));
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{shown} ended with {}:\n{text}", output.status);
    text
}

/// Node.js in a folder.
fn node(folder: &Path) -> Command {
    let mut command = Command::new("node");
    command.current_dir(folder);
    command
}
