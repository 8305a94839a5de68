//! Client packages.
//!
//! | file | subject |
//! |---|---|
//! | here | reading and writing them, and the list |
//! | [`due`] | what the clock looks at, and when |
pub mod due;

use hookswitch_model::{
    moment::Moment,
    objects::client_package::{ClientPackage, ClientPackageStatus, Condition, Hold, Paid, Planned},
    refusal::Refusal,
};
use serde_json::Value;

use super::search::{Asked, Column, Kind, List};
use crate::{Error, Row, Tx, params};

macro_rules! columns {
    () => {
        "cp.id, cp.clients_id, cp.companies_id, cp.accounts_id, cp.packages_id, COALESCE(p.name, cp.packages_name, ''), cp.quantity,
         cp.condition, cp.hold, cp.reason, cp.start_at, cp.stop_at, cp.period_start, cp.period_stop, cp.anchor, cp.anchor_count,
         cp.anchor_period, cp.activation_fee, cp.period_fee, cp.due_at, cp.tries, cp.put_off_since, cp.c_dt"
    };
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), " FROM client_packages cp LEFT JOIN packages p ON p.id = cp.packages_id ", $rest)
    };
}

fn read(row: &Row<'_>) -> Result<ClientPackage, Error> {
    let unknown = |what: &str| Error::engine(format!("a client package of unknown {what}"));
    Ok(ClientPackage {
        id: row.get(0)?,
        clients_id: row.get(1)?,
        companies_id: row.get(2)?,
        accounts_id: row.get(3)?,
        packages_id: row.get(4)?,
        packages_name: row.get(5)?,
        quantity: row.get(6)?,
        condition: Condition::from_word(&row.get::<String>(7)?).ok_or_else(|| unknown("condition"))?,
        hold: row.get::<Option<String>>(8)?.as_deref().and_then(Hold::from_word),
        reason: row.get(9)?,
        start: row.get(10)?,
        stop: row.get(11)?,
        paid: paid(row)?,
        activation_fee: row.get(17)?,
        period_fee: row.get(18)?,
        planned: Planned {
            due: row.get(19)?,
            tries: u32::try_from(row.get::<i64>(20)?).unwrap_or(u32::MAX),
            put_off_since: row.get(21)?,
        },
        c_dt: row.get(22)?,
    })
}

fn paid(row: &Row<'_>) -> Result<Option<Paid>, Error> {
    let Some(start) = row.get::<Option<Moment>>(12)? else { return Ok(None) };
    Ok(Some(Paid { start, stop: row.get(13)?, anchor: row.get(14)?, count: row.get(15)?, period: row.get(16)? }))
}

/// One client package.
///
/// # Errors
/// Whatever the engine says.
pub fn get(tx: &Tx<'_>, id: i64) -> Result<Option<ClientPackage>, Error> {
    tx.first(select!("WHERE cp.id = $1"), params![id], read)
}

/// The client of a client package; `None` if there is none of this id.
///
/// # Errors
/// Whatever the engine says.
pub fn client_of(tx: &Tx<'_>, id: i64) -> Result<Option<i64>, Error> {
    tx.first("SELECT clients_id FROM client_packages WHERE id = $1", params![id], |row| row.get(0))
}

/// Those of a client that are not closed, in order of id.
///
/// # Errors
/// Whatever the engine says.
pub fn open_of_client(tx: &Tx<'_>, clients_id: i64) -> Result<Vec<ClientPackage>, Error> {
    tx.query(select!("WHERE cp.clients_id = $1 AND cp.condition <> 'closed' ORDER BY cp.id"), params![clients_id], read)
}

/// The same from behind `after`, at most `limit`.
///
/// # Errors
/// Whatever the engine says.
pub fn open_of_client_behind(tx: &Tx<'_>, clients_id: i64, after: i64, limit: i64) -> Result<Vec<ClientPackage>, Error> {
    const SQL: &str = select!("WHERE cp.clients_id = $1 AND cp.id > $2 AND cp.condition <> 'closed' ORDER BY cp.id LIMIT $3");
    tx.query(SQL, params![clients_id, after, limit], read)
}

/// Those of an account that are not closed, in order of id.
///
/// # Errors
/// Whatever the engine says.
pub fn open_of_account(tx: &Tx<'_>, accounts_id: i64) -> Result<Vec<ClientPackage>, Error> {
    tx.query(select!("WHERE cp.accounts_id = $1 AND cp.condition <> 'closed' ORDER BY cp.id"), params![accounts_id], read)
}

/// True if somebody has this package: a client package of it is not closed.
///
/// # Errors
/// Whatever the engine says.
pub fn somebody_has(tx: &Tx<'_>, packages_id: i64) -> Result<bool, Error> {
    const SQL: &str = "SELECT 1 FROM client_packages WHERE packages_id = $1 AND condition <> 'closed' LIMIT 1";
    Ok(tx.first(SQL, params![packages_id], |_| Ok(()))?.is_some())
}

