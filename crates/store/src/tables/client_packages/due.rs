//! What the clock looks at, and when: each open client package has a moment, `due_at`, at which something may have to be done.
use std::collections::BTreeSet;

use hookswitch_model::moment::Moment;

use crate::{Error, Row, Subject, Tx, params};

/// A client package that is to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// When.
    pub at: Moment,
    /// Which one.
    pub id: i64,
    /// Its client.
    pub clients_id: i64,
    /// The client's reseller.
    pub companies_id: i64,
}

impl Due {
    /// Before all that is due.
    pub const START: Self = Self { at: Moment(i64::MIN), id: 0, clients_id: 0, companies_id: 0 };
}

fn read(row: &Row<'_>) -> Result<Due, Error> {
    Ok(Due { at: row.get(0)?, id: row.get(1)?, clients_id: row.get(2)?, companies_id: row.get(3)? })
}

/// Resellers that [`at`] can leave out.
pub const LEFT_OUT_MAX: usize = 8;

/// What is due at a moment, behind another one, in the order in which it became due. Clients of the first [`LEFT_OUT_MAX`] of the
/// resellers in `left_out` are passed over.
///
/// # Errors
/// Whatever the engine says.
pub fn at(tx: &Tx<'_>, moment: Moment, behind: Due, left_out: &[i64], limit: i64) -> Result<Vec<Due>, Error> {
    const SQL: &str = "SELECT due_at, id, clients_id, companies_id FROM client_packages
      WHERE due_at IS NOT NULL AND (due_at, id) > ($1, $2) AND due_at <= $3
        AND companies_id NOT IN ($4, $5, $6, $7, $8, $9, $10, $11)
      ORDER BY due_at, id LIMIT $12";
    // There is no reseller 0.
    let [a, b, c, d, e, f, g, h]: [i64; LEFT_OUT_MAX] = std::array::from_fn(|at| left_out.get(at).copied().unwrap_or(0));
    tx.query(SQL, params![behind.at, behind.id, moment, a, b, c, d, e, f, g, h, limit], read)
}

/// Since when something has been due, if anything is.
///
/// # Errors
/// Whatever the engine says.
pub fn oldest(tx: &Tx<'_>) -> Result<Option<Moment>, Error> {
    const SQL: &str = "SELECT due_at FROM client_packages WHERE due_at IS NOT NULL AND due_at <= $1 ORDER BY due_at LIMIT 1";
    let now = tx.now();
    tx.first(SQL, params![now], |row| row.get(0))
}

/// What of a client is due first, if anything is due now.
///
/// # Errors
/// Whatever the engine says.
pub fn first_of_client(tx: &Tx<'_>, clients_id: i64) -> Result<Option<Due>, Error> {
    const SQL: &str = "SELECT due_at, id, clients_id, companies_id FROM client_packages
      WHERE clients_id = $1 AND due_at IS NOT NULL AND due_at <= $2
      ORDER BY due_at, id LIMIT 1";
    let now = tx.now();
    tx.first(SQL, params![clients_id, now], read)
}

/// When something is due next, later than a moment; `None` = nothing is.
///
/// # Errors
/// Whatever the engine says.
pub fn next_after(tx: &Tx<'_>, moment: Moment) -> Result<Option<Moment>, Error> {
    const SQL: &str = "SELECT due_at FROM client_packages WHERE due_at IS NOT NULL AND due_at > $1 ORDER BY due_at LIMIT 1";
    tx.first(SQL, params![moment], |row| row.get(0))
}

/// Makes due what waits for money of a client, or for a handler; true if there is something.
///
/// # Errors
/// Whatever the engine says.
pub fn for_funds(tx: &mut Tx<'_>, clients_id: i64) -> Result<bool, Error> {
    const SQL: &str = "UPDATE client_packages SET due_at = CASE WHEN due_at IS NULL OR due_at > $1 THEN $1 ELSE due_at END
      WHERE clients_id = $2 AND (hold IS NOT NULL OR tries > 0)";
    let now = tx.now();
    Ok(tx.execute(SQL, params![now, clients_id])? > 0)
}

/// Makes due some of the open client packages of a package, behind an id; gives the last one's id, or `None` if there are no
/// more.
///
/// # Errors
/// Whatever the engine says.
pub fn for_terms(tx: &mut Tx<'_>, packages_id: i64, behind: i64, limit: i64) -> Result<Option<i64>, Error> {
    const SOME: &str = "SELECT id, clients_id FROM client_packages WHERE packages_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    const HURRY: &str = "UPDATE client_packages SET due_at = $1
      WHERE id = $2 AND condition <> 'closed' AND (due_at IS NULL OR due_at > $1)";
    let now = tx.now();
    let some = tx.query(SOME, params![packages_id, behind, limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let clients: BTreeSet<i64> = some.iter().map(|(_, clients_id)| *clients_id).collect();
    clients.into_iter().try_for_each(|clients_id| tx.lock(Subject::Client(clients_id)))?;
    for (id, _) in &some {
        tx.put(HURRY, params![now, *id])?;
    }
    Ok(some.last().map(|(id, _)| *id))
}
