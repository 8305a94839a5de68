//! Names to addresses, for one handler: the whole answer is checked, and only what was checked is dialled.
//!
//! reqwest dials exactly what its resolver returns, so a name can't lead elsewhere between the check and the call
//! ("rebinding"). One bad address in the answer refuses the whole of it: which one would be dialled is chance.
//!
//! The system's lookup blocks a thread, for half a minute when the name servers are silent, and can't be stopped.
//! So a handler has at most one lookup under way: its calls wait for that one, each within its own time limit, and a
//! lookup that nobody waits for any more goes on and leaves its answer for the next. An answer, good or bad, is used
//! for [`FRESH`]: short enough to follow a name that moves, long enough that a dead name costs one thread. All handlers together
//! have [`LOOKUPS_MAX`] lookups under way: threads are needed for other things too.
//!
//! Where the name servers say nothing (in [`SILENCE`], or that they can't tell now), the last good answer is used, for up to
//! [`KEPT`]: handlers that were found before are called while the name servers are down.
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, PoisonError},
    time::Duration,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::{
    sync::{Mutex, Semaphore},
    time::{Instant, timeout},
};

use super::{
    address::{Forbidden, Reach},
    words,
};

const FRESH: Duration = Duration::from_secs(2);

/// After this a lookup is no longer waited for, if there is an older answer.
const SILENCE: Duration = Duration::from_millis(100);

/// How long an answer may stand in for one that does not come.
const KEPT: Duration = Duration::from_secs(15 * 60);

/// In the system's words (`EAI_AGAIN`), which are the same in every language: no server answers, or none can tell now.
const NOT_NOW: &str = "Temporary failure in name resolution";

/// Lookups under way at once, half of the threads that there are for what blocks.
const LOOKUPS_MAX: usize = 256;
static LOOKUPS: Semaphore = Semaphore::const_new(LOOKUPS_MAX);

/// As long as a call may take at most; the call's own limit is usually shorter.
const LOOKUP_MAX: Duration = Duration::from_secs(30);

/// An answer longer than this is cut: all of it would never be dialled within a call.
const ADDRESSES_MAX: usize = 64;

/// Why a name leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Nowhere {
    /// To where it may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The name servers' words are left out: they may tell of our own network.
    #[error("the name {0} could not be found")]
    Unknown(String),
    /// The same, because nobody answered who knows names.
    #[error("the name {0} could not be found: no name server answers")]
    Silent(String),
    /// This process has no file descriptor left to ask with.
    #[error("no file descriptor is free to look the name up")]
    Ours,
}

#[derive(Clone)]
struct Answer {
    name: String,
    found: Result<Vec<IpAddr>, Nowhere>,
    at: Instant,
}

impl Answer {
    fn is_for(&self, name: &str) -> bool {
        self.name == name && self.at.elapsed() < FRESH
    }
}

/// The resolver of one handler.
#[derive(Clone)]
pub(super) struct Resolver {
    reach: Reach,
    last: Arc<Mutex<Option<Answer>>>,
    /// The last one that was good; read while a lookup is under way.
    good: Arc<std::sync::Mutex<Option<Answer>>>,
}

impl Resolver {
    pub(super) fn new(reach: Reach) -> Self {
        Self { reach, last: Arc::default(), good: Arc::default() }
    }

    /// The addresses of a name, for whoever dials himself.
    pub(super) async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, Nowhere> {
        self.clone().find(name.to_owned()).await
    }

    async fn find(self, name: String) -> Result<Vec<IpAddr>, Nowhere> {
        let older = self.older(&name);
        let mut finding = std::pin::pin!(self.find_now(name));
        match (timeout(SILENCE, finding.as_mut()).await, older) {
            (Ok(Err(Nowhere::Silent(_))) | Err(_), Some(older)) => Ok(older),
            (Ok(found), _) => found,
            (Err(_), None) => finding.await,
        }
    }

    fn older(&self, name: &str) -> Option<Vec<IpAddr>> {
        let good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = good.as_ref().filter(|answer| answer.name == name && answer.at.elapsed() < KEPT)?;
        answer.found.clone().ok()
    }

