//! `hookswitch demo`: what this program does, shown in half a minute, on a temporary database, with a handler that is
//! built in. Everything in it is real: the server and the handler are processes of their own, and the story is told
//! by requests that anyone could send.
pub(crate) mod example_handler;
mod screen;
mod story;

use std::net::SocketAddr;

use anyhow::Context as _;
use tempfile::TempDir;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::bench::process::{Listening, this_program};
use screen::Screen;
use story::Story;

/// How the demo is run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    /// Where the server listens.
    pub(crate) listen: SocketAddr,
    /// End when the story is told.
    pub(crate) once: bool,
}

/// Tells the story, then leaves the server running until a signal comes.
///
/// # Errors
/// When something in it does not go as told.
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    // Listened for from the start, so that an early Ctrl-C removes the folder too.
    let mut ends = [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?];
    let folder = tempfile::Builder::new().prefix("hookswitch-demo-").tempdir()?;
    let shown = tokio::select! {
        shown = show(options, &folder) => Some(shown?),
        () = any(&mut ends) => None,
    };
    if let Some(stage) = shown {
        if !options.once {
            stage.invite()?;
            any(&mut ends).await;
        }
        stage.server.terminate().await?;
    }
    Ok(folder.close()?)
}

async fn any(ends: &mut [Signal; 2]) {
    let [interrupt, terminate] = ends;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// What is left standing after the story.
struct Stage {
    screen: Screen,
    server: Listening,
    _handler: Listening,
    url: String,
    key: String,
}

async fn show(options: Options, folder: &TempDir) -> anyhow::Result<Stage> {
    let screen = Screen::new();
    let key = random_key()?;
    let server = start_server(options, folder, &key).await.context("starting the server")?;
    let mut handler = Listening::start(this_program(&["__example-handler"])?).await.context("starting the example handler")?;
    let url = format!("http://{}", server.address);
    screen.plain(&format!("hookswitch on a temporary database: {url}"))?;
    screen.plain(&format!("a handler, as you might write one:  http://{}", handler.address))?;
    // A provider that is already there serves as well.
    let _already = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build()?;
    Story { screen, client, url: url.clone(), key: key.clone(), handler: &mut handler }.tell().await?;
    Ok(Stage { screen, server, _handler: handler, url, key })
}

async fn start_server(options: Options, folder: &TempDir, key: &str) -> anyhow::Result<Listening> {
    let (listen, data) = (options.listen.to_string(), folder.path().join("data").display().to_string());
    let mut command = this_program(&["serve", "--listen", &listen, "--data", &data])?;
    // Its log would run into the story; what is wrong should be seen.
    command.current_dir(folder.path()).env("RUST_LOG", std::env::var("RUST_LOG").unwrap_or_else(|_| "warn".to_owned()));
    command.env("HOOKSWITCH_ADMIN_KEY", key).env("HOOKSWITCH_ADMIN_PASSWORD", key);
    Listening::start(command).await
}

fn random_key() -> anyhow::Result<String> {
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes).context("random numbers")?;
    Ok(hex::encode(bytes))
}

impl Stage {
    fn invite(&self) -> anyhow::Result<()> {
        let Self { url, key, screen, .. } = self;
        let request = |method: &str, params: &str| {
            let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
            format!("  curl -s {url}/api/ -H 'X-Api-Key: {key}' -d '{body}'")
        };
        screen.step("The server goes on running. Have a look:")?;
        screen.plain(&request("clients.create", r#"{"name":"My own client"}"#))?;
        screen.plain(&request("provisioning.executions.search", "{}"))?;
        screen.plain("\nCtrl-C ends it and removes everything.")?;
        Ok(())
    }
}
