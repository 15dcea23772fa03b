//! Version 1: one line of text (specification section 2.1). Nothing here knows version 2.
//!
//! The end of the line is sought first, within its bound; only a whole line is read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use super::{Decoded, Header, HeaderError, Origin, Tlvs};
use crate::limits::MAX_PROXY_V1_BYTES;

/// What a line begins with.
pub(super) const SIGNATURE: &[u8] = b"PROXY ";

/// Decodes a line; `bytes` agree with [`SIGNATURE`] as far as they go.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded<'_>, HeaderError> {
    let window = bytes.get(..MAX_PROXY_V1_BYTES).unwrap_or(bytes);
    let is_full = window.len() == MAX_PROXY_V1_BYTES;
    let missing = if is_full {
        Err(HeaderError::LineTooLong)
    } else {
        Ok(Decoded::More)
    };
    let Some(end) = memchr::memchr2(b'\r', b'\n', window) else {
        return missing;
    };
    match window.get(end..).unwrap_or_default() {
        [b'\r', b'\n', ..] => {}
        [b'\r'] => return missing,
        _ => return Err(HeaderError::LineEnd),
    }
    let line = window.get(SIGNATURE.len()..end).unwrap_or_default();
    Ok(Decoded::Done {
        len: end + b"\r\n".len(),
        header: Header {
            origin: origin(line)?,
            tlvs: Tlvs::EMPTY,
        },
    })
}

/// What follows the signature, without the line's end.
fn origin(line: &[u8]) -> Result<Origin<'_>, HeaderError> {
    if line == b"UNKNOWN" || line.starts_with(b"UNKNOWN ") {
        return Ok(Origin::Unknown);
    }
    let mut words = line.split(|byte| *byte == b' ');
    let mut word = || words.next().ok_or(HeaderError::Line);
    let family = word()?;
    let texts = [word()?, word()?];
    let ports = [word()?, word()?];
    if words.next().is_some() {
        return Err(HeaderError::Line);
    }
    let [source, destination] = match family {
        b"TCP4" => texts.map(|text| address::<Ipv4Addr>(text).map(IpAddr::V4)),
        b"TCP6" => texts.map(|text| address::<Ipv6Addr>(text).map(IpAddr::V6)),
        _ => return Err(HeaderError::Line),
    };
    let [source_port, destination_port] = ports.map(port);
    Ok(Origin::Tcp {
        source: SocketAddr::new(source?, source_port?),
        destination: SocketAddr::new(destination?, destination_port?),
    })
}

/// The standard library's forms are the specification's: no leading zeros in IPv4 addresses, no zone in IPv6 ones.
fn address<A: FromStr>(text: &[u8]) -> Result<A, HeaderError> {
    let text = std::str::from_utf8(text).map_err(|_| HeaderError::Address)?;
    text.parse().map_err(|_| HeaderError::Address)
}

fn port(text: &[u8]) -> Result<u16, HeaderError> {
    let is_plain = match text {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    let text = std::str::from_utf8(text).map_err(|_| HeaderError::Port)?;
    match text.parse() {
        Ok(port) if is_plain => Ok(port),
        _ => Err(HeaderError::Port),
    }
}
