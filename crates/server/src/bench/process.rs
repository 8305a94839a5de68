//! The processes of the bench: this same program, started again under a hidden name. Separate processes, so that what
//! loads and what receives neither shares a runtime nor a memory allocator with what is measured.
use std::{
    io::Write as _,
    net::SocketAddr,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail};
use clap::Subcommand;
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use super::{load, post, receive};

/// What another process of the bench can be; not for use by hand.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum Role {
    /// Loads a server (for `bench`).
    #[command(name = "__load", hide = true)]
    Load,
    /// Receives what is delivered (for `bench`).
    #[command(name = "__receive", hide = true)]
    Receive,
    /// Posts by itself (for `bench`).
    #[command(name = "__post", hide = true)]
    Post,
}

impl Role {
    /// Is this process until its end.
    ///
    /// # Errors
    /// As the role says.
    pub(crate) fn play(self) -> anyhow::Result<()> {
        // A runtime of its own for each, on a thread of its own: the caller may be inside another.
        let played = std::thread::spawn(move || match self {
            Self::Load => load::process(),
            Self::Receive => receive::process(),
            Self::Post => post::process(),
        });
        played.join().unwrap_or_else(|_| bail!("ended badly"))
    }
}

/// This program, with these arguments, killed when dropped.
pub(crate) fn this_program(args: &[&str]) -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(args).kill_on_drop(true);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HOOKSWITCH_")) {
        command.env_remove(name);
    }
    Ok(command)
}

/// Hands over a plan and waits for the outcome.
pub(super) async fn ask<P: Serialize, O: DeserializeOwned>(role: &str, plan: &P) -> anyhow::Result<O> {
    let mut child = this_program(&[role])?.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut input = child.stdin.take().context("piped")?;
    input.write_all(&serde_json::to_vec(plan)?).await?;
    drop(input);
    let output = child.wait_with_output().await?;
    if !output.status.success() {
        bail!("{role} failed ({}), see above", output.status);
    }
    serde_json::from_slice(&output.stdout).with_context(|| format!("what {role} says"))
}

/// What a listening process says as its first line, like `serve`.
pub(crate) fn announce(address: SocketAddr) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "listening on http://{address}")?)
}

/// Waits until standard input ends, as it does when the process that started this one is gone.
pub(crate) async fn until_input_ends() {
    let input = tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink()));
    // Input that can't be read has ended as well.
    drop(input.await);
}

/// A process that listens, and ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Listening {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// What it says after its first line.
    pub(crate) lines: Lines<BufReader<ChildStdout>>,
    /// Some end with their standard input.
    _input: Option<ChildStdin>,
}

/// How long a process may take until it listens, and to its end.
const PATIENCE: Duration = Duration::from_secs(20);

impl Listening {
    /// Starts it and waits for its first line.
    pub(crate) async fn start(mut command: Command) -> anyhow::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("piped")?).lines();
        let first = tokio::time::timeout(PATIENCE, lines.next_line()).await.context("it does not start")??.unwrap_or_default();
        let address =
            first.strip_prefix("listening on http://").with_context(|| format!("it did not start: {first}"))?.parse()?;
        let input = child.stdin.take();
        Ok(Self { child, address, lines, _input: input })
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> anyhow::Result<u32> {
        self.child.id().context("it has ended")
    }

    /// Kills it as a crash would, and waits.
    pub(crate) async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Asks it to end, as an operator would, and waits.
    pub(crate) async fn terminate(mut self) -> anyhow::Result<ExitStatus> {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.pid()?)?);
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM)?;
        Ok(tokio::time::timeout(PATIENCE, self.child.wait()).await.context("it does not end")??)
    }
}
