//! Where a handler may not be.
//!
//! A handler's URL is typed by a person, perhaps by a reseller's admin, and called from inside our own network: it
//! must not become a way to reach what stands there. Link-local addresses and the metadata services of clouds are
//! refused for everyone; a reseller's handler must be at a public address or in one of `reseller_networks`. A system
//! handler may be on this machine or in a private network: that is where most of them are.
//!
//! An address is judged by what it really leads to: an IPv4 address that is wrapped into an IPv6 one (mapped,
//! compatible, NAT64, 6to4, Teredo, ISATAP) counts as itself. How an address was written (`http://2130706433/`,
//! `http://0x7f.1/`) no longer matters here, because `url` has normalised it.
//!
//! What names lead to is only known when they are dialled: `resolver` asks here as well.
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::{Host, Url};

/// The address, or one of the addresses of the name, may not be called.
///
/// It doesn't say which address: what a name leads to inside our network is nobody's business outside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the handler's address is not allowed: {}", .0.words())]
pub struct Forbidden(Why);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Never,
    NotForResellers,
}

impl Why {
    fn words(self) -> &'static str {
        match self {
            Self::Never => "link-local, multicast and cloud metadata addresses are never called",
            Self::NotForResellers => "a reseller's handler must be at a public address",
        }
    }
}

/// Which addresses a handler may be at.
#[derive(Debug, Clone)]
pub struct Reach {
    reseller_bound: bool,
    reseller_networks: Arc<[IpNet]>,
}

impl Reach {
    /// For a handler of a reseller, or one of the system.
    #[must_use]
    pub fn new(reseller_bound: bool, reseller_networks: Arc<[IpNet]>) -> Self {
        Self { reseller_bound, reseller_networks }
    }

    /// Judges one address.
    ///
    /// # Errors
    /// [`Forbidden`].
    pub fn check(&self, address: IpAddr) -> Result<(), Forbidden> {
        check(address, self.reseller_bound, &self.reseller_networks)
    }

    /// Judges a URL whose host is written as an address; a name is judged when it is dialled.
    ///
    /// # Errors
    /// [`Forbidden`].
    pub fn check_url(&self, url: &Url) -> Result<(), Forbidden> {
        check_url(url, self.reseller_bound, &self.reseller_networks)
    }
}

/// Judges a URL when its handler is saved, and again before each call: a host that is written as an address
/// by-passes the resolver. A name passes here and is judged when it is dialled.
///
/// # Errors
/// [`Forbidden`].
pub fn check_url(url: &Url, reseller_bound: bool, reseller_networks: &[IpNet]) -> Result<(), Forbidden> {
    match url.host() {
        Some(Host::Ipv4(address)) => check(address.into(), reseller_bound, reseller_networks),
        Some(Host::Ipv6(address)) => check(address.into(), reseller_bound, reseller_networks),
        Some(Host::Domain(_)) | None => Ok(()),
    }
}

/// Judges one address.
///
/// # Errors
/// [`Forbidden`].
pub fn check(address: IpAddr, reseller_bound: bool, reseller_networks: &[IpNet]) -> Result<(), Forbidden> {
    let led_to = unwrapped(address);
    if never(address) || never(led_to) {
        return Err(Forbidden(Why::Never));
    }
    if !reseller_bound || reseller_networks.iter().any(|network| network.contains(&led_to) || network.contains(&address)) {
        return Ok(());
    }
    // A wrapping that leads somewhere else than through a well-known prefix is as private as its network.
    let wrapping_is_public = address == led_to || public_wrapping(address);
    if wrapping_is_public && public(led_to) { Ok(()) } else { Err(Forbidden(Why::NotForResellers)) }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(head: [u16; 3], last: u16, length: u8) -> Ipv6Net {
    let [a, b, c] = head;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, last), length)
}

