//! Questions that `hookswitch check` asks of the whole database. Each gives the first offenders, at most
//! [`OFFENDERS_MAX`], and none if all is well. They read whole tables: for a quiet hour, not for a page.
use crate::{Error, Tx, params};

/// How many offenders one question names at most.
pub const OFFENDERS_MAX: i64 = 20;

/// A client whose numbers do not agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offender {
    /// The client.
    pub clients_id: i64,
    /// What is stored.
    pub stored: i64,
    /// What it should be.
    pub expected: i64,
}

const LEDGER: &str =
    "SELECT c.id, c.balance, COALESCE((SELECT SUM(t.amount) FROM transactions t WHERE t.clients_id = c.id), 0) AS total
  FROM clients c
  WHERE c.balance <> COALESCE((SELECT SUM(t.amount) FROM transactions t WHERE t.clients_id = c.id), 0)
  ORDER BY c.id LIMIT $1";

/// Clients whose balance is not the sum of their transactions (in millionths).
///
/// # Errors
/// Whatever the engine says.
pub fn ledger(tx: &Tx) -> Result<Vec<Offender>, Error> {
    offenders(tx, LEDGER)
}

const LIVE_FUNDS: &str = "SELECT id, live_in_funds, CASE WHEN balance > 0 THEN 1 ELSE 0 END AS truth FROM clients
  WHERE (balance > 0 AND live_in_funds = 0) OR (balance < 0 AND live_in_funds = 1) ORDER BY id LIMIT $1";

/// Clients whose live state of funds contradicts their balance. (At exactly 0 both states are right.)
///
/// # Errors
/// Whatever the engine says.
pub fn live_funds(tx: &Tx) -> Result<Vec<Offender>, Error> {
    offenders(tx, LIVE_FUNDS)
}

const AVAILABLE_FUNDS: &str =
    "SELECT id, available_in_funds, CASE WHEN credit IS NULL OR balance + credit > 0 THEN 1 ELSE 0 END AS truth
  FROM clients
  WHERE (credit IS NULL AND available_in_funds = 0) OR (balance + credit > 0 AND available_in_funds = 0)
     OR (balance + credit < 0 AND available_in_funds = 1)
  ORDER BY id LIMIT $1";

/// The same for the available balance.
///
/// # Errors
/// Whatever the engine says.
pub fn available_funds(tx: &Tx) -> Result<Vec<Offender>, Error> {
    offenders(tx, AVAILABLE_FUNDS)
}

const SEQS: &str = "SELECT e.clients_id, MAX(e.seq) - MIN(e.seq) + 1 AS span, COUNT(*) AS rows_there
  FROM events e GROUP BY e.clients_id
  HAVING MAX(e.seq) - MIN(e.seq) + 1 <> COUNT(*) AND NOT EXISTS
    (SELECT 1 FROM deliveries d WHERE d.clients_id = e.clients_id)
  ORDER BY e.clients_id LIMIT $1";

/// Clients with a gap in the numbers of their events. Old events are cut first, but for those that still wait, so
/// that a client with waiting deliveries may have a gap rightly and is left out.
///
/// # Errors
/// Whatever the engine says.
pub fn seqs(tx: &Tx) -> Result<Vec<Offender>, Error> {
    offenders(tx, SEQS)
}

const LAST_SEQS: &str =
    "SELECT s.clients_id, s.seq, MAX(e.seq) AS last_seq FROM client_seqs s JOIN events e ON e.clients_id = s.clients_id
  GROUP BY s.clients_id, s.seq HAVING MAX(e.seq) <> s.seq ORDER BY s.clients_id LIMIT $1";

/// Clients whose counter of events is not the number of the last one.
///
/// # Errors
/// Whatever the engine says.
pub fn last_seqs(tx: &Tx) -> Result<Vec<Offender>, Error> {
    offenders(tx, LAST_SEQS)
}

const ORPHANS: &str = "SELECT d.clients_id, d.id, 0 FROM deliveries d
  WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.row_id = d.events_row)
     OR NOT EXISTS (SELECT 1 FROM handlers h WHERE h.id = d.handlers_id)
  ORDER BY d.id LIMIT $1";

/// Deliveries (`stored` is their id) without their event or their handler.
///
/// # Errors
/// Whatever the engine says.
pub fn orphans(tx: &Tx) -> Result<Vec<Offender>, Error> {
    offenders(tx, ORPHANS)
}

const UNWATCHED: &str = "SELECT clients_id, id, 0 FROM client_packages WHERE condition = 'activated' AND due_at IS NULL
  ORDER BY id LIMIT $1";

/// Activated client packages (`stored` is their id) that the clock has lost sight of.
///
/// # Errors
/// Whatever the engine says.
pub fn unwatched(tx: &Tx) -> Result<Vec<Offender>, Error> {
    offenders(tx, UNWATCHED)
}

const UNPAID: &str = "SELECT clients_id, id, 0 FROM client_packages
  WHERE condition IN ('activated', 'deactivated') AND (period_start IS NULL OR period_stop IS NULL OR period_stop <= period_start)
  ORDER BY id LIMIT $1";

/// Client packages (`stored` is their id) that were activated without a period.
///
/// # Errors
/// Whatever the engine says.
pub fn without_period(tx: &Tx) -> Result<Vec<Offender>, Error> {
    offenders(tx, UNPAID)
}

const CUSTOM_KEYS: &str = "WITH RECURSIVE above (id, top) AS (
    SELECT c.id, c.id FROM companies c
    UNION SELECT a.id, c.parent_id FROM above a JOIN companies c ON c.id = a.top WHERE c.parent_id IS NOT NULL)
  SELECT 0, one.id, other.id FROM custom_fields one
    JOIN custom_fields other ON other.object_type = one.object_type AND other.field_key = one.field_key AND other.id > one.id
  WHERE one.companies_id IS NULL OR other.companies_id IS NULL
    OR EXISTS (SELECT 1 FROM above a WHERE (a.id = one.companies_id AND a.top = other.companies_id)
      OR (a.id = other.companies_id AND a.top = one.companies_id))
  ORDER BY one.id, other.id LIMIT $1";

/// Definitions of custom fields (`stored` and `expected` are their ids) of one key that could meet in one object.
///
/// # Errors
/// Whatever the engine says.
pub fn custom_keys(tx: &Tx) -> Result<Vec<Offender>, Error> {
    offenders(tx, CUSTOM_KEYS)
}

const RESELLERS: &str = "SELECT a.clients_id, a.companies_id, COALESCE(c.companies_id, 0) FROM accounts a
  LEFT JOIN clients c ON c.id = a.clients_id WHERE c.id IS NULL OR a.companies_id <> c.companies_id ORDER BY a.id LIMIT $1";

/// Clients whose accounts are listed under another reseller than theirs, or that are gone though an account is left.
///
/// # Errors
/// Whatever the engine says.
pub fn accounts_resellers(tx: &Tx) -> Result<Vec<Offender>, Error> {
    offenders(tx, RESELLERS)
}

fn offenders(tx: &Tx, question: &str) -> Result<Vec<Offender>, Error> {
    tx.query(question, params![OFFENDERS_MAX], |row| {
        Ok(Offender { clients_id: row.get(0)?, stored: row.get(1)?, expected: row.get(2)? })
    })
}
