//! Writing down what came to nothing. Nobody waits for it, and it must not be lost while the program lives: so one task does it,
//! in batches, and again until it succeeds. What waits is bounded by what may be owed at once.
use std::{collections::BTreeSet, sync::Arc};

use hookswitch_store::{Error, Tx, tables::outcomes};

use super::{
    PAUSE, Shared,
    by::Ending,
    owed::{Noted, abort},
};

/// Rows in one transaction.
const PORTION: usize = 256;

/// A row whose end is to be written down.
#[derive(Clone)]
pub(super) struct Settled {
    pub(super) row: Noted,
    pub(super) fate: Fate,
}

/// What becomes of it.
#[derive(Clone)]
pub(super) enum Fate {
    Aborted(Ending),
    /// The handler was not asked after all.
    Withdrawn,
}

impl Shared {
    /// Hands over; the lock is held for a moment only.
    pub(super) fn settle(&self, settled: impl IntoIterator<Item = Settled>) {
        let mut waiting = self.settled.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let before = waiting.len();
        waiting.extend(settled);
        if waiting.len() > before {
            self.settle.notify_one();
        }
    }

    fn portion(&self) -> Vec<Settled> {
        let mut waiting = self.settled.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let end = waiting.len().min(PORTION);
        waiting.drain(..end).collect()
    }
}

/// Writes for ever.
pub(super) async fn run(shared: Arc<Shared>) {
    loop {
        match write_portion(&shared).await {
            Ok(true) => {}
            Ok(false) => shared.settle.notified().await,
            Err(error) => {
                tracing::error!(%error, "how actions ended could not be written down for their handlers; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Writes what waits now, as far as the store takes it: what is left is decided at the next start.
pub(super) async fn all(shared: &Arc<Shared>) {
    while let Ok(true) = write_portion(shared).await {}
}

/// True if there was something to write.
async fn write_portion(shared: &Arc<Shared>) -> Result<bool, Error> {
    let portion = Arc::new(shared.portion());
    if portion.is_empty() {
        return Ok(false);
    }
    let writing = Arc::clone(&portion);
    let written = shared.store.write(move |tx| writing.iter().try_for_each(|settled| write(tx, settled))).await;
    if let Err(error) = written {
        shared.settle(portion.iter().cloned());
        return Err(error);
    }
    let handlers: BTreeSet<i64> = portion.iter().map(|settled| settled.row.handlers_id).collect();
    handlers.into_iter().for_each(|handlers_id| shared.wake(handlers_id));
    Ok(true)
}

fn write(tx: &mut Tx<'_>, Settled { row, fate }: &Settled) -> Result<(), Error> {
    match fate {
        Fate::Aborted(ending) => abort(tx, row.id, ending),
        Fate::Withdrawn => outcomes::withdraw(tx, row.id),
    }
}
