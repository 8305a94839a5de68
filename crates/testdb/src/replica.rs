//! A standby: it follows a cluster's log, and takes its place when that is lost.
use std::{
    thread,
    time::{Duration, Instant},
};

use crate::{Cluster, cluster::USER, programs, query};

const WITHIN: Duration = Duration::from_secs(60);
const TRY_EVERY: Duration = Duration::from_millis(20);

impl Cluster {
    /// A second one that follows this one asynchronously: what this one has told nobody of when it is lost is lost with it.
    ///
    /// # Panics
    /// When it can't be made.
    #[must_use]
    pub fn replica(&self) -> Self {
        let replica = Self::prepare();
        let (host, port) = (self.folder().display().to_string(), self.port().to_string());
        let data = replica.data().display().to_string();
        let source = ["-h", &host, "-p", &port, "-U", USER];
        programs::run("pg_basebackup", &[&["-D", &data, "-X", "stream", "-c", "fast", "-R", "--no-sync"], &source[..]].concat());
        replica.configure(&[]);
        replica.start_again();
        replica
    }

    /// Waits until a replica has everything that this one has written up to now.
    ///
    /// # Panics
    /// When it does not get there.
    pub fn wait_until_followed_by(&self, replica: &Self) {
        let written = self.rows("SELECT pg_current_wal_lsn()")[0][0].clone();
        let has = format!("SELECT pg_last_wal_replay_lsn() >= '{written}'");
        wait("the replica has everything", || replica.rows(&has)[0][0] == "t");
    }

    /// Makes a replica one that is written to, and waits until it is.
    ///
    /// # Panics
    /// When it does not become one.
    pub fn promote(&self) {
        programs::run("pg_ctl", &["-D", &self.data().display().to_string(), "-s", "-w", "-t", "60", "promote"]);
        let administration = self.administration();
        wait("it is written to", || query::rows(&administration, "SELECT pg_is_in_recovery()")[0][0] == "f");
    }
}

pub(crate) fn wait(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < WITHIN, "waited {WITHIN:?} in vain: {what}");
        thread::sleep(TRY_EVERY);
    }
}