/// Refused for every handler.
const NEVER_V4: &[Ipv4Net] = &[
    v4(0, 0, 0, 0, 8),          // unspecified: on Linux another name of this machine
    v4(169, 254, 0, 0, 16),     // link-local, and with it 169.254.169.254: metadata of AWS, Azure, GCP and others
    v4(100, 100, 100, 200, 32), // metadata of Alibaba Cloud
    v4(168, 63, 129, 16, 32),   // the host's agent in Azure
    v4(192, 0, 0, 192, 32),     // metadata of Oracle Cloud
    v4(224, 0, 0, 0, 4),        // multicast
    v4(255, 255, 255, 255, 32), // broadcast
];
const NEVER_V6: &[Ipv6Net] = &[
    v6([0, 0, 0], 0, 128),             // unspecified
    v6([0xfe80, 0, 0], 0, 10),         // link-local
    v6([0xff00, 0, 0], 0, 8),          // multicast
    v6([0xfd00, 0xec2, 0], 0, 32),     // metadata of AWS (fd00:ec2::254)
    v6([0xfd20, 0xce, 0], 0x254, 128), // metadata of GCP
];

/// Not public: IANA's special-purpose registry, as far as [`NEVER_V4`] has it not already.
const NOT_PUBLIC_V4: &[Ipv4Net] = &[
    v4(10, 0, 0, 0, 8),      // private
    v4(100, 64, 0, 0, 10),   // behind carriers' NAT
    v4(127, 0, 0, 0, 8),     // this machine
    v4(172, 16, 0, 0, 12),   // private
    v4(192, 0, 0, 0, 24),    // protocol assignments
    v4(192, 0, 2, 0, 24),    // documentation
    v4(192, 88, 99, 0, 24),  // 6to4 relays
    v4(192, 168, 0, 0, 16),  // private
    v4(198, 18, 0, 0, 15),   // benchmarks
    v4(198, 51, 100, 0, 24), // documentation
    v4(203, 0, 113, 0, 24),  // documentation
    v4(240, 0, 0, 0, 4),     // reserved
];
/// All public IPv6 addresses are in here...
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0], 0, 3);
/// ...but for these.
const NOT_PUBLIC_V6: &[Ipv6Net] = &[
    v6([0x2001, 0, 0], 0, 23),     // protocol assignments, Teredo among them
    v6([0x2001, 0xdb8, 0], 0, 32), // documentation
    v6([0x3fff, 0, 0], 0, 20),     // documentation
];

const COMPATIBLE: Ipv6Net = v6([0, 0, 0], 0, 96);
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0], 0, 96);
const NAT64_LOCAL: Ipv6Net = v6([0x64, 0xff9b, 1], 0, 48);
const SIX_TO_FOUR: Ipv6Net = v6([0x2002, 0, 0], 0, 16);
const TEREDO: Ipv6Net = v6([0x2001, 0, 0], 0, 32);

fn never(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => NEVER_V4.iter().any(|network| network.contains(&address)),
        IpAddr::V6(address) => NEVER_V6.iter().any(|network| network.contains(&address)),
    }
}

fn public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !NOT_PUBLIC_V4.iter().any(|network| network.contains(&address)),
        IpAddr::V6(address) => GLOBAL_V6.contains(&address) && !NOT_PUBLIC_V6.iter().any(|network| network.contains(&address)),
    }
}

/// Through these, a public IPv4 address is reached as publicly as without: mapped addresses never leave the machine
/// as such, NAT64 is how an IPv6-only server reaches the rest of the world. Teredo and 6to4 are not used any more.
fn public_wrapping(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some() || NAT64.contains(&address))
}

