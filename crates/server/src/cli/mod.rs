//! The command line: one command a file. Each is read, run to its end, and answered with an exit status.
mod backup;
mod bench;
mod check;
mod config;
mod copy;
mod demo;
mod door;
mod events;
mod export;
mod import;
mod listen;
mod manual;
mod meter;
mod objects;
mod paint;
mod pattern;
mod remote;
mod restore;
mod resync;
mod seed;
mod serve;
mod stop;
mod token;

use std::{io::Write as _, process::ExitCode, time::Duration};

use anyhow::Context as _;
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, error::ErrorKind};

use crate::{
    bench::process::Role,
    demo::example_handler,
    ending::{Ended, Ending},
    telemetry::{self, Format},
};

/// What threads that are still busy get when a command is done.
const FAREWELL: Duration = Duration::from_millis(500);

/// A billing core for voice carriers: your programs are asked before each change, and told after it.
#[derive(Debug, Parser)]
#[command(name = "hookswitch", version, after_help = "Example:\n  hookswitch serve\n\nEach command has --help with an example.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Demo(demo::Demo),
    Bench(bench::Bench),
    Check(check::Check),
    Config(config::Config),
    Token(token::Token),
    Seed(seed::Seed),
    Resync(resync::Resync),
    Copy(copy::Copy),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Import(import::Import),
    Export(export::Export),
    Listen(listen::Listen),
    Completion(manual::Completion),
    #[command(name = "man")]
    Manual(manual::Manual),
    #[command(flatten)]
    Hidden(Hidden),
}

/// What this program is when it starts itself; not for use by hand.
#[derive(Debug, Subcommand)]
enum Hidden {
    /// The handler of the demo.
    #[command(name = "__example-handler", hide = true)]
    ExampleHandler,
    #[command(flatten)]
    Bench(Role),
}

/// Reads the command line and runs what it says.
pub(crate) fn main() -> ExitCode {
    // Refused if one is there already, which would do as well.
    let _already = rustls::crypto::ring::default_provider().install_default();
    match program().try_get_matches() {
        Ok(matches) => match run(&matches) {
            Ok(()) => ExitCode::SUCCESS,
            Err(ending) => ending.report(),
        },
        Err(answer) => unread(&answer),
    }
}

/// The whole command line: commands of their own, and those that the registry makes.
fn program() -> clap::Command {
    Cli::command().subcommands(objects::commands())
}

fn run(matches: &ArgMatches) -> Ended {
    if let Some(ran) = objects::run(matches) {
        return ran;
    }
    Cli::from_arg_matches(matches).map_err(|error| Ending::Usage(error.to_string()))?.command.run()
}

impl Command {
    fn run(self) -> Ended {
        match self {
            Self::Serve(serve) => serve.run(),
            Self::Config(config) => config.run(),
            Self::Hidden(Hidden::Bench(role)) => Ok(role.play()?),
            other => {
                telemetry::start(Format::Text, "warn")?;
                other.run_with_log()
            }
        }
    }

    fn run_with_log(self) -> Ended {
        match self {
            Self::Demo(demo) => Ok(block_on(demo.run())??),
            Self::Bench(bench) => Ok(block_on(bench.run())??),
            Self::Check(check) => check.run(),
            Self::Token(token) => token.run(),
            Self::Seed(seed) => seed.run(),
            Self::Resync(resync) => resync.run(),
            Self::Copy(copy) => copy.run(),
            Self::Backup(backup) => backup.run(),
            Self::Restore(restore) => restore.run(),
            Self::Import(import) => import.run(),
            Self::Export(export) => export.run(),
            Self::Listen(listen) => listen.run(),
            Self::Completion(completion) => completion.run(program()),
            Self::Manual(manual) => manual.run(program()),
            Self::Hidden(Hidden::ExampleHandler) => Ok(block_on(example_handler::run())??),
            Self::Serve(_) | Self::Config(_) | Self::Hidden(Hidden::Bench(_)) => Ok(()),
        }
    }
}

/// Runs a command's work on a runtime with a thread for each processor. When it is done, whatever is still running is
/// dropped: nothing that must be finished is left to this.
///
/// # Errors
/// When no threads can be had.
pub(crate) fn block_on<F: Future>(work: F) -> Ended<F::Output> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    let done = runtime.block_on(work);
    runtime.shutdown_timeout(FAREWELL);
    Ok(done)
}

/// Help and version were asked for; anything else is wrong usage, said in one line.
fn unread(answer: &clap::Error) -> ExitCode {
    let asked_for = matches!(answer.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if asked_for || answer.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        // Whoever closes the pipe has read enough.
        let _ = answer.print();
        return if asked_for { ExitCode::SUCCESS } else { ExitCode::from(2) };
    }
    let text = answer.render().to_string();
    let first = text.split("\n\n").next().unwrap_or_default();
    Ending::Usage(format!("{} (--help says more)", first.trim_start_matches("error: "))).report()
}

/// A command's result, on standard output.
///
/// # Errors
/// When it can't be written.
pub(crate) fn say(text: &str) -> Ended {
    let mut out = std::io::stdout().lock();
    Ok(out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("standard output")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed_and_every_command_has_an_example() {
        let cli = program();
        // Also: no two commands and no two flags of one command have the same name.
        cli.clone().debug_assert();
        for command in cli.get_subcommands().filter(|command| !command.is_hide_set()) {
            let example = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(example.contains(&format!("\n  hookswitch {}", command.get_name())), "{}", command.get_name());
        }
    }
}
