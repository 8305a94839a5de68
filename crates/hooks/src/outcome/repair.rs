//! The repair at hand: telling again what was given up, discarding what is of no use any more. In portions of a transaction
//! each, so that a hundred thousand don't hold the writer up.
use std::{collections::BTreeSet, sync::Arc};

use hookswitch_model::{Object, event::Mode, refusal::Refusal};
use hookswitch_store::{Error, Tx, tables::outcomes};

use super::Outcomes;

/// Outcomes in one transaction.
const PORTION: i64 = 500;

impl Outcomes {
    /// Tells again what the filters choose: dead ones begin anew, retrying ones are due now; gives how many. `scope`: the
    /// resellers whose handlers' outcomes may be touched; `None` = all. A dry run only counts what the filters choose.
    ///
    /// # Errors
    /// Wrong filters by name.
    pub async fn resend(&self, filters: Object, scope: Option<Vec<i64>>, mode: Mode) -> Result<u64, Refusal> {
        self.portions(filters, scope, mode, outcomes::send_again).await
    }

    /// Discards what the filters choose, as far as it is decided; gives how many. A dry run only counts.
    ///
    /// # Errors
    /// Wrong filters by name.
    pub async fn discard(&self, filters: Object, scope: Option<Vec<i64>>, mode: Mode) -> Result<u64, Refusal> {
        self.portions(filters, scope, mode, |tx, id| outcomes::delete(tx, id).map(|()| true)).await
    }

    /// Portion by portion; gives for how many `work` was true.
    async fn portions(
        &self,
        filters: Object,
        scope: Option<Vec<i64>>,
        mode: Mode,
        work: fn(&mut Tx<'_>, i64) -> Result<bool, Error>,
    ) -> Result<u64, Refusal> {
        let selection = Arc::new(outcomes::selection(&filters, scope.as_deref())?);
        // What has ended by now is to be seen as it ended.
        self.0.log.flush().await;
        let (mut done, mut behind) = (0, Some(0));
        while let Some(after) = behind {
            let selection = Arc::clone(&selection);
            let (portion, count) = self
                .0
                .store
                .write(move |tx| {
                    let portion = outcomes::selected(tx, &selection, after, PORTION)?;
                    let mut count = 0;
                    for (id, _) in &portion {
                        count += u64::from(mode == Mode::DryRun || work(tx, *id)?);
                    }
                    Ok::<_, Error>((portion, count))
                })
                .await?;
            done += count;
            portion.iter().map(|(_, handlers_id)| *handlers_id).collect::<BTreeSet<_>>().into_iter().for_each(|id| self.0.wake(id));
            behind = portion.last().filter(|_| portion.len() as i64 == PORTION).map(|(id, _)| *id);
        }
        Ok(done)
    }
}
