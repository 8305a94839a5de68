//! The same server inside the test, on a clock that the test turns: a day of retries passes in milliseconds.
//!
//! Everything but the clock is real: an SQLite file in a folder of its own, HTTP on a free port. It begins at a fixed
//! time, so that a run tells nothing about the day on which it is made. Scripts are started directly, because the test's own
//! binary is not the program that confines them.
use std::{net::TcpListener, ops::Deref, time::Duration};

use hookswitch_api::Serving;
use hookswitch_core::{Core, first_admin::first_admin};
use hookswitch_hooks::{
    Breaker, Retention,
    call::{CallerOptions, script::Limits},
};
use hookswitch_model::moment::Moment;
use hookswitch_store::{Clock, Database, Hand, MasterKey, Store};
use tempfile::TempDir;

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
    core: Core,
    serving: Option<Serving>,
    home: TempDir,
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
        let home = tempfile::Builder::new().prefix("hookswitch-test-").tempdir().expect("a temporary folder");
        let (clock, hand) = Clock::manual(Moment::parse(BEGIN).expect("a time"));
        let core = core(&home, clock.clone(), days).await;
        let (key, password) = (Some(ADMIN_KEY.to_owned()), Some(ADMIN_PASSWORD.to_owned()));
        first_admin(&core, key, password).await.expect("a first admin");
        let (serving, api) = serve(&core);
        Self { api, clock, hand, days, core, serving: Some(serving), home }
    }

    /// Ends it in order, lets so much time pass, and starts it again on the same data, with a new port and a new [`Api`].
    ///
    /// # Panics
    /// When it can't be ended or started.
    pub async fn restart_after(&mut self, seconds: i64) {
        if let Some(serving) = self.serving.take() {
            serving.stop(GRACE).await;
        }
        self.core.stop(GRACE).await;
        self.core.store().clone().close().await.expect("a closed database");
        self.advance(seconds);
        self.core = core(&self.home, self.clock.clone(), self.days).await;
        let (serving, api) = serve(&self.core);
        (self.serving, self.api) = (Some(serving), api);
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

impl Deref for Clocked {
    type Target = Api;
    fn deref(&self) -> &Api {
        &self.api
    }
}

fn serve(core: &Core) -> (Serving, Api) {
    let options = hookswitch_api::Options { core: core.clone(), trusted_proxies: Vec::new(), open_metrics: true };
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let serving = Serving::start(hookswitch_api::Api::new(options), listener, None).expect("a server");
    let api = Api::new(&format!("http://{}", serving.address()), ADMIN_KEY);
    (serving, api)
}

async fn core(home: &TempDir, clock: Clock, days: u32) -> Core {
    let scripts_dir = home.path().join("scripts");
    std::fs::create_dir_all(&scripts_dir).expect("a scripts folder");
    let database = Database::Sqlite(home.path().join("hookswitch.db"));
    let store = Store::open(hookswitch_store::Options { database, key: MasterKey::from_bytes(MASTER_KEY), clock });
    let caller = CallerOptions {
        user_agent: "hookswitch/test".to_owned(),
        reseller_networks: Vec::new(),
        scripts_dir,
        data_dir: home.path().to_owned(),
        program: None,
        script_limits: Limits::default(),
        extra_roots_pem: Vec::new(),
    };
    let hooks =
        hookswitch_hooks::Options { caller, breaker: Breaker::default(), retention: Retention { days, ..Retention::default() } };
    let before_budget = Duration::from_secs(10);
    let options = hookswitch_core::Options { store: store.expect("a database"), hooks, before_budget };
    Core::open(options).await.expect("a core")
}
