//! Address ranges: `"10.0.0.0/8"`, `"2001:db8::/32"`, or one address.

use super::{Mismatch, Raw, Shape, Value, text};
use std::fmt;
use std::net::IpAddr;

/// A range of IP addresses that share a prefix. Invariant: no bit beyond the prefix is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cidr {
    address: IpAddr,
    prefix: u8,
}

impl Cidr {
    /// Reads a range, or says what is wrong with it.
    pub fn parse(text: &str) -> Result<Cidr, Mismatch> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address
            .parse()
            .map_err(|_| Mismatch::text(&Self::SHAPE, text))?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => bits,
            Some(digits) => digits
                .parse::<u8>()
                .ok()
                .filter(|prefix| *prefix <= bits && !digits.starts_with('+'))
                .ok_or_else(|| {
                    Mismatch::text(&Self::SHAPE, text)
                        .hint(format!("the prefix is a number from 0 to {bits}"))
                })?,
        };
        let network = masked(address, prefix);
        if network != address {
            return Err(
                Mismatch::new(format!("`{text}` has bits set beyond its prefix"))
                    .hint(format!("write \"{network}/{prefix}\"")),
            );
        }
        Ok(Cidr { address, prefix })
    }

    /// The first address of the range.
    pub fn address(self) -> IpAddr {
        self.address
    }

    /// How many leading bits all addresses of the range share.
    pub fn prefix(self) -> u8 {
        self.prefix
    }

    /// Whether the address lies in the range. IPv4-mapped IPv6 addresses count as IPv4.
    pub fn contains(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && masked(address, self.prefix) == self.address
    }
}

fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V4((u32::from(v4) & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V6((u128::from(v6) & mask).into())
        }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl Value for Cidr {
    const SHAPE: Shape = Shape::text(
        "address range",
        "an address or a range such as \"10.0.0.0/8\" or \"2001:db8::/32\"",
        "^[0-9a-fA-F:.]+(/[0-9]{1,3})?$",
    );

    fn read(raw: &Raw) -> Result<Self, Mismatch> {
        Cidr::parse(text(&Self::SHAPE, raw)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(range: &str, inside: &[&str], outside: &[&str]) {
        let range = Cidr::parse(range).unwrap();
        for address in inside {
            assert!(
                range.contains(address.parse().unwrap()),
                "{address} in {range}"
            );
        }
        for address in outside {
            assert!(
                !range.contains(address.parse().unwrap()),
                "{address} not in {range}"
            );
        }
    }

    #[test]
    fn ranges_contain_what_shares_their_prefix() {
        check(
            "10.0.0.0/8",
            &["10.0.0.0", "10.255.1.2", "::ffff:10.1.1.1"],
            &["11.0.0.0", "::a00:1"],
        );
        check("0.0.0.0/0", &["1.2.3.4"], &["::1"]);
        check("::/0", &["::1", "2001:db8::1"], &["1.2.3.4"]);
        check("2001:db8::/32", &["2001:db8:1::"], &["2001:db9::"]);
        check("127.0.0.1", &["127.0.0.1"], &["127.0.0.2"]);
    }

    #[test]
    fn what_is_no_range_says_so() {
        for wrong in [
            "",
            "10.0.0.0/33",
            "10.0.0/8",
            "::/129",
            "a",
            "10.0.0.0/",
            "10.0.0.0/+8",
        ] {
            assert!(Cidr::parse(wrong).is_err(), "{wrong}");
        }
        let hint = Cidr::parse("10.1.2.3/8").unwrap_err().hint;
        assert_eq!(hint.as_deref(), Some("write \"10.0.0.0/8\""));
    }
}
