//! The server's process from outside: what it uses, how much it may have, and a file system of its own.
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use nix::unistd::{SysconfVar, sysconf};
use rlimit::{INFINITY, Resource, prlimit};

use crate::Server;

impl Server {
    fn proc(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.pid()))
    }

    /// Its memory in KiB.
    ///
    /// # Panics
    /// When it has ended.
    #[must_use]
    pub fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(self.proc("status")).expect("a running process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
        line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number")
    }

    /// The processor time that it has used, over all threads.
    ///
    /// # Panics
    /// When it has ended.
    #[must_use]
    pub fn processor_time(&self) -> Duration {
        let stat = fs::read_to_string(self.proc("stat")).expect("a running process");
        // Behind the name, which may contain anything.
        let (_, rest) = stat.rsplit_once(") ").expect("fields");
        let ticks: u64 = rest.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("ticks")).sum();
        let a_second = sysconf(SysconfVar::CLK_TCK).ok().flatten().and_then(|ticks| u64::try_from(ticks).ok()).unwrap_or(100);
        Duration::from_millis(ticks * 1_000 / a_second)
    }

    /// How many files and connections it has open; `None` where we may not look (the process is closed to others of its user).
    #[must_use]
    pub fn descriptors(&self) -> Option<usize> {
        fs::read_dir(self.proc("fd")).ok().map(Iterator::count)
    }

    /// From now on it may have so many files and connections open.
    pub fn limit_descriptors(&self, at_most: u64) {
        self.limit(Resource::NOFILE, at_most);
    }

    /// From now on its files may become so long; `None` = as long as they like.
    pub fn limit_file_size(&self, bytes: Option<u64>) {
        self.limit(Resource::FSIZE, bytes.unwrap_or(INFINITY));
    }

    /// The soft limit only: it can be raised again.
    fn limit(&self, resource: Resource, soft: u64) {
        let pid = i32::try_from(self.pid()).expect("a process id");
        let (mut old, mut hard) = (0, 0);
        prlimit(pid, resource, None, Some((&mut old, &mut hard))).expect("limits that can be read");
        prlimit(pid, resource, Some((soft.min(hard), hard)), None).expect("a limit that can be set");
    }

    /// A path as the server sees it, when it has a file system of its own.
    #[must_use]
    pub fn seen_by_it(&self, path: &Path) -> PathBuf {
        let mut seen = self.proc("root").into_os_string();
        seen.push(path);
        seen.into()
    }
}