    async fn find_now(self, name: String) -> Result<Vec<IpAddr>, Nowhere> {
        let mut last = self.last.clone().lock_owned().await;
        if let Some(answer) = last.as_ref().filter(|answer| answer.is_for(&name)) {
            return answer.found.clone();
        }
        // In a task of its own: it keeps the lock, and with it the only place, even if this call gives up.
        let lookup = tokio::spawn(async move {
            let found = self.look_up(&name).await;
            let answer = Answer { name, found: found.clone(), at: Instant::now() };
            if found.is_ok() {
                *self.good.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer.clone());
            }
            *last = Some(answer);
            found
        });
        lookup.await.unwrap_or_else(|_| Err(Nowhere::Unknown("of the handler".to_owned())))
    }

    async fn look_up(&self, name: &str) -> Result<Vec<IpAddr>, Nowhere> {
        let lookup = async {
            // It is never closed.
            let _place = LOOKUPS.acquire().await.ok();
            tokio::net::lookup_host((name, 0)).await
        };
        let answer = timeout(LOOKUP_MAX, lookup).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let found = answer.map_err(|error| {
            tracing::debug!(name, %error, "a handler's name could not be looked up");
            nowhere(name, &error)
        })?;
        checked(&self.reach, found)
    }
}

fn nowhere(name: &str, error: &io::Error) -> Nowhere {
    if words::is_ours(error) {
        Nowhere::Ours
    } else if error.kind() == io::ErrorKind::TimedOut || error.to_string().contains(NOT_NOW) {
        Nowhere::Silent(name.to_owned())
    } else {
        Nowhere::Unknown(name.to_owned())
    }
}

fn checked(reach: &Reach, found: impl Iterator<Item = SocketAddr>) -> Result<Vec<IpAddr>, Nowhere> {
    let mut addresses = Vec::new();
    for address in found {
        reach.check(address.ip())?;
        addresses.push(address.ip());
    }
    addresses.truncate(ADDRESSES_MAX);
    Ok(addresses)
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let finding = self.clone().find(name.as_str().to_owned());
        Box::pin(async move {
            let addresses = finding.await?;
            // Port 0 stands for the port of the URL.
            Ok(Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(reseller_bound: bool) -> Reach {
        Reach::new(reseller_bound, Arc::from([]))
    }

    #[test]
    fn one_bad_address_refuses_the_whole_answer() {
        let answer = |addresses: &[&str]| {
            let addresses: Vec<SocketAddr> = addresses.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0)).collect();
            checked(&reach(true), addresses.into_iter()).map(|found| found.len()).ok()
        };
        assert_eq!(answer(&["8.8.8.8", "2606:4700::1"]), Some(2));
        assert_eq!(answer(&["8.8.8.8", "127.0.0.1"]), None);
    }

    #[tokio::test]
    async fn a_name_that_leads_here_is_refused_to_a_reseller_and_open_to_the_system() {
        let found = |reseller_bound| Resolver::new(reach(reseller_bound)).find("localhost".to_owned());
        assert!(found(false).await.is_ok_and(|found| found.iter().all(IpAddr::is_loopback)));
        assert!(matches!(found(true).await, Err(Nowhere::Forbidden(_))));
    }

    #[tokio::test]
    async fn an_unknown_name_is_told_in_plain_words() {
        let found = Resolver::new(reach(false)).find("nobody.invalid".to_owned()).await;
        assert_eq!(found.unwrap_err().to_string(), "the name nobody.invalid could not be found");
    }

    #[tokio::test]
    async fn an_answer_is_used_again_while_it_is_fresh() {
        let resolver = Resolver::new(reach(false));
        let found = Ok(vec!["10.1.2.3".parse().unwrap()]);
        let answer = Answer { name: "crm.invalid".to_owned(), found: found.clone(), at: Instant::now() };
        *resolver.last.lock().await = Some(answer);
        assert_eq!(resolver.clone().find("crm.invalid".to_owned()).await, found);
        let old = Instant::now().checked_sub(FRESH).unwrap();
        resolver.last.lock().await.as_mut().unwrap().at = old;
        assert!(resolver.find("crm.invalid".to_owned()).await.is_err(), "a new lookup");
    }
}
