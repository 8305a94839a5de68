//! A copy, from its beginning or from where it was broken off.
//!
//! The source is read in one snapshot by a thread of its store, which hands portions over a short channel; whoever can't keep up
//! keeps the other waiting, so that the memory taken is bounded. Portions and how far they come are one transaction in the target:
//! a crash at any moment leaves what can be gone on from. Until the very end the target is withheld.
use std::collections::HashMap;

use tokio::sync::{mpsc, oneshot};

use super::{
    catalogue,
    portion::Portion,
    stand::{self, Stand},
    withheld::{self, Come, Kind},
};
use crate::{Error, Store, Tx, numbering, tables::nodes};

/// Portions that are read ahead, and that are written in one transaction at most.
const AHEAD: usize = 8;

/// How far a copy has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The table that is under way.
    pub table: &'static str,
    /// Rows that are there, those of an earlier run included.
    pub done: i64,
    /// Rows that there will be.
    pub all: i64,
}

/// Why a copy can't begin, go on or end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CopyError {
    /// The target has content of its own.
    #[error("the target is in use: it must be a new database")]
    InUse,
    /// A copy of something else, or of another state, was begun there.
    #[error(
        "the target holds a part of a copy of another database, or of this one before it was changed: begin again with a new target"
    )]
    OtherSource,
    /// Somebody has used the source while it was copied.
    #[error("the source was used while it was copied: stop whatever uses it, and begin again with a new target")]
    Used,
    /// The copy is not what its source is.
    #[error("the copy is not the same as its source: {}", .0.join("; "))]
    Differs(Vec<String>),
    /// An engine failed.
    #[error("{0}")]
    Store(#[from] Error),
}

enum Message {
    /// How the source stands, and the hash of that.
    Stand(Box<Stand>, String),
    Portion(Portion),
}

/// Copies all that goes along, as it stands at one moment; what is done to the source afterwards does not matter, and what is wrong in
/// it is wrong in the copy: `check` tells (a backup). Nobody may write to the target meanwhile. One that an earlier copy of the same source has left is gone on with.
///
/// # Errors
/// [`CopyError`]; a copy that was broken off can be gone on with.
pub async fn copy(source: &Store, target: &Store, kind: Kind, told: impl FnMut(Progress)) -> Result<Stand, CopyError> {
    end(target, fill(source, target, kind, told).await?.0).await
}

/// The same of a source that is given up: nobody may have used it meanwhile, since that would be lost, and each balance must be the sum
/// of its transactions. Looked at before the target may be served.
///
/// # Errors
/// The same; [`CopyError::Used`].
pub async fn take_over(source: &Store, target: &Store, told: impl FnMut(Progress)) -> Result<Stand, CopyError> {
    let (stand, before) = fill(source, target, Kind::Copy, told).await?;
    let now = source.read_whole(|tx| {
        let now = tx.database_now()?;
        let is_served = nodes::all(tx)?.iter().any(|node| node.is_alive(now));
        Ok::<_, Error>((Stand::of(tx)?.fingerprint(tx)?, is_served))
    });
    if now.await? != (before, false) {
        return Err(CopyError::Used);
    }
    let wrong = target.read_whole(stand::wrong_balances).await?;
    if wrong.is_empty() { end(target, stand).await } else { Err(CopyError::Differs(wrong)) }
}

/// Brings everything over; gives how the source stood, and the hash of that.
async fn fill(source: &Store, target: &Store, kind: Kind, told: impl FnMut(Progress)) -> Result<(Stand, String), CopyError> {
    let (portions, arriving) = mpsc::channel(AHEAD);
    let (come, from) = oneshot::channel();
    let reading = source.read_whole(move |tx| read_all(tx, &portions, from));
    // Both at once: the reader ends when nobody takes what it reads.
    let (read, written) = tokio::join!(reading, write_all(target, kind, arriving, come, told));
    let stand = written?;
    read?;
    Ok(stand.ok_or_else(|| Error::engine("the source ended before it was read"))?)
}

