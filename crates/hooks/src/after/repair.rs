//! The repair at hand: sending again what was given up, discarding what is of no use any more.
//!
//! Both work in portions of a transaction each, so that a hundred thousand deliveries don't hold the writer up; after each
//! the handlers concerned look at their queues anew.
use std::{collections::BTreeSet, sync::Arc};

use hookswitch_cluster::Notice;
use hookswitch_model::{
    Object,
    event::{CATALOGUE, Mode, Stage},
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

use super::{After, queue::Queue};
use crate::{
    discard::{words, words_with_reason},
    rules::Rules,
};

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

/// What becomes of a delivery that is to be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It has not been tried yet: it comes in its turn.
    Comes,
    /// Retrying: due now.
    Hurried,
    /// Dead: begins anew.
    Revived,
    /// The same, although a later event has overtaken it: who keeps the highest number ignores it.
    Forced,
    Overtaken,
}

impl After {
    /// Sends again what the filters choose: dead deliveries begin anew with their old number, retrying ones are due now.
    /// `scope`: the resellers whose handlers' deliveries may be touched; `None` = all. A dry run only counts.
    ///
    /// # Errors
    /// Wrong filters by name; `conflict` for a single delivery that a later event has overtaken, unless `force` is set.
    pub async fn resend(
        &self,
        rules: Arc<Rules>,
        mut filters: Object,
        scope: Option<Vec<i64>>,
        mode: Mode,
    ) -> Result<Resent, Refusal> {
        let force = match filters.shift_remove("force") {
            None | Some(Value::Bool(false)) => false,
            Some(Value::Bool(true)) => true,
            Some(_) => return Err(Refusal::field("force", "must be true or false")),
        };
        let single = filters.get("id").is_some_and(Value::is_number) && filters.len() == 1;
        let selection = Arc::new(deliveries::selection(&filters, scope.as_deref())?);
        let plan = move |tx: &Tx<'_>, portion: &[Selected]| fates(tx, &rules, portion, force);
        let mut done = Resent::default();
        let sum = |fates: &Vec<Fate>| {
            let count = |wanted: &[Fate]| fates.iter().filter(|fate| wanted.contains(fate)).count() as u64;
            done.resent += count(&[Fate::Hurried, Fate::Revived, Fate::Forced]);
            done.overtaken += count(&[Fate::Overtaken]);
        };
        match mode {
            Mode::DryRun => self.count(&selection, plan, sum).await?,
            _ => self.portions(&selection, plan, |tx, portion, fates| send_again(tx, portion, fates), sum).await?,
        }
        if single && done.overtaken == 1 {
            return Err(Refusal::conflict(
                "a later event of the same object has overtaken this delivery; send it with force if you want it all the same",
            ));
        }
        Ok(done)
    }

    /// Discards what the filters choose, each with a row in the log that says who did it and why (`reason` among the filters);
    /// gives how many. A dry run only counts.
    ///
    /// # Errors
    /// Wrong filters by name.
    pub async fn discard(
        &self,
        rules: Arc<Rules>,
        mut filters: Object,
        scope: Option<Vec<i64>>,
        by: &str,
        mode: Mode,
    ) -> Result<u64, Refusal> {
        let words = words_with_reason(by, &mut filters)?;
        let selection = Arc::new(deliveries::selection(&filters, scope.as_deref())?);
        let mut discarded = 0;
        let plan = |_: &Tx<'_>, portion: &[Selected]| Ok(portion.len() as u64);
        let sum = |count: &u64| discarded += count;
        match mode {
            Mode::DryRun => self.count(&selection, plan, sum).await?,
            _ => {
                let work = move |tx: &mut Tx<'_>, portion: &[Selected], _: &u64| discard(tx, &rules, portion, &words);
                self.portions(&selection, plan, work, sum).await?;
            }
        }
        Ok(discarded)
    }

    /// Plans without doing, portion by portion.
    async fn count<P: Send + 'static>(
        &self,
        selection: &Arc<Query>,
        plan: impl Fn(&Tx<'_>, &[Selected]) -> Result<P, Error> + Clone + Send + 'static,
        mut sum: impl FnMut(&P),
    ) -> Result<(), Refusal> {
        let mut after = Some(0);
        while let Some(from) = after {
            let (selection, plan) = (Arc::clone(selection), plan.clone());
            let (portion, planned) = self
                .0
                .store
                .search(move |tx| {
                    let portion = deliveries::selected(tx, &selection, from, PORTION)?;
                    let planned = plan(tx, &portion)?;
                    Ok::<_, Refusal>((portion, planned))
                })
                .await?;
            sum(&planned);
            after = next(&portion);
        }
        Ok(())
    }

