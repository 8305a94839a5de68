//! The repair at hand: telling again what was given up, discarding what is of no use any more. In portions of a transaction
//! each, so that a hundred thousand don't hold the writer up.
use std::{collections::BTreeSet, sync::Arc};

use hookswitch_model::{Object, event::Mode, handler::Handler, refusal::Refusal};
use hookswitch_store::{Error, Tx, tables::outcomes};

use super::Outcomes;

/// Outcomes in one transaction.
const PORTION: i64 = 500;

impl Outcomes {
    /// Tells again what the filters choose: dead ones begin anew, retrying ones are due now; gives how many. `scope`: the
    /// resellers whose handlers' outcomes may be touched; `None` = all. A dry run only counts.
    ///
    /// # Errors
    /// Wrong filters by name.
    pub async fn resend(&self, filters: Object, scope: Option<Vec<i64>>, mode: Mode) -> Result<u64, Refusal> {
        let work = |tx: &mut Tx<'_>, ids: &[i64]| ids.iter().try_for_each(|id| outcomes::send_again(tx, *id));
        self.portions(filters, scope, mode, true, work).await
    }

    /// Discards what the filters choose, as far as it is decided, each with a row in the log that says who did it; gives how
    /// many. A dry run only counts.
    ///
    /// # Errors
    /// Wrong filters by name.
    pub async fn discard(&self, filters: Object, scope: Option<Vec<i64>>, by: &str, mode: Mode) -> Result<u64, Refusal> {
        let words = words(by);
        self.portions(filters, scope, mode, false, move |tx, ids| outcomes::discard(tx, ids, &words)).await
    }

    /// Portion by portion; gives how many there were. `tried`: only those that were told in vain before.
    async fn portions(
        &self,
        filters: Object,
        scope: Option<Vec<i64>>,
        mode: Mode,
        tried: bool,
        work: impl Fn(&mut Tx<'_>, &[i64]) -> Result<(), Error> + Clone + Send + 'static,
    ) -> Result<u64, Refusal> {
        let selection = Arc::new(outcomes::selection(&filters, scope.as_deref())?);
        // What has ended by now is to be seen as it ended.
        self.0.log.flush().await;
        let (mut done, mut behind) = (0, Some(0));
        while let Some(after) = behind {
            let (selection, work) = (Arc::clone(&selection), work.clone());
            let portion = self
                .0
                .store
                .write(move |tx| {
                    let portion = outcomes::selected(tx, &selection, tried, after, PORTION)?;
                    if mode != Mode::DryRun {
                        work(tx, &portion.iter().map(|(id, _)| *id).collect::<Vec<_>>())?;
                    }
                    Ok::<_, Error>(portion)
                })
                .await?;
            done += portion.len() as u64;
            portion
                .iter()
                .map(|(_, handlers_id)| *handlers_id)
                .collect::<BTreeSet<_>>()
                .into_iter()
                .for_each(|id| self.0.wake(id));
            behind = portion.last().filter(|_| portion.len() as i64 == PORTION).map(|(id, _)| *id);
        }
        Ok(done)
    }
}

fn words(by: &str) -> String {
    format!("discarded by {by}")
}

/// Discards everything that a handler has, as part of its deletion.
///
/// # Errors
/// Whatever the store says.
pub fn discard_all(tx: &mut Tx<'_>, handler: &Handler, by: &str) -> Result<(), Error> {
    outcomes::discard_of_handler(tx, handler.id, &handler.name, &words(by))
}
