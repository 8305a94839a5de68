//! What the program must know of this very database.
use crate::{OpenError, Tx, Vault, params};

const KEY_PROOF: &str = "key_proof";
const READ: &str = "SELECT value FROM settings WHERE name = $1";
const WRITE: &str = "INSERT INTO settings (name, value) VALUES ($1, $2)";

/// Looks whether this is the key file that the database was written with, if that can be told yet.
pub(crate) fn check_key(tx: &Tx<'_>, vault: &Vault) -> Result<bool, OpenError> {
    match tx.first(READ, params![KEY_PROOF], |row| row.get::<Vec<u8>>(0))? {
        Some(proof) => vault.open(&proof).map(|_| true).map_err(|_| OpenError::WrongKey),
        None => Ok(false),
    }
}

/// A value sealed with the key file: another key file is noticed before anything is written.
pub(crate) fn prove_key(tx: &mut Tx<'_>, vault: &Vault) -> Result<(), OpenError> {
    if !check_key(tx, vault)? {
        tx.put(WRITE, params![KEY_PROOF, &vault.seal(KEY_PROOF)])?;
    }
    Ok(())
}
