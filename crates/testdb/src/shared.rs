//! The cluster of the whole run: `./test`'s, or one of this process.
use std::sync::OnceLock;

use crate::Cluster;

/// Names the cluster of `./test`: the URL of a database of its that is always there.
pub const CLUSTER_VARIABLE: &str = "HOOKSWITCH_TEST_POSTGRES";

/// Never dropped; its guard removes it with the process.
static OWN: OnceLock<Cluster> = OnceLock::new();

/// The URL of a database that is always there, in the cluster of this run.
pub(crate) fn administration() -> String {
    std::env::var(CLUSTER_VARIABLE)
        .ok()
        .filter(|url| !url.is_empty())
        .unwrap_or_else(|| OWN.get_or_init(Cluster::start).administration())
}
