//! Addresses and subnets: read from text, given back the shortest way, as ranges of 16 bytes for comparison.
//!
//! An IPv4 address is the same as its IPv6-mapped form (`::ffff:192.0.2.1`) and is kept as IPv4. Bits beyond the
//! prefix are cleared: `192.0.2.7/24` is taken as `192.0.2.0/24`, as people write it.
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};

/// Prefix length of the IPv4-mapped addresses within IPv6.
const MAPPED_PREFIX: u8 = 96;

/// Reads an address (`192.0.2.1`, `2001:db8::1`) or a subnet (`192.0.2.0/24`); `None` if it is neither.
#[must_use]
pub fn read(text: &str) -> Option<IpNet> {
    let net = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => text.parse::<IpNet>().ok()?,
    };
    Some(unmapped(net).trunc())
}

fn unmapped(net: IpNet) -> IpNet {
    let IpNet::V6(six) = net else { return net };
    let four = six.addr().to_ipv4_mapped().zip(six.prefix_len().checked_sub(MAPPED_PREFIX));
    four.and_then(|(address, prefix)| Ipv4Net::new(address, prefix).ok()).map_or(net, IpNet::V4)
}

/// As text: a single address without its prefix length.
#[must_use]
pub fn text(net: &IpNet) -> String {
    if net.prefix_len() == net.max_prefix_len() { net.addr().to_string() } else { net.to_string() }
}

/// The first and the last address, IPv4 mapped into IPv6: ranges that compare as bytes.
#[must_use]
pub fn range(net: &IpNet) -> ([u8; 16], [u8; 16]) {
    let bytes = |address: IpAddr| match address {
        IpAddr::V4(four) => mapped(four).octets(),
        IpAddr::V6(six) => six.octets(),
    };
    (bytes(net.network()), bytes(net.broadcast()))
}

fn mapped(address: Ipv4Addr) -> Ipv6Addr {
    address.to_ipv6_mapped()
}

/// True if the two have an address in common.
#[must_use]
pub fn overlap(left: &IpNet, right: &IpNet) -> bool {
    let ((left_first, left_last), (right_first, right_last)) = (range(left), range(right));
    left_first <= right_last && right_first <= left_last
}

/// The first two of a list that have an address in common, in the order of the list's addresses.
#[must_use]
pub fn first_overlap(nets: &[IpNet]) -> Option<(IpNet, IpNet)> {
    let mut sorted = nets.to_vec();
    // Where two begin alike the wider one comes first. Networks nest or are apart: the neighbour tells.
    sorted.sort_unstable_by_key(|net| (range(net).0, std::cmp::Reverse(range(net).1)));
    sorted.windows(2).find(|pair| overlap(&pair[0], &pair[1])).map(|pair| (pair[0], pair[1]))
}

/// The networks of a checked list of texts.
#[must_use]
pub fn of_list(texts: &serde_json::Value) -> Vec<IpNet> {
    texts.as_array().into_iter().flatten().filter_map(|text| read(text.as_str()?)).collect()
}

/// The networks as a list of texts.
#[must_use]
pub fn to_list(nets: &[IpNet]) -> serde_json::Value {
    nets.iter().map(text).collect()
}

#[cfg(test)]
mod tests;
