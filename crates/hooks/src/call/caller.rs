//! Which handler is called how. What a handler needs for its calls (connection pool, keys, static headers) is made once
//! and kept until the handler is changed.
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::Instant,
};

use hookswitch_model::{handler::Handler, refusal::FailureReason};
use ipnet::IpNet;
use reqwest::header::HeaderValue;
use rustls::ClientConfig;

use super::{
    Call, CallError, Called,
    address::Reach,
    http,
    script::{self, Limits},
    tls,
};

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
}

/// Calls handlers; cheap to clone.
#[derive(Clone)]
pub struct Caller(Arc<Shared>);

struct Shared {
    user_agent: HeaderValue,
    reseller_networks: Arc<[IpNet]>,
    tls: ClientConfig,
    starter: script::Starter,
    /// One entry a handler that was called; see [`Caller::keep_only`].
    ready: RwLock<HashMap<i64, HandlerCaller>>,
}

/// One handler, ready to be called; cheap to clone.
#[derive(Clone)]
pub struct HandlerCaller(Arc<Ready>);

struct Ready {
    /// As it was when this was made.
    handler: Handler,
    reseller_bound: bool,
    task: Task,
}

enum Task {
    Http(Box<http::Target>),
    Script(script::Target),
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
            starter: script::Starter::new(script::Place {
                scripts_dir: options.scripts_dir,
                data_dir: options.data_dir,
                program: options.program,
                limits: options.script_limits,
            }),
            ready: RwLock::default(),
        }))
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

    /// Forgets all other handlers, with their connections: called when the handlers in force change.
    pub fn keep_only(&self, wanted: impl Fn(i64) -> bool) {
        self.0.ready.write().unwrap_or_else(PoisonError::into_inner).retain(|id, _| wanted(*id));
    }

    fn make(&self, handler: &Handler, reseller_bound: bool) -> Ready {
        let Shared { user_agent, reseller_networks, tls, starter, .. } = &*self.0;
        let task = match handler.task.strip_prefix(script::SCHEME) {
            // Never saved so; checked again here because it would cross from a reseller to the whole system.
            Some(_) if reseller_bound => Err("only users of the whole system may configure scripts".to_owned()),
            Some(name) => Ok(Task::Script(script::Target::new(name, handler, starter.clone()))),
            None => {
                let reach = Reach::new(reseller_bound, reseller_networks.clone());
                http::Target::new(handler, user_agent, tls, reach).map(|target| Task::Http(Box::new(target)))
            }
        };
        let broken = |words| Task::Broken(CallError::new(FailureReason::Refused, words));
        Ready { handler: handler.clone(), reseller_bound, task: task.unwrap_or_else(broken) }
    }
}

impl HandlerCaller {
    /// Calls the handler once.
    pub async fn call(&self, call: &Call) -> Called {
        let started = Instant::now();
        let result = match &self.0.task {
            Task::Http(target) => target.call(call).await,
            Task::Script(target) => target.call(call).await,
            Task::Broken(error) => Err(error.clone()),
        };
        Called { result, took: started.elapsed() }
    }
}

impl Ready {
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
            && self.handler.args == handler.args
    }
}
