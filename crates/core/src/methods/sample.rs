//! The event that `provisioning.handlers.test` tries a handler with: a real past one, or a plausible made-up one.
use hookswitch_model::{
    Object,
    event::{self, CATALOGUE, Event, Kind, Mode, aliases},
    field::Field,
    handler::Handler,
    life,
    objects::{
        account::Account,
        client::Client,
        client_package::{ClientPackage, Condition},
        company::TIMEZONE_DEFAULT,
        package::Package,
        resync::{Place, RATE, Resync, Selection, State},
    },
    refusal::Refusal,
};
use hookswitch_store::{Tx, tables};
use serde_json::{Value, json};

use super::params;
use crate::perform::{At, new_event_id};

/// What a test may be told: the handler (saved or not), and the event (past or made up).
pub(crate) const FIELDS: &[Field] =
    &[Field::OPTIONAL_ID, Field::HANDLER, Field::CHANGES, Field::EVENT_ID, Field::EVENTS_ID, Field::DATA];

/// What a test tells, as JSON Schema.
pub(crate) fn trial() -> Value {
    let text_or_null = |about: &str| json!({"type": ["string", "null"], "description": about});
    json!({
        "type": "object",
        "properties": {
            "verdict": {"type": "string", "enum": ["allow", "forbid", "failed", "delivered"]},
            "changes": {"type": "object", "description": "What a before handler would change: {key: {old, new}}"},
            "warnings": {"type": "array", "items": {"type": "string"}},
            "message": text_or_null("The handler's, or why it failed"),
            "handler_code": text_or_null("The handler's own code, where it forbids"),
            "field": text_or_null("The field that it named, where it forbids"),
            "reason": {"type": "string", "description": "Why a before handler failed, in one word"},
            "retry": {"type": "boolean", "description": "Whether an after handler that failed would be tried again"},
            "condition": {"type": ["boolean", "string"], "description": "Whether it holds, or why that can't be told"},
            "events_id": {"type": "string", "description": "The event that it was tried with"},
            "response_status": {"type": ["integer", "null"], "description": "HTTP status or exit status"},
            "duration_ms": {"type": "integer", "description": "How long the call took"},
            "request": {"type": "string", "description": "What was sent, secrets masked"},
            "response": {"type": "string", "description": "What came back, secrets masked"},
            "stderr": {"type": "string", "description": "The end of a script's standard error, secrets masked"},
        },
        "required": ["verdict", "condition", "events_id", "response_status", "duration_ms", "request", "response", "stderr"],
    })
}

/// The event for a test of this handler.
///
/// # Errors
/// Field errors for an event that does not exist, or that the handler does not take.
pub(crate) fn event_for(tx: &Tx, at: &At, handler: &Handler, request: &Object) -> Result<Event, Refusal> {
    let mut event = match params::text(request, "event_id") {
        Some(id) => past(tx, at, id)?,
        None => made_up(at, kind_for(handler, params::text(request, "events_id"))?),
    };
    if let Some(Value::Object(data)) = request.get("data") {
        for (name, value) in data {
            event.data.insert(name.clone(), value.clone());
        }
    }
    Ok(event)
}

fn kind_for(handler: &Handler, asked: Option<&str>) -> Result<Kind, Refusal> {
    match asked {
        Some(name) => kind_named(name).ok_or_else(|| Refusal::field("events_id", "is not in the catalogue of events")),
        None => CATALOGUE
            .iter()
            .copied()
            .find(|kind| handler.wants(kind.events_id) && kind.stages.contains(&handler.stage))
            .ok_or_else(|| Refusal::field("events_id", "the handler takes no event; name one")),
    }
}

/// Names of the first generation are understood wherever events are named.
pub(super) fn kind_named(name: &str) -> Option<Kind> {
    event::kind(name).or_else(|| event::kind(&aliases::present(name)?))
}

fn past(tx: &Tx, at: &At, id: &str) -> Result<Event, Refusal> {
    let missing = || Refusal::field("event_id", "does not exist");
    let uuid = id.parse().map_err(|_| missing())?;
    let row = tables::events::get(tx, &uuid)?.filter(|row| at.access.sees(&at.caller, row.companies_id)).ok_or_else(missing)?;
    let mut event = row.event().ok_or_else(missing)?;
    (event.mode, event.trace) = (Mode::Test, at.trace);
    Ok(event)
}

