//! HTTP/1.1 text to header blocks: the start line becomes pseudo-fields, Host `:authority`, names lower case, and what
//! speaks of a connection is left out. One pass over the text.
//!
//! The text is the gateway's own, or decoded fields that were checked: it is not checked again. A line without a name
//! is left out. What the fields named in Connection are is the business of who composes the text.

use crate::http2::hpack::{Habit, Key, Writer};
use crate::message::{Folded, Name};

/// The writing side of a connection. Blocks have to be sent in the order they were made.
#[derive(Debug)]
pub struct Encoder {
    writer: Writer,
}

const AUTHORITY: Key = Key::pseudo(1);
const METHOD: Key = Key::pseudo(2);
const PATH: Key = Key::pseudo(4);
const SCHEME: Key = Key::pseudo(6);
const STATUS: Key = Key::pseudo(8);

/// The longest path that may enter the table.
const LONGEST_PATH: usize = 128;

impl Default for Encoder {
    fn default() -> Self {
        Encoder::new()
    }
}

impl Encoder {
    /// For a connection whose peer keeps the initial table of 4096 bytes.
    pub fn new() -> Encoder {
        Encoder {
            writer: Writer::new(),
        }
    }

    /// Takes the peer's SETTINGS_HEADER_TABLE_SIZE. What exceeds the initial size is not used; a smaller one holds from
    /// the next block, which says so first (RFC 7541 section 4.2).
    pub fn set_max_table(&mut self, bytes: u32) {
        self.writer.set_max_table(bytes as usize);
    }

    /// Appends the header block of a request: `GET /path HTTP/1.1`, field lines, and the empty line or the text's end.
    /// The target is in origin form or the asterisk; `scheme` is `http` or `https`.
    pub fn request(&mut self, text: &[u8], scheme: &[u8], out: &mut Vec<u8>) {
        self.write_request(text, scheme, None, out);
    }

    /// Appends the header block of an extended CONNECT (RFC 8441 section 4) that is to speak `protocol`, such as
    /// `websocket`. The text is that of the HTTP/1.1 request that asks for the upgrade; its method is not used.
    pub fn tunnel(&mut self, text: &[u8], scheme: &[u8], protocol: &[u8], out: &mut Vec<u8>) {
        self.write_request(text, scheme, Some(protocol), out);
    }

    fn write_request(
        &mut self,
        text: &[u8],
        scheme: &[u8],
        protocol: Option<&[u8]>,
        out: &mut Vec<u8>,
    ) {
        let (line, fields) = first_line(text);
        let (method, rest) = split_at_byte(line, b' ');
        let (target, _) = split_at_byte(rest, b' ');
        let writer = &mut self.writer;
        writer.begin(out);
        match (protocol, method) {
            (Some(protocol), _) => {
                writer.field(METHOD, b":method", b"CONNECT", Habit::Returns, out);
                let key = Key::field(Folded::of(b":protocol"), Name::Other);
                writer.field(key, b":protocol", protocol, Habit::Returns, out);
            }
            (None, b"GET") => writer.fixed(2, out),
            (None, b"POST") => writer.fixed(3, out),
            (None, _) => writer.field(METHOD, b":method", method, Habit::Returns, out),
        }
        match scheme {
            b"http" => writer.fixed(6, out),
            b"https" => writer.fixed(7, out),
            _ => writer.field(SCHEME, b":scheme", scheme, Habit::Returns, out),
        }
        if let Some(host) = host(fields) {
            writer.field(AUTHORITY, b":authority", host, Habit::Returns, out);
        }
        match target {
            b"/" => writer.fixed(4, out),
            b"/index.html" => writer.fixed(5, out),
            _ => writer.field(PATH, b":path", target, path_habit(target), out),
        }
        self.fields(fields, Sent::Request, out);
    }

    /// Appends the header block of an answer, interim or final: `HTTP/1.1 200 OK`, field lines, and the empty line or
    /// the text's end. The reason phrase is not sent.
    pub fn response(&mut self, text: &[u8], out: &mut Vec<u8>) {
        let (line, fields) = first_line(text);
        let (_, rest) = split_at_byte(line, b' ');
        let (status, _) = split_at_byte(rest, b' ');
        let writer = &mut self.writer;
        writer.begin(out);
        match status {
            b"200" => writer.fixed(8, out),
            b"204" => writer.fixed(9, out),
            b"206" => writer.fixed(10, out),
            b"304" => writer.fixed(11, out),
            b"400" => writer.fixed(12, out),
            b"404" => writer.fixed(13, out),
            b"500" => writer.fixed(14, out),
            _ => writer.field(STATUS, b":status", status, Habit::Returns, out),
        }
        self.fields(fields, Sent::Response, out);
    }

