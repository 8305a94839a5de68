//! Handlers that answer each other through our API. One row for each set of handlers, reseller and way of finding it: a loop that
//! runs over a thousand clients is one thing to mend.
use hookswitch_model::{Object, moment::Moment, refusal::Refusal};
use serde_json::Value;

use super::search::{Asked, Column, Kind, List};
use crate::{Error, Row, Tx, params};

/// What becomes of a loop.
pub const STATES: &[&str] = &["cut", "suspected"];

/// How one is found: by the depth of its causes, because the same states come back, or because it goes on and on.
pub const WAYS: &[&str] = &["depth", "states", "rate"];

/// Only what goes on without coming back is let run.
const STATE: &str = "(CASE WHEN found_by = 'rate' THEN 'suspected' ELSE 'cut' END)";

const SPELLED: &[(&str, &str)] = &[("cut", "found_by <> 'rate'"), ("suspected", "found_by = 'rate'")];

/// A loop, as it was seen just now.
#[derive(Debug, Clone)]
pub struct Seen {
    /// One of [`WAYS`].
    pub found_by: &'static str,
    /// The client's reseller.
    pub companies_id: i64,
    /// Whose object goes round.
    pub clients_id: i64,
    /// What happens to it.
    pub events_id: String,
    /// The object.
    pub object_id: i64,
    /// Who answers whom, in order of id.
    pub handlers: Vec<i64>,
    /// How often since it was written down last.
    pub count: i64,
    /// The last steps, oldest first; empty = those that are there.
    pub way: Vec<Object>,
}

/// Writes one down.
///
/// # Errors
/// Whatever the engine says.
pub fn note(tx: &mut Tx<'_>, seen: &Seen) -> Result<(), Error> {
    const SQL: &str =
        "INSERT INTO loops (first_dt, last_dt, found_by, companies_id, clients_id, events_id, object_id, handlers, count, way)
      VALUES ($1, $1, $2, $3, $4, $5, $6, $7, $8, $9)
      ON CONFLICT (companies_id, found_by, handlers) DO UPDATE SET last_dt = excluded.last_dt, clients_id = excluded.clients_id,
        events_id = excluded.events_id, object_id = excluded.object_id, count = loops.count + excluded.count,
        way = CASE WHEN excluded.way = '[]' THEN loops.way ELSE excluded.way END";
    let handlers = serde_json::to_string(&seen.handlers).map_err(Error::engine)?;
    let way = serde_json::to_string(&seen.way).map_err(Error::engine)?;
    let Seen { found_by, companies_id, clients_id, events_id, object_id, count, .. } = seen;
    let now = tx.now();
    let values = params![
        now,
        *found_by,
        *companies_id,
        *clients_id,
        events_id.as_str(),
        *object_id,
        handlers.as_str(),
        *count,
        way.as_str()
    ];
    tx.put(SQL, values)
}

/// Forgets those that were not seen since.
///
/// # Errors
/// Whatever the engine says.
pub fn cut(tx: &mut Tx<'_>, before: Moment) -> Result<(), Error> {
    tx.put("DELETE FROM loops WHERE last_dt < $1", params![before])
}

/// How many were seen since, cut and suspected.
///
/// # Errors
/// Whatever the engine says.
pub fn count_since(tx: &Tx<'_>, since: Moment) -> Result<(u64, u64), Error> {
    const SQL: &str = "SELECT COALESCE(SUM(CASE WHEN found_by = 'rate' THEN 0 ELSE 1 END), 0), COALESCE(SUM(CASE WHEN found_by = 'rate' THEN 1 ELSE 0 END), 0)
      FROM loops WHERE last_dt >= $1";
    let counts = tx.first(SQL, params![since], |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)))?;
    Ok(counts.map_or((0, 0), |(cut, suspected)| (cut.unsigned_abs(), suspected.unsigned_abs())))
}

