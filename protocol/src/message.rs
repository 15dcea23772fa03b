//! What a message is, whatever protocol carried it: method, version, field table, body length, authority, path.
//!
//! Everything is a [`Span`] of the buffer that the head was read into; nothing is copied and nothing here decides
//! framing. A span that doesn't fit the bytes at hand yields an empty slice, never a panic.

mod authority;
mod length;
mod method;
mod name;
mod path;
mod request;
mod response;
mod token;

pub use authority::{host_of, is_valid_authority, port_of, same_authority};
pub(crate) use length::{is_disguised, parse_length};
pub use method::Method;
pub use name::Name;
pub(crate) use name::folded::Folded;
pub use path::{Canonical, PathError, canonical_path};
pub use request::{Request, RequestHead, TargetForm};
pub use response::{Response, ResponseHead};
pub(crate) use token::{is_lower_token_byte, is_token};

use std::ops::Range;

/// A range of the bytes that a head was decoded from.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Number of bytes.
    pub len: u32,
}

impl Span {
    /// No bytes at all.
    pub const EMPTY: Span = Span { start: 0, len: 0 };

    /// The bytes from `start` up to `end`; heads are bounded far below 4 GiB, beyond that the span is empty.
    #[inline]
    pub fn new(start: usize, end: usize) -> Span {
        match (u32::try_from(start), u32::try_from(end)) {
            (Ok(start), Ok(end)) if start <= end => Span {
                start,
                len: end - start,
            },
            _ => Span::EMPTY,
        }
    }

    /// The bytes themselves; empty when the span does not lie within `bytes`.
    #[inline]
    pub fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.range()).unwrap_or_default()
    }

    /// Whether it covers no bytes.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// As a range of offsets.
    #[inline]
    pub fn range(self) -> Range<usize> {
        let start = self.start as usize;
        start..start + self.len as usize
    }
}

/// The protocol version of a message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Version {
    /// HTTP/1.0: no chunked coding, connections close unless told otherwise.
    Http10,
    /// HTTP/1.1.
    Http11,
    /// HTTP/2.
    Http2,
}

impl Version {
    /// As logs and status lines write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Version::Http10 => "HTTP/1.0",
            Version::Http11 => "HTTP/1.1",
            Version::Http2 => "HTTP/2.0",
        }
    }
}

/// One field line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field {
    /// The name as it was sent, in any case; never empty.
    pub name: Span,
    /// The value without the white space around it; may be empty.
    pub value: Span,
    /// The name, if it is one of those known by number.
    pub known: Name,
    /// Not to be forwarded: in the fixed list of hop-by-hop fields, named by Connection, or (Content-Length of a 1xx
    /// or 204, certain trailers) not allowed where it stands.
    pub hop_by_hop: bool,
}

/// How the end of a body is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BodyLength {
    /// There is none.
    None,
    /// So many bytes; may be zero.
    Exact(u64),
    /// By the chunked coding.
    Chunked,
    /// When the connection closes; answers only.
    UntilClose,
    /// Until the stream's end: HTTP/2.
    Frames,
}

/// The values of all fields called `name`, in order.
fn values<'a>(
    fields: &'a [Field],
    bytes: &'a [u8],
    name: Name,
) -> impl DoubleEndedIterator<Item = &'a [u8]> + use<'a> {
    fields
        .iter()
        .filter(move |field| field.known == name)
        .map(|field| field.value.of(bytes))
}

/// The first value of the field called `name`, compared without case.
fn value_named<'a>(fields: &[Field], bytes: &'a [u8], name: &str) -> Option<&'a [u8]> {
    fields
        .iter()
        .find(|field| {
            field.name.len as usize == name.len()
                && field.name.of(bytes).eq_ignore_ascii_case(name.as_bytes())
        })
        .map(|field| field.value.of(bytes))
}

/// All fields with their names and values.
fn lines<'a>(
    fields: &'a [Field],
    bytes: &'a [u8],
) -> impl Iterator<Item = (&'a Field, &'a [u8], &'a [u8])> + use<'a> {
    fields
        .iter()
        .map(|field| (field, field.name.of(bytes), field.value.of(bytes)))
}

#[cfg(test)]
mod tests;
