//! Version 2: sixteen bytes, addresses, TLVs (specification section 2.2). Nothing here knows version 1.
//!
//! The fixed bytes are judged as soon as they are there, what follows only once all of it is: so that a refusal never
//! depends on how much has arrived.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::tlv::{self, Tlvs};
use super::{Decoded, Header, HeaderError, Origin};
use crate::limits::MAX_PROXY_V2_BYTES;

/// What a header begins with.
pub(super) const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// Bytes before the addresses.
pub(super) const FIXED_BYTES: usize = 16;

/// Bytes of a Unix path.
pub(super) const PATH_BYTES: usize = 108;

/// Version and command.
pub(super) const LOCAL: u8 = 0x20;
pub(super) const PROXY: u8 = 0x21;

/// Families, to be shifted into the high half of their byte.
const UNSPEC: u8 = 0;
const INET: u8 = 1;
const INET6: u8 = 2;
const UNIX: u8 = 3;

/// Transports.
const STREAM: u8 = 1;
const DATAGRAM: u8 = 2;

/// Family and transport of what we send ourselves.
pub(super) const UNSPEC_UNSPEC: u8 = UNSPEC << 4;
pub(super) const INET_STREAM: u8 = INET << 4 | STREAM;
pub(super) const INET6_STREAM: u8 = INET6 << 4 | STREAM;
pub(super) const UNIX_STREAM: u8 = UNIX << 4 | STREAM;

/// Decodes a header; `bytes` agree with [`SIGNATURE`] as far as they go.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded<'_>, HeaderError> {
    let command = bytes.get(SIGNATURE.len());
    match command {
        Some(byte) if byte >> 4 != 2 => return Err(HeaderError::Version),
        Some(byte) if byte & 0xf > 1 => return Err(HeaderError::Command),
        _ => {}
    }
    let family = bytes.get(SIGNATURE.len() + 1);
    if family.is_some_and(|byte| byte >> 4 > UNIX || byte & 0xf > DATAGRAM) {
        return Err(HeaderError::Family);
    }
    let Some((fixed, rest)) = bytes.split_at_checked(FIXED_BYTES) else {
        return Ok(Decoded::More);
    };
    let &[.., command, family, high, low] = fixed else {
        return Ok(Decoded::More);
    };
    let len = FIXED_BYTES + usize::from(u16::from_be_bytes([high, low]));
    if len > MAX_PROXY_V2_BYTES {
        return Err(HeaderError::TooLong);
    }
    if command == PROXY && len - FIXED_BYTES < address_bytes(family) {
        return Err(HeaderError::TooShort);
    }
    let (Some(whole), Some(block)) = (bytes.get(..len), rest.get(..len - FIXED_BYTES)) else {
        return Ok(Decoded::More);
    };
    let header = match command {
        // The block says nothing that counts, so it isn't looked at.
        LOCAL => Header {
            origin: Origin::Local,
            tlvs: Tlvs::EMPTY,
        },
        _ => proxied(whole, block, family)?,
    };
    Ok(Decoded::Done { len, header })
}

/// How long the addresses are. Without a family or a transport nobody knows, and the whole block is skipped.
fn address_bytes(family: u8) -> usize {
    match (family >> 4, family & 0xf) {
        (INET, STREAM | DATAGRAM) => 12,
        (INET6, STREAM | DATAGRAM) => 36,
        (UNIX, STREAM | DATAGRAM) => 2 * PATH_BYTES,
        _ => 0,
    }
}

/// A header with the command PROXY: `block` is what follows the fixed bytes of `whole`.
fn proxied<'a>(whole: &[u8], block: &'a [u8], family: u8) -> Result<Header<'a>, HeaderError> {
    let unknown = Header {
        origin: Origin::Unknown,
        tlvs: Tlvs::EMPTY,
    };
    let known = address_bytes(family);
    if known == 0 {
        return Ok(unknown);
    }
    let (addresses, tlvs) = block.split_at_checked(known).ok_or(HeaderError::TooShort)?;
    let tlvs = tlv::checked(whole, tlvs)?;
    let origin = match family & 0xf {
        STREAM => origin(addresses).ok_or(HeaderError::TooShort)?,
        _ => Origin::Unknown,
    };
    Ok(Header { origin, tlvs })
}

/// The addresses; their length tells the family.
fn origin(addresses: &[u8]) -> Option<Origin<'_>> {
    let ip = |bytes: &[u8]| -> Option<IpAddr> {
        match bytes.len() {
            4 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?).into()),
            _ => Some(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).into()),
        }
    };
    if addresses.len() == 2 * PATH_BYTES {
        let (source, destination) = addresses.split_at_checked(PATH_BYTES)?;
        return Some(Origin::Unix {
            source: path(source),
            destination: path(destination),
        });
    }
    let (ips, ports) = addresses.split_at_checked(addresses.len().checked_sub(4)?)?;
    let (source, destination) = ips.split_at_checked(ips.len() / 2)?;
    let &[a, b, c, d] = ports else {
        return None;
    };
    Some(Origin::Tcp {
        source: SocketAddr::new(ip(source)?, u16::from_be_bytes([a, b])),
        destination: SocketAddr::new(ip(destination)?, u16::from_be_bytes([c, d])),
    })
}

/// A path up to its first zero byte; an abstract name, which begins with one, up to the zero bytes at its end.
fn path(bytes: &[u8]) -> &[u8] {
    let end = match bytes.first() {
        Some(0) => bytes.iter().rposition(|byte| *byte != 0).map(|at| at + 1),
        _ => Some(memchr::memchr(0, bytes).unwrap_or(bytes.len())),
    };
    bytes.get(..end.unwrap_or(0)).unwrap_or_default()
}
