//! The one door. Every path that changes an object comes through [`perform`]: Core API, REST, Management API, web
//! section, import, the clock. This is the map of the whole program, the six steps in the order in which they happen:
//!
//! ```text
//!  1 prepare   validate, read a snapshot, allocate the id     perform/prepare.rs, methods/<object>.rs
//!  2 ask       before handlers, in order, under one budget    perform/ask.rs -> hooks::before
//!  3 commit    one short transaction: re-check, write,        perform/commit.rs -> methods/<object>.rs,
//!              the balance edges, events, their deliveries                         hooks::outbox, hooks::outcome
//!  4 answer    the caller has the result                      perform/mod.rs
//!  5 deliver   after handlers, per client in order, retried   hooks::after (woken by the commit, never by the caller)
//!  6 log       every call: what was sent, what came back      hooks::log
//! ```
//!
//! No lock, transaction or pooled connection is held in step 2. Where nobody is to be asked and no condition is to be
//! evaluated, steps 1 and 3 are one closure in one transaction: that is why an action without handlers costs one hop.
//! Once a handler may have been asked the action runs in a task of its own, and so does what steers the engine: a caller
//! who hangs up cancels nothing. However it ends, those who asked to be told hear of it (`hooks::outcome`). What moved while
//! handlers were asked is found at commit by drafting again from the state of that very transaction
//! ([`draft::Decided::still_holds`]): there is no second description of "what matters".
mod ask;
mod commit;
mod draft;
mod idempotency;
mod import;
mod prepare;
mod waiting;

use std::sync::Arc;

use hookswitch_cluster::{Fence, Notice};
use hookswitch_hooks::{
    loops::{Round, Watched},
    rules::Rules,
};
use hookswitch_model::{
    Object,
    event::{Cause, Event, Mode},
    moment::Moment,
    refusal::Refusal,
    trace::Trace,
};
use hookswitch_store::{Tx, Vault, tables::search::Asked};
use serde_json::Value;
use tracing::Instrument as _;

pub(crate) use draft::event_id_at;
pub use draft::{Draft, Part, Write, Written, new_event_id};
pub(crate) use idempotency::forget as forget_idempotency_keys;
pub use import::Import;
pub(crate) use waiting::Waiting;

use crate::{
    Core,
    access::{Caller, Snapshot},
    registry::{Act, Method, Run, Touches},
    resync::Resyncs,
    schedule::Schedule,
};
use commit::Outcome;

/// A request at the door.
#[derive(Clone)]
pub struct Call {
    /// What is to be done.
    pub method: &'static Method,
    /// Its parameters, as they came.
    pub params: Object,
    /// Who asks.
    pub caller: Arc<Caller>,
    /// The text of `Hookswitch-Cause`, if it came.
    pub cause: Option<String>,
    /// From the header; the parameter of the same meaning is read here.
    pub idempotency_key: Option<String>,
    /// What it is done within: the request's span, or the caller's.
    pub trace: Option<Trace>,
    /// A search tells its total where that is below this, also if its filters don't ask for it.
    pub total_below: Option<i64>,
    /// Nothing is written unless this still holds: for what one node does for all.
    pub fence: Fence,
    /// It belongs to an import.
    pub import: Option<Import>,
}

impl Call {
    /// A call with nothing around it.
    #[must_use]
    pub fn new(method: &'static Method, params: Object, caller: Arc<Caller>) -> Self {
        Self {
            method,
            params,
            caller,
            cause: None,
            idempotency_key: None,
            trace: None,
            total_below: None,
            fence: Fence::NONE,
            import: None,
        }
    }
}

/// What the caller gets.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The method's result.
    pub result: Value,
    /// What handlers wanted the caller to know.
    pub warnings: Vec<String>,
}

impl Answer {
    fn plain(result: Value) -> Self {
        Self { result, warnings: Vec::new() }
    }
}

/// The circumstances of one request: who, when, in what mode, seeing what.
#[derive(Clone)]
pub struct At {
    /// Who asks.
    pub caller: Arc<Caller>,
    /// Keys, users and resellers as they were when the request came.
    pub access: Arc<Snapshot>,
    /// When the request came.
    pub now: Moment,
    /// Higher after each restore of the database: a member of every event.
    pub era: i64,
    /// Whether it is meant.
    pub mode: Mode,
    /// What it is a reaction to.
    pub cause: Option<Cause>,
    /// What is done about it is done within this.
    pub trace: Option<Trace>,
    /// The id of the object that it makes; 0 outside `live`.
    pub new_id: i64,
    /// Ids for the transactions of the fees that it may charge; none outside `live`.
    pub fee_ids: Vec<i64>,
    /// To be told when the clock has something to do.
    pub schedule: Schedule,
    /// To be told when a resync begins, is paused, resumed or cancelled.
    pub resyncs: Resyncs,
    /// Opens and seals secrets.
    pub vault: Vault,
    /// Checks handlers and makes their secrets.
    pub handlers: hookswitch_hooks::validate::Checks,
    /// A search tells its total where that is below this.
    pub total_below: Option<i64>,
    /// Nothing is written unless this still holds.
    pub fence: Fence,
}

impl At {
    /// What this caller asks of a list: the rows of its reseller and those below it.
    pub(crate) fn asked<'a>(&self, filters: &'a Object) -> Asked<'a> {
        self.asked_within(filters, self.access.scope(&self.caller))
    }

    /// The same, of these resellers.
    pub(crate) fn asked_within<'a>(&self, filters: &'a Object, scope: Option<Vec<i64>>) -> Asked<'a> {
        Asked { filters, scope, total_below: self.total_below }
    }
}

