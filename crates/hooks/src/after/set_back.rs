//! The clock was set back: what waits for a time of the old clock must not wait that much longer.
//!
//! A clock that is an hour ahead and is put right would else leave every delivery and every outcome that is to be told again, and
//! every probe, standing for that hour. One that jumps ahead needs nothing: what is due is due, and the order is not the clock's
//! business. Only what is dated later than now is moved: what was dated before the clock ran ahead is right as it is.
//!
//! The latest time that was seen is kept in the database, so that the same is noticed after a restart, and once only. It
//! is set back last: a program that is killed in between finds it as it was, and does it again. That does no harm but that
//! something may be tried again too early; one that is stopped in order is let finish. Each node follows its own clock, with what
//! is its own.
use std::time::Duration;

use hookswitch_model::moment::Moment;
use hookswitch_store::{
    Error, Store, Subject, Tx, Vault,
    tables::{clock_seen, deliveries, handlers, outcomes, versions},
};

use super::After;
use crate::outcome::Outcomes;

/// Between attempts to write while the store refuses.
const PAUSE: Duration = Duration::from_secs(1);
/// How often the time is noted by the clock, where no call is logged.
const NOTE_EVERY_MS: i64 = 60_000;
/// Rows in one transaction: it must not hold the writer up.
const PORTION: i64 = 1_000;

/// Watches the clock for ever, from a time on that is known to have been.
pub(crate) async fn watch(after: After, outcomes: Outcomes, from: Moment) {
    let clock = after.0.store.clock().clone();
    let mut latest = from.max(latest_seen(&after.0.store, after.0.cluster.id()).await);
    let mut note_at = from;
    loop {
        tokio::select! {
            biased;
            micros = clock.set_back(&mut latest) => {
                tracing::warn!(seconds = micros / 1_000_000, "the clock was set back; what is to be told again is due as much earlier");
                let _whole = after.0.following.lock().await;
                while let Err(error) = follow(&after, &outcomes, micros).await {
                    tracing::error!(%error, "deliveries can't follow the clock; trying again");
                    tokio::time::sleep(PAUSE).await;
                }
                note_at = clock.now().plus_millis(NOTE_EVERY_MS);
            }
            () = clock.sleep_until(note_at) => {
                note(&after.0.store, after.0.cluster.id()).await;
                note_at = clock.now().plus_millis(NOTE_EVERY_MS);
            }
        }
    }
}

/// The latest time that was ever seen: the clock may have been put right while nobody ran.
async fn latest_seen(store: &Store, node: i64) -> Moment {
    loop {
        match store.read(move |tx| clock_seen::latest(tx, node)).await {
            Ok(latest) => return latest.unwrap_or_default(),
            Err(error) => {
                tracing::error!(%error, "the latest time can't be read; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Notes the time, as the log does with each batch.
pub(super) async fn note(store: &Store, node: i64) {
    if let Err(error) = store.write(move |tx| clock_seen::note(tx, node)).await {
        tracing::error!(%error, "the time could not be noted");
    }
}

async fn follow(after: &After, outcomes: &Outcomes, micros: i64) -> Result<(), Error> {
    let (store, vault, node) = (&after.0.store, after.0.store.vault().clone(), after.0.cluster.id());
    // What has ended by now was due by the old clock.
    after.0.log.flush().await;
    if store.write(move |tx| stand_still_since(tx, &vault, micros)).await? {
        after.0.saved.notify_one();
    }
    portions(store, move |tx, from| deliveries::set_back(tx, node, from, PORTION, micros)).await?;
    portions(store, move |tx, from| outcomes::set_back(tx, node, from, PORTION, micros)).await?;
    store.write(move |tx| clock_seen::followed(tx, node)).await?;
    for queue in after.0.all() {
        queue.probe_now();
        queue.start_over();
    }
    outcomes.start_over();
    Ok(())
}

/// Moves back since when handlers stand still, where that is later than now; true if there was one.
fn stand_still_since(tx: &mut Tx<'_>, vault: &Vault, micros: i64) -> Result<bool, Error> {
    tx.lock(Subject::Configuration)?;
    let (now, mut found) = (tx.now(), false);
    for mut handler in handlers::all(tx, vault)? {
        if let Some(since) = handler.still_since.filter(|since| *since > now) {
            handler.still_since = Some(Moment(since.0.saturating_sub(micros)));
            // Not its version: whoever has the form open has changed something else.
            handlers::update(tx, vault, &handler)?;
            found = true;
        }
    }
    if found {
        versions::bump(tx, versions::HANDLERS)?;
    }
    Ok(found)
}

/// Portion after portion, until there is nothing behind.
async fn portions(
    store: &Store,
    work: impl Fn(&mut Tx<'_>, i64) -> Result<Option<i64>, Error> + Copy + Send + 'static,
) -> Result<(), Error> {
    let mut after = Some(0);
    while let Some(from) = after {
        after = store.write(move |tx| work(tx, from)).await?;
    }
    Ok(())
}
