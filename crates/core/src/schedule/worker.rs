//! Takes the steps of one client, one after another.
use std::sync::Arc;

use hookswitch_cluster::{Fence, Tenure};
use hookswitch_model::{life::retry::Refused, refusal::Refusal};
use hookswitch_store::{
    Subject,
    tables::client_packages::due::{self, Due},
};
use hookswitch_traces::{Kind as SpanKind, Span};
use serde_json::Value;

use crate::{
    Core,
    access::Caller,
    methods::client_packages::clock,
    perform::{self, Call},
};

/// So often one may be due once more just after it was looked at: a payment may have come in between.
const IN_VAIN_MAX: u32 = 5;
/// After a step that could neither be taken nor put off.
const PAUSE_MS: i64 = 1_000;

/// A worker for a client, unless it has one or is another node's. `place` is given back when it ends.
pub(super) fn start(core: &Core, first: Due, place: impl Send + 'static) {
    let Some(tenure) = core.cluster.hold_now(first.clients_id) else { return };
    if core.schedule.busy(|busy| busy.insert(first.clients_id)) {
        let worker = Worker { core: core.clone(), clients_id: first.clients_id, tenure };
        tokio::spawn(async move {
            worker.run(first).await;
            // In this order: who looks again because it has ended finds the place free.
            drop(place);
            drop(worker);
        });
    }
}

struct Worker {
    core: Core,
    clients_id: i64,
    /// Until it ends the client stays this node's.
    tenure: Tenure,
}

/// When it ends, the clock looks again: something may have become due since.
impl Drop for Worker {
    fn drop(&mut self) {
        self.core.schedule.busy(|busy| busy.remove(&self.clients_id));
        self.core.schedule.0.nudge.notify_one();
    }
}

impl Worker {
    async fn run(&self, first: Due) {
        let (mut next, mut in_vain) = (Some(first), 0);
        while let Some(due) = next.filter(|_| self.may_go_on()) {
            next = match self.step_and_look(due).await {
                Ok((was_taken, further)) => {
                    in_vain = if was_taken || further != Some(due) { 0 } else { in_vain + 1 };
                    // Nothing was done, and it is due all the same: that must not go round for ever.
                    if in_vain < IN_VAIN_MAX { further } else { self.pause("it is due as before", due.id).await }
                }
                Err(refusal) => self.pause(&refusal.to_string(), due.id).await,
            };
        }
    }

    /// The client may be wanted elsewhere.
    fn may_go_on(&self) -> bool {
        !self.core.schedule.is_stopped() && self.core.cluster.owns(self.clients_id)
    }

    fn fence(&self) -> Fence {
        self.tenure.fence()
    }

    async fn pause(&self, why: &str, id: i64) -> Option<Due> {
        if !self.core.schedule.is_stopped() {
            tracing::error!(why, id, "a step of a client package could be neither taken nor put off");
            self.core.store.clock().sleep(PAUSE_MS).await;
        }
        None
    }

    /// Whether a step was taken, and what is due next.
    async fn step_and_look(&self, due: Due) -> Result<(bool, Option<Due>), Refusal> {
        let was_taken = self.step(due.id).await?;
        let clients_id = self.clients_id;
        Ok((was_taken, self.core.store.read(move |tx| due::first_of_client(tx, clients_id)).await?))
    }

    /// Takes the step that is due (true), or notes when it is tried again.
    async fn step(&self, id: i64) -> Result<bool, Refusal> {
        let params = [("id".to_owned(), Value::from(id))].into_iter().collect();
        let caller = Arc::new(Caller::clock());
        let traces = self.core.hooks.traces();
        let trace = traces.of_request(None);
        let mut span = trace.map_or_else(Span::none, |trace| traces.begin(trace, SpanKind::Internal, clock::STEP.name));
        let call = Call { fence: self.fence(), trace, ..Call::new(&clock::STEP, params, Arc::clone(&caller)) };
        let refusal = match self.core.perform(call).await {
            Ok(answer) => {
                let was_taken = !answer.result.is_null();
                span.set("hookswitch.outcome", if was_taken { "taken" } else { "not_due" });
                if was_taken {
                    self.core.schedule.0.steps.count(true);
                }
                return Ok(was_taken);
            }
            Err(refusal) => refusal,
        };
        span.set("hookswitch.outcome", "refused");
        drop(span);
        self.core.schedule.0.steps.count(false);
        tracing::debug!(%refusal, id, "a step of a client package was refused");
        let at = perform::at_clock(&self.core, caller);
        let (clients_id, fence) = (self.clients_id, self.fence());
        self.core
            .store
            .write(move |tx| {
                fence.check(tx)?;
                tx.lock_shared(Subject::Configuration)?;
                tx.lock(Subject::Client(clients_id))?;
                clock::refused(tx, &at, id, why(&refusal))
            })
            .await
            .map(|()| false)
    }
}

fn why(refusal: &Refusal) -> Refused {
    match refusal {
        Refusal::ForbiddenByHandler { .. } => Refused::Forbidden,
        Refusal::HandlerFailed { .. } => Refused::Undecided,
        _ => Refused::Other,
    }
}
