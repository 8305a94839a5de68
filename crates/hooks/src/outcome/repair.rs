//! The repair at hand: telling again what was given up, discarding what is of no use any more. In portions of a transaction
//! each, so that a hundred thousand don't hold the writer up.
use std::{collections::BTreeSet, sync::Arc};

use hookswitch_model::{Object, event::Mode, handler::Handler, refusal::Refusal};
use hookswitch_store::{
    Error, Tx,
    tables::{executions, outcomes, search::Query},
};

use super::Outcomes;
use crate::discard::{words, words_with_reason};

/// Outcomes in one transaction.
const PORTION: i64 = 500;

/// An outcome of a selection: its id, and whose it is.
type Selected = (i64, i64);

impl Outcomes {
    /// Tells again what the filters choose: dead ones begin anew, retrying ones are due now; gives how many. `scope`: the
    /// resellers whose handlers' outcomes may be touched; `None` = all. A dry run only counts.
    ///
    /// # Errors
    /// Wrong filters by name.
    pub async fn resend(&self, filters: Object, scope: Option<Vec<i64>>, mode: Mode) -> Result<u64, Refusal> {
        let selection = Arc::new(outcomes::selection(&filters, scope.as_deref())?);
        match mode {
            Mode::DryRun => self.count(&selection, true).await,
            _ => {
                let work = |tx: &mut Tx<'_>, ids: &[i64]| ids.iter().try_for_each(|id| outcomes::send_again(tx, *id));
                self.portions(&selection, true, work).await
            }
        }
    }

    /// Discards what the filters choose, as far as it is decided, each with a row in the log that says who did it and why
    /// (`reason` among the filters); gives how many. A dry run only counts.
    ///
    /// # Errors
    /// Wrong filters by name.
    pub async fn discard(&self, mut filters: Object, scope: Option<Vec<i64>>, by: &str, mode: Mode) -> Result<u64, Refusal> {
        let words = words_with_reason(by, &mut filters)?;
        let selection = Arc::new(outcomes::selection(&filters, scope.as_deref())?);
        match mode {
            Mode::DryRun => self.count(&selection, false).await,
            _ => self.portions(&selection, false, move |tx, ids| outcomes::discard(tx, ids, &words)).await,
        }
    }

    /// How many there are, portion by portion. `tried`: only those that were told in vain before.
    async fn count(&self, selection: &Arc<Query>, tried: bool) -> Result<u64, Refusal> {
        let (mut count, mut after) = (0, Some(0));
        while let Some(from) = after {
            let selection = Arc::clone(selection);
            let portion = self.0.store.search(move |tx| outcomes::selected(tx, &selection, tried, from, PORTION)).await?;
            count += portion.len() as u64;
            after = next(&portion);
        }
        Ok(count)
    }

    /// Works portion by portion; gives how many there were. `tried`: only those that were told in vain before.
    async fn portions(
        &self,
        selection: &Arc<Query>,
        tried: bool,
        work: impl Fn(&mut Tx<'_>, &[i64]) -> Result<(), Error> + Clone + Send + 'static,
    ) -> Result<u64, Refusal> {
        // What has ended by now is to be seen as it ended.
        self.0.log.flush().await;
        let (mut done, mut after) = (0, Some(0));
        while let Some(from) = after {
            let once = || {
                let (selection, work) = (Arc::clone(selection), work.clone());
                move |tx: &mut Tx<'_>| {
                    executions::hold(tx)?;
                    let portion = outcomes::selected(tx, &selection, tried, from, PORTION)?;
                    work(tx, &portion.iter().map(|(id, _)| *id).collect::<Vec<_>>())?;
                    Ok::<_, Error>(portion)
                }
            };
            let portion = self.0.store.write_again(once).await?;
            done += portion.len() as u64;
            let concerned: BTreeSet<i64> = portion.iter().map(|(_, handlers_id)| *handlers_id).collect();
            concerned.into_iter().for_each(|id| self.0.wake(id));
            after = next(&portion);
        }
        Ok(done)
    }
}

/// Behind which outcome the next portion begins, if there is one.
fn next(portion: &[Selected]) -> Option<i64> {
    portion.last().filter(|_| portion.len() as i64 == PORTION).map(|(id, _)| *id)
}

/// Discards everything that a handler has, as part of its deletion.
///
/// # Errors
/// Whatever the store says.
pub fn discard_all(tx: &mut Tx<'_>, handler: &Handler, by: &str) -> Result<(), Error> {
    outcomes::discard_of_handler(tx, handler.id, &handler.name, &words(by))
}