/// What the list may be asked.
pub static LIST: List = List {
    table: "loops",
    from: "loops",
    select: "id, first_dt, last_dt, found_by, companies_id, clients_id, events_id, object_id, handlers, count",
    scope: "companies_id",
    scope_indexed: false,
    key: "id",
    newest_first: true,
    columns: &[
        Column::new("id", "id", Kind::Integer),
        Column::new("state", STATE, Kind::Choice(STATES)).spelled(SPELLED),
        Column::new("found_by", "found_by", Kind::Choice(WAYS)),
        Column::new("first_dt", "first_dt", Kind::Time),
        Column::new("last_dt", "last_dt", Kind::Time),
        Column::new("companies_id", "companies_id", Kind::Integer),
        Column::new("clients_id", "clients_id", Kind::Integer),
        Column::new("events_id", "events_id", Kind::Text),
        Column::new("object_id", "object_id", Kind::Integer),
        Column::new("count", "count", Kind::Integer),
    ],
};

fn shown(row: &Row<'_>) -> Result<Object, Error> {
    let found_by: String = row.get(3)?;
    let handlers: Value = serde_json::from_str(&row.get::<String>(8)?).map_err(Error::engine)?;
    let values = [
        ("id", row.get::<i64>(0)?.into()),
        ("state", if found_by == "rate" { "suspected" } else { "cut" }.into()),
        ("found_by", found_by.into()),
        ("first_dt", row.get::<Moment>(1)?.iso().into()),
        ("last_dt", row.get::<Moment>(2)?.iso().into()),
        ("companies_id", row.get::<i64>(4)?.into()),
        ("clients_id", row.get::<i64>(5)?.into()),
        ("events_id", row.get::<String>(6)?.into()),
        ("object_id", row.get::<i64>(7)?.into()),
        ("handlers", handlers),
        ("count", row.get::<i64>(9)?.into()),
    ];
    Ok(values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The list.
///
/// # Errors
/// Wrong filters by name, or whatever the engine says.
pub fn search(tx: &Tx<'_>, asked: &Asked<'_>) -> Result<Value, Refusal> {
    LIST.search(tx, asked, shown)
}

/// One loop with its way, within these resellers.
///
/// # Errors
/// Whatever the engine says.
pub fn get(tx: &Tx<'_>, id: i64, scope: Option<&[i64]>) -> Result<Option<Object>, Refusal> {
    let only_it = [("id".to_owned(), Value::from(id))].into_iter().collect();
    let (mut rows, _) = LIST.query(&only_it, scope)?.rows(tx, shown)?;
    let Some(mut found) = rows.pop() else { return Ok(None) };
    let way = tx.first("SELECT way FROM loops WHERE id = $1", params![id], |row| row.get::<String>(0))?;
    let way: Value = serde_json::from_str(way.as_deref().unwrap_or("[]")).map_err(Error::engine)?;
    found.insert("way".to_owned(), way);
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Clock, migrate};

    fn seen(handlers: &[i64], found_by: &'static str) -> Seen {
        let way = vec![Object::from_iter([("event_id".to_owned(), Value::from("x"))])];
        Seen {
            found_by,
            companies_id: 1,
            clients_id: 5,
            events_id: "clients.update".to_owned(),
            object_id: 5,
            handlers: handlers.to_vec(),
            count: 2,
            way,
        }
    }

    #[test]
    fn a_loop_that_is_seen_again_is_one_row() {
        let mut connection = rusqlite::Connection::open_in_memory().unwrap();
        migrate::migrate(&mut connection, &Clock::system()).unwrap();
        for (at, what) in [
            (1, seen(&[1, 2], "depth")),
            (2, Seen { clients_id: 6, way: Vec::new(), ..seen(&[1, 2], "depth") }),
            (3, seen(&[1], "rate")),
        ] {
            note(&mut Tx::sqlite(&connection, Moment(at * 1_000_000)), &what).unwrap();
        }
        let mut tx = Tx::sqlite(&connection, Moment(0));
        let row = get(&tx, 1, None).unwrap().unwrap();
        assert_eq!(
            (row["count"].clone(), row["clients_id"].clone(), row["way"][0]["event_id"].clone()),
            (4.into(), 6.into(), "x".into())
        );
        assert_eq!(
            (row["first_dt"].clone(), row["last_dt"].clone()),
            ("1970-01-01T00:00:01+00:00".into(), "1970-01-01T00:00:02+00:00".into())
        );
        assert!(get(&tx, 1, Some(&[2])).unwrap().is_none(), "another reseller's");
        assert_eq!(count_since(&tx, Moment(2_000_000)).unwrap(), (1, 1));
        cut(&mut tx, Moment(3_000_000)).unwrap();
        assert_eq!(count_since(&tx, Moment(0)).unwrap(), (0, 1));
    }
}