/// Writes a new one.
///
/// # Errors
/// Whatever the engine says.
pub fn insert(tx: &mut Tx<'_>, new: &ClientPackage) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO client_packages (id, clients_id, companies_id, accounts_id, packages_id, quantity, condition,
        start_at, stop_at, activation_fee, period_fee, due_at, tries, c_dt)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, $13)";
    let values = params![
        new.id,
        new.clients_id,
        new.companies_id,
        new.accounts_id,
        new.packages_id,
        new.quantity,
        new.condition.word(),
        new.start,
        new.stop,
        new.activation_fee,
        new.period_fee,
        new.planned.due,
        new.c_dt
    ];
    tx.put(SQL, values)
}

/// Writes where one stands now: its condition, its paid period, and what the clock has planned.
///
/// # Errors
/// Whatever the engine says.
pub fn update(tx: &mut Tx<'_>, own: &ClientPackage) -> Result<(), Error> {
    const SQL: &str = "UPDATE client_packages SET condition = $1, hold = $2, reason = $3, period_start = $4, period_stop = $5,
        anchor = $6, anchor_count = $7, anchor_period = $8, due_at = $9, tries = $10, put_off_since = $11, packages_name = $12
      WHERE id = $13";
    let paid = own.paid.as_ref();
    let values = params![
        own.condition.word(),
        own.hold.map(Hold::word),
        own.reason.as_deref(),
        paid.map(|paid| paid.start),
        paid.map(|paid| paid.stop),
        paid.map(|paid| paid.anchor),
        paid.map(|paid| paid.count),
        paid.map(|paid| paid.period.as_str()),
        own.planned.due,
        i64::from(own.planned.tries),
        own.planned.put_off_since,
        (!own.is_open()).then_some(own.packages_name.as_str()),
        own.id
    ];
    tx.put(SQL, values)
}

/// Deletes those of a client, for ever.
///
/// # Errors
/// Whatever the engine says.
pub fn delete_of_client(tx: &mut Tx<'_>, clients_id: i64) -> Result<(), Error> {
    tx.put("DELETE FROM client_packages WHERE clients_id = $1", params![clients_id])
}

/// What `status` is, in SQL: as in the object.
const STATUS: &str = "(CASE WHEN cp.condition = 'activated' THEN 'active'
  WHEN cp.condition = 'new' OR (cp.condition = 'deactivated' AND cp.hold = 'funds') THEN 'pending' ELSE 'archive' END)";

/// The same, as conditions that have an index.
const STATUSES: &[(&str, &str)] = &[
    ("active", "cp.condition = 'activated'"),
    ("pending", "cp.condition = 'new' OR cp.condition = 'deactivated' AND cp.hold = 'funds'"),
    ("archive", "cp.condition = 'closed' OR cp.condition = 'deactivated' AND (cp.hold IS NULL OR cp.hold <> 'funds')"),
];

/// What the list may be asked.
pub static LIST: List = List {
    table: "client_packages cp",
    from: "client_packages cp LEFT JOIN packages p ON p.id = cp.packages_id",
    select: columns!(),
    scope: "cp.companies_id",
    scope_indexed: true,
    key: "cp.id",
    newest_first: false,
    columns: &[
        Column::new("id", "cp.id", Kind::Integer),
        Column::new("clients_id", "cp.clients_id", Kind::Integer).indexed(),
        Column::new("companies_id", "cp.companies_id", Kind::Integer).indexed(),
        Column::new("accounts_id", "cp.accounts_id", Kind::Integer).nullable().loosely_indexed(),
        Column::new("packages_id", "cp.packages_id", Kind::Integer).indexed(),
        Column::new("packages_name", "p.name", Kind::Text).nullable().elsewhere("cp.packages_id", "packages", "name").quick(),
        Column::new("quantity", "cp.quantity", Kind::Integer),
        Column::new("status", STATUS, Kind::Choice(ClientPackageStatus::WORDS)).spelled(STATUSES),
        Column::new("condition", "cp.condition", Kind::Choice(Condition::WORDS)).indexed(),
        Column::new("start_dt", "cp.start_at", Kind::Time).indexed(),
        Column::new("stop_dt", "cp.stop_at", Kind::Time).nullable().indexed(),
        Column::new("period_start_dt", "cp.period_start", Kind::Time).nullable().indexed(),
        Column::new("period_stop_dt", "cp.period_stop", Kind::Time).nullable().indexed(),
    ],
};

/// The list.
///
/// # Errors
/// Wrong filters by name, or whatever the engine says.
pub fn search(tx: &Tx<'_>, asked: &Asked<'_>) -> Result<Value, Refusal> {
    LIST.search(tx, asked, |row| Ok(read(row)?.shown()))
}
