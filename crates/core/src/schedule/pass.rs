//! One pass over all that is due, oldest first: each client is sent on its way with a worker, as far as there are places.
use hookswitch_model::moment::Moment;
use hookswitch_store::{
    Error,
    tables::client_packages::due::{self, Due, LEFT_OUT_MAX},
};

use super::worker;
use crate::Core;

/// Read at once.
const PORTION: i64 = 512;

/// Takes what is due at a moment, and returns when the last client has its worker; true if some found no place.
///
/// Once a client has found no place, the rest of its reseller's wait for the next pass: a hundred thousand of them are not
/// worth reading for nothing.
///
/// # Errors
/// Whatever the store says.
pub(super) async fn through(core: &Core, moment: Moment) -> Result<bool, Error> {
    let (mut behind, mut left_out) = (Due::START, Vec::new());
    while !core.schedule.is_stopped() {
        let (from, without) = (behind, left_out.clone());
        let due = core.store.read(move |tx| due::at(tx, moment, from, &without, PORTION)).await?;
        let Some(last) = due.last() else { break };
        behind = *last;
        for first in due {
            if !core.cluster.owns(first.clients_id) {
                continue;
            }
            if left_out.contains(&first.companies_id) || core.schedule.busy(|busy| busy.contains(&first.clients_id)) {
                continue;
            }
            match core.schedule.0.places.take(core, first.companies_id).await {
                Some(place) => worker::start(core, first, place),
                None if left_out.len() < LEFT_OUT_MAX => left_out.push(first.companies_id),
                // More than have shares of their own: these just find no place one by one.
                None => {}
            }
        }
    }
    Ok(!left_out.is_empty())
}
