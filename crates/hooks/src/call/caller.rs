//! Which handler is called how. What a handler needs for its calls (connection pool, keys, static headers) is made once
//! and kept until the handler is changed.
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use hookswitch_model::{
    handler::{Handler, task::Kind},
    refusal::FailureReason,
};
use hookswitch_traces::Traces;
use ipnet::IpNet;
use reqwest::header::HeaderValue;
use rustls::ClientConfig;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{
    Call, CallError, Called, Reply,
    address::Reach,
    http, mail,
    network::Planned,
    requests,
    script::{self, Limits},
    sql, tls, traced,
};

/// Calls over HTTP at once beyond the first of each handler, of all handlers together: with the connections of callers and ten
/// thousand handlers that is what a process may have open.
const FURTHER_MAX: usize = 4_096;
/// When this process has no file descriptor left for a connection, it is tried again after this.
const DIAL_AGAIN: Duration = Duration::from_millis(100);
/// How often the log is told so.
const TELL_AGAIN: Duration = Duration::from_secs(10);

/// How calls are made; the same for all handlers.
#[derive(Debug, Clone)]
pub struct CallerOptions {
    /// `hookswitch/<version>`.
    pub user_agent: String,
    /// Networks that resellers' handlers may be in besides public addresses.
    pub reseller_networks: Vec<IpNet>,
    /// Where scripts are, and are started in.
    pub scripts_dir: PathBuf,
    /// Closed to scripts, all but `scripts_dir`.
    pub data_dir: PathBuf,
    /// What scripts are started through: a program that hands `__script` to [`script::sandbox::main`], such as
    /// `/proc/self/exe`, which is still there after an upgrade. `None` = started directly, without limits and without
    /// landlock, for programs that have no such command.
    pub program: Option<PathBuf>,
    /// What a script may use.
    pub script_limits: Limits,
    /// Certificates (PEM) to trust besides the system's.
    pub extra_roots_pem: Vec<u8>,
    /// In place of the network, in tests: what happens to each call over HTTP.
    pub network: Option<Planned>,
    /// Where the span of each call is recorded.
    pub traces: Traces,
}

/// Calls handlers; cheap to clone.
#[derive(Clone)]
pub struct Caller(Arc<Shared>);

struct Shared {
    user_agent: HeaderValue,
    reseller_networks: Arc<[IpNet]>,
    tls: ClientConfig,
    network: Option<Planned>,
    traces: Traces,
    data_dir: PathBuf,
    starter: script::Starter,
    leaving: script::Leaving,
    /// One entry a handler that was called; see [`Caller::keep_only`].
    ready: RwLock<HashMap<i64, HandlerCaller>>,
    /// Places for calls beyond the first of each handler.
    further: Semaphore,
    /// When the log was told that no descriptor is free.
    told: Mutex<Option<Instant>>,
}

/// One handler, ready to be called; cheap to clone.
#[derive(Clone)]
pub struct HandlerCaller(Arc<Ready>);

struct Ready {
    shared: Arc<Shared>,
    /// Calls under way, or waiting for a place.
    running: AtomicUsize,
    /// The place of its first call: no others can keep it from being called.
    own: Semaphore,
    /// As it was when this was made.
    handler: Handler,
    reseller_bound: bool,
    task: Task,
}

enum Task {
    Http(Box<http::Target>),
    Planned(Planned),
    Script(script::Target),
    Sql(Box<sql::Target>),
    Mail(Box<mail::Target>),
    Requests(Box<requests::Target>),
    /// It can't be called: why.
    Broken(CallError),
}