    /// Plans and does, portion by portion; after each the handlers concerned look at their queues anew, also if the next one fails.
    async fn portions<P: Send + 'static>(
        &self,
        selection: &Arc<Query>,
        plan: impl Fn(&Tx<'_>, &[Selected]) -> Result<P, Error> + Clone + Send + 'static,
        work: impl Fn(&mut Tx<'_>, &[Selected], &P) -> Result<(), Error> + Clone + Send + 'static,
        mut sum: impl FnMut(&P),
    ) -> Result<(), Refusal> {
        // What has ended by now is to be seen as it ended.
        self.0.log.flush().await;
        let mut after = Some(0);
        while let Some(from) = after {
            let once = || {
                let (selection, plan, work) = (Arc::clone(selection), plan.clone(), work.clone());
                move |tx: &mut Tx<'_>| {
                    executions::hold(tx)?;
                    let portion = deliveries::selected(tx, &selection, from, PORTION)?;
                    let planned = plan(tx, &portion)?;
                    work(tx, &portion, &planned)?;
                    Ok::<_, Refusal>((portion, planned))
                }
            };
            let (portion, planned) = self.0.store.write_again(once).await?;
            sum(&planned);
            let concerned: BTreeSet<i64> = portion.iter().map(|selected| selected.handlers_id).collect();
            for handlers_id in concerned {
                self.0.cluster.tell(Notice::Queue { handlers_id });
                self.0.queue(handlers_id).inspect(Queue::start_over);
            }
            after = next(&portion);
        }
        Ok(())
    }
}

/// Behind which delivery the next portion begins, if there is one.
fn next(portion: &[Selected]) -> Option<i64> {
    portion.last().filter(|_| portion.len() as i64 == PORTION).map(|last| last.id)
}

fn fates(tx: &Tx<'_>, rules: &Rules, portion: &[Selected], force: bool) -> Result<Vec<Fate>, Error> {
    let fate = |selected: &Selected| {
        Ok(match selected {
            Selected { dead: false, attempt: 0, .. } => Fate::Comes,
            Selected { dead: false, .. } => Fate::Hurried,
            selected if is_overtaken(tx, rules, selected)? => {
                if force {
                    Fate::Forced
                } else {
                    Fate::Overtaken
                }
            }
            _ => Fate::Revived,
        })
    };
    portion.iter().map(fate).collect()
}

fn send_again(tx: &mut Tx<'_>, portion: &[Selected], fates: &[Fate]) -> Result<(), Error> {
    for (selected, fate) in portion.iter().zip(fates) {
        match fate {
            Fate::Comes | Fate::Overtaken => {}
            Fate::Hurried => deliveries::hurry(tx, selected.id)?,
            Fate::Revived => deliveries::revive(tx, selected.id)?,
            Fate::Forced => {
                tables::resyncs::lost(tx, selected.id, selected.events_row)?;
                deliveries::revive(tx, selected.id)?;
            }
        }
    }
    Ok(())
}

/// True if the handler was or will be told of a later event of the same object.
fn is_overtaken(tx: &Tx<'_>, rules: &Rules, selected: &Selected) -> Result<bool, Error> {
    let Some(rule) = rules.get(selected.handlers_id) else { return Ok(false) };
    let same_object = CATALOGUE.iter().filter(|kind| kind.object == selected.kind.object && rule.handler.wants(kind.events_id));
    let events_ids: Vec<&str> = same_object.map(|kind| kind.events_id).collect();
    let told = tables::events::Told { handlers_id: selected.handlers_id, events_ids: &events_ids };
    tables::events::has_later(tx, selected.clients_id, selected.seq, selected.object_id, told)
}

fn discard(tx: &mut Tx<'_>, rules: &Rules, portion: &[Selected], words: &str) -> Result<(), Error> {
    let rows: Vec<executions::Ended> = portion.iter().map(|selected| row(tx, rules, selected, words)).collect();
    executions::insert(tx, &rows)?;
    for selected in portion {
        // The handler will not hear of this object: it must not be told that it has heard of all.
        tables::resyncs::lost(tx, selected.id, selected.events_row)?;
        deliveries::delete(tx, selected.id)?;
    }
    portion.iter().try_for_each(|selected| tables::events::forget_secrets(tx, selected.events_row))?;
    let lanes: BTreeSet<(i64, i64)> = portion.iter().map(|selected| (selected.handlers_id, selected.clients_id)).collect();
    lanes.into_iter().try_for_each(|(handlers_id, clients_id)| tables::told::miss(tx, handlers_id, clients_id))
}

fn row(tx: &Tx<'_>, rules: &Rules, selected: &Selected, words: &str) -> executions::Ended {
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
        error: Some(words.to_owned()),
        request: None,
        response: None,
        changes: None,
        shadow: false,
    }
}

/// Discards everything that a handler has, and forgets what it has heard, as part of its deletion.
///
/// # Errors
/// Whatever the store says.
pub fn discard_all(tx: &mut Tx<'_>, handler: &Handler, by: &str) -> Result<(), Error> {
    deliveries::discard_of_handler(tx, handler.id, &handler.name, &words(by))?;
    tables::told::forget_handler(tx, handler.id)
}
