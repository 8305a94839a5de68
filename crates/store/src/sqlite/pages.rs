//! A file copied page by page while others write to it: one snapshot is held from the first page to the last.
use std::{fs::OpenOptions, os::unix::fs::OpenOptionsExt as _, path::Path, time::Duration};

use rusqlite::{
    Connection,
    backup::{Backup, StepResult},
};

use super::open::{damaged, look_at, reader_of};
use crate::OpenError;

/// How long a source that is locked for a moment is waited for, and how often.
const LOCKED: Duration = Duration::from_millis(50);
const LOCKED_MAX: u32 = 200;

/// Copies `from` into the new file `to`, for its owner alone, so many pages at a time; looks whether the copy is sound. It is not flushed.
pub(crate) fn copy_pages(from: &Path, to: &Path, pages: i32, told: impl FnMut(i64, i64)) -> Result<(), OpenError> {
    let other = |error: rusqlite::Error| OpenError::Other(error.to_string());
    look_at(from)?;
    let source = reader_of(from)?;
    // Without a snapshot of its own it would begin again whenever another process writes.
    source.execute_batch("BEGIN DEFERRED").map_err(other)?;
    source.query_row("SELECT COUNT(*) FROM sqlite_master", (), |row| row.get::<_, i64>(0)).map_err(damaged)?;
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
    made.map_err(|error| OpenError::Other(format!("{}: {error}", to.display())))?;
    let mut copy = Connection::open(to).map_err(other)?;
    copy.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF").map_err(other)?;
    step_through(&source, &mut copy, pages, told)?;
    is_sound(&copy)?;
    copy.close().map_err(|(_, error)| other(error))
}

/// Looks whether every page can be read, and is where it belongs.
pub(crate) fn is_sound(connection: &Connection) -> Result<(), OpenError> {
    let word: String = connection.query_row("PRAGMA quick_check(1)", (), |row| row.get(0)).map_err(damaged)?;
    if word == "ok" { Ok(()) } else { Err(OpenError::Damaged(word)) }
}

fn step_through(source: &Connection, copy: &mut Connection, pages: i32, mut told: impl FnMut(i64, i64)) -> Result<(), OpenError> {
    let backup = Backup::new(source, copy).map_err(damaged)?;
    let mut locked = 0;
    loop {
        match backup.step(pages).map_err(damaged)? {
            StepResult::Done => return Ok(()),
            StepResult::More => locked = 0,
            _ if locked == LOCKED_MAX => return Err(OpenError::Other("it stays locked by another process".to_owned())),
            _ => {
                locked += 1;
                std::thread::sleep(LOCKED);
            }
        }
        let progress = backup.progress();
        told(i64::from(progress.pagecount - progress.remaining), i64::from(progress.pagecount));
    }
}