    /// Appends the header block of trailers: field lines, and the empty line or the text's end.
    pub fn trailers(&mut self, text: &[u8], out: &mut Vec<u8>) {
        self.writer.begin(out);
        self.fields(text, Sent::Response, out);
    }

    fn fields(&mut self, mut text: &[u8], sent: Sent, out: &mut Vec<u8>) {
        while let Some((name, value, rest)) = next_field(text) {
            text = rest;
            let folded = Folded::of(name);
            let known = Name::of(folded);
            let habit = match known {
                Name::Connection
                | Name::Http2Settings
                | Name::KeepAlive
                | Name::ProxyConnection
                | Name::TransferEncoding
                | Name::Upgrade => continue,
                Name::Host if sent == Sent::Request => continue,
                Name::Te if !is_trailers(value) => continue,
                Name::Te => {
                    let key = Key::field(folded, known);
                    self.writer
                        .field(key, name, b"trailers", Habit::Returns, out);
                    continue;
                }
                _ if name.is_empty() => continue,
                _ => habit(known),
            };
            self.writer
                .field(Key::field(folded, known), name, value, habit, out);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    Request,
    Response,
}

/// What becomes of a field. Cookies and credentials of many clients share a connection: were they in its table, how
/// well a guess compresses would tell of them.
#[inline]
fn habit(known: Name) -> Habit {
    match known {
        Name::Authorization
        | Name::Cookie
        | Name::ProxyAuthorization
        | Name::SetCookie
        | Name::XApiKey => Habit::Secret,
        Name::Age
        | Name::B3
        | Name::ContentLength
        | Name::ContentRange
        | Name::Date
        | Name::Etag
        | Name::Expires
        | Name::IfMatch
        | Name::IfModifiedSince
        | Name::IfNoneMatch
        | Name::IfRange
        | Name::IfUnmodifiedSince
        | Name::LastModified
        | Name::Range
        | Name::RetryAfter
        | Name::Traceparent
        | Name::Tracestate
        | Name::XB3ParentSpanId
        | Name::XB3SpanId
        | Name::XB3TraceId
        | Name::XRequestId => Habit::Passes,
        _ => Habit::Returns,
    }
}

/// A path may come again, as those of gRPC do; a query hardly, and it may hold what is nobody's business.
fn path_habit(target: &[u8]) -> Habit {
    if target.len() > LONGEST_PATH || memchr::memchr(b'?', target).is_some() {
        Habit::Passes
    } else {
        Habit::Returns
    }
}

fn is_trailers(te: &[u8]) -> bool {
    te.split(|byte| *byte == b',')
        .any(|element| element.trim_ascii().eq_ignore_ascii_case(b"trailers"))
}

/// The value of Host, which mostly stands first.
fn host(mut fields: &[u8]) -> Option<&[u8]> {
    while let Some((name, value, rest)) = next_field(fields) {
        if name.eq_ignore_ascii_case(b"host") {
            return Some(value);
        }
        fields = rest;
    }
    None
}

/// The first line without its end, and what follows.
#[inline]
fn first_line(text: &[u8]) -> (&[u8], &[u8]) {
    let (line, rest) = split_at_byte(text, b'\n');
    (line.strip_suffix(b"\r").unwrap_or(line), rest)
}

/// The next field and what follows its line; `None` at the empty line or the end.
#[inline]
fn next_field(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    if matches!(text.first(), None | Some(b'\r' | b'\n')) {
        return None;
    }
    let (line, rest) = first_line(text);
    let colon = memchr::memchr(b':', line).unwrap_or(0);
    let (name, value) = line.split_at_checked(colon).unwrap_or_default();
    let value = value.strip_prefix(b":").unwrap_or(value);
    Some((name, trim_blank(value), rest))
}

/// Without the white space around it.
#[inline]
fn trim_blank(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = value {
        value = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// What stands before the byte, and what after it; all and nothing if it isn't there.
#[inline]
fn split_at_byte(text: &[u8], byte: u8) -> (&[u8], &[u8]) {
    match memchr::memchr(byte, text) {
        Some(at) => {
            let (before, rest) = text.split_at_checked(at).unwrap_or_default();
            (before, rest.get(1..).unwrap_or_default())
        }
        None => (text, &[]),
    }
}
