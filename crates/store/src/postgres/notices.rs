//! Messages between those who work on one database: sent with `NOTIFY`, heard on a connection of its own.
//!
//! A message is sent in a transaction of its own, which need not be flushed: inside an action's transaction it would put all commits
//! behind one lock of the server. One that is lost says nothing: whoever hears that the wire was mended has to look.
use std::{
    future::poll_fn,
    pin::pin,
    time::{Duration, Instant},
};

use tokio::sync::mpsc;
use tokio_postgres::{AsyncMessage, Client, Connection};

use super::pool::Dialer;
use crate::{Error, Tx, params};

/// The channel of all messages.
const CHANNEL: &str = "hookswitch";
/// Messages that wait to be heard; a listener that is slower is held up, and the server keeps them.
const WAITING_MAX: usize = 1_024;
/// Between two attempts to connect.
const PAUSE: Duration = Duration::from_millis(500);
/// So long connecting may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Who is to hear of itself every few seconds and does not for so long has a connection that is dead without knowing it.
const SILENCE_MAX: Duration = Duration::from_secs(8);

/// What comes over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A message, of whoever sent it, also of this program.
    Message(String),
    /// From now on messages are heard. Nobody knows what was said before.
    Mended,
}

/// Sends messages to all who listen, once this is committed; each shorter than 8,000 bytes.
pub(crate) fn send(tx: &mut Tx<'_>, messages: &[String]) -> Result<(), Error> {
    // A message is worth no flush.
    tx.put("SELECT set_config('synchronous_commit', 'off', true)", &[])?;
    messages.iter().try_for_each(|message| tx.put("SELECT pg_notify($1, $2)", params![CHANNEL, message]))
}

/// Starts a thread that listens until nobody takes what it hears. It expects to hear something every few seconds.
pub(crate) fn listen(dialer: Dialer) -> std::io::Result<mpsc::Receiver<Heard>> {
    let (heard, hearing) = mpsc::channel(WAITING_MAX);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("store-listener".to_owned()).spawn(move || runtime.block_on(run(dialer, heard)))?;
    Ok(hearing)
}

async fn run(dialer: Dialer, heard: mpsc::Sender<Heard>) {
    while !heard.is_closed() {
        if let Err(error) = hear(&dialer, &heard).await {
            tracing::warn!(%error, "other nodes can't be heard; trying again");
        }
        tokio::select! {
            () = heard.closed() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// Connects and hears until the connection is lost, or nobody listens.
async fn hear(dialer: &Dialer, heard: &mpsc::Sender<Heard>) -> Result<(), Error> {
    let connecting = dialer.address.config.connect(dialer.tls.clone());
    let connected = tokio::time::timeout(CONNECT_WITHIN, connecting).await;
    let (client, connection) = connected.map_err(|_| Error::Unreachable("it does not answer".to_owned()))??;
    tokio::select! {
        () = heard.closed() => Ok(()),
        ended = take(&client, connection, heard) => ended,
    }
}

async fn take<S, T>(client: &Client, mut connection: Connection<S, T>, heard: &mpsc::Sender<Heard>) -> Result<(), Error>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let mut listening = pin!(client.batch_execute("LISTEN hookswitch"));
    let (mut is_listening, mut last) = (false, Instant::now());
    loop {
        tokio::select! {
            begun = &mut listening, if !is_listening => {
                begun?;
                is_listening = true;
                let _nobody_listens = heard.send(Heard::Mended).await;
            }
            message = poll_fn(|context| connection.poll_message(context)) => match message {
                None => return Err(Error::Unreachable("the connection was closed".to_owned())),
                Some(Err(error)) => return Err(error.into()),
                Some(Ok(AsyncMessage::Notification(notification))) => {
                    last = Instant::now();
                    let _nobody_listens = heard.send(Heard::Message(notification.payload().to_owned())).await;
                }
                Some(Ok(_)) => {}
            },
            () = tokio::time::sleep(SILENCE_MAX.saturating_sub(last.elapsed())) => {
                return Err(Error::Unreachable("nothing was heard for too long".to_owned()));
            }
        }
    }
}
