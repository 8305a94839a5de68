//! One table a file: its statements, as constants beside the functions that run them.
pub mod accounts;
pub mod check;
pub mod client_packages;
pub mod clients;
pub mod clock_seen;
pub mod companies;
pub mod custom_fields;
pub mod cut;
pub mod deliveries;
pub mod era;
pub mod events;
pub mod executions;
pub mod handlers;
pub mod hours;
pub mod idempotency;
pub mod loops;
pub mod nodes;
pub mod outcomes;
pub mod packages;
pub mod resyncs;
pub mod search;
pub mod sessions;
pub(crate) mod settings;
pub mod shadows;
pub mod shards;
pub mod told;
pub mod transactions;
pub mod users;
pub mod versions;

use crate::{OpenError, Tx, Vault, moving};

/// What must be there before anything else: the proof of the key file, and the first reseller. Gives the era.
pub(crate) fn start(tx: &mut Tx<'_>, vault: &Vault) -> Result<i64, OpenError> {
    moving::refuse(tx)?;
    settings::prove_key(tx, vault)?;
    companies::seed(tx)?;
    Ok(era::read(tx)?)
}

/// The same for a database that is only read.
pub(crate) fn start_to_read(tx: &mut Tx<'_>, vault: &Vault) -> Result<i64, OpenError> {
    moving::refuse(tx)?;
    settings::check_key(tx, vault)?;
    Ok(era::read(tx)?)
}

/// The same for a database that is to be filled: nothing is put there.
pub(crate) fn start_to_fill(tx: &mut Tx<'_>, vault: &Vault) -> Result<i64, OpenError> {
    settings::check_key(tx, vault)?;
    crate::moving::withhold_if_new(tx)?;
    Ok(0)
}
