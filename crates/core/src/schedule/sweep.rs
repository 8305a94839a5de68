//! Packages with new terms, or archived ones: everybody who has one is looked at anew. There may be very many, so they become
//! due a portion at a time, and how far that has come stands in the database.
use hookswitch_store::{
    Error,
    tables::{client_packages::due, packages},
};

use crate::Core;

/// Client packages in one transaction.
const PORTION: i64 = 500;

/// Makes due whoever has a package with new terms.
///
/// # Errors
/// Whatever the store says.
pub(super) async fn packages(core: &Core) -> Result<(), Error> {
    while !core.schedule.is_stopped() {
        let Some((id, behind)) = core.store.read(packages::to_sweep).await? else { break };
        core.store
            .write(move |tx| {
                // Changed once more meanwhile: it begins anew, and what was done already is done again.
                let last = due::for_terms(tx, id, behind, PORTION)?;
                packages::swept(tx, id, last)
            })
            .await?;
    }
    Ok(())
}
