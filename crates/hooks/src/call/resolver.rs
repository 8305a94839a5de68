//! Names to addresses, for one handler: the whole answer is checked, and only what was checked is dialled.
//!
//! reqwest dials exactly what its resolver returns, so a name can't lead elsewhere between the check and the call
//! ("rebinding"). One bad address in the answer refuses the whole of it: which one would be dialled is chance.
//!
//! The system's lookup blocks a thread, for half a minute when the name servers are silent, and can't be stopped.
//! So a handler has at most one lookup under way: its calls wait for that one, each within its own time limit, and a
//! lookup that nobody waits for any more goes on and leaves its answer for the next. An answer, good or bad, is used
//! for [`FRESH`]: short enough to follow a name that moves, long enough that a dead name costs one thread.
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

use super::address::{Forbidden, Reach};

const FRESH: Duration = Duration::from_secs(2);

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
}

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
}

impl Resolver {
    pub(super) fn new(reach: Reach) -> Self {
        Self { reach, last: Arc::default() }
    }

    async fn find(self, name: String) -> Result<Vec<IpAddr>, Nowhere> {
        let mut last = self.last.clone().lock_owned().await;
        if let Some(answer) = last.as_ref().filter(|answer| answer.is_for(&name)) {
            return answer.found.clone();
        }
        // In a task of its own: it keeps the lock, and with it the only place, even if this call gives up.
        let lookup = tokio::spawn(async move {
            let found = self.look_up(&name).await;
            *last = Some(Answer { name, found: found.clone(), at: Instant::now() });
            found
        });
        lookup.await.unwrap_or_else(|_| Err(Nowhere::Unknown("of the handler".to_owned())))
    }

    async fn look_up(&self, name: &str) -> Result<Vec<IpAddr>, Nowhere> {
        let lookup = timeout(LOOKUP_MAX, tokio::net::lookup_host((name, 0)));
        let answer = lookup.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let found = answer.map_err(|error| {
            tracing::debug!(name, %error, "a handler's name could not be looked up");
            Nowhere::Unknown(name.to_owned())
        })?;
        checked(&self.reach, found)
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