/// The IPv4 address that is wrapped into an IPv6 one, else the address as it is.
fn unwrapped(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(address) => wrapped(address).map_or(IpAddr::V6(address), IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

fn wrapped(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [_, first, second, _, isatap, isatap_mark, last_but_one, last] = address.segments();
    let end = ipv4(last_but_one, last);
    if let Some(mapped) = address.to_ipv4_mapped() {
        return Some(mapped);
    }
    if SIX_TO_FOUR.contains(&address) {
        return Some(ipv4(first, second));
    }
    if TEREDO.contains(&address) {
        // The client's address is written inverted, so that no NAT on the way "corrects" it.
        return Some(ipv4(!last_but_one, !last));
    }
    let compatible = COMPATIBLE.contains(&address) && !address.is_loopback() && !address.is_unspecified();
    let isatap = isatap_mark == 0x5efe && matches!(isatap, 0 | 0x200);
    if compatible || NAT64.contains(&address) || NAT64_LOCAL.contains(&address) || isatap {
        return Some(end);
    }
    None
}

fn ipv4(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn judged(url: &str, reseller_bound: bool) -> bool {
        let networks = ["10.9.0.0/16".parse().unwrap(), "fd99::/32".parse().unwrap(), "169.254.7.0/24".parse().unwrap()];
        check_url(&url.parse().unwrap(), reseller_bound, &networks).is_ok()
    }

    #[test]
    fn nobody_reaches_link_local_metadata_multicast_or_nowhere() {
        for host in [
            "169.254.169.254",
            "169.254.0.1",
            "169.254.7.1",
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "239.1.1.1",
            "255.255.255.255",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "[fe80::1]",
            "[febf::1]",
            "[ff02::1]",
            "[::]",
            "[fd00:ec2::254]",
            "[fd20:ce::254]",
            "[::ffff:169.254.169.254]",
            "[::169.254.169.254]",
            "[64:ff9b::169.254.169.254]",
            "[64:ff9b:1::169.254.169.254]",
            "[2002:a9fe:a9fe::1]",
            "[2001:0:1:2:3:4:5601:5601]",
            "[2001:db8::5efe:169.254.169.254]",
            "2852039166",
            "0xa9fea9fe",
            "0251.0376.0251.0376",
            "0xa9.254.0251.254",
            "169.254.43518",
            "169.254.169.254.",
        ] {
            for reseller_bound in [false, true] {
                assert!(!judged(&format!("http://{host}/"), reseller_bound), "{host}");
            }
        }
    }

    #[test]
    fn a_system_handler_reaches_this_machine_and_private_networks() {
        for host in
            ["127.0.0.1", "2130706433", "[::1]", "10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1", "[fd12::1]", "8.8.8.8"]
        {
            assert!(judged(&format!("http://{host}:5000/api"), false), "{host}");
        }
    }

    #[test]
    fn a_resellers_handler_reaches_public_addresses_and_the_configured_networks_only() {
        for host in
            ["8.8.8.8", "[2606:4700::1]", "[64:ff9b::8.8.8.8]", "[::ffff:8.8.8.8]", "10.9.1.2", "[::ffff:10.9.1.2]", "[fd99::1]"]
        {
            assert!(judged(&format!("https://{host}/"), true), "{host}");
        }
        for host in [
            "127.0.0.1",
            "2130706433",
            "0x7f.1",
            "017700000001",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::7f00:1]",
            "10.0.0.1",
            "10.8.1.2",
            "172.31.0.1",
            "192.168.0.1",
            "100.64.0.1",
            "198.18.0.1",
            "192.0.2.1",
            "203.0.113.9",
            "240.0.0.1",
            "[fc00::1]",
            "[fd12::1]",
            "[fec0::1]",
            "[2001:db8::1]",
            "[2002:7f00:1::]",
            "[2002:808:808::]",
            "[64:ff9b::10.0.0.1]",
            "[64:ff9b:1::8.8.8.8]",
            "[2001:0:1::]",
            "[5f00::1]",
            "[100::1]",
            "[2606:4700::5efe:10.0.0.1]",
        ] {
            assert!(!judged(&format!("https://{host}/"), true), "{host}");
        }
    }

    #[test]
    fn a_name_is_judged_when_it_is_dialled() {
        assert!(judged("http://localhost/", true));
    }

    #[test]
    fn the_message_names_no_address() {
        let error = check("10.0.0.1".parse().unwrap(), true, &[]).unwrap_err().to_string();
        assert_eq!(error, "the handler's address is not allowed: a reseller's handler must be at a public address");
    }

    proptest! {
        #[test]
        fn wrapping_an_address_never_opens_a_way_to_it(bits: u32, reseller_bound: bool) {
            let plain = Ipv4Addr::from_bits(bits);
            let [a, b] = [(bits >> 16) as u16, bits as u16];
            let wrappings = [
                Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, a, b),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, a, b),
                Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, a, b),
                Ipv6Addr::new(0x2002, a, b, 0, 0, 0, 0, 1),
                Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, !a, !b),
            ];
            for wrapping in wrappings {
                let opened = check(wrapping.into(), reseller_bound, &[]).is_ok() && check(plain.into(), reseller_bound, &[]).is_err();
                prop_assert!(!opened, "{} as {}", plain, wrapping);
            }
        }
    }
}
