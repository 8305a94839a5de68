//! The same server inside the test, on a clock that the test turns: a day of retries passes in milliseconds.
//!
//! Everything but the clock is real: a database of its own, HTTP on a free port. It begins at a fixed
//! time, so that a run tells nothing about the day on which it is made. Scripts are started directly, because the test's own
//! binary is not the program that confines them.
use std::{net::TcpListener, ops::Deref, path::Path, time::Duration};

use hookswitch_api::Serving;
use hookswitch_cluster::Cluster;
use hookswitch_core::{Core, first_admin::first_admin};
use hookswitch_hooks::{
    Breaker, Retention,
    call::{CallerOptions, script::Limits},
};
use hookswitch_model::moment::Moment;
use hookswitch_store::{
    Clock, Database, Hand, MasterKey, Store,
    tables::client_packages::due::{self, Due},
};
use hookswitch_testdb::Home;
use hookswitch_traces::Traces;
use tokio::runtime::Runtime;

use crate::{ADMIN_KEY, Api, program::ADMIN_PASSWORD};

const BEGIN: &str = "2026-11-23T12:00:00Z";
/// What calls in flight get at an orderly end.
const GRACE: Duration = Duration::from_secs(5);
const MASTER_KEY: [u8; 32] = [7; 32];

/// A server in this process. It goes with this, its folder last.
pub struct Clocked {
    api: Api,
    clock: Clock,
    hand: Hand,
    days: u32,
    running: Option<Running>,
    home: Home,
}

/// One life of the server, on threads of its own: they can be cut off in the middle.
struct Running {
    core: Core,
    serving: Serving,
    runtime: Runtime,
}

impl Clocked {
    /// As it comes, with an empty database.
    ///
    /// # Panics
    /// When it can't be started.
    pub async fn start() -> Self {
        Self::keeping(Retention::default().days).await
    }

    /// The same, with a journal and a log that are kept for so many days.
    ///
    /// # Panics
    /// When it can't be started.
    pub async fn keeping(days: u32) -> Self {
        let home = Home::new();
        let (clock, hand) = Clock::manual(Moment::parse(BEGIN).expect("a time"));
        let (running, api) = Running::start(&home, clock.clone(), days).await;
        let (key, password) = (Some(ADMIN_KEY.to_owned()), Some(ADMIN_PASSWORD.to_owned()));
        first_admin(&running.core, key, password).await.expect("a first admin");
        Self { api, clock, hand, days, running: Some(running), home }
    }

    /// Ends it in order, lets so much time pass, and starts it again on the same data, with a new port and a new [`Api`].
    ///
    /// # Panics
    /// When it can't be ended or started.
    pub async fn restart_after(&mut self, seconds: i64) {
        if let Some(running) = self.running.take() {
            running.serving.stop(GRACE).await;
            running.core.stop(GRACE).await;
            running.core.store().clone().close().await.expect("a closed database");
            running.runtime.shutdown_background();
        }
        self.start_again(seconds).await;
    }

    /// The same, but what it was doing is cut off wherever it was.
    ///
    /// # Panics
    /// When it can't be started again.
    pub async fn crash_and_restart_after(&mut self, seconds: i64) {
        if let Some(Running { core, serving, runtime }) = self.running.take() {
            let store = core.store().clone();
            runtime.shutdown_background();
            drop((core, serving));
            // A process takes its writer with it; here that ends once it has done what it was handed.
            store.close().await.expect("a closed database");
        }
        self.start_again(seconds).await;
    }

    async fn start_again(&mut self, seconds: i64) {
        self.advance(seconds);
        let (running, api) = Running::start(&self.home, self.clock.clone(), self.days).await;
        (self.running, self.api) = (Some(running), api);
    }

    /// Waits until nothing is due any more for the clock to do.
    ///
    /// # Panics
    /// When that does not come to be.
    pub async fn wait_nothing_due(&self) {
        let store = self.running.as_ref().expect("a running server").core.store().clone();
        let now = self.clock.now();
        crate::wait_until("nothing is due", async || {
            let due = store.read(move |tx| due::at(tx, now, Due::START, &[], 1)).await;
            due.expect("what is due can be read").is_empty()
        })
        .await;
    }

    /// Turns the clock on and wakes who waits for it.
    pub fn advance(&self, seconds: i64) {
        self.hand.advance(seconds * 1_000);
    }

    /// What time it is in there, in seconds since 1970.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.clock.now().seconds()
    }

    /// A time as the API shows it, in seconds since 1970.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    #[track_caller]
    pub fn seconds(text: &str) -> i64 {
        Moment::parse(text).unwrap_or_else(|| panic!("no time: {text}")).seconds()
    }
}

/// A time as the API takes it, from seconds since 1970.
#[must_use]
pub fn iso(seconds: i64) -> String {
    Moment(seconds * 1_000_000).iso()
}

impl Deref for Clocked {
    type Target = Api;
    fn deref(&self) -> &Api {
        &self.api
    }
}

impl Running {
    async fn start(home: &Home, clock: Clock, days: u32) -> (Self, Api) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let (folder, url) = (home.path().to_owned(), home.url());
        let (core, serving) = runtime.spawn(async move { serve(core(&folder, &url, clock, days).await) }).await.expect("a start");
        let api = Api::new(&format!("http://{}", serving.address()), ADMIN_KEY);
        (Self { core, serving, runtime }, api)
    }
}

fn serve(core: Core) -> (Core, Serving) {
    let options = hookswitch_api::Options { core: core.clone(), trusted_proxies: Vec::new(), open_metrics: true };
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let api = hookswitch_api::Api::new(options);
    let serving = Serving::start(api.clone(), hookswitch_web::pages(api), listener, None).expect("a server");
    (core, serving)
}

impl Drop for Clocked {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            // A runtime can't be waited for where others run.
            running.runtime.shutdown_background();
        }
    }
}

async fn core(home: &Path, url: &str, clock: Clock, days: u32) -> Core {
    let scripts_dir = home.join("scripts");
    std::fs::create_dir_all(&scripts_dir).expect("a scripts folder");
    let database = Database::at(url).expect("a URL of ours");
    let key = MasterKey::from_bytes(MASTER_KEY);
    let store = Store::open(hookswitch_store::Options { database, key, clock, faults: None });
    let caller = CallerOptions {
        user_agent: "hookswitch/test".to_owned(),
        reseller_networks: Vec::new(),
        scripts_dir,
        data_dir: home.to_owned(),
        program: None,
        script_limits: Limits::default(),
        extra_roots_pem: Vec::new(),
        network: None,
        traces: Traces::off(),
    };
    let hooks = hookswitch_hooks::Options {
        cluster: Cluster::alone(),
        caller,
        breaker: Breaker::default(),
        retention: Retention { days, ..Retention::default() },
    };
    let before_budget = Duration::from_secs(10);
    let options = hookswitch_core::Options { store: store.expect("a database"), hooks, before_budget };
    Core::open(options).await.expect("a core")
}
