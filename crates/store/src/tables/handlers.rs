//! Handlers: the secrets sealed, the rest as one document beside the columns that lists ask for.
use hookswitch_model::{
    Object,
    event::Stage,
    handler::{Handler, Status},
    moment::Moment,
    refusal::Refusal,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::search::{Asked, Column, Kind, List};
use crate::{Error, Row, Tx, Vault, params};

/// What is sealed of a handler.
#[derive(Serialize, Deserialize)]
struct Secrets {
    secret: String,
    old_secret: Option<(String, Moment)>,
    headers: Vec<(String, String)>,
    /// Whole: only its kind knows what in it is secret.
    #[serde(default)]
    settings: Object,
}

/// The two texts of a row: the document without secrets, and the secrets, to be sealed.
fn split(handler: &Handler) -> Result<(String, String), Error> {
    let mut plain = handler.clone();
    let secrets = Secrets {
        secret: std::mem::take(&mut plain.secret),
        old_secret: plain.old_secret.take(),
        headers: std::mem::take(&mut plain.headers),
        settings: std::mem::take(&mut plain.settings),
    };
    let text = |value: Result<String, serde_json::Error>| value.map_err(Error::engine);
    Ok((text(serde_json::to_string(&plain))?, text(serde_json::to_string(&secrets))?))
}

fn read(row: &Row<'_>, vault: &Vault) -> Result<Handler, Error> {
    let mut handler: Handler = serde_json::from_str(&row.get::<String>(0)?).map_err(Error::engine)?;
    let sealed = vault.open(&row.get::<Vec<u8>>(1)?)?;
    let secrets: Secrets = serde_json::from_str(&sealed).map_err(Error::engine)?;
    (handler.secret, handler.old_secret, handler.headers) = (secrets.secret, secrets.old_secret, secrets.headers);
    handler.settings = secrets.settings;
    Ok(handler)
}

/// One handler.
///
/// # Errors
/// Whatever the engine says.
pub fn get(tx: &Tx<'_>, vault: &Vault, id: i64) -> Result<Option<Handler>, Error> {
    tx.first("SELECT doc, sealed FROM handlers WHERE id = $1", params![id], |row| read(row, vault))
}

/// Every handler, in order of id: for the snapshot in memory.
///
/// # Errors
/// Whatever the engine says.
pub fn all(tx: &Tx<'_>, vault: &Vault) -> Result<Vec<Handler>, Error> {
    tx.query("SELECT doc, sealed FROM handlers ORDER BY id", &[], |row| read(row, vault))
}

/// Every handler's id and reseller, in order of id.
///
/// # Errors
/// Whatever the engine says.
pub fn owners(tx: &Tx<'_>) -> Result<Vec<(i64, Option<i64>)>, Error> {
    tx.query("SELECT id, companies_id FROM handlers ORDER BY id", &[], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Writes a new one.
///
/// # Errors
/// Whatever the engine says.
pub fn insert(tx: &mut Tx<'_>, vault: &Vault, handler: &Handler) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO handlers (id, companies_id, name, status, type, call_order, task, version, doc, sealed)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let Handler { id, companies_id, name, status, stage, order, task, version, .. } = handler;
    let (doc, secrets) = split(handler)?;
    let sealed = vault.seal(&secrets);
    let values = params![*id, *companies_id, name, status.word(), stage.word(), *order, task, *version, &doc, &sealed];
    tx.put(SQL, values)
}

/// Writes a changed one.
///
/// # Errors
/// Whatever the engine says.
pub fn update(tx: &mut Tx<'_>, vault: &Vault, handler: &Handler) -> Result<(), Error> {
    const SQL: &str = "UPDATE handlers SET companies_id = $1, name = $2, status = $3, type = $4, call_order = $5, task = $6,
      version = $7, doc = $8, sealed = $9 WHERE id = $10";
    let Handler { id, companies_id, name, status, stage, order, task, version, .. } = handler;
    let (doc, secrets) = split(handler)?;
    let sealed = vault.seal(&secrets);
    let values = params![*companies_id, name, status.word(), stage.word(), *order, task, *version, &doc, &sealed, *id];
    tx.put(SQL, values)
}

/// Deletes one; its deliveries must be gone before.
///
/// # Errors
/// Whatever the engine says.
pub fn delete(tx: &mut Tx<'_>, id: i64) -> Result<(), Error> {
    tx.put("DELETE FROM handlers WHERE id = $1", params![id])
}

/// What the list may be asked.
pub static LIST: List = List {
    table: "handlers",
    from: "handlers",
    select: "doc, sealed",
    scope: "companies_id",
    scope_indexed: false,
    key: "id",
    newest_first: false,
    columns: &[
        Column::new("id", "id", Kind::Integer),
        Column::new("name", "name", Kind::Text).quick(),
        Column::new("status", "status", Kind::Choice(Status::WORDS)),
        Column::new("type", "type", Kind::Choice(Stage::WORDS)),
        Column::new("order", "call_order", Kind::Integer),
        Column::new("task", "task", Kind::Text).quick(),
        Column::new("companies_id", "companies_id", Kind::Integer).nullable(),
    ],
};

/// The list, as the Core API shows handlers. (`order` always sorts: the column of that name can't be filtered by.)
///
/// # Errors
/// Wrong filters by name, or whatever the engine says.
pub fn search(tx: &Tx<'_>, vault: &Vault, asked: &Asked<'_>) -> Result<Value, Refusal> {
    LIST.search(tx, asked, |row| Ok(read(row, vault)?.shown()))
}

/// True if a handler of this reseller is somebody else's, seen from those of `scope`.
pub(super) fn is_foreign(companies_id: Option<i64>, scope: Option<&[i64]>) -> bool {
    scope.is_some_and(|ids| companies_id.is_none_or(|id| !ids.contains(&id)))
}
