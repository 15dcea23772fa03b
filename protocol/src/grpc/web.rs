//! Trailers in the body (web protocol, "Message framing"): a flag, a length, and the lines `name: value` of a head.

use std::fmt;

use super::messages::{COMPRESSED, PREFIX_BYTES, TRAILERS};
use crate::limits::MAX_GRPC_WEB_TRAILER_BYTES;
use crate::message::{Name, is_token};

/// Why trailers in a body are refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TrailerError {
    /// It is not the flag of trailers that stands there.
    Flag,
    /// They are compressed, which nobody agreed to.
    Compressed,
    /// They are longer than [`MAX_GRPC_WEB_TRAILER_BYTES`].
    TooLarge,
    /// A line is not a name, a colon, a value and CRLF.
    Line,
}

impl TrailerError {
    /// Machine word for logs.
    pub fn cause(self) -> &'static str {
        match self {
            TrailerError::Flag => "grpc_web_no_trailers",
            TrailerError::Compressed => "grpc_web_compressed_trailers",
            TrailerError::TooLarge => "grpc_web_trailers_too_large",
            TrailerError::Line => "grpc_web_bad_trailer",
        }
    }
}

impl fmt::Display for TrailerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.cause())
    }
}

impl std::error::Error for TrailerError {}

/// Appends trailers, given as lines `Name: value\r\n`, as the last frame of a body, with names in lower case. An empty
/// line at the end is left out.
pub fn encode_trailers(lines: &[u8], out: &mut Vec<u8>) {
    out.push(TRAILERS);
    let length_at = out.len();
    out.extend_from_slice(&[0; 4]);
    let start = out.len();
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        let Some(colon) = memchr::memchr(b':', line) else {
            continue;
        };
        let (name, rest) = line.split_at_checked(colon).unwrap_or_default();
        out.extend(name.iter().map(u8::to_ascii_lowercase));
        out.extend_from_slice(rest);
    }
    let len = u32::try_from(out.len() - start).unwrap_or(0);
    if let Some(place) = out.get_mut(length_at..start) {
        place.copy_from_slice(&len.to_be_bytes());
    }
}

/// Takes the trailers at the front of `bytes` and appends them as lines `name: value\r\n` with names in lower case;
/// those that have no business in a trailer section are left out. Gives how many bytes they take, or `None`, with nothing
/// appended, when more are needed. After an error, what was appended is not to be used.
pub fn decode_trailers(bytes: &[u8], out: &mut Vec<u8>) -> Result<Option<usize>, TrailerError> {
    match bytes.first() {
        None => return Ok(None),
        Some(&TRAILERS) => {}
        Some(flag) if flag & !COMPRESSED == TRAILERS => return Err(TrailerError::Compressed),
        Some(_) => return Err(TrailerError::Flag),
    }
    let Some((&[_, length @ ..], rest)) = bytes.split_first_chunk::<PREFIX_BYTES>() else {
        return Ok(None);
    };
    let len = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if len > MAX_GRPC_WEB_TRAILER_BYTES {
        return Err(TrailerError::TooLarge);
    }
    let Some(mut lines) = rest.get(..len) else {
        return Ok(None);
    };
    while !lines.is_empty() {
        let end = memchr::memmem::find(lines, b"\r\n").ok_or(TrailerError::Line)?;
        let (line, rest) = lines.split_at_checked(end).ok_or(TrailerError::Line)?;
        push_line(line, out)?;
        lines = rest.get(2..).unwrap_or_default();
    }
    Ok(Some(PREFIX_BYTES + len))
}

/// Appends one line, which comes without its end.
fn push_line(line: &[u8], out: &mut Vec<u8>) -> Result<(), TrailerError> {
    let colon = memchr::memchr(b':', line).ok_or(TrailerError::Line)?;
    let (name, value) = line.split_at_checked(colon).ok_or(TrailerError::Line)?;
    let value = value.get(1..).unwrap_or_default().trim_ascii();
    let is_plain = |byte: &u8| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f);
    if !is_token(name) || !line.iter().all(is_plain) {
        return Err(TrailerError::Line);
    }
    if Name::lookup(name).is_forbidden_in_trailers() {
        return Ok(());
    }
    out.extend(name.iter().map(u8::to_ascii_lowercase));
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
    Ok(())
}
