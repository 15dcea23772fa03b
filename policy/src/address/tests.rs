//! Tests of address sets and of the client's address.

use super::*;
use proptest::prelude::*;
use std::net::{Ipv4Addr, Ipv6Addr};

fn set(networks: &[&str]) -> Set {
    Set::parse(
        &networks
            .iter()
            .map(|text| text.to_string())
            .collect::<Vec<_>>(),
    )
    .unwrap()
}

#[track_caller]
fn check(networks: &[&str], address: &str, expected: bool) {
    let got = set(networks).contains(address.parse().unwrap());
    assert_eq!(got, expected, "{address} in {networks:?}");
}

#[test]
fn contains() {
    check(&[], "1.2.3.4", false);
    check(&["10.0.0.0/8"], "10.0.0.0", true);
    check(&["10.0.0.0/8"], "10.255.255.255", true);
    check(&["10.0.0.0/8"], "11.0.0.0", false);
    check(&["10.0.0.0/8"], "9.255.255.255", false);
    check(&["10.0.0.0/8"], "::ffff:10.1.2.3", true);
    check(&["10.0.0.0/8"], "::10.1.2.3", false);
    check(&["1.2.3.4"], "1.2.3.4", true);
    check(&["1.2.3.4"], "1.2.3.5", false);
    check(&["0.0.0.0/0"], "255.255.255.255", true);
    check(&["0.0.0.0/0"], "::1", false);
    check(&["::/0"], "ffff::", true);
    check(&["::/0"], "1.2.3.4", false);
    check(&["::ffff:10.0.0.0/104"], "10.9.9.9", true);
    check(&["::ffff:10.0.0.0/104"], "::ffff:10.9.9.9", true);
    check(&["2001:db8::/32", "::1"], "2001:db8:ffff::1", true);
    check(&["2001:db8::/32", "::1"], "2001:db9::", false);
    check(&["2001:db8::/32", "::1"], "::1", true);
    check(
        &["10.0.0.0/9", "10.128.0.0/9", "10.1.0.0/16"],
        "10.200.0.0",
        true,
    );
    assert!(set(&[]).is_empty() && !set(&["::1"]).is_empty());
    assert_eq!(
        set(&["10.0.0.0/9", "10.128.0.0/9", "10.1.0.0/16"]),
        set(&["10.0.0.0/8"]),
    );
}

#[test]
fn errors() {
    for text in ["", "10.0.0.0/33", "10.0.0.1/8", "010.0.0.1", "::1/129", "a"] {
        let error = Set::parse(&[text.to_string()]).unwrap_err();
        assert!(error.contains(&format!("`{text}`")), "{error}");
    }
}

#[track_caller]
fn check_client(peer: &str, fields: &[&str], expected: &str) {
    let trusted = set(&["10.0.0.0/8", "::1", "2001:db8::/32"]);
    let values = fields.iter().map(|value| value.as_bytes());
    let got = client_address(peer.parse().unwrap(), values, &trusted);
    assert_eq!(got.to_string(), expected, "{peer} {fields:?}");
}

#[test]
fn clients() {
    check_client("192.0.2.1", &["1.1.1.1"], "192.0.2.1");
    check_client("::ffff:192.0.2.1", &[], "192.0.2.1");
    check_client("10.0.0.1", &[], "10.0.0.1");
    check_client("10.0.0.1", &["1.1.1.1"], "1.1.1.1");
    check_client("::ffff:10.0.0.1", &["1.1.1.1"], "1.1.1.1");
    check_client("10.0.0.1", &["2.2.2.2, 1.1.1.1"], "1.1.1.1");
    check_client("10.0.0.1", &["2.2.2.2,1.1.1.1 ,\t10.0.0.2"], "1.1.1.1");
    check_client("10.0.0.1", &["2.2.2.2", "1.1.1.1, 10.0.0.2"], "1.1.1.1");
    check_client("10.0.0.1", &["1.1.1.1", "10.0.0.3", ""], "1.1.1.1");
    check_client("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3");
    check_client("10.0.0.1", &["1.1.1.1, unknown"], "10.0.0.1");
    check_client("10.0.0.1", &["1.1.1.1, unknown, 10.0.0.2"], "10.0.0.2");
    check_client("10.0.0.1", &["1.1.1.1, \u{e9}"], "10.0.0.1");
    check_client("10.0.0.1", &["1.1.1.1:4711"], "1.1.1.1");
    check_client("10.0.0.1", &["[2001:db9::1]:4711"], "2001:db9::1");
    check_client("10.0.0.1", &["[2001:db9::1]"], "2001:db9::1");
    check_client("10.0.0.1", &["2001:db9::1, 2001:db8::7"], "2001:db9::1");
    check_client("10.0.0.1", &["1.1.1.1, ::ffff:10.0.0.9"], "1.1.1.1");
    check_client("10.0.0.1", &["1.1.1.1,, ,10.0.0.9"], "1.1.1.1");
    check_client("10.0.0.1", &["1.1.1.1 2.2.2.2"], "10.0.0.1");
}

proptest! {
    #[test]
    fn agrees_with_each_network(
        networks in prop::collection::vec((any::<u32>(), 0u8..=32), 0..12),
        wide in prop::collection::vec((any::<u128>(), 0u8..=128), 0..12),
        addresses in prop::collection::vec(any::<u32>(), 8),
        long in prop::collection::vec(any::<u128>(), 8),
    ) {
        let v4 = networks.iter().map(|&(bits, prefix)| {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            format!("{}/{prefix}", Ipv4Addr::from(bits & mask))
        });
        let v6 = wide.iter().map(|&(bits, prefix)| {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            format!("{}/{prefix}", Ipv6Addr::from(bits & mask))
        });
        let texts: Vec<String> = v4.chain(v6).collect();
        let cidrs: Vec<Cidr> = texts.iter().map(|text| Cidr::parse(text).unwrap()).collect();
        let set = Set::parse(&texts).unwrap();
        // Random addresses, and those at the edges of the networks.
        let mut asked: Vec<IpAddr> = addresses.iter().map(|&a| Ipv4Addr::from(a).into()).collect();
        asked.extend(long.iter().map(|&a| IpAddr::from(Ipv6Addr::from(a))));
        for cidr in &cidrs {
            match cidr.address() {
                IpAddr::V4(a) => {
                    let a = u32::from(a);
                    asked.extend([a, a.wrapping_sub(1)].map(|a| IpAddr::from(Ipv4Addr::from(a))));
                }
                IpAddr::V6(a) => {
                    let a = u128::from(a);
                    asked.extend([a, a.wrapping_sub(1)].map(|a| IpAddr::from(Ipv6Addr::from(a))));
                }
            }
        }
        for address in asked {
            let expected = cidrs.iter().any(|cidr| cidr.contains(address));
            prop_assert_eq!(set.contains(address), expected, "{}", address);
        }
    }
}
