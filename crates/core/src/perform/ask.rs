//! Step 2: everyone who must be asked is asked, with nothing held.
//!
//! A journey through the door has one budget and at most two askings; the ids of its events stay the same throughout.
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hookswitch_hooks::{
    Weighed,
    before::{Allowed, Asking, Subject},
    loops::Watched,
    outcome::Owed,
    rules::Rules,
};
use hookswitch_model::{
    Object,
    event::Event,
    refusal::{FieldErrors, Refusal},
};
use tokio::time::Instant;

use super::{
    Answer, RELOADS_MAX,
    draft::{Decided, EventIds, Part, Shown},
    prepare::{Request, Shared},
    waiting::{Place, Waiting},
};
use crate::{Core, registry::Act};

/// Under this much of the budget nobody is asked a second time.
const SECOND_ASKING_MIN: Duration = Duration::from_millis(20);

/// What lasts over the askings and commits of one action.
pub(super) struct Journey {
    deadline: Instant,
    asking: u32,
    /// How often the chain has been asked, this time included, for whatever reason.
    attempt: u32,
    reloads: u32,
    /// The ids of the action's events.
    pub ids: EventIds,
    /// A decision that a reload of the handlers left standing.
    standing: Option<Asked>,
    /// What is owed to those who were asked and hear how it ends. Dropped with the journey, it tells them that it came to
    /// nothing.
    pub owed: Owed,
    /// Whether the request may be part of a loop.
    pub watched: Option<Watched>,
}

/// What came of the asking.
pub(super) struct Asked {
    /// The request as decided.
    pub decided: Arc<Decided>,
    /// What handlers wanted the caller to know.
    pub warnings: Vec<String>,
    /// The handlers that were in force.
    pub rules: Arc<Rules>,
    /// What the conditions of after handlers came to.
    pub weighed: Arc<Weighed>,
    /// The ids of the action's events.
    pub ids: EventIds,
    /// Nobody had to be asked: the commit has shadows asked, if there are any.
    pub unasked: Option<Asking>,
}

impl Journey {
    /// Sets out with the whole budget.
    pub(super) fn start(core: &Core, watched: Option<Watched>) -> Self {
        let deadline = Instant::now() + core.before_budget;
        Self {
            deadline,
            asking: 1,
            attempt: 1,
            reloads: 0,
            ids: EventIds::default(),
            standing: None,
            owed: core.hooks.outcomes.owed(),
            watched,
        }
    }

    fn asking(&self) -> Asking {
        Asking { attempt: self.attempt, deadline: self.deadline }
    }

    /// What the chain was shown is no longer so.
    ///
    /// # Errors
    /// `conflict` if it was asked a second time already, or too little time is left.
    pub(super) fn ask_again(&mut self) -> Result<(), Refusal> {
        self.asking += 1;
        self.attempt += 1;
        if self.asking > 2 {
            return Err(Refusal::conflict("the object was changed again while handlers were asked; read it and try again"));
        }
        if self.deadline.saturating_duration_since(Instant::now()) < SECOND_ASKING_MIN {
            return Err(Refusal::conflict("the object was changed while handlers were asked, and no time is left to ask again"));
        }
        Ok(())
    }

    /// Handlers were saved between decision and commit.
    ///
    /// # Errors
    /// `conflict` if that happened too often.
    pub(super) fn reload(&mut self) -> Result<(), Refusal> {
        self.reloads += 1;
        if self.reloads > RELOADS_MAX {
            return Err(Refusal::conflict("handlers are being changed; try again"));
        }
        Ok(())
    }

    /// The decision stands if the before handlers of these events are what they were: only deliveries are found anew.
    pub(super) fn keep_if_same_handlers(&mut self, core: &Core, act: &Act, asked: Asked) {
        let now = core.hooks.rules();
        if act.events.iter().all(|kind| now.asks_alike(&asked.rules, kind)) {
            self.standing = Some(asked);
        } else {
            self.attempt += 1;
        }
    }
}

