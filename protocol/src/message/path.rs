//! The one canonical path: what matching, policies, rewriting and the upstream all see.
//!
//! Percent-encoded unreserved characters are decoded, dot-segments (raw or encoded) removed, empty segments kept.
//! Refused: `%2F`, `%5C`, `%00`, a raw backslash, a broken percent-encoding, and a path that climbs above the root.
//! Canonical paths are fixed points: taken again, they come back as they are.

use std::fmt;

/// Whether a path had to be changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Canonical {
    /// The raw path is canonical already; `out` was not touched.
    AsIs,
    /// The canonical path is in `out`.
    Rewritten,
}

/// Why a path is refused (400).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PathError {
    /// Does not begin with `/` (and is not `*`).
    NotAbsolute,
    /// A raw backslash, which some origins take for a slash.
    Backslash,
    /// `%` without two hexadecimal digits after it.
    BadEncoding,
    /// `%2F`, `%5C` or `%00`.
    ForbiddenEncoding,
    /// Dot-segments lead above the root.
    AboveRoot,
}

impl PathError {
    /// Machine word for logs.
    pub fn cause(self) -> &'static str {
        match self {
            PathError::NotAbsolute => "path_not_absolute",
            PathError::Backslash => "path_backslash",
            PathError::BadEncoding => "path_bad_encoding",
            PathError::ForbiddenEncoding => "path_forbidden_encoding",
            PathError::AboveRoot => "path_above_root",
        }
    }

    /// One sentence for the client.
    pub fn detail(self) -> &'static str {
        match self {
            PathError::NotAbsolute => "The path does not begin with a slash.",
            PathError::Backslash => "The path contains a backslash.",
            PathError::BadEncoding => "The path contains an incomplete percent-encoding.",
            PathError::ForbiddenEncoding => {
                "The path contains an encoded slash, backslash or zero byte."
            }
            PathError::AboveRoot => "The path leads above the root.",
        }
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail())
    }
}

impl std::error::Error for PathError {}

/// Brings a raw path (without query) into its canonical form. `out` is cleared and filled only when that differs from
/// `raw`. The `*` of `OPTIONS *` is canonical.
pub fn canonical_path(raw: &[u8], out: &mut Vec<u8>) -> Result<Canonical, PathError> {
    if raw.first() != Some(&b'/') {
        return match raw {
            b"*" => Ok(Canonical::AsIs),
            _ => Err(PathError::NotAbsolute),
        };
    }
    if is_plain(raw) {
        return Ok(Canonical::AsIs);
    }
    rewrite(raw, out)?;
    Ok(Canonical::Rewritten)
}

/// No escape, no backslash, and no segment that begins with a dot. May say no to a canonical path, never yes to another.
#[inline]
fn is_plain(raw: &[u8]) -> bool {
    // A search has to warm up; most paths are read through before.
    if raw.len() > SHORT && memchr::memchr3(b'%', b'\\', b'.', raw).is_none() {
        return true;
    }
    let mut before = 0;
    for &byte in raw {
        if byte == b'%' || byte == b'\\' || (byte == b'.' && before == b'/') {
            return false;
        }
        before = byte;
    }
    true
}

/// Up to so many bytes a loop is cheaper than a search.
const SHORT: usize = 32;

fn rewrite(raw: &[u8], out: &mut Vec<u8>) -> Result<(), PathError> {
    out.clear();
    let mut segments = raw.split(|byte| *byte == b'/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let start = out.len();
        out.push(b'/');
        decode_segment(segment, out)?;
        let is_last = segments.peek().is_none();
        match out.get(start + 1..).unwrap_or_default() {
            b"." => out.truncate(start),
            b".." => {
                out.truncate(start);
                let parent = memchr::memrchr(b'/', out).ok_or(PathError::AboveRoot)?;
                out.truncate(parent);
            }
            _ => continue,
        }
        if is_last {
            out.push(b'/');
        }
    }
    Ok(())
}

fn decode_segment(segment: &[u8], out: &mut Vec<u8>) -> Result<(), PathError> {
    let mut bytes = segment.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => return Err(PathError::Backslash),
            b'%' => {
                let (Some(high), Some(low)) = (bytes.next(), bytes.next()) else {
                    return Err(PathError::BadEncoding);
                };
                let (Some(left), Some(right)) = (hex_value(high), hex_value(low)) else {
                    return Err(PathError::BadEncoding);
                };
                match left << 4 | right {
                    b'/' | b'\\' | 0 => return Err(PathError::ForbiddenEncoding),
                    plain if is_unreserved(plain) => out.push(plain),
                    // One spelling for each byte (RFC 3986 section 6.2.2.1), or `%c3` would miss a route for `%C3`.
                    _ => out.extend_from_slice(&[
                        b'%',
                        high.to_ascii_uppercase(),
                        low.to_ascii_uppercase(),
                    ]),
                }
            }
            _ => out.push(byte),
        }
    }
    Ok(())
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
