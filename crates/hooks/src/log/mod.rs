//! Step 6: every call leaves a row, and every delivery its new state, written together in batches.
//!
//! One task gathers what has ended, for a moment ([`GATHER`]), and hands it to the store as one closure. The pages that the
//! log and the queue live on are then written once for many calls instead of with every commit, which is what a delivery
//! costs most. A row is searchable a flush after that moment, and "the delivery is done" and "the call is logged" are
//! one transaction. What a crash takes of it are deliveries that are made once more.
//!
//! | file | subject |
//! |---|---|
//! | here | the entrance, and the batches |
//! | [`row`] | from a call to a row, secrets masked |
//! | [`retention`] | what is kept, and for how long |
pub mod retention;
pub(crate) mod row;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use hookswitch_cluster::{Cluster, Fence};
use hookswitch_store::{
    Error, Store, Tx,
    tables::{
        clock_seen,
        cut::Mark,
        deliveries::{self, Failed},
        events, executions, hours, outcomes,
        told::{self, Told},
    },
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// Records that wait at most; who comes then waits for room.
const QUEUE_MAX: usize = 4_096;
/// KiB of rows that wait at most.
const WAITING_KIB_MAX: u32 = 64 << 10;
/// Old rows that are looked at for each batch while the disk is nearly full.
const MAKE_ROOM_MAX: i64 = 1_024;
/// Records in one transaction at most: it must not hold the writer up.
const BATCH_MAX: usize = 256;
/// How long a batch gathers that is not full.
const GATHER: Duration = Duration::from_millis(20);
/// So long a row without a delivery may wait for room.
const ROOM_WITHIN: Duration = Duration::from_millis(500);
/// Between attempts to write while the store refuses.
const PAUSE: Duration = Duration::from_secs(1);

/// What has ended.
pub(crate) struct Record {
    /// The row of the log; `None` if nobody was called.
    pub(crate) row: Option<executions::Ended>,
    /// What becomes of the delivery, if it was one.
    pub(crate) change: Option<Change>,
    /// The life of this node in which it was tried: what became of it only counts while that goes on.
    pub(crate) fence: Fence,
    /// To be done once all this is written.
    pub(crate) written: Option<Then>,
}

/// What is done once something is written.
pub(crate) type Then = Box<dyn FnOnce(Counts) + Send>;

/// Whether what became of a delivery counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counts {
    Yes,
    /// Another node has taken over meanwhile: the call is logged, and the delivery is the other's.
    No,
}

impl Record {
    /// A call that concerns no delivery.
    pub(crate) fn of_call(row: executions::Ended) -> Self {
        Self { row: Some(row), change: None, fence: Fence::NONE, written: None }
    }
}

/// What becomes of a delivery, or of an outcome that a before handler is told.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// It is done, or nobody wants it.
    Done {
        /// Which one.
        id: i64,
        /// The journal's row, if it holds passwords that may be forgotten now.
        forget: Option<i64>,
        /// What the handler has heard now.
        told: Told,
    },
    /// It failed.
    Failed {
        /// Which one.
        id: i64,
        /// What that leaves.
        failed: Failed,
    },
    /// A before handler has heard how it ended.
    Heard {
        /// Which outcome.
        id: i64,
    },
    /// It has not.
    NotHeard {
        /// Which outcome.
        id: i64,
        /// What that leaves.
        failed: Failed,
    },
}

/// The log's entrance; a cheap handle.
#[derive(Clone)]
pub(crate) struct Log {
    queue: mpsc::Sender<Message>,
    room: Arc<Semaphore>,
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    /// How far old rows were cut to make room for new ones.
    cut_to: Mutex<Mark>,
    /// True while the disk is nearly full: new rows take the place of the oldest.
    pub(super) disk_is_full: AtomicBool,
    pub(super) rows_dropped: AtomicU64,
}

enum Message {
    /// With its share of the room.
    Record(Box<Record>, Option<OwnedSemaphorePermit>),
    /// Answered when everything before it is written.
    Flush(oneshot::Sender<()>),
}

impl Log {
    /// Starts the task that writes; it ends with the last handle.
    pub(crate) fn start(store: Store, cluster: &Cluster) -> Self {
        let (queue, messages) = mpsc::channel(QUEUE_MAX);
        let shared = Arc::new(Shared {
            cut_to: Mutex::new(Mark::START),
            disk_is_full: AtomicBool::new(false),
            rows_dropped: AtomicU64::new(0),
        });
        tokio::spawn(run(store, cluster.id(), messages, Arc::clone(&shared)));
        Self { queue, room: Arc::new(Semaphore::new(WAITING_KIB_MAX as usize)), shared }
    }

