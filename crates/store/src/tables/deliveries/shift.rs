//! Times of deliveries that are moved: their handler stood still, or the clock was set back. What was never tried has no time that
//! counts.
use crate::{Error, Tx, params, tables::executions};

/// Moves on what was tried already, by the time in which its handler stood still (in microseconds). What was never
/// tried has no clock that runs.
///
/// # Errors
/// Whatever the engine says.
pub fn move_on(tx: &mut Tx<'_>, handlers_id: i64, micros: i64) -> Result<(), Error> {
    const SQL: &str = "UPDATE deliveries SET next_at = next_at + $1, first_at = first_at + $1
      WHERE handlers_id = $2 AND dead = 0 AND attempt > 0";
    executions::hold(tx)?;
    tx.put(SQL, params![micros, handlers_id])
}

/// A handler that was down is back: what was tried already is due now, and the time of the outage (in microseconds) does not
/// count for it. No first attempt was made later than now.
///
/// # Errors
/// Whatever the engine says.
pub fn back_again(tx: &mut Tx<'_>, handlers_id: i64, micros: i64) -> Result<(), Error> {
    const SQL: &str = "UPDATE deliveries SET next_at = $1, first_at = CASE WHEN first_at + $2 > $1 THEN $1 ELSE first_at + $2 END
      WHERE handlers_id = $3 AND dead = 0 AND attempt > 0";
    executions::hold(tx)?;
    let now = tx.now();
    tx.put(SQL, params![now, micros, handlers_id])
}

/// The clock was set back by so many microseconds: moves back what was tried already and is dated later than now, at most `limit`
/// deliveries behind `after`. Gives behind which one to go on; `None` = that was all.
///
/// Done twice it leaves no first attempt too early, and at worst has a delivery tried again too soon.
///
/// # Errors
/// Whatever the engine says.
pub fn set_back(tx: &mut Tx<'_>, after: i64, limit: i64, micros: i64) -> Result<Option<i64>, Error> {
    const UPTO: &str = "SELECT MAX(id) FROM
      (SELECT id FROM deliveries WHERE dead = 0 AND attempt > 0 AND id > $1 ORDER BY id LIMIT $2) portion";
    const SQL: &str = "UPDATE deliveries SET next_at = CASE WHEN next_at > $1 THEN next_at - $2 ELSE next_at END,
        first_at = CASE WHEN first_at > $1 THEN first_at - $2 ELSE first_at END
      WHERE dead = 0 AND attempt > 0 AND id > $3 AND id <= $4 AND (next_at > $1 OR first_at > $1)";
    executions::hold(tx)?;
    let now = tx.now();
    let upto: Option<i64> = tx.first(UPTO, params![after, limit], |row| row.get(0))?.flatten();
    if let Some(upto) = upto {
        tx.put(SQL, params![now, micros, after, upto])?;
    }
    Ok(upto)
}
