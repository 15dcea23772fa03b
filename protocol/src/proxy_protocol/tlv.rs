//! Version 2's TLVs (specification section 2.2): checked once, then read by an iterator that can't fail.
//!
//! Types that we give no meaning to are skipped. Those that we do may stand there once, so that no two readers can
//! take different ones.

use super::{HeaderError, crc32c};
use crate::limits::MAX_PROXY_UNIQUE_ID_BYTES;

/// The types that have a meaning here.
pub(super) const ALPN: u8 = 0x01;
pub(super) const AUTHORITY: u8 = 0x02;
pub(super) const CRC32C: u8 = 0x03;
pub(super) const UNIQUE_ID: u8 = 0x05;
pub(super) const SSL: u8 = 0x20;
pub(super) const SSL_VERSION: u8 = 0x21;
pub(super) const SSL_COMMON_NAME: u8 = 0x22;

/// Bits of the client byte in [`SSL`].
pub(super) const CLIENT_TLS: u8 = 0x01;
pub(super) const CLIENT_CERTIFICATE: u8 = 0x02;
pub(super) const CLIENT_CERTIFICATE_IN_SESSION: u8 = 0x04;

/// Bytes of a type and a length.
pub(super) const TLV_HEAD_BYTES: usize = 3;

/// Bytes in front of the TLVs within [`SSL`].
const SSL_HEAD_BYTES: usize = 5;

/// One TLV.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tlv<'a> {
    /// Its type.
    pub kind: u8,
    /// Its value; may be empty.
    pub value: &'a [u8],
}

/// The TLVs of a header in order, and those with a meaning by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tlvs<'a> {
    /// What is left to be read.
    rest: &'a [u8],
}

impl<'a> Tlvs<'a> {
    /// None at all.
    pub const EMPTY: Tlvs<'static> = Tlvs { rest: b"" };

    /// The first of this type.
    pub fn value(mut self, kind: u8) -> Option<&'a [u8]> {
        self.find(|tlv| tlv.kind == kind).map(|tlv| tlv.value)
    }

    /// The application protocol that was negotiated, such as `h2`.
    pub fn alpn(self) -> Option<&'a [u8]> {
        self.value(ALPN)
    }

    /// The host name that the client asked for (TLS: SNI); as sent, not checked to be one.
    pub fn authority(self) -> Option<&'a [u8]> {
        self.value(AUTHORITY)
    }

    /// The sender's id of the connection, at most 128 bytes of any kind.
    pub fn unique_id(self) -> Option<&'a [u8]> {
        self.value(UNIQUE_ID)
    }

    /// What is said of the client's TLS.
    pub fn ssl(self) -> Option<Ssl<'a>> {
        Ssl::of(self.value(SSL)?)
    }
}

impl<'a> Iterator for Tlvs<'a> {
    type Item = Tlv<'a>;

    fn next(&mut self) -> Option<Tlv<'a>> {
        let (kind, len, rest) = head(self.rest)?;
        let (value, rest) = rest.split_at_checked(len)?;
        self.rest = rest;
        Some(Tlv { kind, value })
    }
}

/// What is said of the client's TLS (specification section 2.2.6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ssl<'a> {
    client: u8,
    verify: u32,
    /// The TLVs within, such as cipher and algorithms.
    pub tlvs: Tlvs<'a>,
}

impl<'a> Ssl<'a> {
    fn of(value: &'a [u8]) -> Option<Ssl<'a>> {
        let (&[client, a, b, c, d], rest) = value.split_first_chunk::<SSL_HEAD_BYTES>()?;
        Some(Ssl {
            client,
            verify: u32::from_be_bytes([a, b, c, d]),
            tlvs: Tlvs { rest },
        })
    }

    /// Whether the client came over TLS.
    pub fn is_tls(self) -> bool {
        self.client & CLIENT_TLS != 0
    }

    /// Whether the client showed a certificate, on this connection or an earlier one of its session, and the sender
    /// found it good.
    pub fn has_verified_certificate(self) -> bool {
        let shown = CLIENT_CERTIFICATE | CLIENT_CERTIFICATE_IN_SESSION;
        self.is_tls() && self.client & shown != 0 && self.verify == 0
    }

    /// The TLS version, such as `TLSv1.3`.
    pub fn version(self) -> Option<&'a [u8]> {
        self.tlvs.value(SSL_VERSION)
    }

    /// The common name of the client's certificate, good or not: see [`Ssl::has_verified_certificate`].
    pub fn common_name(self) -> Option<&'a [u8]> {
        self.tlvs.value(SSL_COMMON_NAME)
    }
}

/// Checks the TLVs at the end of a header, `whole` being all of it.
pub(super) fn checked<'a>(whole: &[u8], bytes: &'a [u8]) -> Result<Tlvs<'a>, HeaderError> {
    let tlvs = sound(bytes, &[ALPN, AUTHORITY, CRC32C, UNIQUE_ID, SSL])?;
    let id = tlvs.unique_id().unwrap_or_default();
    if id.len() > MAX_PROXY_UNIQUE_ID_BYTES {
        return Err(HeaderError::Tlv);
    }
    if let Some(value) = tlvs.value(SSL) {
        let within = value.get(SSL_HEAD_BYTES..).ok_or(HeaderError::Tlv)?;
        sound(within, &[SSL_VERSION, SSL_COMMON_NAME])?;
    }
    if let Some(sum) = tlvs.value(CRC32C) {
        let sum = <[u8; 4]>::try_from(sum).map_err(|_| HeaderError::Tlv)?;
        if header_sum(whole, bytes) != Some(u32::from_be_bytes(sum)) {
            return Err(HeaderError::Checksum);
        }
    }
    Ok(tlvs)
}

/// Whether the TLVs fill the bytes exactly and those of the types named stand there once at most.
fn sound<'a>(bytes: &'a [u8], single: &[u8]) -> Result<Tlvs<'a>, HeaderError> {
    let mut tlvs = Tlvs { rest: bytes };
    // One bit for each type named.
    let mut seen = 0u8;
    for tlv in tlvs.by_ref() {
        let place = single.iter().position(|kind| *kind == tlv.kind);
        let bit = place.map_or(0, |place| 1 << place);
        if seen & bit != 0 {
            return Err(HeaderError::RepeatedTlv);
        }
        seen |= bit;
    }
    match tlvs.rest {
        [] => Ok(Tlvs { rest: bytes }),
        _ => Err(HeaderError::Tlv),
    }
}

/// Type, length of the value, and what follows them.
fn head(bytes: &[u8]) -> Option<(u8, usize, &[u8])> {
    let (&[kind, high, low], rest) = bytes.split_first_chunk::<TLV_HEAD_BYTES>()?;
    Some((kind, usize::from(u16::from_be_bytes([high, low])), rest))
}

/// The checksum of a header whose last bytes are the TLVs, the checksum in them counted as zeros.
fn header_sum(whole: &[u8], tlvs: &[u8]) -> Option<u32> {
    let mut sum = crc32c::Crc32c::new();
    let mut rest = tlvs;
    sum.update(whole.get(..whole.len().checked_sub(tlvs.len())?)?);
    while let Some((kind, len, after)) = head(rest) {
        let (value, next) = after.split_at_checked(len)?;
        sum.update(rest.get(..TLV_HEAD_BYTES)?);
        sum.update(if kind == CRC32C { &[0; 4] } else { value });
        rest = next;
    }
    Some(sum.value())
}
