//! What the end-to-end tests stand on: the real program, a handler that records, and ways to wait.
//!
//! Everything here goes through the contract's doors only (HTTP, files, signals, exit statuses), so that a test
//! promises something to an integrator and not to our own source. The one exception is [`clocked`], which runs the
//! server inside the test so that its clock can be turned: retries of a day pass in milliseconds.
//!
//! | file | what |
//! |---|---|
//! | `program` | the `hookswitch` binary: run once, or as a server that can be killed and started again |
//! | `process` | what the server's process uses, and how much it may have |
//! | `clocked` | the same server in-process, on a clock that the test turns |
//! | `api` | the Core API as a client sees it |
//! | `rest` | the same over REST |
//! | `shortcuts` | what most tests begin or end with |
//! | `recorder` | an HTTP handler that records what it got |
//! | `reply` | and what it answers |
//! | `peer` | a peer on the level of bytes |
//! | `chaos` | an HTTP handler that misbehaves at random |
//! | `scripts` | files in the scripts folder |
//! | `companion` | example handlers and other programs that run beside the server |
//! | `signature` | Standard Webhooks, written a second time to check the first |
//! | [`postgres`] | the engine of this run; a database for a test; a temporary PostgreSQL of our own (the crate `testdb`) |
//! | `wait` | polling with a deadline |
//! | `check` | comparisons of JSON |
//! | `chance` | random choices that can be repeated |
pub mod api;
pub mod chance;
pub mod chaos;
pub mod check;
pub mod clocked;
pub mod companion;
pub mod peer;
mod process;
pub mod program;
pub mod recorder;
pub mod reply;
mod rest;
pub mod scripts;
mod shortcuts;
pub mod signature;
pub mod wait;

pub use api::{Answer, Api, RpcError};
pub use chance::Chance;
pub use chaos::Chaos;
pub use check::{assert_has, ids, names};
pub use clocked::Clocked;
pub use companion::Companion;
pub use hookswitch_testdb as postgres;
pub use peer::Peer;
pub use postgres::{Engine, Home, query};
pub use program::{ADMIN_KEY, ADMIN_PASSWORD, Server, Setup};
pub use recorder::{Call, Recorder};
pub use reply::{Gate, Reply};
pub use scripts::Scripts;
pub use serde_json::{Value, json};
pub use shortcuts::{after, before, with};
pub use wait::{wait_for, wait_until};
