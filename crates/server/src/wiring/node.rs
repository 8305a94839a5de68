//! This node among others, where its database can be shared.
//!
//! Its id lies in the data folder, whose lock it holds: so a node that comes back is known, and has its own shards at once. Behind it
//! stands the epoch of its last life: who has another, as in a copy of the folder, does not take this node's place.
use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::Context as _;
use hookswitch_cluster::{Cluster, Identity, Memory};
use hookswitch_store::Store;

use crate::{
    config::Settings,
    ending::{Ended, Ending},
};

const FILE: &str = "node";
/// Ids are numbers that every reader of JSON keeps exactly.
const ID_BITS: u32 = 53;

/// Joins the other nodes, if there can be any.
///
/// # Errors
/// If the id can't be read or written, or whatever the store says.
pub(super) async fn join(settings: &Settings, store: &Store) -> Ended<Cluster> {
    if !store.has_several_writers() {
        return Ok(Cluster::alone());
    }
    let path = settings.data.join(FILE);
    let file =
        File::open(&path).map_err(|error| Ending::Failed(anyhow::anyhow!("the node's id in {}: {error}", path.display())))?;
    let (id, name) = (file.id, format!("{} {}", host(), settings.listen));
    let me = Identity { id, name, version: env!("CARGO_PKG_VERSION").to_owned(), memory: Arc::new(file) };
    Ok(Cluster::on(store.clone(), me).await.context("joining the other nodes")?)
}

/// What is known of this node: its id, and the epoch of its last life once it had one.
#[derive(Debug)]
struct File {
    path: PathBuf,
    id: i64,
    last: Mutex<Option<i64>>,
}

impl File {
    /// Made if absent.
    fn open(path: &Path) -> io::Result<Self> {
        let (id, last) = match fs::read_to_string(path) {
            Ok(text) => read(&text).ok_or_else(|| io::Error::other("it is no number above 0"))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let id = new_id()?;
                write(path, &id.to_string())?;
                (id, None)
            }
            Err(error) => return Err(error),
        };
        Ok(Self { path: path.to_owned(), id, last: Mutex::new(last) })
    }

    fn last(&self) -> MutexGuard<'_, Option<i64>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory for File {
    fn last(&self) -> Option<i64> {
        *self.last()
    }

    fn keep(&self, epoch: i64) {
        *self.last() = Some(epoch);
        if let Err(error) = write(&self.path, &format!("{} {epoch}", self.id)) {
            tracing::warn!(%error, "this node's file can't be written; started again after a crash, it will wait for 10 s");
        }
    }
}

fn read(text: &str) -> Option<(i64, Option<i64>)> {
    let mut numbers = text.split_whitespace();
    let id = numbers.next()?.parse().ok().filter(|id| *id > 0)?;
    match numbers.next() {
        None => Some((id, None)),
        Some(epoch) => Some((id, Some(epoch.parse().ok()?))),
    }
}

/// It is whole under its name, or as it was.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    fs::rename(&new, path)
}

fn new_id() -> io::Result<i64> {
    let mut bytes = [0_u8; 8];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok((i64::from_le_bytes(bytes) & ((1 << ID_BITS) - 1)).max(1))
}

/// What the machine is called.
pub(super) fn host() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname").map_or_else(|_| "node".to_owned(), |name| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_keeps_its_id_and_remembers_its_last_life() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let file = File::open(&path).unwrap();
        let id = file.id;
        assert!(id > 0 && id < 1 << ID_BITS && Memory::last(&file).is_none());
        let again = File::open(&path).unwrap();
        assert!(again.id == id && Memory::last(&again).is_none());
        file.keep(7);
        file.keep(8);
        let again = File::open(&path).unwrap();
        assert_eq!((Memory::last(&file), again.id, Memory::last(&again)), (Some(8), id, Some(8)));
        for damaged in ["x", "", "0", "5 x"] {
            fs::write(&path, damaged).unwrap();
            assert!(File::open(&path).is_err(), "a file that is damaged is not a new node's: {damaged:?}");
        }
    }
}