impl Caller {
    /// Reads the system's certificates: a few milliseconds.
    #[must_use]
    pub fn new(options: CallerOptions) -> Self {
        let user_agent = HeaderValue::try_from(&options.user_agent);
        Self(Arc::new(Shared {
            user_agent: user_agent.unwrap_or(HeaderValue::from_static("hookswitch")),
            reseller_networks: options.reseller_networks.into(),
            tls: tls::configuration(&options.extra_roots_pem),
            network: options.network,
            traces: options.traces,
            data_dir: options.data_dir.clone(),
            starter: script::Starter::new(script::Place {
                scripts_dir: options.scripts_dir,
                data_dir: options.data_dir,
                program: options.program,
                limits: options.script_limits,
            }),
            leaving: script::Leaving::default(),
            ready: RwLock::default(),
            further: Semaphore::new(FURTHER_MAX),
            told: Mutex::default(),
        }))
    }

    /// Where the spans of calls are recorded.
    #[must_use]
    pub fn traces(&self) -> &Traces {
        &self.0.traces
    }

    /// Calls a handler once.
    pub async fn call(&self, handler: &Handler, call: &Call) -> Called {
        self.for_handler(handler, call.reseller_bound).call(call).await
    }

    /// What calls a handler that may not be saved: nothing is kept for it.
    #[must_use]
    pub fn for_trial(&self, handler: &Handler, reseller_bound: bool) -> HandlerCaller {
        HandlerCaller(Arc::new(self.make(handler, reseller_bound)))
    }

    /// What calls this handler: kept until the handler changes. A caller of many calls may keep it too.
    #[must_use]
    pub fn for_handler(&self, handler: &Handler, reseller_bound: bool) -> HandlerCaller {
        let kept = self.0.ready.read().unwrap_or_else(PoisonError::into_inner).get(&handler.id).cloned();
        if let Some(kept) = kept.filter(|kept| kept.0.fits(handler, reseller_bound)) {
            return kept;
        }
        let made = HandlerCaller(Arc::new(self.make(handler, reseller_bound)));
        self.0.ready.write().unwrap_or_else(PoisonError::into_inner).insert(handler.id, made.clone());
        made
    }

    /// Forgets all that are no longer so: gone, changed or not called any more, with their connections and processes. Called when
    /// the handlers in force change; calls under way are let finish.
    pub fn keep_only<'a>(&self, wanted: impl Fn(i64) -> Option<&'a Handler>) {
        let mut ready = self.0.ready.write().unwrap_or_else(PoisonError::into_inner);
        let fits = |kept: &HandlerCaller, now: &Handler| kept.0.fits(now, now.companies_id.is_some());
        ready.retain(|id, kept| wanted(*id).is_some_and(|now| now.is_called() && fits(kept, now)));
    }

    /// Ends the processes of scripts that are kept between calls. No calls are to come.
    pub async fn stop(&self) {
        self.keep_only(|_| None);
        self.0.leaving.gone().await;
    }

    fn make(&self, handler: &Handler, reseller_bound: bool) -> Ready {
        let Shared { user_agent, reseller_networks, tls, network, starter, leaving, .. } = &*self.0;
        let reach = Reach::new(reseller_bound, reseller_networks.clone());
        let task = match (handler.kind(), network) {
            // Never saved so; checked again here because it would cross from a reseller to the whole system.
            (Kind::Script, _) if reseller_bound => Err("only users of the whole system may configure scripts".to_owned()),
            (Kind::Script, _) => {
                let name = handler.task.strip_prefix(script::SCHEME).unwrap_or_default();
                Ok(Task::Script(script::Target::new(name, handler, starter.clone(), leaving.clone())))
            }
            (Kind::Sql, _) if reseller_bound && sql::is_file(&handler.task) => {
                Err("only users of the whole system may configure files".to_owned())
            }
            (Kind::Sql, _) => {
                let target = sql::Target::new(handler, tls, reach, self.0.data_dir.clone());
                target.map(|target| Task::Sql(Box::new(target)))
            }
            (Kind::Mail, _) => mail::Target::new(handler, tls, reach).map(|target| Task::Mail(Box::new(target))),
            (_, Some(network)) => Ok(Task::Planned(network.clone())),
            (Kind::Http, None) => http::Target::new(handler, user_agent, tls, reach).map(|target| Task::Http(Box::new(target))),
            (Kind::Chat | Kind::Rest | Kind::Kamailio, None) => {
                requests::Target::new(handler, user_agent, tls, reach).map(|target| Task::Requests(Box::new(target)))
            }
        };
        let broken = |words| Task::Broken(CallError::new(FailureReason::Refused, words));
        Ready {
            shared: Arc::clone(&self.0),
            running: AtomicUsize::new(0),
            own: Semaphore::new(1),
            handler: handler.clone(),
            reseller_bound,
            task: task.unwrap_or_else(broken),
        }
    }
}

