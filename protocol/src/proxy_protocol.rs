//! The PROXY protocol, versions 1 (a line of text) and 2 (binary): who the client behind a load balancer is.
//!
//! Decoders look at the bytes that have arrived, hold none, and give one answer however those arrive. A header that
//! could be read in two ways is refused: the address that it gives decides what its sender may do. Whether a header is
//! expected, and from whom, is the listener's to know; it must never be guessed. Specification:
//! <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>.

mod crc32c;
mod encode;
mod tlv;
mod v1;
mod v2;

pub use encode::{Extras, TlsFacts, encode_v1, encode_v2};
pub use tlv::{Ssl, Tlv, Tlvs};

use std::fmt;
use std::net::SocketAddr;

/// What stands at the start of some bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decoded<'a> {
    /// The header is not all there yet; nothing in it is to be used.
    More,
    /// A complete header.
    Done {
        /// How many bytes it takes; what follows is the connection's own.
        len: usize,
        /// What it says.
        header: Header<'a>,
    },
}

/// A complete header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header<'a> {
    /// Whose connection it is.
    pub origin: Origin<'a>,
    /// What else is said, version 2 only; checked to be sound.
    pub tlvs: Tlvs<'a>,
}

/// Whose connection it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin<'a> {
    /// The sender's own (LOCAL): a health check. The addresses of the socket hold.
    Local,
    /// It doesn't say, or not in terms of a stream (UNKNOWN, UNSPEC, datagrams). The addresses of the socket hold.
    Unknown,
    /// A TCP connection, both addresses of one family. They are as sent: IPv4-mapped IPv6 addresses stay such.
    Tcp {
        /// The client.
        source: SocketAddr,
        /// What it connected to.
        destination: SocketAddr,
    },
    /// A Unix stream. Paths without the zero bytes that fill them up; empty where the socket has no name. An abstract
    /// name begins with a zero byte, and zero bytes at its end are lost.
    Unix {
        /// The client's end.
        source: &'a [u8],
        /// What it connected to.
        destination: &'a [u8],
    },
}

/// Why bytes are no header. The connection is to be closed without an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HeaderError {
    /// They begin with neither version's signature.
    Signature,
    /// Version 1: a CR or LF alone in the line.
    LineEnd,
    /// Version 1: no end of the line within [`MAX_PROXY_V1_BYTES`](crate::limits::MAX_PROXY_V1_BYTES).
    LineTooLong,
    /// Version 1: not TCP4, TCP6 or UNKNOWN, or not the four words after it with one space before each.
    Line,
    /// Version 1: an address that is not in the form that the family has.
    Address,
    /// Version 1: a port that is not a number from 0 to 65535 without leading zeros.
    Port,
    /// Version 2: a version other than 2 after the signature.
    Version,
    /// Version 2: a command other than LOCAL and PROXY.
    Command,
    /// Version 2: a family or transport that is not assigned.
    Family,
    /// Version 2: longer than [`MAX_PROXY_V2_BYTES`](crate::limits::MAX_PROXY_V2_BYTES).
    TooLong,
    /// Version 2: shorter than the family's addresses.
    TooShort,
    /// Version 2: a TLV that doesn't end where its surroundings do, or of a length that its type can't have.
    Tlv,
    /// Version 2: a TLV twice of which there can be one.
    RepeatedTlv,
    /// Version 2: the checksum is not that of the header.
    Checksum,
}

impl HeaderError {
    /// Machine word for logs and metrics.
    pub fn cause(self) -> &'static str {
        match self {
            HeaderError::Signature => "proxy_no_header",
            HeaderError::LineEnd => "proxy_bad_line_end",
            HeaderError::LineTooLong => "proxy_line_too_long",
            HeaderError::Line => "proxy_bad_line",
            HeaderError::Address => "proxy_bad_address",
            HeaderError::Port => "proxy_bad_port",
            HeaderError::Version => "proxy_bad_version",
            HeaderError::Command => "proxy_bad_command",
            HeaderError::Family => "proxy_bad_family",
            HeaderError::TooLong => "proxy_header_too_long",
            HeaderError::TooShort => "proxy_header_too_short",
            HeaderError::Tlv => "proxy_bad_tlv",
            HeaderError::RepeatedTlv => "proxy_repeated_tlv",
            HeaderError::Checksum => "proxy_bad_checksum",
        }
    }
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.cause())
    }
}

impl std::error::Error for HeaderError {}

/// Decodes the header, of either version, at the start of `bytes`. What has once been refused is refused with any bytes
/// after it, and bytes after a complete header are not looked at.
pub fn decode(bytes: &[u8]) -> Result<Decoded<'_>, HeaderError> {
    let begins = |signature: &[u8]| {
        let common = signature.len().min(bytes.len());
        bytes.get(..common) == signature.get(..common)
    };
    if begins(v2::SIGNATURE) {
        v2::decode(bytes)
    } else if begins(v1::SIGNATURE) {
        v1::decode(bytes)
    } else {
        Err(HeaderError::Signature)
    }
}

#[cfg(test)]
mod tests;
