//! Bytes to heads. httparse scans tokens; what it lets pass that RFC 9112 does not is checked here and beside.
//!
//! Decoding is stateless: a caller that gets [`Decoded::Partial`] calls again with the bytes grown. So that a peer who
//! sends byte by byte can't make that dear, a long head is scanned for its end (vectorised, and at most `max_fields`
//! lines) before it is parsed; up to [`PARSE_AT_ONCE`] bytes it is parsed each time, which answers bad bytes at once.

mod request;
mod response;

pub use request::decode_request;
pub use response::decode_response;

use super::error::MessageError;
use super::framing::Facts;
use crate::limits::HeadLimits;
use crate::message::{Field, Name, Span};

/// What a decoder found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decoded {
    /// The head is not all there yet; nothing in it is to be used.
    Partial,
    /// The head is complete and sound.
    Complete,
}

/// Incomplete heads up to this length are parsed on each call; longer ones only once their end is there.
const PARSE_AT_ONCE: usize = 2048;

const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// Bytes taken by empty lines before a request (RFC 9112 section 2.2). How many a peer may send is the caller's.
pub fn leading_crlf(bytes: &[u8]) -> usize {
    let pairs = bytes
        .chunks_exact(2)
        .take_while(|pair| *pair == b"\r\n")
        .count();
    pairs * 2
}

/// The part of the bytes that a head may take; what lies in it has a [`Span`].
fn window<'a>(bytes: &'a [u8], limits: &HeadLimits) -> &'a [u8] {
    let most = limits.max_head_bytes.min(u32::MAX as usize);
    bytes.get(..most).unwrap_or(bytes)
}

/// Whether parsing may come to something, or is cheap enough to try.
#[inline]
fn worth_parsing(window: &[u8]) -> bool {
    window.len() <= PARSE_AT_ONCE || window.ends_with(END_OF_HEAD)
}

/// What a look at the line ends alone shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Survey {
    /// There is an empty line.
    Ended,
    /// There is none; whether the first line is complete.
    Open { first_line: bool },
}

/// Walks the lines of a head: every one must end in CRLF, there may be no CR, LF or zero byte elsewhere, and no more
/// than `max_lines` lines.
fn survey(bytes: &[u8], max_lines: usize) -> Result<Survey, MessageError> {
    let mut lines = 0;
    let mut rest = bytes;
    let mut line_is_empty = true;
    while let Some(at) = memchr::memchr3(b'\r', b'\n', 0, rest) {
        let found = rest.get(at..).unwrap_or_default();
        line_is_empty &= at == 0;
        rest = match found {
            [b'\r', b'\n', after @ ..] => after,
            [b'\r'] => break,
            [b'\r', ..] => return Err(MessageError::BareCarriageReturn),
            [b'\n', ..] => return Err(MessageError::BareLineFeed),
            _ => return Err(MessageError::ZeroByte),
        };
        if line_is_empty {
            return Ok(Survey::Ended);
        }
        lines += 1;
        if lines > max_lines {
            return Err(MessageError::TooManyFields);
        }
        line_is_empty = true;
    }
    Ok(Survey::Open {
        first_line: lines > 0,
    })
}

/// Files the parsed fields, checks that every line ends in CRLF (httparse takes LF too), and notes what they say about
/// framing. `bytes[..len]` is the section with its empty line; its first line is not a field.
fn take_fields(
    bytes: &[u8],
    parsed: &[httparse::Header<'_>],
    len: usize,
    fields: &mut Vec<Field>,
    facts: &mut Facts,
) -> Result<(), MessageError> {
    fields.reserve(parsed.len());
    for header in parsed {
        let name = header.name.as_bytes();
        let name_span = span_within(bytes, name);
        let value_span = span_within(bytes, header.value);
        if !ends_in_crlf(bytes, name_span.start as usize) {
            return Err(MessageError::BareLineFeed);
        }
        let known = Name::lookup(name);
        facts.note(known, name, value_span, header.value)?;
        fields.push(Field {
            name: name_span,
            value: value_span,
            known,
            hop_by_hop: known.is_hop_by_hop(),
        });
    }
    let section = bytes.get(..len).unwrap_or_default();
    if !section.ends_with(END_OF_HEAD) {
        return Err(MessageError::BareLineFeed);
    }
    facts.mark_named(bytes, fields);
    Ok(())
}

/// Whether a line ends just before `at`.
#[inline]
fn ends_in_crlf(bytes: &[u8], at: usize) -> bool {
    bytes
        .get(..at)
        .is_some_and(|before| before.ends_with(b"\r\n"))
}

/// Where `part`, a slice of the [`window`] of `bytes`, lies within it.
#[inline]
fn span_within(bytes: &[u8], part: &[u8]) -> Span {
    let start = part.as_ptr().addr().wrapping_sub(bytes.as_ptr().addr());
    debug_assert!(start + part.len() <= bytes.len().min(u32::MAX as usize));
    Span {
        start: start as u32,
        len: part.len() as u32,
    }
}

/// Names the fault of a section in which httparse found a bad field line. `section` begins with a line that is none.
#[cold]
fn field_fault(section: &[u8], max_lines: usize, otherwise: MessageError) -> MessageError {
    if let Err(fault) = survey(section, max_lines) {
        return fault;
    }
    for line in section.split(|byte| *byte == b'\n').skip(1) {
        match line.first() {
            None | Some(b'\r') => break,
            Some(b' ' | b'\t') => return MessageError::ObsoleteFold,
            Some(_) => {}
        }
    }
    otherwise
}

/// Parses a trailer section: field lines and the empty line, after a first line of `line` bytes (the last chunk's).
/// `Ok(None)` when more bytes are needed, else the length of all.
pub(super) fn decode_trailers(
    bytes: &[u8],
    line: usize,
    fields: &mut Vec<Field>,
    limits: &HeadLimits,
) -> Result<Option<usize>, MessageError> {
    let window = window(bytes, limits);
    let max_fields = limits.max_fields.min(crate::limits::MAX_FIELDS);
    let section = window.get(line..).unwrap_or_default();
    let mut len = None;
    let mut storage = [httparse::EMPTY_HEADER; crate::limits::MAX_FIELDS];
    let slots = storage.get_mut(..max_fields).unwrap_or_default();
    if worth_parsing(section) || survey(window, max_fields + 1)? == Survey::Ended {
        match httparse::parse_headers(section, slots) {
            Ok(httparse::Status::Complete((taken, parsed))) => {
                len = Some(line + taken);
                take_fields(bytes, parsed, line + taken, fields, &mut Facts::default())?;
            }
            Ok(httparse::Status::Partial) => {
                survey(window, max_fields + 1)?;
            }
            Err(httparse::Error::TooManyHeaders) => return Err(MessageError::TooManyFields),
            Err(error) => {
                let otherwise = match error {
                    httparse::Error::HeaderValue => MessageError::FieldValue,
                    _ => MessageError::FieldName,
                };
                return Err(field_fault(window, max_fields + 1, otherwise));
            }
        }
    }
    if len.is_none() && window.len() >= limits.max_head_bytes {
        return Err(MessageError::HeadTooLarge);
    }
    for field in fields {
        field.hop_by_hop |= field.known.is_forbidden_in_trailers();
    }
    Ok(len)
}