impl HandlerCaller {
    /// Calls the handler once.
    pub async fn call(&self, call: &Call) -> Called {
        let (started, mut span) = (Instant::now(), traced::begin(&self.0.shared.traces, &self.0.handler, call));
        let _running = Running::begin(&self.0);
        let result = match &self.0.task {
            Task::Http(target) => self.call_http(OverHttp::Own(target), call, started).await,
            Task::Requests(target) => self.call_http(OverHttp::ReadyMade(target), call, started).await,
            Task::Planned(network) => network.call(&self.0.handler, call).await,
            Task::Script(target) => target.call(call).await,
            Task::Sql(target) => {
                let _place = self.0.place().await;
                Box::pin(target.call(call)).await
            }
            Task::Mail(target) => {
                let _place = self.0.place().await;
                Box::pin(target.call(call)).await
            }
            Task::Broken(error) => Err(error.clone()),
        };
        traced::stop(&mut span, &self.0.handler, &result);
        Called { result, took: started.elapsed(), span }
    }

    /// Where this process has too much open, a call waits: that is no fault of the handler's. Somebody waits for a before
    /// handler's answer, so there the time limit counts; an after handler's begins when its call can.
    async fn call_http(&self, target: OverHttp<'_>, call: &Call, started: Instant) -> Result<Reply, CallError> {
        let is_waited_for = call.deadline_ms.is_some();
        let place = self.0.place();
        let _place = match is_waited_for {
            true => tokio::time::timeout(call.timeout, place).await.map_err(|_| busy())?,
            false => place.await,
        };
        loop {
            let left = call.timeout.saturating_sub(if is_waited_for { started.elapsed() } else { Duration::ZERO });
            match target.call(call, left).await {
                Err(error) if error.ours && (!is_waited_for || started.elapsed() + DIAL_AGAIN < call.timeout) => {
                    self.0.shared.make_room();
                    tokio::time::sleep(DIAL_AGAIN).await;
                }
                result => return result,
            }
        }
    }
}

/// What is called over HTTP.
#[derive(Clone, Copy)]
enum OverHttp<'t> {
    Own(&'t http::Target),
    ReadyMade(&'t requests::Target),
}

impl OverHttp<'_> {
    async fn call(self, call: &Call, within: Duration) -> Result<Reply, CallError> {
        match self {
            Self::Own(target) => target.call(call, within).await,
            Self::ReadyMade(target) => Box::pin(target.call(call, within)).await,
        }
    }
}

fn busy() -> CallError {
    CallError::new(FailureReason::Busy, "too many calls to handlers are under way")
}

/// A call under way.
struct Running<'a>(&'a Ready);

