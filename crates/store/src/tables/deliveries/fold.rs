//! Only the latest: for a handler that wants the present state and nothing else, a newer event of the same object and kind stands
//! for those that wait. What is being tried stays, and what failed before, with its attempts.
use crate::{Error, Tx, params};

/// Takes away what waits for a handler under the same key behind a delivery, and was never tried. Gives the rows of the journal
/// that it belonged to, and how many events it stood for, itself included.
///
/// # Errors
/// Whatever the engine says.
pub fn fold(tx: &mut Tx<'_>, handlers_id: i64, key: &str, behind: i64) -> Result<(Vec<i64>, i64), Error> {
    const SQL: &str = "SELECT id, events_row, folded FROM deliveries
      WHERE handlers_id = $1 AND fold = $2 AND id > $3 AND dead = 0 AND attempt = 0";
    // Where several write at once, it may just have been tried.
    const DELETE: &str = "DELETE FROM deliveries WHERE id = $1 AND dead = 0 AND attempt = 0";
    let mut waiting =
        tx.query(SQL, params![handlers_id, key, behind], |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?, row.get::<i64>(2)?)))?;
    // In the order in which others end deliveries, so that they don't wait for each other.
    waiting.sort_unstable();
    let (mut rows, mut count) = (Vec::with_capacity(waiting.len()), 0);
    for (id, events_row, folded) in waiting {
        if tx.execute(DELETE, params![id])? > 0 {
            rows.push(events_row);
            count += folded + 1;
        }
    }
    Ok((rows, count))
}

/// True if a delivery is still there: another transaction may have put a newer one in its place since it was read.
///
/// # Errors
/// Whatever the engine says.
pub fn is_there(tx: &Tx<'_>, id: i64) -> Result<bool, Error> {
    const SQL: &str = "SELECT 1 FROM deliveries WHERE id = $1";
    Ok(tx.first(SQL, params![id], |row| row.get::<i64>(0))?.is_some())
}
