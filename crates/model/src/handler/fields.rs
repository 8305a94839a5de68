//! The field table of a handler: every key of contract section 3, in its order.
use super::{Basis, Method, Mode, OnFailure, Ordering, Status};
use crate::{
    event::Stage,
    field::{Field, Kind},
};

/// The most waits of a handler's own retry schedule.
pub const RETRIES_MAX: usize = 100;
/// The longest wait between two attempts: a week.
pub const WAIT_S_MAX: i64 = 604_800;

/// Names of fields and events are short.
const NAME_MAX: usize = 64;

/// Every key of a handler. What a value must be beyond its kind is in `checked`; whether the task can be reached,
/// the script is there and the condition compiles is found out where that is known, in `hooks`.
pub const FIELDS: &[Field] = &[
    Field::id("id", "Given by the system").read_only(),
    Field::new("name", Kind::Line { min: 1, max: 128 }, "For people").required(),
    Field::new(
        "status",
        Kind::Choice(Status::WORDS),
        "enabled (default); shadow: a before handler that is asked off the caller's path and decides nothing; \
         the others get no new events, and what waits for them stands still",
    ),
    Field::new(
        "event",
        Kind::LineOrList { items: 64, max: NAME_MAX },
        "One name of the catalogue of events or a list of them; clients.accounts.* is allowed",
    )
    .required(),
    Field::new("type", Kind::Choice(Stage::WORDS), "Asked before or told after (default after)"),
    Field::new("order", Kind::Integer { min: 1, max: i32::MAX as i64 }, "1 is called first (default 100); ties go by id"),
    Field::new(
        "task",
        Kind::Line { min: 1, max: 2048 },
        "An http:// or https:// URL (http:// if without), script://name, or one of the ready-made kinds: sql://, smtp://, smtps://, \
         chat+https://, rest+https://, kamailio+http://",
    )
    .required(),
    Field::new("args", Kind::LineList { items: 64, min: 0, max: 4096 }, "Scripts only: arguments").or_null(),
    Field::new(
        "mode",
        Kind::Choice(Mode::WORDS),
        "Scripts only: once (default) is a process for each call; worker keeps processes that take one call after another",
    ),
    Field::new("method", Kind::Choice(Method::WORDS), "The HTTP method (default POST)"),
    Field::new("headers", Kind::Object { bytes: 256 * 1024 }, "Static HTTP headers; values are masked when shown").or_null(),
    Field::new(
        "settings",
        Kind::Object { bytes: 256 * 1024 },
        "What a ready-made kind (sql://, smtp://, chat+https://, rest+https://, kamailio+http://) is configured with; password, secret \
         and token are masked when shown",
    )
    .or_null(),
    Field::line("secret", 255, "The signing secret, shown when it is made only").read_only(),
    Field::new("timeout_ms", Kind::Integer { min: 1, max: 30_000 }, "The time limit of one call (default 3000)"),
    Field::new("on_failure", Kind::Choice(OnFailure::WORDS), "Before only: what its failure means (default forbid)"),
    Field::new(
        "retries",
        Kind::IntegerList { items: RETRIES_MAX, min: 0, max: WAIT_S_MAX },
        "After only: waiting times in seconds; null = the default schedule; [] = one attempt",
    )
    .or_null(),
    Field::new(
        "concurrency",
        Kind::Integer { min: 1, max: 256 },
        "Calls in flight at once (default 8 after, 16 in a database, 64 before over HTTP, 4 before by a script)",
    ),
    Field::new(
        "ordering",
        Kind::Choice(Ordering::WORDS),
        "After only: per_client (default), latest (in order, but a newer event of an object stands for those that wait), none",
    ),
    Field::id("companies_id", "Only events of this reseller and those below it; null = all").or_null(),
    Field::new("condition", Kind::LongText { bytes: 1024 }, "A CEL expression that must be true; empty = always").or_null(),
    Field::new(
        "writable",
        Kind::LineList { items: 256, min: 1, max: NAME_MAX },
        "Before only: the keys of data that it may change; null = all that the caller could set",
    )
    .or_null(),
    Field::new("dry_run", Kind::Boolean, "Before only: has no side effects and may be asked in dry runs (default false)"),
    Field::new(
        "notify_outcome",
        Kind::Boolean,
        "Before only: hears, durably, how each action ended that it was asked about (default false)",
    ),
    Field::new("passwords", Kind::Boolean, "false masks account passwords in its payload (default true; e-mail and chat: always false)"),
    Field::new("balance_basis", Kind::Choice(Basis::WORDS), "Whose balance events it hears of (default live)"),
    Field::notes(),
    Field::new("version", Kind::Integer { min: 1, max: i64::MAX }, "Counts changes; an update with a stale one is a conflict")
        .update_only(),
    Field::new("paused", Kind::Object { bytes: 4096 }, "null, or {by, since, reason} while nothing is sent")
        .read_only()
        .or_null(),
];
