//! From where a request came: the connection's own address, or what a trusted proxy says.
//!
//! `X-Forwarded-For` is read from the right, because only its end was written by proxies that we trust; whatever
//! the caller itself had put there stands further left and counts for nothing.
use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use ipnet::IpNet;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The networks whose word counts.
pub(crate) struct Proxies(Vec<IpNet>);

impl Proxies {
    /// These networks.
    pub(crate) fn new(trusted: Vec<IpNet>) -> Self {
        Self(trusted)
    }

    /// The address that the request came from; `peer` is the other end of the connection.
    pub(crate) fn caller(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut caller = peer.to_canonical();
        if !self.trusts(caller) {
            return caller;
        }
        let lines = headers.get_all(FORWARDED_FOR);
        let hops = lines.iter().rev().flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        for hop in hops {
            let Some(address) = read(hop.trim()) else { break };
            caller = address;
            if !self.trusts(caller) {
                break;
            }
        }
        caller
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&address))
    }
}

/// An address, as some proxies write it with a port.
fn read(hop: &str) -> Option<IpAddr> {
    let bare = || hop.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let address = bare().or_else(|_| hop.parse::<SocketAddr>().map(|with_port| with_port.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn caller(peer: &str, lines: &[&'static str]) -> String {
        let proxies = Proxies::new(vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()]);
        let name = HeaderName::from_static(FORWARDED_FOR);
        let headers: HeaderMap = lines.iter().map(|line| (name.clone(), HeaderValue::from_static(line))).collect();
        proxies.caller(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn a_stranger_is_not_believed() {
        assert_eq!(caller("192.0.2.1", &["198.51.100.9"]), "192.0.2.1");
    }

    #[test]
    fn a_trusted_proxy_is_and_what_the_caller_wrote_before_it_is_not() {
        assert_eq!(caller("10.0.0.1", &["198.51.100.9"]), "198.51.100.9");
        assert_eq!(caller("10.0.0.1", &["127.0.0.1, 198.51.100.9"]), "198.51.100.9");
        assert_eq!(caller("10.0.0.1", &["127.0.0.1", "198.51.100.9, 10.0.0.2"]), "198.51.100.9");
        assert_eq!(caller("2001:db8::1", &["198.51.100.9"]), "198.51.100.9");
    }

    #[test]
    fn ports_brackets_and_mapped_addresses_are_understood() {
        assert_eq!(caller("::ffff:10.0.0.1", &["198.51.100.9:4711"]), "198.51.100.9");
        assert_eq!(caller("10.0.0.1", &["[2a00::1]:4711"]), "2a00::1");
        assert_eq!(caller("10.0.0.1", &["[2a00::1]"]), "2a00::1");
        assert_eq!(caller("10.0.0.1", &["::ffff:198.51.100.9"]), "198.51.100.9");
    }

    #[test]
    fn what_is_no_address_ends_the_way_at_the_last_trusted_one() {
        assert_eq!(caller("10.0.0.1", &["198.51.100.9, unknown"]), "10.0.0.1");
        assert_eq!(caller("10.0.0.1", &["unknown, 10.0.0.7"]), "10.0.0.7");
        assert_eq!(caller("10.0.0.1", &[]), "10.0.0.1");
    }
}
