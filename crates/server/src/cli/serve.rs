//! `hookswitch serve`: from the settings to a listening server, until a signal ends it.
//!
//! Within the 10 s from a signal to the end, calls in flight come first, then deliveries, then the database; what each does
//! not use is left to the next. Whatever is cut off was either not committed, and its caller saw the connection break,
//! or it is committed, and the next start delivers it.
use std::{
    io::Write as _,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use clap::Args;
use hookswitch_api::{Api, Serving};
use hookswitch_core::Core;
use nix::sys::signal::Signal as Sig;
use rustls::ServerConfig;
use tokio::{
    net::TcpSocket,
    signal::unix::{Signal, SignalKind, signal},
    time::Instant,
};

use crate::{
    cli::block_on,
    config::{self, Settings, flags::Flags},
    ending::Ended,
    telemetry, tls,
    wiring::{self, Folder, Given, traces},
};

/// Files open at once, as far as the hard limit allows.
const FILES: u64 = 16_384;
/// From the signal to the end; the contract says 10 s.
const END_WITHIN: Duration = Duration::from_secs(9);
/// Of these, what calls in flight get.
const CALLS_WITHIN: Duration = Duration::from_secs(6);
/// What the last spans get after that: a collector that hangs must not hold up an end.
const LAST_SPANS_WITHIN: Duration = Duration::from_millis(800);
/// Connections that wait to be accepted, as many as the kernel allows by default.
const BACKLOG: u32 = 4_096;

/// Runs the server.
///
/// Without any settings it makes ./hookswitch-data, creates the first admin and listens on 127.0.0.1:3080. Further settings
/// are in the configuration file; `hookswitch config` shows them all.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  hookswitch serve --listen 127.0.0.1:3080 --data ./hookswitch-data")]
pub(crate) struct Serve {
    #[command(flatten)]
    flags: Flags,
}

impl Serve {
    /// Serves until a signal comes.
    ///
    /// # Errors
    /// When it can't start.
    pub(crate) fn run(self) -> Ended {
        let settings = Settings::read(&self.flags, &config::environment)?;
        telemetry::start(settings.log, "info")?;
        if settings.tells_password() {
            tracing::warn!(
                "the command line holds the password of the database, and every user of this machine can read that: say it by HOOKSWITCH_DATABASE or in the configuration file"
            );
        }
        raise_file_limit();
        hide_process();
        let given = Given::read(&config::environment)?;
        let tls = settings.tls.as_ref().map(tls::Files::load).transpose()?;
        let plan = traces::plan(&settings, &config::environment);
        let folder = Folder::make(&settings)?;
        let ended = block_on(serve(&settings, &folder, given, tls, plan));
        // The lock goes last.
        drop(folder);
        ended?
    }
}

/// Connections of callers and of handlers, and the database: more than the usual soft limit of open files.
fn raise_file_limit() {
    if let Err(error) = rlimit::increase_nofile_limit(FILES) {
        tracing::warn!(%error, "the limit of open files can't be raised; many connections at once may fail");
    }
}

/// What is in memory and in the environment, the first admin's key for one, can't be read by other processes of the same
/// user: handlers' scripts run as that.
fn hide_process() {
    if let Err(error) = nix::sys::prctl::set_dumpable(false) {
        tracing::warn!(%error, "scripts can't be kept from looking into this process");
    }
}

async fn serve(
    settings: &Settings,
    folder: &Folder,
    given: Given,
    tls: Option<Arc<ServerConfig>>,
    plan: Option<hookswitch_traces::Settings>,
) -> Ended {
    let mut ends = Ends::listen()?;
    let listener = bind(settings.listen).with_context(|| format!("listening on {}", settings.listen))?;
    let store = wiring::store(settings, folder)?;
    let (traces, exporter) = traces::start(plan, store.clock())?;
    let core = wiring::core(settings, store, traces).await?;
    let (end, ended) = match start(settings, &core, given, listener, tls).await {
        Ok(serving) => {
            ends.wait().await;
            let end = Instant::now() + END_WITHIN;
            serving.stop(CALLS_WITHIN).await;
            (end, Ok(()))
        }
        Err(ending) => (Instant::now() + END_WITHIN, Err(ending)),
    };
    wiring::close(core, end).await;
    if let Some(exporter) = exporter {
        exporter.stop(Instant::now() + LAST_SPANS_WITHIN).await;
    }
    tracing::info!("ended");
    ended
}

/// Everything that may still fail once the core runs, up to the line that says that it listens.
async fn start(
    settings: &Settings,
    core: &Core,
    given: Given,
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
) -> Ended<Serving> {
    let (address, is_tls) = (listener.local_addr().context("the listener's address")?, tls.is_some());
    wiring::first_login(core, given, &settings.data, &wiring::url_of(address, is_tls)).await?;
    if !address.ip().is_loopback() && !is_tls {
        tracing::warn!(%address, "plain HTTP beyond this machine: every request shows its key to whoever listens on the way");
    }
    let options = hookswitch_api::Options {
        core: core.clone(),
        trusted_proxies: settings.trusted_proxies.clone(),
        open_metrics: address.ip().is_loopback(),
    };
    let api = Api::new(options);
    let pages = hookswitch_web::pages(api.clone());
    let serving = Serving::start(api, pages, listener, tls).context("starting the API")?;
    announce(serving.address(), is_tls);
    let (version, database) = (env!("CARGO_PKG_VERSION"), &settings.database);
    tracing::info!(version, address = %serving.address(), %database, "listening");
    Ok(serving)
}

/// The one line on standard output. If nobody reads it, that is no reason not to serve.
fn announce(address: SocketAddr, is_tls: bool) {
    let scheme = if is_tls { "https" } else { "http" };
    let mut out = std::io::stdout().lock();
    if let Err(error) = writeln!(out, "listening on {scheme}://{address}").and_then(|()| out.flush()) {
        tracing::warn!(%error, "standard output can't be written to");
    }
}

/// Taken before the database is opened: a taken port must not cost a migration.
fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Connections of the last process that are still being closed don't count.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// The signals that end it, listened for from the start: one that comes early ends it once it has started.
struct Ends {
    interrupt: Signal,
    terminate: Signal,
    /// A file that may not become longer is a full disk, no reason to end. Scripts end by it as ever.
    _file_size: Signal,
}

impl Ends {
    fn listen() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("listening for signals");
        let (interrupt, terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
        Ok(Self { interrupt, terminate, _file_size: listen(SignalKind::from_raw(Sig::SIGXFSZ as i32))? })
    }

    async fn wait(&mut self) {
        let name = tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        };
        tracing::info!(signal = name, "ending");
    }
}