/// The circumstances of what the clock writes down beside its steps.
pub(crate) fn at_clock(core: &Core, caller: Arc<Caller>) -> At {
    prepare::circumstances(core, caller, Mode::Live, None)
}

/// Runs one request, whatever its kind.
///
/// # Errors
/// Every refusal of the contract.
pub async fn perform(core: &Core, call: Call) -> Result<Answer, Refusal> {
    call.caller.demand(call.method.right)?;
    let request = prepare::request(core, call).await?;
    match &request.method.run {
        Run::Read(read) => {
            let (at, params) = (request.at, request.params);
            let read = move |tx: &Tx<'_>| read(tx, &at, &params);
            // A list may take its time; nobody who acts or asks for one object waits for it.
            let is_list = request.method.takes.list().is_some();
            if is_list { core.store.search(read).await } else { core.store.read(read).await }.map(Answer::plain)
        }
        Run::Steer(steer) => {
            let (core, steer) = (core.clone(), *steer);
            let work = async move { steer(&core, request.at, request.params).await }.in_current_span();
            tokio::spawn(work).await.map_err(Refusal::internal)?.map(Answer::plain)
        }
        Run::Act(act) if act.touches == Touches::Rows && !asks_somebody(core, act) => carry_out(core, act, request).await,
        Run::Act(act) => {
            let core = core.clone();
            let work = async move { carry_out(&core, act, request).await }.in_current_span();
            tokio::spawn(work).await.map_err(Refusal::internal)?
        }
    }
}

fn asks_somebody(core: &Core, act: &Act) -> bool {
    let rules = core.hooks.rules();
    act.events.iter().any(|kind| rules.wants_before(kind))
}

/// How often a commit is tried anew because handlers were saved meanwhile.
const RELOADS_MAX: u32 = 3;

async fn carry_out(core: &Core, act: &'static Act, request: prepare::Request) -> Result<Answer, Refusal> {
    if let Some(replay) = idempotency::find(core, &request).await? {
        return Ok(Answer::plain(replay));
    }
    let request = Arc::new(request);
    if request.at.mode == Mode::DryRun {
        return ask::rehearse(core, act, &request).await;
    }
    let watched = watch(core, act, &request)?;
    let mut journey = ask::Journey::start(core, watched);
    let ended = decide_and_commit(core, act, &request, &mut journey).await;
    if let Err(refusal) = &ended {
        journey.owed.refused(refusal);
    }
    ended
}

async fn decide_and_commit(
    core: &Core,
    act: &'static Act,
    request: &prepare::Shared,
    journey: &mut ask::Journey,
) -> Result<Answer, Refusal> {
    loop {
        let version = core.hooks.rules().version;
        let asked = match ask::decide(core, act, request, journey).await {
            Err(refusal) if is_by_handler(&refusal) && core.hooks.is_outdated(version).await? => {
                journey.reload()?;
                core.hooks.reload_since(version).await?;
                continue;
            }
            decided => decided?,
        };
        match commit::commit(core, act, request, &asked, journey).await? {
            Outcome::Committed(committed) => {
                if let Some(watched) = journey.watched {
                    let is_told = |event: &&Event| asked.rules.after(event, &core.access).next().is_some();
                    core.hooks.loops().changed(watched, committed.events.iter().chain(&committed.edges).filter(is_told));
                }
                refresh(core, act.touches).await?;
                return Ok(Answer { result: committed.result, warnings: [asked.warnings, committed.warnings].concat() });
            }
            Outcome::Moved => journey.ask_again()?,
            Outcome::HandlersChanged => {
                journey.reload()?;
                core.hooks.reload_since(asked.rules.version).await?;
                journey.keep_if_same_handlers(core, act, asked);
            }
        }
    }
}

/// A commit finds that handlers were saved on another node meanwhile; a refusal of theirs must find it, too.
fn is_by_handler(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::ForbiddenByHandler { .. } | Refusal::HandlerFailed { .. })
}

/// Watches for handlers that answer each other, if some could hear of this.
///
/// # Errors
/// `cause_too_deep` if this is one of those answers.
fn watch(core: &Core, act: &Act, request: &prepare::Request) -> Result<Option<Watched>, Refusal> {
    let rules = core.hooks.rules();
    if !act.events.iter().any(|kind| rules.wants_after(kind)) {
        return Ok(None);
    }
    let watched = core.hooks.loops().watch(request.method.name, &request.params);
    core.hooks.loops().admit(watched).map_err(|round| going_round(&rules, &round))?;
    Ok(Some(watched))
}

fn going_round(rules: &Rules, round: &Round) -> Refusal {
    let name = |id: &i64| rules.get(*id).map_or_else(|| format!("{id}"), |rule| format!("{id} ({})", rule.handler.name));
    let names: Vec<String> = round.handlers.iter().map(name).collect();
    let names = names.join(" and ");
    let message = format!(
        "handlers answer each other without end: {names}; this change has come back again and again and is refused to end it. \
         Send the header Hookswitch-Cause with what a handler does, or compare before you write; provisioning.loops.search shows the way"
    );
    Refusal::rule("cause_too_deep", message)
}

/// Makes a change count before its caller is answered, on other nodes a moment later.
async fn refresh(core: &Core, touches: Touches) -> Result<(), Refusal> {
    match touches {
        Touches::Rows => {}
        Touches::Handlers => {
            core.cluster.tell(Notice::Handlers);
            core.hooks.reload().await?;
        }
        Touches::Access => {
            core.cluster.tell(Notice::Access);
            core.access.reload().await?;
        }
    }
    Ok(())
}
