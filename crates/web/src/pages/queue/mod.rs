//! What was not told yet, and the repair at hand. Deliveries of events and outcomes of actions are two queues of the same kind: what
//! is chosen of either is sent again or discarded by the same two pages.
//!
//! | file | subject |
//! |---|---|
//! | here | the two queues; tabs; addresses |
//! | `list` | the list of either queue |
//! | `deliveries`, `outcomes` | what is in it: columns, filters, words |
//! | `standing` | where each handler stands, above the lists |
//! | `delivery` | one delivery |
//! | `repair` | sending again and discarding: how many, then done |
mod deliveries;
mod delivery;
mod list;
mod outcomes;
mod repair;
mod standing;

use axum::{Router, routing::get};
use hookswitch_api::Api;

use crate::{
    html::Html,
    parts::{tabs, words},
};

pub(crate) const DELIVERIES: &str = "/provisioning/deliveries";
pub(crate) const OUTCOMES: &str = "/provisioning/outcomes";

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route(DELIVERIES, get(deliveries::list))
        .route("/provisioning/deliveries/resend", get(repair::ask_to_resend_deliveries).post(repair::resend_deliveries))
        .route("/provisioning/deliveries/discard", get(repair::ask_to_discard_deliveries).post(repair::discard_deliveries))
        .route("/provisioning/deliveries/{id}", get(delivery::delivery).post(delivery::resend))
        .route(OUTCOMES, get(outcomes::list))
        .route("/provisioning/outcomes/resend", get(repair::ask_to_resend_outcomes).post(repair::resend_outcomes))
        .route("/provisioning/outcomes/discard", get(repair::ask_to_discard_outcomes).post(repair::discard_outcomes))
}

/// Links to what stands beside each other here.
pub(crate) fn beside(here: &str) -> Html {
    const PAGES: &[(&str, &str)] = &[
        (DELIVERIES, "Deliveries"),
        (OUTCOMES, "Outcomes"),
        ("/provisioning/resyncs", "Resyncs"),
        ("/provisioning/loops", "Loops"),
    ];
    tabs::tabs("Deliveries", here, PAGES)
}

/// One of the two queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Queue {
    path: &'static str,
    /// One, and several of them.
    names: (&'static str, &'static str),
    search: &'static str,
    resend: &'static str,
    discard: &'static str,
}

const OF_DELIVERIES: Queue = Queue {
    path: DELIVERIES,
    names: ("delivery", "deliveries"),
    search: "provisioning.deliveries.search",
    resend: "provisioning.deliveries.resend",
    discard: "provisioning.deliveries.discard",
};

const OF_OUTCOMES: Queue = Queue {
    path: OUTCOMES,
    names: ("outcome", "outcomes"),
    search: "provisioning.outcomes.search",
    resend: "provisioning.outcomes.resend",
    discard: "provisioning.outcomes.discard",
};

impl Queue {
    /// So many of them, in words.
    fn counted(self, number: i64) -> String {
        words::counted(number, self.names.0, self.names.1)
    }
}
