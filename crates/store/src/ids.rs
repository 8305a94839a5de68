//! Ids of objects: from blocks fetched ahead, never given twice: not after a delete, a crash or a refusal.
//!
//! A block is taken from the counter in the database in a transaction of its own; what is left of it at a crash is
//! lost (holes are normal), what is left at an orderly end is given back if nobody took the next block meanwhile.
use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{Error, Store, Tx, params};

/// The first block of a sequence; each further one is twice as large.
const BLOCK_MIN: i64 = 16;
/// The largest block.
const BLOCK_MAX: i64 = 4_096;

/// What ids are given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Sequence {
    Clients,
    Accounts,
    Packages,
    ClientPackages,
    Transactions,
    Companies,
    Users,
    Handlers,
    CustomFields,
    Resyncs,
}

impl Sequence {
    fn name(self) -> &'static str {
        match self {
            Self::Clients => "clients",
            Self::Accounts => "accounts",
            Self::Packages => "packages",
            Self::ClientPackages => "client_packages",
            Self::Transactions => "transactions",
            Self::Companies => "companies",
            Self::Users => "users",
            Self::Handlers => "handlers",
            Self::CustomFields => "custom_fields",
            Self::Resyncs => "resyncs",
        }
    }
}

/// What is left of each sequence's block.
#[derive(Clone, Default)]
pub(crate) struct Ids {
    blocks: Arc<Mutex<HashMap<Sequence, Block>>>,
    /// One fetch at a time: who waits finds what the other has brought.
    fetching: Arc<tokio::sync::Mutex<()>>,
}

struct Block {
    left: Range<i64>,
    size: i64,
}

impl Ids {
    fn with<T>(&self, use_them: impl FnOnce(&mut HashMap<Sequence, Block>) -> T) -> T {
        use_them(&mut self.blocks.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn take(&self, sequence: Sequence) -> Option<i64> {
        self.with(|blocks| blocks.get_mut(&sequence)?.left.next())
    }

    /// The next id.
    pub(crate) async fn next(&self, store: &Store, sequence: Sequence) -> Result<i64, Error> {
        loop {
            if let Some(id) = self.take(sequence) {
                return Ok(id);
            }
            let _one_at_a_time = self.fetching.lock().await;
            if let Some(id) = self.take(sequence) {
                return Ok(id);
            }
            let size = self.with(|blocks| blocks.get(&sequence).map_or(BLOCK_MIN, |block| (block.size * 2).min(BLOCK_MAX)));
            let end = store.write(move |tx| fetch(tx, sequence.name(), size)).await?;
            self.with(|blocks| blocks.insert(sequence, Block { left: end - size..end, size }));
        }
    }

    /// Gives back what is left.
    pub(crate) async fn give_back(&self, store: &Store) -> Result<(), Error> {
        let mut left: Vec<(Sequence, Range<i64>)> =
            self.with(|blocks| blocks.drain().map(|(name, block)| (name, block.left)).collect());
        // Others end at the same time: nobody waits for another who waits for him.
        left.sort_unstable_by_key(|(sequence, _)| sequence.name());
        store
            .write(move |tx| {
                for (sequence, left) in left {
                    tx.put(GIVE_BACK, params![left.start, sequence.name(), left.end])?;
                }
                Ok(())
            })
            .await
    }
}

const FETCH: &str = "INSERT INTO id_blocks (name, next) VALUES ($1, 1 + $2)
  ON CONFLICT (name) DO UPDATE SET next = id_blocks.next + $2 RETURNING next";
const GIVE_BACK: &str = "UPDATE id_blocks SET next = $1 WHERE name = $2 AND next = $3";

/// Takes a block; gives its end.
fn fetch(tx: &mut Tx, name: &str, size: i64) -> Result<i64, Error> {
    tx.returning(FETCH, params![name, size], |row| row.get(0))?.ok_or_else(|| Error::engine("the counter gave no block"))
}
