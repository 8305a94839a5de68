//! One pass over all that is due, oldest first. Each client has a worker of its own that takes its steps one after another.
use std::sync::Arc;

use hookswitch_model::{event::STEPS_OF_PACKAGES, life::retry::Refused, moment::Moment, refusal::Refusal};
use hookswitch_store::{
    Error,
    tables::client_packages::due::{self, Due},
};
use serde_json::Value;

use super::FIRST;
use crate::{
    Core,
    access::Caller,
    methods::client_packages::clock,
    perform::{self, Call},
};

/// Read at once.
const PORTION: i64 = 512;
/// After a step that could neither be taken nor put off.
const PAUSE_MS: i64 = 1_000;

/// Takes what is due at a moment, and returns when the last client has its worker.
///
/// # Errors
/// Whatever the store says.
pub(super) async fn through(core: &Core, moment: Moment) -> Result<(), Error> {
    let rules = core.hooks.rules();
    let asks = STEPS_OF_PACKAGES.iter().any(|kind| rules.wants_before(kind));
    let places = core.schedule.places(asks);
    let mut behind = FIRST;
    while !core.schedule.is_stopped() {
        let from = behind;
        let due = core.store.read(move |tx| due::at(tx, moment, from, PORTION)).await?;
        let Some(last) = due.last() else { break };
        behind = *last;
        for first in due {
            if !core.schedule.busy(|busy| busy.insert(first.clients_id)) {
                continue;
            }
            // Never closed.
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return Ok(()) };
            let worker = Worker { core: core.clone(), clients_id: first.clients_id };
            tokio::spawn(async move {
                worker.run(first).await;
                drop((worker, place));
            });
        }
    }
    Ok(())
}

/// Takes the steps of one client. When it ends, the clock looks again.
struct Worker {
    core: Core,
    clients_id: i64,
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.core.schedule.busy(|busy| busy.remove(&self.clients_id));
        self.core.schedule.0.nudge.notify_one();
    }
}

impl Worker {
    async fn run(&self, first: Due) {
        let mut next = Some(first);
        while let Some(due) = next.filter(|_| !self.core.schedule.is_stopped()) {
            let clients_id = self.clients_id;
            let taken = match self.step(due.id).await {
                Ok(()) => self.core.store.read(move |tx| due::first_of_client(tx, clients_id)).await.map_err(Refusal::from),
                Err(refusal) => Err(refusal),
            };
            next = match taken {
                Ok(further) => further,
                Err(refusal) => {
                    tracing::error!(%refusal, id = due.id, "a step of a client package could be neither taken nor put off");
                    self.core.store.clock().sleep(PAUSE_MS).await;
                    None
                }
            };
        }
    }

    /// Takes the step that is due, or notes when it is tried again.
    async fn step(&self, id: i64) -> Result<(), Refusal> {
        let params = [("id".to_owned(), Value::from(id))].into_iter().collect();
        let caller = Arc::new(Caller::clock());
        let call = Call::new(&clock::STEP, params, Arc::clone(&caller));
        let taken = self.core.perform(call).await;
        self.core.schedule.0.steps.count(taken.is_ok());
        let Err(refusal) = taken else { return Ok(()) };
        tracing::debug!(%refusal, id, "a step of a client package was refused");
        let at = perform::at_clock(&self.core, caller);
        self.core.store.write(move |tx| clock::refused(tx, &at, id, why(&refusal))).await
    }
}

fn why(refusal: &Refusal) -> Refused {
    match refusal {
        Refusal::ForbiddenByHandler { .. } => Refused::Forbidden,
        Refusal::HandlerFailed { .. } => Refused::Undecided,
        _ => Refused::Other,
    }
}
