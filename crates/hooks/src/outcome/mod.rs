//! Before handlers that are told how it ended (`notify_outcome`): *committed*, or *aborted* and by whom. What such a handler
//! reserved when it was asked it can release, even when the program died in between.
//!
//! ```text
//!   a chain is about to call   -> a row is written and flushed: asked                       owed.rs
//!   the commit                 -> committed, in the transaction of the change               owed.rs
//!   whatever else ends it      -> aborted, by a task that does not give up                  settle.rs
//!   the program died           -> aborted at the next start, unless the journal has it      here
//!   then                       -> told like a delivery: at least once, retried, dead        line.rs
//! ```
//!
//! What an action owes lives in one value, [`Owed`], that the action carries: when that is dropped, for whatever reason (a
//! refusal, a panic, a task that is no more), what is still undecided is aborted. So no row stays *asked* while the program
//! lives.
//!
//! | file | subject |
//! |---|---|
//! | here | the handle; starting, stopping |
//! | `owed` | what one action owes, and how the commit pays it |
//! | [`by`] | what ended an action |
//! | `settle` | writing down what came to nothing |
//! | `line` | telling one handler |
//! | `repair` | resend, discard |
pub mod by;
mod line;
mod owed;
mod repair;
mod settle;

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use hookswitch_cluster::{Cluster, Notice};
use hookswitch_store::{
    Error, Store,
    tables::outcomes::{self, Recovered},
};
use tokio::sync::{Notify, Semaphore, mpsc};

use crate::{call::Caller, cause::Causes, log::Log, rules::Rules, shutdown::Shutdown};

use by::Ending;
use line::Line;
pub(crate) use owed::Note;
pub use owed::{Owed, Settling};
pub use repair::discard_all;
use settle::Settled;

/// Handlers that may be owed an outcome at once; who would be the next is not asked before there is room.
const OWED_MAX: usize = 16_384;
/// Between attempts while the store refuses.
const PAUSE: Duration = Duration::from_secs(1);

/// Tells before handlers how it ended; a cheap handle.
#[derive(Clone)]
pub struct Outcomes(Arc<Shared>);

struct Shared {
    store: Store,
    cluster: Cluster,
    caller: Caller,
    causes: Causes,
    log: Log,
    runtime: tokio::runtime::Handle,
    rules: ArcSwap<Rules>,
    /// Those who tell, by handler; one begins when there is something to tell.
    lines: Mutex<HashMap<i64, Arc<Line>>>,
    /// What is to be written down of actions that came to nothing.
    settled: Mutex<Vec<Settled>>,
    settle: Notify,
    /// Those who wait until that is written.
    flushes: mpsc::Sender<settle::Flush>,
    places: Arc<Semaphore>,
    shutdown: Shutdown,
}

impl Outcomes {
    pub(crate) fn new(store: Store, cluster: Cluster, caller: Caller, causes: Causes, log: Log) -> Self {
        let (flushes, asked) = mpsc::channel(1);
        let shared = Arc::new(Shared {
            store,
            cluster,
            caller,
            causes,
            log,
            runtime: tokio::runtime::Handle::current(),
            rules: ArcSwap::from_pointee(Rules::default()),
            lines: Mutex::default(),
            settled: Mutex::default(),
            settle: Notify::new(),
            flushes,
            places: Arc::new(Semaphore::new(OWED_MAX)),
            shutdown: Shutdown::not_yet(),
        });
        tokio::spawn(settle::run(Arc::clone(&shared), asked));
        Self(shared)
    }

    /// Decides what a program or a life of a node that is over has left undecided, and has told what is to be told. Before anybody is
    /// asked anything, and whenever a node was found dead.
    pub(crate) async fn recover(&self) -> Result<(), Error> {
        let Ending { by, message } = Ending::crash();
        let (by, message) = (by.shown().to_string(), message.unwrap_or_default());
        let recover = || {
            let (by, message) = (by.clone(), message.clone());
            move |tx: &mut hookswitch_store::Tx<'_>| outcomes::recover(tx, &by, &message)
        };
        let Recovered { waiting, decided } = self.0.store.write_again(recover).await?;
        for handlers_id in waiting {
            self.0.wake(handlers_id);
            if decided {
                // Whose the clients are that it was about, tells it.
                self.0.cluster.tell(Notice::Queue { handlers_id });
            }
        }
        Ok(())
    }

    /// What an action owes that is about to begin: nothing yet.
    #[must_use]
    pub fn owed(&self) -> Owed {
        Owed::new(Arc::clone(&self.0))
    }

    /// Takes over the handlers as they are now.
    pub(crate) fn retune(&self, rules: &Arc<Rules>) {
        self.0.rules.store(Arc::clone(rules));
        self.0.wake_all();
    }

    /// Looks at everything anew: rows were changed from outside.
    pub(crate) fn start_over(&self) {
        self.0.wake_all();
    }

    /// Looks at what this handler is to be told.
    pub(crate) fn wake(&self, handlers_id: i64) {
        self.0.wake(handlers_id);
    }

    /// Finds out who is to be told anything: clients have come or gone, or something may never have been heard of.
    pub(crate) async fn look_again(&self) -> Result<(), Error> {
        let handlers = self.0.store.read(outcomes::waiting).await?;
        handlers.into_iter().for_each(|handlers_id| self.0.wake(handlers_id));
        Ok(())
    }

    /// No new attempts; those in flight get `grace` to end, and are broken off then: they will be made again.
    pub(crate) async fn stop(&self, grace: Duration) {
        self.0.shutdown.begin();
        self.0.wake_all();
        self.0.shutdown.within(grace).await;
        settle::flush(&self.0).await;
        self.0.log.flush().await;
    }
}

impl Shared {
    fn lines(&self) -> MutexGuard<'_, HashMap<i64, Arc<Line>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There is something to tell this handler. Called by the thread that commits, too.
    fn wake(self: &Arc<Self>, handlers_id: i64) {
        let mut lines = self.lines();
        match lines.get(&handlers_id) {
            Some(line) => line.wake(),
            None => {
                let line = Arc::new(Line::new(handlers_id));
                self.runtime.spawn(Arc::clone(&line).run(Arc::clone(self)));
                lines.insert(handlers_id, line);
            }
        }
    }

    /// There is something to tell a handler about a client's action: by this node or another.
    fn owe(self: &Arc<Self>, handlers_id: i64, clients_id: i64) {
        if self.cluster.owns(clients_id) {
            self.wake(handlers_id);
        } else {
            self.cluster.tell(Notice::Outcomes { handlers_id, clients_id });
        }
    }

    fn wake_all(&self) {
        self.lines().values().for_each(|line| line.wake());
    }
}
