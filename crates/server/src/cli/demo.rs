//! `hookswitch demo`: the command line of [`crate::demo`].
use std::net::SocketAddr;

use clap::Args;

use crate::demo::{self, Options};

/// Shows what this program does: a server on a temporary database, a built-in handler, a short story.
///
/// Afterwards the server goes on running for you to try; Ctrl-C ends it and removes everything.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  hookswitch demo --listen 127.0.0.1:3081")]
pub(crate) struct Demo {
    /// Where the server listens; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// End when the story is told
    #[arg(long)]
    once: bool,
}

impl Demo {
    /// Tells it.
    ///
    /// # Errors
    /// When something in the story does not go as told.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        demo::run(Options { listen: self.listen, once: self.once }).await
    }
}