/// Finds out what becomes of the request: drafts it, asks, and weighs the conditions of after handlers.
///
/// # Errors
/// The handlers' refusal, or whatever is wrong with the request.
pub(super) async fn decide(core: &Core, act: &'static Act, request: &Shared, journey: &mut Journey) -> Result<Asked, Refusal> {
    let rules = core.hooks.rules();
    if let Some(standing) = journey.standing.take() {
        let events = draft_events(core, act, request, standing.decided.request().clone(), &mut journey.ids).await?.events;
        let weighed = core.hooks.weigh(&rules, &events, &core.access).await.into();
        return Ok(Asked { rules, weighed, ids: journey.ids.clone(), ..standing });
    }
    let before = act.events.iter().any(|kind| rules.wants_before(kind));
    let conditions = act.events.iter().any(|kind| rules.conditional_after(kind));
    if !before && !conditions {
        let decided = Decided::undisputed(request.params.clone()).into();
        let (ids, unasked) = (journey.ids.clone(), Some(journey.asking()));
        return Ok(Asked { decided, warnings: Vec::new(), rules, weighed: Arc::default(), ids, unasked });
    }
    let drafted = draft_events(core, act, request, request.params.clone(), &mut journey.ids).await?;
    let subject = Revision::new(core, act, request, drafted.shown, journey.ids.clone());
    let allowed = if let Some(why) = overruled(request, drafted.overrules) {
        core.hooks.before.overrule(&rules, &drafted.events, why).await;
        Allowed { events: drafted.events, warnings: Vec::new() }
    } else if before {
        let _places = enter(&core.waiting, &drafted.events)?;
        ask_chain(core, &rules, journey, drafted.events, &subject).await?
    } else {
        Allowed { events: drafted.events, warnings: Vec::new() }
    };
    let weighed = core.hooks.weigh(&rules, &allowed.events, &core.access).await.into();
    let (ids, unasked) = (journey.ids.clone(), (!before).then(|| journey.asking()));
    Ok(Asked { decided: subject.decided().into(), warnings: allowed.warnings, rules, weighed, ids, unasked })
}

/// Why handlers are not asked, if they are not.
fn overruled(request: &Request, overrules: bool) -> Option<&'static str> {
    match (request.unasked, overrules) {
        (true, _) => Some("left out: an admin imports without asking"),
        (false, true) => Some("overruled: it was put off for 24 h, and is taken now without asking"),
        (false, false) => None,
    }
}

/// `dry_run: true`: drafts, asks those who may be asked, writes nothing.
///
/// # Errors
/// As the real thing.
pub(super) async fn rehearse(core: &Core, act: &'static Act, request: &Shared) -> Result<Answer, Refusal> {
    let mut journey = Journey::start(core, None);
    let drafted = draft_events(core, act, request, request.params.clone(), &mut journey.ids).await?;
    let _places = enter(&core.waiting, &drafted.events)?;
    let subject = Revision::new(core, act, request, drafted.shown, journey.ids.clone());
    let allowed = match request.unasked {
        true => Allowed { events: drafted.events, warnings: Vec::new() },
        false => ask_chain(core, &core.hooks.rules(), &journey, drafted.events, &subject).await?,
    };
    let decided = subject.decided().request().clone();
    let (shared, draft) = (Arc::clone(request), act.draft);
    let preview = core.store.read(move |tx| draft(tx, &shared.at, &decided).map(|draft| draft.preview)).await?;
    Ok(Answer { result: preview, warnings: allowed.warnings })
}

async fn ask_chain(
    core: &Core,
    rules: &Rules,
    journey: &Journey,
    events: Vec<Event>,
    subject: &Revision<'_>,
) -> Result<Allowed, Refusal> {
    let _asked = core.hooks.being_asked(&events);
    core.hooks.before.ask(rules, events, &journey.asking(), &journey.owed, subject).await
}

fn enter(waiting: &Waiting, events: &[Event]) -> Result<Vec<Place>, Refusal> {
    // A client that a dry run would create has no id, and nobody waits for it.
    let clients: HashSet<i64> = events.iter().map(|event| event.clients_id).filter(|id| *id != 0).collect();
    clients.into_iter().map(|clients_id| waiting.enter(clients_id)).collect()
}

