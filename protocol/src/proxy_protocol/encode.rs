//! Headers for upstreams that ask for them, whole and at once, as the specification wants them sent.

use std::io::Write;
use std::net::{IpAddr, SocketAddr};

use super::Origin;
use super::crc32c::Crc32c;
use super::tlv::{
    ALPN, AUTHORITY, CLIENT_CERTIFICATE, CLIENT_TLS, CRC32C, SSL, SSL_COMMON_NAME, SSL_VERSION,
    TLV_HEAD_BYTES, UNIQUE_ID,
};
use super::v2::{
    FIXED_BYTES, INET_STREAM, INET6_STREAM, LOCAL, PATH_BYTES, PROXY, SIGNATURE, UNIX_STREAM,
    UNSPEC_UNSPEC,
};
use crate::limits::{MAX_PROXY_TLV_BYTES, MAX_PROXY_UNIQUE_ID_BYTES, MAX_PROXY_V2_BYTES};

/// What version 2 can say beside the addresses. A value longer than
/// [`MAX_PROXY_TLV_BYTES`](crate::limits::MAX_PROXY_TLV_BYTES) is left out, since half of one would be a lie.
#[derive(Clone, Copy, Default, Debug)]
pub struct Extras<'a> {
    /// The host name that the client asked for.
    pub authority: Option<&'a [u8]>,
    /// The application protocol that was negotiated.
    pub alpn: Option<&'a [u8]>,
    /// Our id of the connection, at most 128 bytes, else left out.
    pub unique_id: Option<&'a [u8]>,
    /// The client's TLS.
    pub tls: Option<TlsFacts<'a>>,
    /// Whether a checksum is added.
    pub checksum: bool,
}

/// What is told of a client's TLS.
#[derive(Clone, Copy, Debug)]
pub struct TlsFacts<'a> {
    /// The version, such as `TLSv1.3`.
    pub version: &'a str,
    /// Whether the client showed a certificate on this connection; one that was not good never gets that far.
    pub certificate: bool,
    /// The certificate's common name, if it has one.
    pub common_name: Option<&'a [u8]>,
}

/// Appends a header of version 1. What it can't say, LOCAL and Unix paths, becomes UNKNOWN.
pub fn encode_v1(origin: &Origin<'_>, out: &mut Vec<u8>) {
    let Origin::Tcp {
        source,
        destination,
    } = origin
    else {
        out.extend_from_slice(b"PROXY UNKNOWN\r\n");
        return;
    };
    let (source, destination) = of_one_family(*source, *destination);
    let family = if source.is_ipv4() { "TCP4" } else { "TCP6" };
    // Writing to a Vec can't fail.
    let _ = write!(
        out,
        "PROXY {family} {} {} {} {}\r\n",
        source.ip(),
        destination.ip(),
        source.port(),
        destination.port()
    );
}

/// Appends a header of version 2.
pub fn encode_v2(origin: &Origin<'_>, extras: &Extras<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(SIGNATURE);
    let (command, family) = match origin {
        Origin::Local => (LOCAL, UNSPEC_UNSPEC),
        Origin::Unknown => (PROXY, UNSPEC_UNSPEC),
        Origin::Tcp {
            source,
            destination,
        } if source.is_ipv4() && destination.is_ipv4() => (PROXY, INET_STREAM),
        Origin::Tcp { .. } => (PROXY, INET6_STREAM),
        Origin::Unix { .. } => (PROXY, UNIX_STREAM),
    };
    out.extend_from_slice(&[command, family, 0, 0]);
    push_addresses(origin, out);
    // After a block of no family a receiver can't tell where TLVs begin.
    let sum_at = match family {
        UNSPEC_UNSPEC => None,
        _ => push_extras(extras, out),
    };
    debug_assert!(out.len() - start <= MAX_PROXY_V2_BYTES, "see the bounds");
    let len = u16::try_from(out.len() - start - FIXED_BYTES).unwrap_or(0);
    overwrite(out, start + SIGNATURE.len() + 2, &len.to_be_bytes());
    if let Some(at) = sum_at {
        let mut sum = Crc32c::new();
        sum.update(out.get(start..).unwrap_or_default());
        overwrite(out, at, &sum.value().to_be_bytes());
    }
}

