//! This node among others, where its database can be shared.
//!
//! Its id lies in the data folder, whose lock it holds: so a node that comes back is known, and has its own shards at once.
use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use anyhow::Context as _;
use hookswitch_cluster::{Cluster, Identity};
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
    let id = id_in(&path).map_err(|error| Ending::Failed(anyhow::anyhow!("the node's id in {}: {error}", path.display())))?;
    let name = format!("{} {}", host(), settings.listen);
    let me = Identity { id, name, version: env!("CARGO_PKG_VERSION").to_owned() };
    Ok(Cluster::on(store.clone(), me).await.context("joining the other nodes")?)
}

/// The id of a file, made if absent.
fn id_in(path: &Path) -> io::Result<i64> {
    match fs::read_to_string(path) {
        Ok(text) => text.trim().parse().ok().filter(|id| *id > 0).ok_or_else(|| io::Error::other("it is no number above 0")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let id = new_id()?;
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            writeln!(file, "{id}")?;
            file.sync_all()?;
            Ok(id)
        }
        Err(error) => Err(error),
    }
}

fn new_id() -> io::Result<i64> {
    let mut bytes = [0_u8; 8];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok((i64::from_le_bytes(bytes) & ((1 << ID_BITS) - 1)).max(1))
}

/// What the machine is called.
fn host() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname").map_or_else(|_| "node".to_owned(), |name| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_keeps_its_id() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let id = id_in(&path).unwrap();
        assert!(id > 0 && id < 1 << ID_BITS && id_in(&path).unwrap() == id);
        fs::write(&path, "x").unwrap();
        assert!(id_in(&path).is_err(), "a file that is damaged is not a new node's");
    }
}
