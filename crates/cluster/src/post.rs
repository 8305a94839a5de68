//! The way of notices: gathered for a moment, sent together, heard by everybody who listens in this program.
//!
//! A notice is a hint, never the truth: whoever hears it looks at the database. One that is lost costs time, so where some may
//! have been lost, everybody is told to look at everything.
use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use hookswitch_store::{Error, Heard, Store};
use tokio::sync::{Notify, broadcast, mpsc, oneshot};

use crate::notice::{Notice, pack, unpack};

/// How long notices gather: as many commits share a message and its flush.
const GATHER: Duration = Duration::from_millis(5);
/// Notices that wait to be sent at most; more are worth one [`Notice::Everything`].
const WAITING_MAX: usize = 65_536;
/// Notices that one who listens may be behind; more are worth one [`Notice::Everything`].
const BEHIND_MAX: usize = 16_384;
/// After a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// Sends messages to all nodes.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

/// What carries messages between nodes.
pub trait Wire: Send + Sync + 'static {
    /// Sends all of them, or fails: then some may have been sent.
    fn send(&self, messages: Vec<String>) -> Sending<'_>;
}

/// The database itself carries them.
pub(crate) struct ByDatabase(pub(crate) Store);

impl Wire for ByDatabase {
    fn send(&self, messages: Vec<String>) -> Sending<'_> {
        Box::pin(self.0.tell(messages))
    }
}

/// Where notices go out and come in.
pub(crate) struct Post {
    node: i64,
    waiting: Mutex<Waiting>,
    has_some: Notify,
    heard: broadcast::Sender<Notice>,
}

#[derive(Default)]
struct Waiting {
    notices: Vec<Notice>,
    /// Those who wait until all that was told before is sent.
    flushes: Vec<oneshot::Sender<()>>,
}

impl Post {
    pub(crate) fn new(node: i64) -> Self {
        Self { node, waiting: Mutex::default(), has_some: Notify::new(), heard: broadcast::Sender::new(BEHIND_MAX) }
    }

    /// Tells the other nodes, soon. Neither blocks nor takes long.
    pub(crate) fn tell(&self, notice: Notice) {
        {
            let notices = &mut self.waiting().notices;
            if notices.len() >= WAITING_MAX {
                notices.clear();
                notices.push(Notice::Everything);
            }
            notices.push(notice);
        }
        self.has_some.notify_one();
    }

    /// Waits until all that was told before is sent.
    pub(crate) async fn flush(&self) {
        let (done, sent) = oneshot::channel();
        self.waiting().flushes.push(done);
        self.has_some.notify_one();
        // Without one who sends there is nothing to wait for.
        let _sent = sent.await;
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells those who listen in this program.
    pub(crate) fn hear(&self, notice: Notice) {
        // Nobody may be listening yet.
        let _listeners = self.heard.send(notice);
    }

    pub(crate) fn listen(&self) -> Notices {
        Notices(self.heard.subscribe())
    }

    /// Sends what waits, for ever.
    pub(crate) async fn send(self: Arc<Self>, wire: Arc<dyn Wire>) {
        loop {
            self.has_some.notified().await;
            tokio::time::sleep(GATHER).await;
            let Waiting { notices, flushes } = std::mem::take(&mut *self.waiting());
            while let Err(error) = wire.send(pack(self.node, &notices)).await {
                tracing::warn!(%error, "other nodes can't be told; trying again");
                tokio::time::sleep(PAUSE).await;
            }
            for done in flushes {
                let _nobody_waits = done.send(());
            }
        }
    }

    /// Hears what comes; gives what this node has said itself. Ends with the wire.
    pub(crate) async fn receive(self: Arc<Self>, mut wire: mpsc::Receiver<Heard>, own: impl Fn(Notice)) {
        while let Some(heard) = wire.recv().await {
            match heard {
                Heard::Mended => self.hear(Notice::Everything),
                Heard::Message(message) => match unpack(&message) {
                    Some((from, notices)) if from == self.node => notices.into_iter().for_each(&own),
                    Some((_, notices)) => notices.into_iter().for_each(|notice| self.hear(notice)),
                    None => tracing::warn!("a notice that is none"),
                },
            }
        }
    }
}

/// What other nodes say, from the moment on at which this was made.
pub struct Notices(broadcast::Receiver<Notice>);

impl Notices {
    /// The next one; `None` when there will be none any more.
    pub async fn next(&mut self) -> Option<Notice> {
        match self.0.recv().await {
            Ok(notice) => Some(notice),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Notice::Everything),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails the first time.
    struct Flaky(mpsc::UnboundedSender<Vec<String>>, Mutex<bool>);

    impl Wire for Flaky {
        fn send(&self, messages: Vec<String>) -> Sending<'_> {
            Box::pin(async move {
                if std::mem::replace(&mut *self.1.lock().unwrap_or_else(PoisonError::into_inner), false) {
                    return Err(Error::Full);
                }
                drop(self.0.send(messages));
                Ok(())
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_told_within_a_moment_goes_together_and_is_not_lost_by_a_failure() {
        let (sent, mut came) = mpsc::unbounded_channel();
        let post = Arc::new(Post::new(1));
        tokio::spawn(Arc::clone(&post).send(Arc::new(Flaky(sent, Mutex::new(true)))));
        post.tell(Notice::Handlers);
        post.tell(Notice::Access);
        post.tell(Notice::Handlers);
        assert_eq!(came.recv().await.unwrap(), ["n 1\nh\na"]);
    }

    #[tokio::test]
    async fn more_than_can_wait_is_worth_one_look_at_everything() {
        let post = Post::new(1);
        (0..=i64::try_from(WAITING_MAX).unwrap()).for_each(|clients_id| post.tell(Notice::Due { clients_id }));
        let waiting = post.waiting().notices.clone();
        assert_eq!(waiting, [Notice::Everything, Notice::Due { clients_id: i64::try_from(WAITING_MAX).unwrap() }]);
    }

    #[tokio::test]
    async fn who_is_too_far_behind_looks_at_everything() {
        let post = Arc::new(Post::new(1));
        let mut notices = post.listen();
        (0..=BEHIND_MAX).for_each(|_| post.hear(Notice::Handlers));
        assert_eq!(notices.next().await, Some(Notice::Everything));
        assert_eq!(notices.next().await, Some(Notice::Handlers));
    }

    #[tokio::test]
    async fn a_node_does_not_listen_to_itself() {
        let post = Arc::new(Post::new(1));
        let (mut notices, (wire, heard)) = (post.listen(), mpsc::channel(9));
        for message in ["n 1\nh", "n 2\na", "?"] {
            wire.send(Heard::Message(message.to_owned())).await.unwrap();
        }
        wire.send(Heard::Mended).await.unwrap();
        drop(wire);
        let own = Mutex::new(Vec::new());
        Arc::clone(&post).receive(heard, |notice| own.lock().unwrap().push(notice)).await;
        assert_eq!(own.into_inner().unwrap(), [Notice::Handlers]);
        assert_eq!((notices.next().await, notices.next().await), (Some(Notice::Access), Some(Notice::Everything)));
    }
}
