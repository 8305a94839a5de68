//! The clock was set back: what waits for a time of the old clock must not wait that much longer.
//!
//! A clock that is an hour ahead and is put right would else leave every delivery that is to be tried again, and every probe,
//! standing for that hour. One that jumps ahead needs nothing: what is due is due, and the order is not the clock's business.
use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use hookswitch_model::moment::Moment;
use hookswitch_store::{
    Error,
    tables::{deliveries, executions},
};

use super::{After, queue::Queue};

/// Between attempts to write while the store refuses.
const PAUSE: Duration = Duration::from_secs(1);

/// Watches the clock for ever, from a time on that is known to have been.
pub(crate) async fn watch(after: After, from: Moment) {
    let clock = after.0.store.clock().clone();
    let mut latest = from.max(last_call(&after).await);
    loop {
        let micros = clock.set_back(&mut latest).await;
        tracing::warn!(seconds = micros / 1_000_000, "the clock was set back; what is to be tried again is due as much earlier");
        while let Err(error) = follow(&after, micros).await {
            tracing::error!(%error, "deliveries can't follow the clock; trying again");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// When the last call was made that is known: the clock may have been put right while nobody ran.
async fn last_call(after: &After) -> Moment {
    loop {
        match after.0.store.read(executions::last_dt).await {
            Ok(last) => return last.unwrap_or_default(),
            Err(error) => {
                tracing::error!(%error, "the log can't be read; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn follow(after: &After, micros: i64) -> Result<(), Error> {
    // What has ended by now was due by the old clock.
    after.0.log.flush().await;
    let queues: Vec<Arc<Queue>> =
        after.0.queues.read().unwrap_or_else(PoisonError::into_inner).values().map(Arc::clone).collect();
    let ids: Vec<i64> = queues.iter().map(|queue| queue.rule.load().handler.id).collect();
    after.0.store.write(move |tx| ids.iter().try_for_each(|id| deliveries::move_on(tx, *id, -micros))).await?;
    for queue in queues {
        queue.probe_now();
        queue.start_over();
    }
    Ok(())
}
