//! The repair at hand: sending again what was given up, discarding what is of no use any more.
//!
//! Both work in portions of a transaction each, so that a hundred thousand deliveries don't hold the writer up; afterwards
//! the handlers concerned look at their queues anew.
use std::{collections::BTreeSet, sync::Arc};

use hookswitch_model::{
    Object,
    event::{CATALOGUE, Stage},
    handler::Handler,
    refusal::Refusal,
};
use hookswitch_store::{
    Error, Tx,
    tables::{
        self,
        deliveries::{self, Selected},
        executions,
        search::Query,
    },
};
use serde_json::Value;

use super::After;
use crate::rules::Rules;

/// Deliveries in one transaction.
const PORTION: i64 = 500;

/// What a resend came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resent {
    /// Sent again.
    pub resent: u64,
    /// Left out, because a later event of the same object has overtaken them.
    pub overtaken: u64,
}

impl After {
    /// Sends again what the filters choose: dead deliveries begin anew with their old number, retrying ones are due now.
    /// `scope`: the resellers whose handlers' deliveries may be touched; `None` = all.
    ///
    /// # Errors
    /// Wrong filters by name; `conflict` for a single delivery that a later event has overtaken, unless `force` is set.
    pub async fn resend(&self, rules: Arc<Rules>, mut filters: Object, scope: Option<Vec<i64>>) -> Result<Resent, Refusal> {
        let force = match filters.shift_remove("force") {
            None | Some(Value::Bool(false)) => false,
            Some(Value::Bool(true)) => true,
            Some(_) => return Err(Refusal::field("force", "must be true or false")),
        };
        let single = filters.get("id").is_some_and(Value::is_number) && filters.len() == 1;
        let selection = Arc::new(deliveries::selection(&filters, scope.as_deref())?);
        let mut done = Resent::default();
        let work = move |tx: &mut Tx<'_>, portion: &[Selected]| resend(tx, &rules, portion, force);
        self.portions(&selection, work, |portion: Resent| {
            done.resent += portion.resent;
            done.overtaken += portion.overtaken;
        })
        .await?;
        if single && done.overtaken == 1 {
            return Err(Refusal::conflict(
                "a later event of the same object has overtaken this delivery; send it with force if you want it all the same",
            ));
        }
        Ok(done)
    }

    /// Discards what the filters choose, each with a row in the log that says who did it; gives how many.
    ///
    /// # Errors
    /// Wrong filters by name.
    pub async fn discard(&self, rules: Arc<Rules>, filters: Object, scope: Option<Vec<i64>>, by: String) -> Result<u64, Refusal> {
        let selection = Arc::new(deliveries::selection(&filters, scope.as_deref())?);
        let mut discarded = 0;
        let work = move |tx: &mut Tx<'_>, portion: &[Selected]| discard(tx, &rules, portion, &by);
        self.portions(&selection, work, |portion: u64| discarded += portion).await?;
        Ok(discarded)
    }

    async fn portions<T: Send + 'static>(
        &self,
        selection: &Arc<Query>,
        work: impl Fn(&mut Tx<'_>, &[Selected]) -> Result<T, Error> + Clone + Send + 'static,
        mut sum: impl FnMut(T),
    ) -> Result<(), Refusal> {
        // What has ended by now is to be seen as it ended.
        self.0.log.flush().await;
        let (mut after, mut concerned) = (0, BTreeSet::new());
        loop {
            let (selection, work) = (Arc::clone(selection), work.clone());
            let (portion, came) = self
                .0
                .store
                .write(move |tx| {
                    let portion = deliveries::selected(tx, &selection, after, PORTION)?;
                    let came = work(tx, &portion)?;
                    Ok::<_, Refusal>((portion, came))
                })
                .await?;
            sum(came);
            concerned.extend(portion.iter().map(|selected| selected.handlers_id));
            match portion.last() {
                Some(last) if portion.len() as i64 == PORTION => after = last.id,
                _ => break,
            }
        }
        concerned.into_iter().filter_map(|id| self.0.queue(id)).for_each(|queue| queue.start_over());
        Ok(())
    }
}

fn resend(tx: &mut Tx<'_>, rules: &Rules, portion: &[Selected], force: bool) -> Result<Resent, Error> {
    let mut done = Resent::default();
    for selected in portion {
        if !selected.dead && selected.attempt == 0 {
            continue;
        }
        if !selected.dead {
            deliveries::hurry(tx, selected.id)?;
        } else if !force && is_overtaken(tx, rules, selected)? {
            done.overtaken += 1;
            continue;
        } else {
            deliveries::revive(tx, selected.id)?;
        }
        done.resent += 1;
    }
    Ok(done)
}

/// True if the handler was or will be told of a later event of the same object.
fn is_overtaken(tx: &Tx<'_>, rules: &Rules, selected: &Selected) -> Result<bool, Error> {
    let Some(rule) = rules.get(selected.handlers_id) else { return Ok(false) };
    let same_object = CATALOGUE.iter().filter(|kind| kind.object == selected.kind.object && rule.handler.wants(kind.events_id));
    let events_ids: Vec<&str> = same_object.map(|kind| kind.events_id).collect();
    tables::events::has_later(tx, selected.clients_id, selected.seq, selected.object_id, &events_ids)
}

fn discard(tx: &mut Tx<'_>, rules: &Rules, portion: &[Selected], by: &str) -> Result<u64, Error> {
    let rows: Vec<executions::Ended> = portion.iter().map(|selected| row(tx, rules, selected, by)).collect();
    executions::insert(tx, &rows)?;
    for selected in portion {
        deliveries::delete(tx, selected.id)?;
        tables::events::forget_secrets(tx, selected.events_row)?;
    }
    Ok(portion.len() as u64)
}

fn words(by: &str) -> String {
    format!("discarded by {by}")
}

fn row(tx: &Tx<'_>, rules: &Rules, selected: &Selected, by: &str) -> executions::Ended {
    executions::Ended {
        dt: tx.now(),
        event_id: selected.event_id,
        events_id: selected.kind.events_id,
        stage: Stage::After,
        handlers_id: selected.handlers_id,
        handlers_name: rules.get(selected.handlers_id).map_or_else(String::new, |rule| rule.handler.name.clone()),
        object_id: selected.object_id,
        clients_id: selected.clients_id,
        companies_id: selected.companies_id,
        handlers_companies_id: rules.get(selected.handlers_id).and_then(|rule| rule.handler.companies_id),
        attempt: selected.attempt,
        status: "skipped",
        duration_us: 0,
        response_status: None,
        error: Some(words(by)),
        request: None,
        response: None,
        changes: None,
    }
}

/// Discards everything that a handler has, as part of its deletion.
///
/// # Errors
/// Whatever the store says.
pub fn discard_all(tx: &mut Tx<'_>, handler: &Handler, by: &str) -> Result<(), Error> {
    deliveries::discard_of_handler(tx, handler.id, &handler.name, &words(by))
}
