//! Questions that `hookswitch check` asks of the whole database. Each gives the first offenders, at most
//! [`OFFENDERS_MAX`], and none if all is well. They read whole tables: for a quiet hour, not for a page.
use crate::{Error, Tx, moving, numbering, params};

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
    "SELECT c.id, c.balance, COALESCE((SELECT CAST(SUM(t.amount) AS BIGINT) FROM transactions t WHERE t.clients_id = c.id), 0) AS total
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

const LAST_SEQS: &str = "SELECT e.clients_id, COALESCE(s.seq, 0), e.last_seq
  FROM (SELECT clients_id, MAX(seq) AS last_seq FROM events GROUP BY clients_id) e LEFT JOIN client_seqs s ON s.clients_id = e.clients_id
  WHERE s.seq IS NULL OR s.seq <> e.last_seq ORDER BY e.clients_id LIMIT $1";

/// Clients whose counter of events is not the number of the last one.
///
/// # Errors
/// Whatever the engine says.
pub fn last_seqs(tx: &Tx) -> Result<Vec<Offender>, Error> {
    offenders(tx, LAST_SEQS)
}

const TOLD: &str =
    "SELECT t.clients_id, t.seq, COALESCE(s.seq, 0) FROM told t LEFT JOIN client_seqs s ON s.clients_id = t.clients_id
  WHERE t.seq > COALESCE(s.seq, 0) ORDER BY t.clients_id, t.handlers_id LIMIT $1";

/// Clients of whom some handler is said to have heard an event (`stored`) that was never given a number.
///
/// # Errors
/// Whatever the engine says.
pub fn told(tx: &Tx) -> Result<Vec<Offender>, Error> {
    offenders(tx, TOLD)
}

const OTHERS_EVENTS: &str = "SELECT d.clients_id, d.id, e.row_id FROM deliveries d JOIN events e ON e.row_id = d.events_row
  WHERE d.seq <> e.seq OR d.clients_id <> e.clients_id OR d.event_id <> e.id OR d.companies_id <> e.companies_id
    OR d.id / 65536 <> e.row_id
  ORDER BY d.id LIMIT $1";

/// Deliveries (`stored` is their id) that are not of the event (`expected` is its row) that they name.
///
/// # Errors
/// Whatever the engine says.
pub fn others_events(tx: &Tx) -> Result<Vec<Offender>, Error> {
    offenders(tx, OTHERS_EVENTS)
}

const OUTCOMES: &str = "SELECT clients_id, id, 0 FROM outcomes
  WHERE outcome NOT IN ('asked', 'committed', 'aborted') OR (outcome = 'committed' AND seq IS NULL)
    OR (outcome <> 'committed' AND seq IS NOT NULL) OR (outcome = 'aborted' AND ended_by IS NULL)
  ORDER BY id LIMIT $1";

/// Outcomes (`stored` is their id) that do not say how it ended.
///
/// # Errors
/// Whatever the engine says.
pub fn outcomes(tx: &Tx) -> Result<Vec<Offender>, Error> {
    offenders(tx, OUTCOMES)
}

const RESYNCS: &str = "SELECT 0, r.id, r.handlers_id FROM resyncs r
  WHERE r.ended_at IS NULL AND NOT EXISTS (SELECT 1 FROM handlers h WHERE h.id = r.handlers_id) ORDER BY r.id LIMIT $1";

/// Resyncs (`stored` is their id) under way for a handler (`expected`) that is gone.
///
/// # Errors
/// Whatever the engine says.
pub fn resyncs(tx: &Tx) -> Result<Vec<Offender>, Error> {
    offenders(tx, RESYNCS)
}

const JOURNAL: &str = "SELECT 0, j.rows_there, j.last_row - c.value
  FROM (SELECT COUNT(*) AS rows_there, COALESCE(MAX(row_id), 0) AS last_row FROM events) j JOIN counters c ON c.name = 'events_cut'
  WHERE j.rows_there > 0 AND j.rows_there > j.last_row - c.value LIMIT $1";

/// The rows of the journal, if there are more (`stored`) than its counters say (`expected`). Fewer may be: an engine that numbers for
/// several writers at once leaves numbers out.
///
/// # Errors
/// Whatever the engine says.
pub fn journal(tx: &Tx) -> Result<Vec<Offender>, Error> {
    offenders(tx, JOURNAL)
}

const LOG: &str = "SELECT 0, x.last_id, c.value FROM (SELECT COALESCE(MAX(id), 0) AS last_id FROM executions) x
  JOIN counters c ON c.name = 'log_last_id' WHERE x.last_id > c.value LIMIT $1";

/// The last row of the log (`stored`), if its counter (`expected`) is below it.
///
/// # Errors
/// Whatever the engine says.
pub fn log(tx: &Tx) -> Result<Vec<Offender>, Error> {
    offenders(tx, LOG)
}

/// An id that would be given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenAgain {
    /// The table.
    pub table: &'static str,
    /// The highest id that is there.
    pub highest: i64,
    /// The next that would be given.
    pub next: i64,
}

/// The tables whose ids come in blocks, and what else remembers such ids when their rows are gone.
const BLOCKS: [(&str, &str); 11] = [
    ("clients", "SELECT MAX(id) FROM clients"),
    ("clients", "SELECT MAX(clients_id) FROM client_seqs"),
    ("accounts", "SELECT MAX(id) FROM accounts"),
    ("packages", "SELECT MAX(id) FROM packages"),
    ("client_packages", "SELECT MAX(id) FROM client_packages"),
    ("transactions", "SELECT MAX(id) FROM transactions"),
    ("companies", "SELECT MAX(id) FROM companies"),
    ("users", "SELECT MAX(id) FROM users"),
    ("handlers", "SELECT MAX(id) FROM handlers"),
    ("custom_fields", "SELECT MAX(id) FROM custom_fields"),
    ("resyncs", "SELECT MAX(id) FROM resyncs"),
];

/// Tables in which the next id is not above all that are there: from blocks, and from the engine.
///
/// # Errors
/// Whatever the engine says.
pub fn ids(tx: &Tx) -> Result<Vec<GivenAgain>, Error> {
    const NEXT: &str = "SELECT next FROM id_blocks WHERE name = $1";
    let mut found = Vec::new();
    let mut look = |table, highest: i64, next: i64| {
        if highest >= next {
            found.push(GivenAgain { table, highest, next });
        }
    };
    for (table, highest) in BLOCKS {
        let next = tx.first(NEXT, params![table], |row| row.get(0))?.unwrap_or(1);
        let highest = tx.first(highest, &[], |row| row.get::<Option<i64>>(0))?.flatten().unwrap_or(0);
        look(table, highest, next);
    }
    for table in moving::catalogue::copied().filter(|table| table.numbered) {
        let highest = format!("SELECT MAX({}) FROM {}", table.key()[0].name, table.name);
        let highest = tx.first(&highest, &[], |row| row.get::<Option<i64>>(0))?.flatten().unwrap_or(0);
        look(table.name, highest, numbering::last(tx, table)? + 1);
    }
    Ok(found)
}

const SHARDS: &str = "SELECT 0, s.shard, s.nodes_id FROM shards s
  WHERE s.shard < 0 OR s.shard > 255 OR NOT EXISTS (SELECT 1 FROM nodes n WHERE n.id = s.nodes_id) ORDER BY s.shard LIMIT $1";

/// Shards (`stored`) that do not exist, or are of a node (`expected`) that does not.
///
/// # Errors
/// Whatever the engine says.
pub fn shards(tx: &Tx) -> Result<Vec<Offender>, Error> {
    offenders(tx, SHARDS)
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
