//! Opening a PostgreSQL database: looked at before it is touched, then brought up to date under a lock: of several nodes that start at
//! once one does it, and the others find it done.
use super::{
    Session,
    address::Address,
    dialect,
    pool::{Dialer, Outage},
    session::Limits,
    tls,
};
use crate::{Clock, Error, OpenError, Tx, Vault, migrate, opening::Purpose, params};
use std::{sync::Arc, time::Duration};

/// The oldest version that has all that is asked of it, and is still looked after by its makers.
const VERSION_MIN: i64 = 130_000;
/// The lock under which the schema changes: "hookswitch schema", as a number.
const SCHEMA_LOCK: i64 = 0x0048_5343_4845_4d41;
/// A migration may rewrite a table of a hundred million rows.
const MIGRATION_MAX: Duration = Duration::from_secs(6 * 60 * 60);
/// So long a migration waits for a table that others use, such as a backup that runs for an hour: nodes that serve queue up behind it
/// meanwhile.
const TABLE_WITHIN: &str = "SET LOCAL lock_timeout = 2000";
/// How often it is begun at most, and how long the others have to themselves in between.
const TRIES_MAX: u32 = 30;
const BETWEEN_TRIES: Duration = Duration::from_secs(2);

/// Connects for the first time, and brings the schema up to date, unless it is only to be read; gives the era, too.
///
/// # Errors
/// In words for the operator; nothing was changed then.
pub(crate) fn open(
    address: Address,
    purpose: Purpose,
    limits: Limits,
    clock: &Clock,
    vault: &Vault,
) -> Result<(Dialer, Session, i64), OpenError> {
    let tls = tls::connector(&address.trust)?;
    let dialer = Dialer { address, tls, limits, outage: Arc::new(Outage::default()) };
    let shown = dialer.address.shown();
    let session = dialer.dial().map_err(|error| OpenError::Other(format!("{shown} can't be reached: {}", plain(&error))))?;
    look(&session)?;
    let patience = session.patience();
    session.be_patient(MIGRATION_MAX);
    let era = once_nobody_is_in_the_way(&session, purpose, clock, vault)?;
    session.be_patient(patience);
    Ok((dialer, session, era))
}

fn plain(error: &Error) -> String {
    match error {
        Error::Unreachable(words) | Error::Engine(words) => words.clone(),
        other => other.to_string(),
    }
}

/// Is this a server that we can work with?
fn look(session: &Session) -> Result<(), OpenError> {
    const ASK: &str = "SELECT CAST(current_setting('server_version_num') AS BIGINT), current_setting('server_version'),
      current_setting('server_encoding'), pg_is_in_recovery(), current_setting('fsync'), current_setting('synchronous_commit')";
    let tx = Tx::postgres(session, hookswitch_model::moment::Moment(0));
    let read = |row: &crate::Row<'_>| {
        let texts: [String; 4] = [row.get(1)?, row.get(2)?, row.get(4)?, row.get(5)?];
        Ok((row.get::<i64>(0)?, texts, row.get::<bool>(3)?))
    };
    let (number, [version, encoding, fsync, synchronous], is_replica) =
        tx.first(ASK, &[], read)?.ok_or_else(|| OpenError::Other("the server says nothing of itself".to_owned()))?;
    if number < VERSION_MIN {
        return Err(OpenError::TooOld { found: version });
    }
    if encoding != "UTF8" {
        return Err(OpenError::Other(format!("the database's encoding is {encoding}; it must be UTF8")));
    }
    if is_replica {
        return Err(OpenError::Other("the server is a replica, which can't be written".to_owned()));
    }
    if fsync == "off" || synchronous == "off" {
        tracing::warn!(
            fsync,
            synchronous_commit = synchronous,
            "the server does not flush what it commits: a crash of its machine loses changes"
        );
    }
    Ok(())
}

/// Brings up to date, from the beginning again when others use a table for too long.
fn once_nobody_is_in_the_way(session: &Session, purpose: Purpose, clock: &Clock, vault: &Vault) -> Result<i64, OpenError> {
    let mut tries = 1;
    loop {
        match bring_up_to_date(session, purpose, clock, vault).inspect_err(|_| session.roll_back()) {
            Err(OpenError::Busy) if tries < TRIES_MAX => {
                tracing::warn!(tries, "others use a table that is to be changed; trying again");
                std::thread::sleep(BETWEEN_TRIES);
                tries += 1;
            }
            ended => return ended,
        }
    }
}

fn bring_up_to_date(session: &Session, purpose: Purpose, clock: &Clock, vault: &Vault) -> Result<i64, OpenError> {
    if purpose == Purpose::Read {
        session.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
        let mut tx = Tx::postgres(session, clock.now());
        migrate::is_current(&applied(&tx)?)?;
        let era = purpose.start(&mut tx, vault)?;
        session.roll_back();
        return Ok(era);
    }
    session.begin("BEGIN")?;
    session.put("SET LOCAL statement_timeout = 0", &[])?;
    session.put("SET LOCAL lock_timeout = 0", &[])?;
    session.put("SET LOCAL idle_in_transaction_session_timeout = 0", &[])?;
    // Of nodes that start at once the others wait, however long it takes; nobody who serves waits for this one.
    session.put("SELECT pg_advisory_xact_lock($1)", params![SCHEMA_LOCK])?;
    session.put(TABLE_WITHIN, &[])?;
    let mut tx = Tx::postgres(session, clock.now());
    let applied = applied(&tx)?;
    let oldest = match migrate::is_newer(&applied) {
        true => tx.first(migrate::OLDEST_OF_NEWER, params![migrate::known()], |row| row.get::<Option<i64>>(0))?.flatten(),
        false => None,
    };
    for migration in migrate::missing(&applied, oldest)? {
        session.batch(&dialect::migration(migrate::RECORDS))?;
        session.batch(&dialect::migration(migration.sql))?;
        migrate::record(&mut tx, migration)?;
    }
    let era = purpose.start(&mut tx, vault)?;
    session.commit()?;
    Ok(era)
}

fn applied(tx: &Tx<'_>) -> Result<Vec<(i64, String)>, Error> {
    let there = tx.first("SELECT to_regclass('migrations') IS NOT NULL", &[], |row| row.get::<bool>(0))?;
    if there != Some(true) {
        return Ok(Vec::new());
    }
    tx.query("SELECT CAST(number AS BIGINT), hash FROM migrations ORDER BY number", &[], |row| Ok((row.get(0)?, row.get(1)?)))
}
