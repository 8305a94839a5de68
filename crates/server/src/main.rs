//! The program: its command line, its configuration, and how the crates are put together.
//!
//! | place | subject |
//! |---|---|
//! | [`cli`] | one command a file |
//! | [`config`] | what counts, and where it came from: flags, environment, file |
//! | [`wiring`] | from settings to a running core: data folder, lock, key file, database, first admin |
//! | [`ending`] | how the program ends: exit statuses and the last line on standard error |
//! | [`telemetry`] | the log |
//! | [`tls`] | the certificate of the listener |
//! | [`bench`], [`demo`] | how fast it is, what it does |
mod bench;
mod cli;
mod config;
mod demo;
mod ending;
mod telemetry;
mod tls;
mod wiring;

use std::process::ExitCode;

use hookswitch_hooks::call::script::sandbox;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    // A script is about to be started by way of this process: nothing of the program may come before (see `sandbox`).
    if arguments.next().is_some_and(|first| first == sandbox::COMMAND) {
        return sandbox::main(arguments);
    }
    cli::main()
}
