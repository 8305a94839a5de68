//! Where a database is: a file, or a server.
use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
};

use tokio::sync::oneshot;

use crate::{
    Error, Tx,
    engine::{Read, Readers},
    postgres::{Dialer, Health},
};

/// Where a database is.
pub(crate) enum Place {
    /// A file.
    File {
        /// Its path.
        path: PathBuf,
        /// Which file that was when it was opened: its device and its number.
        file: Option<(u64, u64)>,
    },
    /// A server.
    Server {
        /// Its address, without the password.
        shown: String,
        health: Arc<Health>,
        /// How it is reached.
        dialer: Box<Dialer>,
    },
}

impl Place {
    /// A file that was just opened.
    pub(crate) fn file(path: PathBuf) -> Self {
        let file = file_at(&path);
        Self::File { path, file }
    }

    pub(crate) fn engine(&self) -> &'static str {
        match self {
            Self::File { .. } => "sqlite",
            Self::Server { .. } => "postgres",
        }
    }

    /// How the server is reached; `None` of a file.
    pub(crate) fn dialer(&self) -> Option<&Dialer> {
        match self {
            Self::File { .. } => None,
            Self::Server { dialer, .. } => Some(dialer),
        }
    }

    pub(crate) fn shown(&self) -> String {
        match self {
            Self::File { path, .. } => path.display().to_string(),
            Self::Server { shown, .. } => shown.clone(),
        }
    }

    pub(crate) fn folder(&self) -> Option<&Path> {
        match self {
            Self::File { path, .. } => path.parent(),
            Self::Server { .. } => None,
        }
    }

    pub(crate) fn is_there(&self) -> bool {
        match self {
            Self::File { path, file } => file.is_some() && *file == file_at(path),
            Self::Server { .. } => true,
        }
    }

    pub(crate) fn commits_in_doubt(&self) -> u64 {
        match self {
            Self::File { .. } => 0,
            Self::Server { health, .. } => health.in_doubt.load(Ordering::Relaxed),
        }
    }

    /// How large it is; 0 if that can't be found out now.
    pub(crate) async fn bytes(&self, readers: &Readers) -> u64 {
        match self {
            Self::File { path, .. } => size_of(path) + size_of(&log_of(path)),
            Self::Server { .. } => bytes_at_server(readers).await.unwrap_or(0),
        }
    }
}

async fn bytes_at_server(readers: &Readers) -> Option<u64> {
    const SQL: &str = "SELECT pg_database_size(current_database())";
    let (answer, answered) = oneshot::channel();
    let ask = move |snapshot: Result<&Tx<'_>, Error>| {
        let bytes = snapshot.and_then(|tx| tx.first(SQL, &[], |row| row.get::<i64>(0)));
        // Nobody may be waiting any more.
        let _ = answer.send(bytes.ok().flatten());
    };
    readers.submit(Read::new(ask, false)).await.ok()?;
    answered.await.ok()?.and_then(|bytes| u64::try_from(bytes).ok())
}

/// SQLite's log beside the file.
fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

fn file_at(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

fn size_of(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}
