//! Writing down what came to nothing. Nobody waits for it, and it must not be lost while the program lives: so one task does it,
//! in batches, and again until it succeeds. What waits is bounded by what may be owed at once.
//!
//! Only that task takes what waits: else whoever ends the program would find nothing more to do while it still writes.
use std::{collections::BTreeSet, sync::Arc};

use hookswitch_store::{Error, Tx, tables::outcomes};
use tokio::sync::{mpsc, oneshot};

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

/// Somebody who waits until everything that was handed over before is written, as far as the store takes it.
pub(super) type Flush = oneshot::Sender<()>;

/// Writes for ever.
pub(super) async fn run(shared: Arc<Shared>, mut flushes: mpsc::Receiver<Flush>) {
    let mut asked: Option<Flush> = None;
    loop {
        let written = all(&shared).await;
        if let Some(flush) = asked.take() {
            let _nobody_waits = flush.send(());
        }
        let more = async {
            if let Err(error) = written {
                tracing::error!(%error, "how actions ended could not be written down for their handlers; trying again");
                tokio::time::sleep(PAUSE).await;
            } else {
                shared.settle.notified().await;
            }
        };
        asked = tokio::select! {
            () = more => None,
            flush = flushes.recv() => flush,
        };
    }
}

/// Writes what waits now, unless the store refuses.
async fn all(shared: &Arc<Shared>) -> Result<(), Error> {
    while write_portion(shared).await? {}
    Ok(())
}

/// Has everything written that was handed over before; what the store refuses is decided at the next start.
pub(super) async fn flush(shared: &Shared) {
    let (done, written) = oneshot::channel();
    if shared.flushes.send(done).await.is_ok() {
        let _ended = written.await;
    }
}

/// True if there was something to write.
async fn write_portion(shared: &Arc<Shared>) -> Result<bool, Error> {
    let portion = Arc::new(shared.portion());
    if portion.is_empty() {
        return Ok(false);
    }
    let once = || {
        let writing = Arc::clone(&portion);
        move |tx: &mut Tx<'_>| writing.iter().try_for_each(|settled| write(tx, settled))
    };
    let written = shared.store.write_again(once).await;
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
