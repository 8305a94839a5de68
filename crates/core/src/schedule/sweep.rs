//! Packages with new terms, or archived ones: everybody who has one is looked at anew. There may be very many, so they become
//! due a portion at a time, between which others have their turns; how far that has come stands in the database.
use hookswitch_store::{
    Error, Subject,
    tables::{client_packages::due, packages},
};

use crate::Core;

/// Client packages in one transaction.
const PORTION: i64 = 500;

/// Makes due the next of those who have a package with new terms; true if there may be more.
///
/// # Errors
/// Whatever the store says.
pub(super) async fn portion(core: &Core) -> Result<bool, Error> {
    if core.store.read(packages::to_sweep).await?.is_none() {
        return Ok(false);
    }
    core.store
        .write(|tx| {
            // Nobody changes terms meanwhile: a step that is taken beside this one is taken by those that this is about.
            tx.lock_shared(Subject::Configuration)?;
            // Read once more: whoever changed the package meanwhile has begun it anew.
            let Some((id, behind)) = packages::to_sweep(tx)? else { return Ok(false) };
            let last = due::for_terms(tx, id, behind, PORTION)?;
            packages::swept(tx, id, last)?;
            Ok(true)
        })
        .await
}
