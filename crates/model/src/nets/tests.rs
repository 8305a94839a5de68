use proptest::prelude::*;
use serde_json::json;

use super::*;

fn net(text: &str) -> IpNet {
    read(text).unwrap_or_else(|| panic!("{text}"))
}

#[test]
fn addresses_and_subnets_are_normalised() {
    for (given, shown) in [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1/32", "192.0.2.1"),
        ("192.0.2.7/24", "192.0.2.0/24"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("2001:DB8::1", "2001:db8::1"),
        ("2001:db8::1/64", "2001:db8::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7/120", "192.0.2.0/24"),
        ("::/0", "::/0"),
    ] {
        assert_eq!(text(&net(given)), shown, "{given}");
    }
}

#[test]
fn what_is_no_address_is_refused() {
    for given in [
        "",
        " 192.0.2.1",
        "192.0.2",
        "192.0.2.1/33",
        "192.0.2.256",
        "2001:db8::/129",
        "fe80::1%eth0",
        "host.example",
        "1.2.3.4/-1",
    ] {
        assert_eq!(read(given), None, "{given}");
    }
}

#[test]
fn ranges_compare_as_bytes_over_both_families() {
    let (first, last) = range(&net("192.0.2.0/24"));
    assert_eq!(first, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 0]);
    assert_eq!(last, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 255]);
    assert!(overlap(&net("::/0"), &net("192.0.2.1")), "all of IPv6 holds the mapped addresses too");
    assert!(!overlap(&net("2001:db8::/32"), &net("192.0.2.1")));
}

#[test]
fn a_list_is_read_and_given_back() {
    let nets = of_list(&json!(["10.0.0.1", "2001:db8::/32"]));
    assert_eq!(to_list(&nets), json!(["10.0.0.1", "2001:db8::/32"]));
    assert_eq!(of_list(&json!(null)), []);
}

fn any_net() -> impl Strategy<Value = IpNet> {
    // Few addresses and prefixes, so that many pairs meet.
    prop_oneof![
        (0_u8..4, 0_u8..4, 28_u8..=32).prop_map(|(third, last, prefix)| net(&format!("10.0.{third}.{last}/{prefix}"))),
        (0_u8..4, 124_u8..=128).prop_map(|(last, prefix)| net(&format!("::ffff:10.0.0.{last}/{prefix}"))),
        (0_u8..4, 120_u8..=128).prop_map(|(last, prefix)| net(&format!("2001:db8::{last}/{prefix}"))),
    ]
}

proptest! {
    #[test]
    fn an_overlap_is_found_exactly_if_there_is_one(nets in proptest::collection::vec(any_net(), 0..12)) {
        let pairs = || nets.iter().enumerate().flat_map(|(index, one)| nets[index + 1..].iter().map(move |other| (one, other)));
        let there_is_one = pairs().any(|(one, other)| overlap(one, other));
        let found = first_overlap(&nets);
        prop_assert_eq!(found.is_some(), there_is_one);
        prop_assert!(found.is_none_or(|(wide, narrow)| overlap(&wide, &narrow) && wide.prefix_len() <= narrow.prefix_len()));
    }

    #[test]
    fn what_is_shown_is_read_back(one in any_net()) {
        prop_assert_eq!(read(&text(&one)), Some(one));
    }

    #[test]
    fn no_text_makes_it_panic(text in "[0-9a-f:./% ]{0,24}") {
        let _ = read(&text);
    }
}
