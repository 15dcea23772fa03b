//! `host[:port]`: what is accepted as one, its parts, and when two mean the same.
//!
//! Stricter than RFC 3986 where the looser rule helps nobody but an attacker: a registered name is letters, digits and
//! `-._~`; percent-encoding, sub-delimiters (a comma would smuggle in a list), user information and zone ids are refused.

use std::net::Ipv6Addr;

use crate::limits::MAX_HOST_BYTES;

/// Whether these bytes are a host with an optional port (which may be empty, as in `host:`).
pub fn is_valid_authority(authority: &[u8]) -> bool {
    let host = match authority.first() {
        Some(b'[') => host_of(authority),
        _ => {
            let end = authority.iter().position(|byte| !is_name_byte(*byte));
            authority
                .get(..end.unwrap_or(authority.len()))
                .unwrap_or_default()
        }
    };
    let rest = authority.get(host.len()..).unwrap_or_default();
    let port_fits = match rest.split_first() {
        None => true,
        Some((b':', digits)) => is_port(digits),
        Some(_) => false,
    };
    port_fits && is_host(host)
}

/// The host without its port; the brackets of an IPv6 address are kept.
#[inline]
pub fn host_of(authority: &[u8]) -> &[u8] {
    let end = match authority.first() {
        Some(b'[') => memchr::memchr(b']', authority).map(|at| at + 1),
        _ => memchr::memchr(b':', authority),
    };
    end.and_then(|end| authority.get(..end))
        .unwrap_or(authority)
}

/// The port, if there is one that is not empty.
pub fn port_of(authority: &[u8]) -> Option<u16> {
    let rest = authority.get(host_of(authority).len()..)?;
    let digits = rest.strip_prefix(b":")?;
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u16, |port, digit| {
        let value = digit.is_ascii_digit().then(|| digit - b'0')?;
        port.checked_mul(10)?.checked_add(u16::from(value))
    })
}

/// Whether two authorities name the same place, hosts compared without case, a missing port being `default_port`.
pub fn same_authority(one: &[u8], other: &[u8], default_port: u16) -> bool {
    host_of(one).eq_ignore_ascii_case(host_of(other))
        && port_of(one).unwrap_or(default_port) == port_of(other).unwrap_or(default_port)
}

fn is_port(digits: &[u8]) -> bool {
    digits.is_empty()
        || (digits.len() <= 5
            && digits.iter().all(u8::is_ascii_digit)
            && digits
                .iter()
                .fold(0u32, |port, digit| port * 10 + u32::from(digit - b'0'))
                <= u32::from(u16::MAX))
}

/// A name that is one consists of [`is_name_byte`]s, which the caller has seen to.
fn is_host(host: &[u8]) -> bool {
    if host.is_empty() || host.len() > MAX_HOST_BYTES {
        return false;
    }
    match host.strip_prefix(b"[") {
        Some(rest) => rest
            .strip_suffix(b"]")
            .and_then(|inner| std::str::from_utf8(inner).ok())
            .is_some_and(|inner| inner.parse::<Ipv6Addr>().is_ok()),
        None => true,
    }
}

/// Whether a byte may stand in a registered name.
#[inline]
fn is_name_byte(byte: u8) -> bool {
    NAME_BYTES.get(usize::from(byte)) == Some(&true)
}

/// A look-up for each byte rather than a row of comparisons: every request's host goes through it.
#[expect(clippy::indexing_slicing, reason = "evaluated when compiled")]
static NAME_BYTES: [bool; 256] = {
    let mut bytes = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let it = byte as u8;
        bytes[byte] = it.is_ascii_alphanumeric() || matches!(it, b'-' | b'.' | b'_' | b'~');
        byte += 1;
    }
    bytes
};