fn made_up(at: &At, kind: Kind) -> Event {
    let (data, previous, object) = match kind.object {
        "clients.accounts" => account_sample(kind),
        "clients.packages" => client_package_sample(at),
        "provisioning.resyncs" => resync_sample(at),
        _ => client_sample(at, kind),
    };
    Event {
        id: new_event_id(at),
        dt: at.now,
        kind,
        object_id: 0,
        clients_id: 0,
        companies_id: at.caller.companies_id.unwrap_or(1),
        era: at.era,
        mode: Mode::Test,
        actor: at.caller.actor.clone(),
        cause: None,
        trace: at.trace,
        data,
        previous,
        object,
    }
}

type Sample = (Object, Option<Object>, Object);

fn client_sample(at: &At, kind: Kind) -> Sample {
    let given = object(json!({"name": "Sample Telecom", "credit": 100, "c_email": "noc@sample.example"}));
    let mut client = Client::from_new(0, at.caller.companies_id.unwrap_or(1), 1, at.now, &given);
    if *kind == event::CUSTOM_FIELDS_UPDATE {
        client.custom = object(json!({"contract_no": "A-17"}));
        return sample_of(kind, client.shown(), json!({"id": 0, "contract_no": "A-17"}), json!({"contract_no": null}));
    }
    let shown = client.shown();
    if *kind == event::BALANCE_ZERO || *kind == event::BALANCE_NOTZERO {
        let out = *kind == event::BALANCE_ZERO;
        let (now, before) = if out { (-5, 5) } else { (5, -5) };
        let data = json!({"id": 0, "basis": "live", "balance": now, "credit": 100, "available": now + 100,
            "previous_balance": before, "previous_available": before + 100});
        return (object(data), None, shown);
    }
    sample_of(kind, shown, json!({"id": 0, "name": "Sample Telecom"}), json!({"name": "Sample"}))
}

fn account_sample(kind: Kind) -> Sample {
    let given = object(
        json!({"clients_id": 1, "name": "Desk", "auth_type": "name", "accname": "sample-100", "password": "sample-secret"}),
    );
    let shown = Account::from_new(0, "Sample Telecom".to_owned(), &given).shown();
    sample_of(kind, shown, json!({"id": 0, "clients_id": 1, "name": "Desk"}), json!({"name": "Old desk"}))
}

fn client_package_sample(at: &At) -> Sample {
    let zone = hookswitch_model::period::zone(TIMEZONE_DEFAULT);
    let given = object(json!({"name": "Sample package", "period": "P1M", "period_fee": 10}));
    let package = Package::from_new(1, at.caller.companies_id.unwrap_or(1), 1, at.now, TIMEZONE_DEFAULT, &given);
    let client = Client::from_new(0, package.companies_id, 1, at.now, &Object::new());
    let own = ClientPackage {
        condition: Condition::Activated,
        paid: Some(life::calendar::first(&package, at.now, &zone)),
        ..ClientPackage::new(0, &client, &package, at.now)
    };
    (own.shown(), None, own.shown())
}

fn resync_sample(at: &At) -> Sample {
    let resync = Resync {
        id: 0,
        handlers_id: 0,
        scope_id: None,
        state: State::Done,
        reason: None,
        selection: Selection::default(),
        rate: RATE,
        total: Some(1),
        sent: 1,
        lost: 0,
        place: Place::START,
        rows: None,
        actor: at.caller.actor.clone(),
        started: at.now,
        ended: Some(at.now),
    };
    (resync.done(), None, resync.shown())
}

fn sample_of(kind: Kind, shown: Object, changed: Value, previous: Value) -> Sample {
    if kind.events_id.ends_with(".create") {
        (shown.clone(), None, shown)
    } else if kind.events_id.ends_with(".update") {
        (object(changed), Some(object(previous)), shown)
    } else {
        (Object::new(), None, shown)
    }
}

fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        _ => Object::new(),
    }
}
