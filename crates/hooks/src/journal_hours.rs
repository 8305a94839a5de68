//! How many events there were in each hour, for pictures: counted where they are committed, written down every few seconds by the node
//! that has committed them. What a crash takes are the last seconds of that count; the journal itself has them.
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use hookswitch_model::moment::Moment;
use hookswitch_store::{Error, Store, tables::hours};

/// How often it is written down, by the clock.
const EVERY_MS: i64 = 5_000;

/// Events by reseller and hour that are not written down yet; a cheap handle.
#[derive(Debug, Clone, Default)]
pub(crate) struct JournalHours(Arc<Mutex<BTreeMap<(i64, Moment), i64>>>);

impl JournalHours {
    /// One more.
    pub(crate) fn count(&self, companies_id: i64, dt: Moment) {
        *self.held().entry((companies_id, hours::hour_of(dt))).or_default() += 1;
    }

    /// Writes down what was counted, now and then, for ever.
    pub(crate) async fn run(self, store: Store) {
        let clock = store.clock().clone();
        loop {
            clock.sleep(EVERY_MS).await;
            if let Err(error) = self.write(&store).await {
                tracing::debug!(%error, "how many events there were could not be written down; trying again");
            }
        }
    }

    /// Writes down what was counted until now; what could not be written is kept.
    pub(crate) async fn write(&self, store: &Store) -> Result<(), Error> {
        let counted = std::mem::take(&mut *self.held());
        if counted.is_empty() {
            return Ok(());
        }
        let writing = counted.clone();
        let written = store
            .write(move |tx| {
                writing.iter().try_for_each(|((companies_id, hour), events)| hours::add_events(tx, *companies_id, *hour, *events))
            })
            .await;
        if written.is_err() {
            let mut held = self.held();
            counted.into_iter().for_each(|(key, events)| *held.entry(key).or_default() += events);
        }
        written
    }

    fn held(&self) -> std::sync::MutexGuard<'_, BTreeMap<(i64, Moment), i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