impl<'a> Running<'a> {
    fn begin(ready: &'a Ready) -> Self {
        ready.running.fetch_add(1, Ordering::AcqRel);
        Self(ready)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Shared {
    /// Forgets the connections of handlers that are not being called. The processes of scripts stay: starting them anew takes
    /// more descriptors than their pipes give back.
    fn make_room(&self) {
        {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.is_none_or(|told| told.elapsed() >= TELL_AGAIN) {
                *told = Some(Instant::now());
                tracing::warn!("no file descriptor is free for calls to handlers: they wait");
            }
        }
        let mut ready = self.ready.write().unwrap_or_else(PoisonError::into_inner);
        ready.retain(|_, HandlerCaller(kept)| {
            kept.running.load(Ordering::Acquire) > 0 || !matches!(kept.task, Task::Http(_) | Task::Requests(_))
        });
    }
}

impl Ready {
    /// The handler's own place, or one among those for further calls. Neither is ever closed.
    async fn place(&self) -> Option<SemaphorePermit<'_>> {
        tokio::select! {
            biased;
            own = self.own.acquire() => own.ok(),
            further = self.shared.further.acquire() => further.ok(),
        }
    }

    /// True if nothing that matters to a call has changed. Not by `version` alone: a rotated secret or a handler that
    /// another node saved must count at once.
    fn fits(&self, handler: &Handler, reseller_bound: bool) -> bool {
        let key = |handler: &Handler| (handler.version, handler.method, handler.timeout_ms, handler.concurrency);
        self.reseller_bound == reseller_bound
            && key(&self.handler) == key(handler)
            && self.handler.task == handler.task
            && self.handler.secret == handler.secret
            && self.handler.old_secret == handler.old_secret
            && self.handler.headers == handler.headers
            && self.handler.settings == handler.settings
            && self.handler.event == handler.event
            && self.handler.args == handler.args
            && self.handler.mode == handler.mode
    }
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncReadExt as _, net::TcpListener};

    use super::{
        super::fixture::{self, LONG},
        *,
    };

    /// A handler that takes connections and answers nobody, and how many there are.
    async fn silent(id: i64) -> (Handler, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let task = format!("http://{}/", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move { while stream.read(&mut [0; 1_024]).await.is_ok_and(|bytes| bytes > 0) {} });
            }
        });
        (Handler { id, ..fixture::handler(&task, serde_json::json!({})) }, connections)
    }

    #[tokio::test]
    async fn room_is_made_of_connections_that_rest_and_of_nothing_else() {
        let caller = fixture::caller();
        let ((resting, _), (called, reached)) = (silent(1).await, silent(2).await);
        let script = Handler { id: 3, ..fixture::handler("script://script", serde_json::json!({"mode": "worker"})) };
        for handler in [&resting, &called, &script] {
            let _kept = caller.for_handler(handler, false);
        }
        let (ours, handler, call) = (caller.clone(), called.clone(), fixture::call());
        let under_way = tokio::spawn(async move { ours.call(&handler, &call).await.result });
        while reached.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        caller.0.make_room();
        let mut kept: Vec<i64> = caller.0.ready.read().unwrap().keys().copied().collect();
        kept.sort_unstable();
        assert_eq!(kept, [called.id, script.id]);
        under_way.abort();
    }

    #[tokio::test]
    async fn calls_that_take_all_further_places_keep_no_handler_from_its_first() {
        let caller = fixture::caller();
        caller.0.further.forget_permits(FURTHER_MAX - 1);
        let ((greedy, taken), (modest, reached)) = (silent(1).await, silent(2).await);
        let call = |handler: &Handler, deadline_ms, timeout| {
            let (caller, handler, call) = (caller.clone(), handler.clone(), Call { deadline_ms, timeout, ..fixture::call() });
            tokio::spawn(async move { caller.call(&handler, &call).await.result })
        };
        let mut running: Vec<_> = (0..8).map(|_| call(&greedy, None, LONG)).collect();
        running.push(call(&modest, None, LONG));
        while reached.load(Ordering::SeqCst) < 1 || taken.load(Ordering::SeqCst) < 2 {
            tokio::task::yield_now().await;
        }
        // Whom somebody waits for is told so in time.
        let error = call(&greedy, Some(50), Duration::from_millis(50)).await.unwrap().unwrap_err();
        assert_eq!(error.reason, FailureReason::Busy);
        assert_eq!((taken.load(Ordering::SeqCst), reached.load(Ordering::SeqCst)), (2, 1));
        running.iter().for_each(tokio::task::JoinHandle::abort);
    }
}
