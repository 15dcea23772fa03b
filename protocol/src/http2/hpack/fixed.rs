//! The static table (RFC 7541 appendix A), as whole lines.
//!
//! The line of `:authority` is that of Host, as everywhere in a decoded head.

use super::line::{Note, Part};
use crate::http2::head::Malformed;
use crate::message::Name;

/// Number of entries: the first index of the dynamic table is one more.
pub(super) const LEN: usize = 61;

/// The entry with this index, which begins at 1: its line and what is noted of it.
#[inline]
pub(super) fn get(index: usize) -> Option<(&'static [u8], Note)> {
    LINES.get(index.wrapping_sub(1)).copied()
}

/// The first index of a name; 0 when the table doesn't have it, or the name is none of those known by number.
#[inline]
pub(super) fn index_of(name: Name) -> u8 {
    INDEXES.get(name as usize).copied().unwrap_or(0)
}

#[expect(clippy::indexing_slicing, reason = "evaluated when compiled")]
static INDEXES: [u8; Name::COUNT] = {
    let mut indexes = [0; Name::COUNT];
    let mut at = LEN;
    while at > 0 {
        let (_, note) = LINES[at - 1];
        if matches!(note.part, Part::Field) {
            indexes[note.known as usize] = at as u8;
        }
        at -= 1;
    }
    indexes[Name::Other as usize] = 0;
    indexes
};

const fn field(known: Name, line: &'static [u8]) -> (&'static [u8], Note) {
    let fault = match known {
        Name::TransferEncoding => Some(Malformed::ConnectionSpecific),
        _ => None,
    };
    (line, Note::fixed(Part::Field, known, name_len(line), fault))
}

const fn pseudo(part: Part, line: &'static [u8]) -> (&'static [u8], Note) {
    (line, Note::fixed(part, Name::Other, name_len(line), None))
}

/// Bytes before `: `.
#[expect(clippy::indexing_slicing, reason = "evaluated when compiled")]
const fn name_len(line: &[u8]) -> u32 {
    let mut at = 1;
    while line[at] != b':' {
        at += 1;
    }
    at as u32
}

const LINES: [(&[u8], Note); LEN] = [
    pseudo(Part::Authority, b"host: \r\n"),
    pseudo(Part::Method, b":method: GET\r\n"),
    pseudo(Part::Method, b":method: POST\r\n"),
    pseudo(Part::Path, b":path: /\r\n"),
    pseudo(Part::Path, b":path: /index.html\r\n"),
    pseudo(Part::Scheme, b":scheme: http\r\n"),
    pseudo(Part::Scheme, b":scheme: https\r\n"),
    pseudo(Part::Status, b":status: 200\r\n"),
    pseudo(Part::Status, b":status: 204\r\n"),
    pseudo(Part::Status, b":status: 206\r\n"),
    pseudo(Part::Status, b":status: 304\r\n"),
    pseudo(Part::Status, b":status: 400\r\n"),
    pseudo(Part::Status, b":status: 404\r\n"),
    pseudo(Part::Status, b":status: 500\r\n"),
    field(Name::AcceptCharset, b"accept-charset: \r\n"),
    field(Name::AcceptEncoding, b"accept-encoding: gzip, deflate\r\n"),
    field(Name::AcceptLanguage, b"accept-language: \r\n"),
    field(Name::AcceptRanges, b"accept-ranges: \r\n"),
    field(Name::Accept, b"accept: \r\n"),
    field(Name::Other, b"access-control-allow-origin: \r\n"),
    field(Name::Age, b"age: \r\n"),
    field(Name::Allow, b"allow: \r\n"),
    field(Name::Authorization, b"authorization: \r\n"),
    field(Name::CacheControl, b"cache-control: \r\n"),
    field(Name::ContentDisposition, b"content-disposition: \r\n"),
    field(Name::ContentEncoding, b"content-encoding: \r\n"),
    field(Name::ContentLanguage, b"content-language: \r\n"),
    field(Name::ContentLength, b"content-length: \r\n"),
    field(Name::ContentLocation, b"content-location: \r\n"),
    field(Name::ContentRange, b"content-range: \r\n"),
    field(Name::ContentType, b"content-type: \r\n"),
    field(Name::Cookie, b"cookie: \r\n"),
    field(Name::Date, b"date: \r\n"),
    field(Name::Etag, b"etag: \r\n"),
    field(Name::Expect, b"expect: \r\n"),
    field(Name::Expires, b"expires: \r\n"),
    field(Name::From, b"from: \r\n"),
    field(Name::Host, b"host: \r\n"),
    field(Name::IfMatch, b"if-match: \r\n"),
    field(Name::IfModifiedSince, b"if-modified-since: \r\n"),
    field(Name::IfNoneMatch, b"if-none-match: \r\n"),
    field(Name::IfRange, b"if-range: \r\n"),
    field(Name::IfUnmodifiedSince, b"if-unmodified-since: \r\n"),
    field(Name::LastModified, b"last-modified: \r\n"),
    field(Name::Link, b"link: \r\n"),
    field(Name::Location, b"location: \r\n"),
    field(Name::MaxForwards, b"max-forwards: \r\n"),
    field(Name::ProxyAuthenticate, b"proxy-authenticate: \r\n"),
    field(Name::ProxyAuthorization, b"proxy-authorization: \r\n"),
    field(Name::Range, b"range: \r\n"),
    field(Name::Referer, b"referer: \r\n"),
    field(Name::Other, b"refresh: \r\n"),
    field(Name::RetryAfter, b"retry-after: \r\n"),
    field(Name::Server, b"server: \r\n"),
    field(Name::SetCookie, b"set-cookie: \r\n"),
    field(Name::Other, b"strict-transport-security: \r\n"),
    field(Name::TransferEncoding, b"transfer-encoding: \r\n"),
    field(Name::UserAgent, b"user-agent: \r\n"),
    field(Name::Vary, b"vary: \r\n"),
    field(Name::Via, b"via: \r\n"),
    field(Name::WwwAuthenticate, b"www-authenticate: \r\n"),
];
