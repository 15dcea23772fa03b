//! The head of an answer: status, how long the body is, whether the connection may be used again.
//!
//! One pass, line by line, no copies. Framing follows RFC 9112 section 6.3; where that leaves a choice between refusing and
//! repairing, it is refused.

use memchr::memchr;

use super::Malformed;

/// The longest head that is taken: what the buffer that is read into holds.
pub const LONGEST_HEAD: usize = engine_net::buffer::STANDARD;

/// What the answer answers, as far as its length depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// HEAD: there is no body, whatever the head says.
    Head,
    /// Any other method.
    Other,
}

/// How long a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// So many bytes; also zero, for answers that have no body.
    Exactly(u64),
    /// In chunks.
    Chunked,
    /// Until the connection is closed.
    UntilClose,
}

/// The head of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// 100 to 999; never 101.
    pub status: u16,
    /// Bytes of the head, with the empty line.
    pub len: usize,
    /// How long the body is.
    pub length: Length,
    /// Whether the connection may be used for another request after the body.
    pub reusable: bool,
}

impl Head {
    /// Reads a head from the front of what has come; `None` if it is not whole yet.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn read(bytes: &[u8], asked: Asked) -> Result<Option<Head>, Malformed> {
        let mut lines = Lines { bytes, at: 0 };
        let Some(first) = lines.next()? else {
            return unfinished(bytes);
        };
        let (status, version) = status_line(first)?;
        let mut fields = Fields::default();
        loop {
            match lines.next()? {
                None => return unfinished(bytes),
                Some([]) => break,
                Some(line) => fields.read(line)?,
            }
        }
        let length = fields.length(status, version, asked)?;
        let reusable = match version {
            Version::Http11 => !fields.close,
            Version::Http10 => fields.keep_alive && !fields.close,
        };
        Ok(Some(Head {
            status,
            len: lines.at,
            length,
            reusable: reusable && length != Length::UntilClose,
        }))
    }

    /// Whether this is not the answer itself but a word before it (100, 102 to 199).
    pub fn is_interim(&self) -> bool {
        self.status < 200
    }
}

fn unfinished(bytes: &[u8]) -> Result<Option<Head>, Malformed> {
    match bytes.len() < LONGEST_HEAD {
        true => Ok(None),
        false => Err(Malformed::LongHead),
    }
}

/// Lines that end in CR LF, without it.
pub(super) struct Lines<'a> {
    pub(super) bytes: &'a [u8],
    /// Where the next line begins: `at <= bytes.len()`.
    pub(super) at: usize,
}

impl<'a> Lines<'a> {
    /// The next line; `None` if it is not whole yet.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        let rest = self.bytes.get(self.at..).unwrap_or(&[]);
        let Some(end) = memchr(b'\n', rest) else {
            return Ok(None);
        };
        let line = rest.get(..end).unwrap_or(&[]);
        let Some((b'\r', line)) = line.split_last() else {
            return Err(Malformed::LineEnd);
        };
        self.at += end + 1;
        Ok(Some(line))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    Http10,
    Http11,
}

fn status_line(line: &[u8]) -> Result<(u16, Version), Malformed> {
    let (version, rest) = match line.split_first_chunk::<9>() {
        Some((b"HTTP/1.1 ", rest)) => (Version::Http11, rest),
        Some((b"HTTP/1.0 ", rest)) => (Version::Http10, rest),
        _ => return Err(Malformed::StatusLine),
    };
    let Some((digits, reason)) = rest.split_first_chunk::<3>() else {
        return Err(Malformed::StatusLine);
    };
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(Malformed::StatusLine);
    }
    // RFC 9112 section 4 wants the space even before an empty reason; servers without a reason often leave it out.
    if !matches!(reason, [] | [b' ', ..]) || !is_text(reason) {
        return Err(Malformed::StatusLine);
    }
    let status = digits
        .iter()
        .fold(0, |status, digit| status * 10 + u16::from(digit - b'0'));
    match status {
        0..=99 | 101 => Err(Malformed::Status),
        _ => Ok((status, version)),
    }
}

/// What the fields of a head say about framing and reuse.
#[derive(Default)]
struct Fields {
    content_length: Option<u64>,
    chunked: bool,
    close: bool,
    keep_alive: bool,
}

impl Fields {
    #[inline]
    fn read(&mut self, line: &[u8]) -> Result<(), Malformed> {
        let (name, value) = field(line)?;
        match name.len() {
            10 if name.eq_ignore_ascii_case(b"connection") => self.connection(value),
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                let length = number(trim(value)).ok_or(Malformed::ContentLength)?;
                if self.content_length.replace(length).is_some() {
                    return Err(Malformed::ContentLength);
                }
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                if self.chunked || !trim(value).eq_ignore_ascii_case(b"chunked") {
                    return Err(Malformed::TransferEncoding);
                }
                self.chunked = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn connection(&mut self, value: &[u8]) {
        for option in value.split(|byte| *byte == b',').map(trim) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    fn length(&self, status: u16, version: Version, asked: Asked) -> Result<Length, Malformed> {
        match (self.chunked, self.content_length) {
            (true, Some(_)) => return Err(Malformed::TwoLengths),
            (true, None) if version == Version::Http10 => return Err(Malformed::TransferEncoding),
            _ => {}
        }
        if asked == Asked::Head || matches!(status, 100..200 | 204 | 304) {
            return Ok(Length::Exactly(0));
        }
        Ok(match (self.chunked, self.content_length) {
            (true, _) => Length::Chunked,
            (false, Some(length)) => Length::Exactly(length),
            (false, None) => Length::UntilClose,
        })
    }
}

/// A header's name and value, which still has its white space.
#[inline]
pub(super) fn field(line: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let colon = line
        .iter()
        .position(|byte| !is_token(*byte))
        .ok_or(Malformed::HeaderName)?;
    let (name, rest) = line.split_at(colon);
    let Some((b':', value)) = rest.split_first() else {
        return Err(Malformed::HeaderName);
    };
    if name.is_empty() {
        return Err(Malformed::HeaderName);
    }
    if !is_text(value) {
        return Err(Malformed::HeaderValue);
    }
    Ok((name, value))
}

/// Decimal digits only, and fewer than would overflow.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

fn trim(mut value: &[u8]) -> &[u8] {
    while let Some((b' ' | b'\t', rest)) = value.split_first() {
        value = rest;
    }
    while let Some((b' ' | b'\t', rest)) = value.split_last() {
        value = rest;
    }
    value
}

/// No control characters but tabs. Without an early end, so that the compiler looks at many bytes at once.
fn is_text(bytes: &[u8]) -> bool {
    let control = |byte: u8| (byte < 0x20 && byte != b'\t') || byte == 0x7f;
    !bytes
        .iter()
        .fold(false, |found, byte| found | control(*byte))
}

fn is_token(byte: u8) -> bool {
    TOKEN.get(usize::from(byte)).copied().unwrap_or(false)
}

/// RFC 9110 section 5.6.2.
static TOKEN: [bool; 256] = token();

const fn token() -> [bool; 256] {
    let mut table = [false; 256];
    let marks = b"!#$%&'*+-.^_`|~";
    let mut byte = 0_u8;
    while byte < 128 {
        let mut is = byte.is_ascii_alphanumeric();
        let mut at = 0;
        while at < marks.len() {
            #[allow(clippy::indexing_slicing)] // Evaluated by the compiler.
            let mark = marks[at];
            is = is || mark == byte;
            at += 1;
        }
        #[allow(clippy::indexing_slicing)] // As above.
        {
            table[byte as usize] = is;
        }
        byte += 1;
    }
    table
}