    /// Hands a record over, when there is room. One that settles no delivery is dropped if there is none for a while:
    /// somebody waits for an answer behind it.
    pub(crate) async fn record(&self, record: Record) {
        let settles = record.change.is_some() || record.written.is_some();
        let handing_over = self.hand_over(record);
        if settles {
            handing_over.await;
        } else if tokio::time::timeout(ROOM_WITHIN, handing_over).await.is_err() {
            self.shared.rows_dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The same without waiting: dropped if there is no room right now.
    pub(crate) fn record_if_room(&self, record: Record) {
        let sent = Arc::clone(&self.room)
            .try_acquire_many_owned(kib(&record))
            .ok()
            .and_then(|share| self.queue.try_send(Message::Record(Box::new(record), Some(share))).ok());
        if sent.is_none() {
            self.shared.rows_dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn hand_over(&self, record: Record) {
        let kib = kib(&record);
        // Neither is closed before the program ends: what is not settled then is tried again.
        let share = Arc::clone(&self.room).acquire_many_owned(kib).await.ok();
        let _closed = self.queue.send(Message::Record(Box::new(record), share)).await;
    }

    /// Waits until everything that was handed over before is written.
    pub(crate) async fn flush(&self) {
        let (done, written) = oneshot::channel();
        if self.queue.send(Message::Flush(done)).await.is_ok() {
            let _ended = written.await;
        }
    }

    /// Rows that could not be kept.
    pub(crate) fn rows_dropped(&self) -> u64 {
        self.shared.rows_dropped.load(Ordering::Relaxed)
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

/// Its share of the room.
fn kib(record: &Record) -> u32 {
    let kib = record.row.as_ref().map_or(0, |row| row.size() / 1_024 + 1);
    u32::try_from(kib).unwrap_or(WAITING_KIB_MAX).min(WAITING_KIB_MAX)
}

async fn run(store: Store, node: i64, mut messages: mpsc::Receiver<Message>, shared: Arc<Shared>) {
    let mut gathered = Vec::with_capacity(BATCH_MAX);
    while messages.recv_many(&mut gathered, BATCH_MAX).await > 0 {
        gather(&mut messages, &mut gathered).await;
        let mut batch = Batch::of(node);
        gathered.drain(..).for_each(|message| batch.add(message));
        batch.write(&store, &shared).await;
    }
}

/// Lets more come in, unless somebody waits for what is there. The queue is not listened to meanwhile, so that those who
/// hand over wake nobody.
async fn gather(messages: &mut mpsc::Receiver<Message>, gathered: &mut Vec<Message>) {
    if gathered.len() >= BATCH_MAX || gathered.iter().any(|message| matches!(message, Message::Flush(_))) {
        return;
    }
    tokio::time::sleep(GATHER).await;
    while gathered.len() < BATCH_MAX {
        match messages.try_recv() {
            Ok(message) => gathered.push(message),
            Err(_) => return,
        }
    }
}

struct Batch {
    content: Content,
    then: Vec<(Fence, Then)>,
    /// Given back when all is written.
    shares: Vec<OwnedSemaphorePermit>,
    flushes: Vec<oneshot::Sender<()>>,
}

#[derive(Clone)]
struct Content {
    /// Whose clock is noted.
    node: i64,
    rows: Vec<executions::Ended>,
    changes: Vec<(Fence, Change)>,
}

/// What a batch came to.
struct Written {
    /// Rows for which there was no room.
    dropped: u64,
    /// How far old rows were cut.
    cut_to: Mark,
    /// Lives of this node that are over: what was changed in them does not count.
    over: Vec<Fence>,
}

impl Batch {
    fn of(node: i64) -> Self {
        let content = Content { node, rows: Vec::new(), changes: Vec::new() };
        Self { content, then: Vec::new(), shares: Vec::new(), flushes: Vec::new() }
    }

    fn add(&mut self, message: Message) {
        match message {
            Message::Flush(done) => self.flushes.push(done),
            Message::Record(record, share) => {
                self.shares.extend(share);
                self.content.rows.extend(record.row);
                self.content.changes.extend(record.change.map(|change| (record.fence, change)));
                self.then.extend(record.written.map(|then| (record.fence, then)));
            }
        }
    }

    /// Writes until it succeeds: a delivery that is done must not be tried again for want of a row in the log.
    async fn write(self, store: &Store, shared: &Shared) {
        let (mut content, mut refused, mut over) = (Arc::new(self.content), false, Vec::new());
        while !content.rows.is_empty() || !content.changes.is_empty() {
            let disk_is_full = shared.disk_is_full.load(Ordering::Relaxed);
            let from = *shared.cut_to.lock().unwrap_or_else(PoisonError::into_inner);
            let once = || {
                let writing = Arc::clone(&content);
                move |tx: &mut Tx<'_>| writing.write(tx, disk_is_full.then_some(from))
            };
            match store.write_again(once).await {
                Ok(written) => {
                    *shared.cut_to.lock().unwrap_or_else(PoisonError::into_inner) = written.cut_to;
                    shared.rows_dropped.fetch_add(written.dropped, Ordering::Relaxed);
                    over = written.over;
                    break;
                }
                Err(error) => {
                    tracing::error!(%error, rows = content.rows.len(), "what handlers answered could not be written down; trying again");
                    // Once may be a passing trouble; twice means that the deliveries must go on without their rows. Who was in the
                    // way, or a database that is away, says nothing about the rows: they wait. After a commit in doubt they may
                    // be written a second time: calls that are in the log twice are better than none.
                    let is_about_rows = !matches!(error, Error::Again | Error::Unreachable(_) | Error::InDoubt(_));
                    if is_about_rows && std::mem::replace(&mut refused, true) {
                        shared.rows_dropped.fetch_add(content.rows.len() as u64, Ordering::Relaxed);
                        content = Arc::new(Content { rows: Vec::new(), ..(*content).clone() });
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        for (fence, then) in self.then {
            then(if over.contains(&fence) { Counts::No } else { Counts::Yes });
        }
        for done in self.flushes {
            let _nobody_waits = done.send(());
        }
    }
}

impl Content {
    /// Where the disk is nearly full (`make_room_from`), new rows take the place of old ones. What was changed in a life of this
    /// node that is over does not count: another has taken over and may have gone on. Its calls are logged all the same.
    fn write(&self, tx: &mut Tx<'_>, make_room_from: Option<Mark>) -> Result<Written, Error> {
        let over = self.over(tx)?;
        executions::hold(tx)?;
        let (mut kept, mut cut_to) = (self.rows.len(), Mark::START);
        if let Some(from) = make_room_from {
            let now = tx.now();
            let old = executions::old(tx, now, from, MAKE_ROOM_MAX)?;
            let cut = executions::cut(tx, &old.rows, i64::MAX)?;
            kept = usize::try_from(cut.rows).unwrap_or(usize::MAX).min(kept);
            cut_to = old.end.unwrap_or(Mark::START);
        }
        executions::insert(tx, &self.rows[..kept])?;
        // Also those for which there was no room: a picture of the last day is not to show a handler idle that is called.
        hours::add_calls(tx, &hours::of_rows(&self.rows))?;
        // In the order in which a commit folds deliveries: neither waits for the other.
        let mut changes: Vec<&Change> =
            self.changes.iter().filter(|(fence, _)| !over.contains(fence)).map(|(_, change)| change).collect();
        changes.sort_by_key(|change| change.id());
        changes.iter().try_for_each(|change| change.write(tx))?;
        changes.iter().filter_map(|change| change.forgets()).try_for_each(|row| events::forget_secrets(tx, row))?;
        Self::told(&changes).into_iter().try_for_each(|told| told::note(tx, told))?;
        // With whatever is dated by it. Last, because the node's lease is renewed in the same row, and must not wait for all this.
        clock_seen::note(tx, self.node)?;
        Ok(Written { dropped: (self.rows.len() - kept) as u64, cut_to, over })
    }

    /// The lives in which something was changed and which are over. Asked before anything is written.
    fn over(&self, tx: &mut Tx<'_>) -> Result<Vec<Fence>, Error> {
        let (mut held, mut over) = (Vec::new(), Vec::new());
        for (fence, _) in &self.changes {
            if !held.contains(fence) && !over.contains(fence) {
                if fence.holds(tx)? { held.push(*fence) } else { over.push(*fence) }
            }
        }
        Ok(over)
    }

    /// What handlers have heard: of each client the last of the batch is enough.
    fn told(changes: &[&Change]) -> Vec<Told> {
        let mut last = BTreeMap::new();
        for change in changes {
            if let Change::Done { told, .. } = change {
                let known = last.entry((told.handlers_id, told.clients_id)).or_insert(*told);
                let (begins, resync) = (known.begins || told.begins, known.resync || told.resync);
                *known = Told { seq: known.seq.max(told.seq), begins, resync, ..*told };
            }
        }
        last.into_values().collect()
    }
}

impl Change {
    /// Which delivery, or which outcome.
    fn id(&self) -> i64 {
        match self {
            Self::Done { id, .. } | Self::Failed { id, .. } | Self::Heard { id } | Self::NotHeard { id, .. } => *id,
        }
    }

    /// The journal's row whose passwords may be forgotten now.
    fn forgets(&self) -> Option<i64> {
        match self {
            Self::Done { forget, .. } => *forget,
            Self::Failed { .. } | Self::Heard { .. } | Self::NotHeard { .. } => None,
        }
    }

    fn write(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        match self {
            Self::Done { id, .. } => deliveries::delete(tx, *id),
            Self::Failed { id, failed } => deliveries::fail(tx, *id, failed),
            Self::Heard { id } => outcomes::delete(tx, *id),
            Self::NotHeard { id, failed } => outcomes::fail(tx, *id, failed),
        }
    }
}
