//! A database that was made from a backup: what happened after the backup is lost here, and was heard elsewhere.
//!
//! So nobody is called before somebody has said how to go on: every handler is paused, before handlers too, which count as failed
//! until then. And a new era begins: numbers that were given after the backup was made are given again, to other events and
//! objects, and receivers tell them apart by it, also when the same backup is restored a second time.
use std::collections::HashMap;

use hookswitch_hooks::outcome::by::By;
use hookswitch_model::{
    event::Stage,
    handler::{Handler, Paused},
    moment::Moment,
    objects::resync::State,
};
use hookswitch_store::{
    Error, Tx, Vault, moving,
    tables::{deliveries, era, handlers, outcomes, resyncs, versions},
};

/// Who pauses handlers, as others see it.
pub const BY: &str = "restore";

/// How the restored database stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// When the backup was made.
    pub made: Moment,
    /// The era that begins.
    pub era: i64,
    /// Each handler, and what waited for it.
    pub handlers: Vec<Waiting>,
    /// Resyncs that were under way, and are paused.
    pub resyncs: usize,
}

/// What waits for a handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Which handler.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Asked or told.
    pub stage: Stage,
    /// Never tried.
    pub waiting: i64,
    /// Tried, and to be tried again.
    pub retrying: i64,
    /// Given up.
    pub dead: i64,
}

/// Makes a database in use of a copy of a backup, in one transaction; `None` if it is no backup.
///
/// # Errors
/// Whatever the store says.
pub fn start_over(tx: &mut Tx<'_>, vault: &Vault) -> Result<Option<Restored>, Error> {
    let Some(made) = moving::release(tx)?.filter(|was| was.kind == moving::Kind::Backup).map(|was| was.dt) else {
        return Ok(None);
    };
    let words = format!("the database was restored from a backup of {}", made.iso());
    outcomes::abort_undecided(tx, &By::Crash.shown().to_string(), &words)?;
    let resyncs = pause_resyncs(tx, &words)?;
    let handlers = pause_handlers(tx, vault, made, &words)?;
    Ok(Some(Restored { made, era: era::raise(tx)?, handlers, resyncs }))
}

/// Paused until somebody resumes it. Whoever paused it before keeps that; the breaker's pause would end by itself.
fn paused(mut handler: Handler, made: Moment, now: Moment, words: &str) -> Handler {
    handler.version += 1;
    handler.paused = Some(match handler.paused.take().filter(|paused| !paused.probed) {
        Some(Paused { by, since, reason, .. }) => Paused::by_hand(&by, since, &format!("{words}; before that: {reason}")),
        None => Paused::by_hand(BY, now, words),
    });
    // Its deliveries' clocks stand still since the backup was made: what was to be tried for hours still is.
    handler.still_since.get_or_insert(made);
    handler
}

/// Pauses all of them; tells what waits for each.
fn pause_handlers(tx: &mut Tx<'_>, vault: &Vault, made: Moment, words: &str) -> Result<Vec<Waiting>, Error> {
    let queues: HashMap<i64, [i64; 3]> =
        deliveries::standing(tx)?.into_iter().map(|s| (s.handlers_id, [s.waiting, s.retrying, s.dead])).collect();
    let owed: HashMap<i64, [i64; 3]> =
        outcomes::standing(tx)?.into_iter().map(|s| (s.handlers_id, [s.waiting, s.retrying, s.dead])).collect();
    let mut all = Vec::new();
    for handler in handlers::all(tx, vault)? {
        let Handler { id, stage, .. } = handler;
        let of_stage = if stage == Stage::Before { &owed } else { &queues };
        let [waiting, retrying, dead] = of_stage.get(&id).copied().unwrap_or_default();
        all.push(Waiting { id, name: handler.name.clone(), stage, waiting, retrying, dead });
        let handler = paused(handler, made, tx.now(), words);
        handlers::update(tx, vault, &handler)?;
    }
    versions::bump(tx, versions::HANDLERS)?;
    Ok(all)
}

fn pause_resyncs(tx: &mut Tx<'_>, words: &str) -> Result<usize, Error> {
    let mut open = resyncs::untold(tx)?;
    for resync in &mut open {
        (resync.state, resync.reason) = (State::Paused, Some(words.to_owned()));
        resyncs::update(tx, resync)?;
    }
    Ok(open.len())
}