/// Both as IPv4, or both as IPv6: there is one family for the two.
fn of_one_family(source: SocketAddr, destination: SocketAddr) -> (SocketAddr, SocketAddr) {
    if source.is_ipv4() == destination.is_ipv4() {
        return (source, destination);
    }
    let widened = |address: SocketAddr| match address.ip() {
        IpAddr::V4(ip) => SocketAddr::new(ip.to_ipv6_mapped().into(), address.port()),
        IpAddr::V6(_) => address,
    };
    (widened(source), widened(destination))
}

fn push_addresses(origin: &Origin<'_>, out: &mut Vec<u8>) {
    match *origin {
        Origin::Local | Origin::Unknown => {}
        Origin::Tcp {
            source,
            destination,
        } => {
            let (source, destination) = of_one_family(source, destination);
            for address in [source, destination] {
                match address.ip() {
                    IpAddr::V4(ip) => out.extend_from_slice(&ip.octets()),
                    IpAddr::V6(ip) => out.extend_from_slice(&ip.octets()),
                }
            }
            out.extend_from_slice(&source.port().to_be_bytes());
            out.extend_from_slice(&destination.port().to_be_bytes());
        }
        Origin::Unix {
            source,
            destination,
        } => {
            for path in [source, destination] {
                let end = out.len() + PATH_BYTES;
                out.extend_from_slice(path.get(..PATH_BYTES).unwrap_or(path));
                out.resize(end, 0);
            }
        }
    }
}

/// Gives where the checksum is to be written, if there is one.
fn push_extras(extras: &Extras<'_>, out: &mut Vec<u8>) -> Option<usize> {
    push_tlv(ALPN, extras.alpn, out);
    push_tlv(AUTHORITY, extras.authority, out);
    let fits = |id: &&[u8]| id.len() <= MAX_PROXY_UNIQUE_ID_BYTES;
    push_tlv(UNIQUE_ID, extras.unique_id.filter(fits), out);
    if let Some(tls) = extras.tls {
        push_tls(tls, out);
    }
    if !extras.checksum {
        return None;
    }
    push_tlv(CRC32C, Some(&[0; 4]), out);
    Some(out.len() - 4)
}

fn push_tls(tls: TlsFacts<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    let (client, verify) = match tls.certificate {
        true => (CLIENT_TLS | CLIENT_CERTIFICATE, 0u32),
        false => (CLIENT_TLS, 1),
    };
    out.extend_from_slice(&[SSL, 0, 0, client]);
    out.extend_from_slice(&verify.to_be_bytes());
    push_tlv(SSL_VERSION, Some(tls.version.as_bytes()), out);
    push_tlv(SSL_COMMON_NAME, tls.common_name, out);
    let len = u16::try_from(out.len() - start - TLV_HEAD_BYTES).unwrap_or(0);
    overwrite(out, start + 1, &len.to_be_bytes());
}

fn push_tlv(kind: u8, value: Option<&[u8]>, out: &mut Vec<u8>) {
    let Some(value) = value.filter(|value| value.len() <= MAX_PROXY_TLV_BYTES) else {
        return;
    };
    let Ok(len) = u16::try_from(value.len()) else {
        return;
    };
    out.push(kind);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(value);
}

fn overwrite(out: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = out.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

/// The longest header that can be written is one that can be read.
const _: () = {
    let addresses = FIXED_BYTES + 2 * PATH_BYTES;
    let plain = 2 * (TLV_HEAD_BYTES + MAX_PROXY_TLV_BYTES);
    let tls = TLV_HEAD_BYTES + 5 + 2 * (TLV_HEAD_BYTES + MAX_PROXY_TLV_BYTES);
    let rest = 2 * TLV_HEAD_BYTES + MAX_PROXY_UNIQUE_ID_BYTES + 4;
    assert!(addresses + plain + tls + rest <= MAX_PROXY_V2_BYTES);
};