/// A draft as seen from outside its transaction.
struct Drafted {
    events: Vec<Event>,
    shown: Shown,
    overrules: bool,
}

async fn draft_events(
    core: &Core,
    act: &'static Act,
    request: &Shared,
    params: Object,
    ids: &mut EventIds,
) -> Result<Drafted, Refusal> {
    let (parts, overrules) = draft_parts(core, act, request, params).await?;
    let mut shown = Shown::default();
    shown.note(&parts);
    Ok(Drafted { events: ids.events(parts, &request.at), shown, overrules })
}

/// The parts, and whether handlers are overruled.
async fn draft_parts(core: &Core, act: &'static Act, request: &Shared, params: Object) -> Result<(Vec<Part>, bool), Refusal> {
    let (shared, draft) = (Arc::clone(request), act.draft);
    core.store.read(move |tx| draft(tx, &shared.at, &params).map(|draft| (draft.parts, draft.overrules))).await
}

/// The request while handlers revise it: what one changes is checked like the caller's own before the next is asked.
struct Revision<'a> {
    core: &'a Core,
    act: &'static Act,
    request: &'a Shared,
    state: Mutex<State>,
}

struct State {
    params: Object,
    shown: Shown,
    ids: EventIds,
}

impl<'a> Revision<'a> {
    fn new(core: &'a Core, act: &'static Act, request: &'a Shared, shown: Shown, ids: EventIds) -> Self {
        let state = State { params: request.params.clone(), shown, ids };
        Self { core, act, request, state: Mutex::new(state) }
    }

    fn decided(self) -> Decided {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        Decided::by_handlers(state.params, state.shown)
    }

    fn with_state<T>(&self, use_it: impl FnOnce(&mut State) -> T) -> T {
        use_it(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn revised(&self, event: &Event, data: Object) -> Result<Option<Event>, FieldErrors> {
        if data.contains_key("id") {
            // With it the request would be about another object.
            return Err(FieldErrors::one("id", "cannot be changed"));
        }
        let mut params = self.with_state(|state| state.params.clone());
        params.extend(data);
        let params = self.request.method.check(&params)?;
        let (parts, _) = draft_parts(self.core, self.act, self.request, params.clone()).await.map_err(as_field_errors)?;
        same_place(event, &parts)?;
        let events = self.with_state(|state| {
            state.params = params;
            state.shown.note(&parts);
            state.ids.events(parts, &self.request.at)
        });
        Ok(events.into_iter().find(|revised| revised.id == event.id))
    }
}

/// A handler can't move the object to another client or reseller: whose handlers are asked was found out for this one, and
/// he who is asked may have no right to the other.
fn same_place(event: &Event, parts: &[Part]) -> Result<(), FieldErrors> {
    let mut errors = FieldErrors::new();
    for part in parts.iter().filter(|part| part.object_id == event.object_id && *part.kind == *event.kind) {
        if part.companies_id != event.companies_id {
            errors.add("companies_id", "cannot be changed by a handler");
        }
        if part.clients_id != event.clients_id {
            errors.add("clients_id", "cannot be changed by a handler");
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// Whatever makes a revised request impossible is the fault of the handler's answer.
fn as_field_errors(refusal: Refusal) -> FieldErrors {
    match refusal {
        Refusal::Invalid(errors) => errors,
        Refusal::Unprocessable { message, .. } => FieldErrors::one("data", format!("can't be carried out: {message}")),
        other => FieldErrors::one("data", other.to_string()),
    }
}

/// An update that was changed back to what is stored: the event stays, in its shape, with nothing in it but the id.
fn without_change(event: &Event) -> Event {
    let data = event.data.iter().filter(|(name, _)| *name == "id").map(|(name, value)| (name.clone(), value.clone())).collect();
    Event { data, previous: Some(Object::new()), ..event.clone() }
}

impl Subject for Revision<'_> {
    async fn revise(&self, event: &Event, data: Object) -> Result<Event, FieldErrors> {
        let revised = self.revised(event, data).await?;
        Ok(revised.unwrap_or_else(|| without_change(event)))
    }
}