/// Reads the source: how it stands, then whatever is not in the target yet. An error is that of the source; a target that is gone
/// is not.
fn read_all(tx: &Tx<'_>, portions: &mpsc::Sender<Message>, from: oneshot::Receiver<HashMap<String, Come>>) -> Result<(), Error> {
    let stand = Stand::of(tx)?;
    let fingerprint = stand.fingerprint(tx)?;
    if portions.blocking_send(Message::Stand(Box::new(stand), fingerprint)).is_err() {
        return Ok(());
    }
    let Ok(mut come) = from.blocking_recv() else { return Ok(()) };
    for table in catalogue::copied() {
        let Come { mut mark, whole: mut is_over, .. } = come.remove(table.name).unwrap_or_default();
        while !is_over {
            let portion = Portion::read(tx, table, mark.as_deref())?;
            is_over = portion.is_last;
            mark = portion.mark();
            if portions.blocking_send(Message::Portion(portion)).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Writes what arrives; `None` if nothing did.
async fn write_all(
    target: &Store,
    kind: Kind,
    mut arriving: mpsc::Receiver<Message>,
    come: oneshot::Sender<HashMap<String, Come>>,
    mut told: impl FnMut(Progress),
) -> Result<Option<(Stand, String)>, CopyError> {
    let Some(Message::Stand(stand, fingerprint)) = arriving.recv().await else { return Ok(None) };
    let source = fingerprint.clone();
    let mut there = target.write(move |tx| begin(tx, kind, &source)).await?;
    let (mut done, all) = (there.values().map(|come| come.rows).sum(), stand.all_rows());
    // Gone only if the reader has failed, which it says itself.
    let _ = come.send(there.clone());
    let mut messages = Vec::with_capacity(AHEAD);
    while arriving.recv_many(&mut messages, AHEAD).await > 0 {
        let portions: Vec<Portion> = messages
            .drain(..)
            .filter_map(|message| match message {
                Message::Portion(portion) => Some(portion),
                Message::Stand(..) => None,
            })
            .collect();
        let Some(table) = portions.last().map(|portion| portion.table.name) else { continue };
        done += portions.iter().map(rows_of).sum::<i64>();
        there = target.write(move |tx| put(tx, &portions, there)).await?;
        told(Progress { table, done, all });
    }
    Ok(Some((*stand, fingerprint)))
}

fn rows_of(portion: &Portion) -> i64 {
    i64::try_from(portion.rows.len()).unwrap_or(i64::MAX)
}

/// Begins, or finds how far it has come.
fn begin(tx: &mut Tx<'_>, kind: Kind, fingerprint: &str) -> Result<HashMap<String, Come>, CopyError> {
    match withheld::read(tx)? {
        Some(there) if there.kind == kind && there.source == fingerprint => return Ok(withheld::come(tx)?.into_iter().collect()),
        Some(there) if there.source == withheld::NOTHING_YET => {}
        // The state that it is restored from is made anew each time: nothing is lost by beginning again.
        Some(there) if there.kind == Kind::Restore && kind == Kind::Restore => {}
        Some(there) if there.kind == Kind::Copy && kind == Kind::Copy => return Err(CopyError::OtherSource),
        None if withheld::is_new(tx)? => {}
        Some(_) | None => return Err(CopyError::InUse),
    }
    withheld::empty(tx)?;
    withheld::begin(tx, kind, fingerprint)?;
    Ok(HashMap::new())
}

/// Writes portions, and how far they come.
fn put(tx: &mut Tx<'_>, portions: &[Portion], mut there: HashMap<String, Come>) -> Result<HashMap<String, Come>, Error> {
    for portion in portions {
        portion.write(tx)?;
        let come = there.entry(portion.table.name.to_owned()).or_default();
        come.mark = portion.mark().or_else(|| come.mark.take());
        come.rows += rows_of(portion);
        come.whole = portion.is_last;
        withheld::note(tx, portion.table.name, come)?;
    }
    Ok(there)
}

/// Compares, and lets the target be served.
async fn end(target: &Store, stand: Stand) -> Result<Stand, CopyError> {
    let copied = target.read_whole(Stand::of).await?;
    let differences = stand.differences(&copied);
    if !differences.is_empty() {
        return Err(CopyError::Differs(differences));
    }
    let numbers = stand.numbers.clone();
    target
        .write(move |tx| {
            for (name, last) in numbers {
                catalogue::named(name).map_or(Ok(()), |table| numbering::go_on_behind(tx, table, last))?;
            }
            withheld::end(tx)
        })
        .await?;
    Ok(stand)
}
