//! One pass over all that is due, oldest first: each client is sent on its way with a worker, as far as there are places.
use hookswitch_model::moment::Moment;
use hookswitch_store::{
    Error,
    tables::client_packages::due::{self, Due},
};

use super::worker;
use crate::Core;

/// Read at once.
const PORTION: i64 = 512;

/// Takes what is due at a moment, and returns when the last client has its worker; true if some found no place.
///
/// # Errors
/// Whatever the store says.
pub(super) async fn through(core: &Core, moment: Moment) -> Result<bool, Error> {
    let (mut behind, mut left_out) = (Due::START, false);
    while !core.schedule.is_stopped() {
        let from = behind;
        let due = core.store.read(move |tx| due::at(tx, moment, from, PORTION)).await?;
        let Some(last) = due.last() else { break };
        behind = *last;
        for first in due {
            if core.schedule.busy(|busy| busy.contains(&first.clients_id)) {
                continue;
            }
            match core.schedule.0.places.take(core, first.companies_id).await {
                Some(place) => worker::start(core, first, place),
                None => left_out = true,
            }
        }
    }
    Ok(left_out)
}
