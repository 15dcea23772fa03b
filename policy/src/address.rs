//! Sets of addresses, and whose address a request came from. Not here: what a network
//! looks like in text (`policy_keys::Cidr`).
//!
//! Invariant: an IPv4 address inside IPv6 (`::ffff:192.0.2.1`) is that IPv4 address
//! everywhere; no decision tells the two apart.

use policy_keys::Cidr;
use std::net::{IpAddr, SocketAddr};

#[cfg(test)]
mod tests;

/// A set of networks. `contains` is a binary search over merged ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Set {
    /// First and last addresses; ascending, apart from each other.
    v4: Box<[(u32, u32)]>,
    /// As `v4`.
    v6: Box<[(u128, u128)]>,
}

impl Set {
    /// Reads `10.0.0.0/8`, `2001:db8::/32` or single addresses. The error names the text
    /// that is none of these.
    pub fn parse(networks: &[String]) -> Result<Set, String> {
        let mut ranges = Vec::with_capacity(networks.len());
        for text in networks {
            let range =
                Cidr::parse(text).map_err(|error| match (&error.hint, &*error.expected) {
                    (Some(hint), _) => format!("{}; {hint}", error.what),
                    (None, "") => error.what.clone(),
                    (None, expected) => format!("{}; expected {expected}", error.what),
                })?;
            ranges.push(range);
        }
        Ok(Set::new(ranges))
    }

    /// The set of all addresses in these networks.
    pub fn new(networks: impl IntoIterator<Item = Cidr>) -> Set {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for network in networks {
            let prefix = u32::from(network.prefix());
            match network.address() {
                IpAddr::V4(first) => v4.push(range_v4(first.into(), prefix)),
                IpAddr::V6(first) => match (first.to_ipv4_mapped(), prefix.checked_sub(96)) {
                    (Some(first), Some(prefix)) => v4.push(range_v4(first.into(), prefix)),
                    _ => {
                        let first = u128::from(first);
                        let rest = u128::MAX.checked_shr(prefix).unwrap_or(0);
                        v6.push((first, first | rest));
                    }
                },
            }
        }
        Set {
            v4: merged(v4, |last| last.checked_add(1)),
            v6: merged(v6, |last| last.checked_add(1)),
        }
    }

    /// Whether the address lies in one of the networks.
    pub fn contains(&self, address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(address) => holds(&self.v4, address.into()),
            IpAddr::V6(address) => holds(&self.v6, address.into()),
        }
    }

    /// Whether the set holds no address.
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }
}

/// The address of the client behind a connection from `peer`: the peer itself unless it
/// is trusted; else the rightmost address of `X-Forwarded-For` that isn't. `values` are
/// the values of all fields of that name, in their order. Where an item is no address
/// the search stops with the hop that wrote it; empty items don't count (RFC 9110
/// section 5.6.1). If all are trusted the leftmost is the client.
pub fn client_address<'a>(
    peer: IpAddr,
    values: impl DoubleEndedIterator<Item = &'a [u8]>,
    trusted: &Set,
) -> IpAddr {
    let mut client = peer.to_canonical();
    if !trusted.contains(client) {
        return client;
    }
    for value in values.rev() {
        for item in value.rsplit(|&b| b == b',') {
            let item = item.trim_ascii();
            if item.is_empty() {
                continue;
            }
            match forwarded(item) {
                Some(address) => client = address,
                None => return client,
            }
            if !trusted.contains(client) {
                return client;
            }
        }
    }
    client
}

/// An item of `X-Forwarded-For`: an address, or one with a port, as some proxies write.
fn forwarded(item: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(item).ok()?;
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|both| both.ip());
    let bare = text.parse().ok();
    let address = bare
        .or_else(with_port)
        .or_else(|| bracketed().map(IpAddr::V6));
    address.map(|address: IpAddr| address.to_canonical())
}

fn range_v4(first: u32, prefix: u32) -> (u32, u32) {
    (first, first | u32::MAX.checked_shr(prefix).unwrap_or(0))
}

/// Sorted, with ranges that touch made one.
fn merged<T: Ord + Copy>(mut ranges: Vec<(T, T)>, next: fn(T) -> Option<T>) -> Box<[(T, T)]> {
    ranges.sort_unstable();
    let mut kept: Vec<(T, T)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match kept.last_mut() {
            Some(before) if next(before.1).is_none_or(|next| first <= next) => {
                before.1 = before.1.max(last);
            }
            _ => kept.push((first, last)),
        }
    }
    kept.into()
}

fn holds<T: Ord + Copy>(ranges: &[(T, T)], address: T) -> bool {
    let after = ranges.partition_point(|(first, _)| *first <= address);
    let range = after.checked_sub(1).and_then(|index| ranges.get(index));
    range.is_some_and(|(_, last)| address <= *last)
}
