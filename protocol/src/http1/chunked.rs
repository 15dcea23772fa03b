//! The chunked transfer coding (RFC 9112 section 7.1): taken apart in place, or checked and left as it is.
//!
//! Size lines are read whole or not at all, so that the last chunk is never begun and its trailer section can be
//! written anew. Sizes are bare hexadecimal digits, at most 16 and below 2^63; every line ends in CRLF. A request's
//! chunks have no extensions; an answer's may, within a bound, and they are never passed on.

use std::fmt;

use super::decode::decode_trailers;
use super::error::MessageError;
use crate::limits::{HeadLimits, MAX_CHUNK_LINE_BYTES};
use crate::message::Field;

/// The last chunk with an empty trailer section.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// What is allowed in a size line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rules {
    /// Extensions are refused.
    Request,
    /// Extensions are skipped, within [`MAX_CHUNK_LINE_BYTES`].
    Response,
}

/// Why a chunked body is refused. The connection can't be used after it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChunkError {
    /// A size line that isn't hexadecimal digits and CRLF.
    Size,
    /// A size of 2^63 or more, or of more than 16 digits.
    SizeTooLarge,
    /// An extension where none is allowed, or with a control byte in it.
    Extension,
    /// A size line of more than [`MAX_CHUNK_LINE_BYTES`].
    LineTooLong,
    /// A chunk's data is not followed by CRLF.
    DataEnd,
    /// The trailer section.
    Trailers(MessageError),
}

impl ChunkError {
    /// Machine word for logs.
    pub fn cause(&self) -> &'static str {
        match self {
            ChunkError::Size => "bad_chunk_size",
            ChunkError::SizeTooLarge => "chunk_size_too_large",
            ChunkError::Extension => "bad_chunk_extension",
            ChunkError::LineTooLong => "chunk_line_too_long",
            ChunkError::DataEnd => "bad_chunk_end",
            ChunkError::Trailers(error) => error.cause(),
        }
    }

    /// One sentence for the problem document.
    pub fn detail(&self) -> &'static str {
        match self {
            ChunkError::Size => "A chunk's size is not valid.",
            ChunkError::SizeTooLarge => "A chunk's size is too large.",
            ChunkError::Extension => "A chunk has an extension that is not allowed.",
            ChunkError::LineTooLong => "A chunk's size line is too long.",
            ChunkError::DataEnd => "A chunk's data does not end where its size says.",
            ChunkError::Trailers(error) => error.detail(),
        }
    }

    /// The status that answers a request with this fault.
    pub fn status(&self) -> u16 {
        match self {
            ChunkError::Trailers(error) => error.status(),
            _ => 400,
        }
    }
}

impl fmt::Display for ChunkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail())
    }
}

impl std::error::Error for ChunkError {}

/// What [`Chunked::unframe`] did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unframed {
    /// Bytes taken from the front; the rest is to be shown again with more after it.
    pub consumed: usize,
    /// `bytes[..payload]` is data; `payload <= consumed`.
    pub payload: usize,
    /// The last chunk begins at `consumed`: go on with [`Chunked::trailers`].
    pub at_last_chunk: bool,
}

/// What [`Chunked::scan`] found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scanned {
    /// `bytes[..consumed]` is sound, without extensions, and may be forwarded as it is.
    pub consumed: usize,
    /// How much of it is data.
    pub payload: u64,
    /// False when a size line with an extension begins at `consumed`, between two chunks: from there on the body has
    /// to go through [`Chunked::unframe`].
    pub verbatim: bool,
    /// The last chunk begins at `consumed`: go on with [`Chunked::trailers`].
    pub at_last_chunk: bool,
}

/// Where in a chunked body we are; a few words, cheap to copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Chunked {
    rules: Rules,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// At the start of a size line.
    Size,
    /// So many bytes of data to come, at least one.
    Data(u64),
    /// Before the CR that follows data.
    DataCr,
    /// Between that CR and its LF.
    DataLf,
    /// At the start of the last chunk.
    Last,
    /// After the trailer section.
    Done,
}

/// The next piece of the coding at the front of some bytes.
enum Piece {
    /// Framing of so many bytes.
    Framing { len: usize, has_extension: bool },
    /// Data of so many bytes, at least one.
    Data(usize),
    /// Nothing that could be taken.
    Nothing,
}

impl Chunked {
    /// At the start of a body.
    pub fn new(rules: Rules) -> Self {
        Chunked {
            rules,
            state: State::Size,
        }
    }

    /// Whether the body and its trailer section have been taken whole. A connection that ends before has cut it.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Whether we stand between two chunks (or at the end), where chunks of our own may be put in.
    pub fn is_between_chunks(&self) -> bool {
        matches!(self.state, State::Size | State::Last | State::Done)
    }

    /// Takes the framing away in place: walks `bytes` from the start and moves the data together at the front. Stops
    /// before the last chunk. After an error the content of `bytes` is not to be used.
    pub fn unframe(&mut self, bytes: &mut [u8]) -> Result<Unframed, ChunkError> {
        let mut consumed = 0;
        let mut payload = 0;
        loop {
            let rest = bytes.get(consumed..).unwrap_or_default();
            let (piece, next) = self.next_piece(rest)?;
            match piece {
                Piece::Framing { len, .. } => consumed += len,
                Piece::Data(len) => {
                    if payload != consumed {
                        bytes.copy_within(consumed..consumed + len, payload);
                    }
                    consumed += len;
                    payload += len;
                }
                Piece::Nothing => {
                    self.state = next;
                    return Ok(Unframed {
                        consumed,
                        payload,
                        at_last_chunk: next == State::Last,
                    });
                }
            }
            self.state = next;
        }
    }

    /// Checks without changing anything: how far `bytes` may be forwarded as they are. Stops before the last chunk, so
    /// that the trailer section can be written anew, and before an extension.
    pub fn scan(&mut self, bytes: &[u8]) -> Result<Scanned, ChunkError> {
        let mut scanned = Scanned {
            consumed: 0,
            payload: 0,
            verbatim: true,
            at_last_chunk: false,
        };
        loop {
            let rest = bytes.get(scanned.consumed..).unwrap_or_default();
            let (piece, next) = self.next_piece(rest)?;
            match piece {
                Piece::Framing {
                    has_extension: true,
                    ..
                } => {
                    scanned.verbatim = false;
                    return Ok(scanned);
                }
                Piece::Framing { len, .. } => scanned.consumed += len,
                Piece::Data(len) => {
                    scanned.consumed += len;
                    scanned.payload += len as u64;
                }
                Piece::Nothing => {
                    self.state = next;
                    scanned.at_last_chunk = next == State::Last;
                    return Ok(scanned);
                }
            }
            self.state = next;
        }
    }

    /// Takes the last chunk and the trailer section, at whose start `bytes` must stand: call it after `at_last_chunk`.
    /// `fields` is cleared and filled, its spans are of `bytes`; those not to be forwarded are marked hop-by-hop.
    /// Gives how many bytes they take, or `None` when more are needed.
    pub fn trailers(
        &mut self,
        bytes: &[u8],
        fields: &mut Vec<Field>,
        limits: &HeadLimits,
    ) -> Result<Option<usize>, ChunkError> {
        fields.clear();
        let Some(line) = size_line(bytes, self.rules)? else {
            return Ok(None);
        };
        if line.size != 0 || !matches!(self.state, State::Size | State::Last) {
            return Err(ChunkError::Size);
        }
        let rest = bytes.get(line.len..).unwrap_or_default();
        let taken = match rest {
            [b'\r', b'\n', ..] => Some(line.len + 2),
            _ => decode_trailers(bytes, line.len, fields, limits).map_err(ChunkError::Trailers)?,
        };
        if taken.is_some() {
            self.state = State::Done;
        }
        Ok(taken)
    }

    /// The piece at the front of `rest` and the state after it.
    #[inline]
    fn next_piece(&self, rest: &[u8]) -> Result<(Piece, State), ChunkError> {
        let crlf = |wanted: u8, next: State| match rest.first() {
            None => Ok((Piece::Nothing, self.state)),
            Some(byte) if *byte == wanted => Ok((FRAMING_BYTE, next)),
            Some(_) => Err(ChunkError::DataEnd),
        };
        match self.state {
            State::Size => match size_line(rest, self.rules)? {
                None => Ok((Piece::Nothing, State::Size)),
                Some(line) if line.size == 0 => Ok((Piece::Nothing, State::Last)),
                Some(line) => {
                    let piece = Piece::Framing {
                        len: line.len,
                        has_extension: line.has_extension,
                    };
                    Ok((piece, State::Data(line.size)))
                }
            },
            State::Data(_) if rest.is_empty() => Ok((Piece::Nothing, self.state)),
            State::Data(left) => {
                let len = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                let next = match left - len as u64 {
                    0 => State::DataCr,
                    left => State::Data(left),
                };
                Ok((Piece::Data(len), next))
            }
            State::DataCr => crlf(b'\r', State::DataLf),
            State::DataLf => crlf(b'\n', State::Size),
            State::Last | State::Done => Ok((Piece::Nothing, self.state)),
        }
    }
}

const FRAMING_BYTE: Piece = Piece::Framing {
    len: 1,
    has_extension: false,
};

struct SizeLine {
    /// With its CRLF.
    len: usize,
    size: u64,
    has_extension: bool,
}

/// Most digits a size may have.
const MAX_DIGITS: usize = 16;

/// Reads a size line; `None` when its end has not arrived.
fn size_line(bytes: &[u8], rules: Rules) -> Result<Option<SizeLine>, ChunkError> {
    let mut size = 0u64;
    let mut digits = 0;
    for byte in bytes {
        let Some(value) = (*byte as char).to_digit(16) else {
            break;
        };
        digits += 1;
        if digits > MAX_DIGITS {
            return Err(ChunkError::SizeTooLarge);
        }
        size = size << 4 | u64::from(value);
    }
    if size > i64::MAX as u64 {
        return Err(ChunkError::SizeTooLarge);
    }
    let after = bytes.get(digits..).unwrap_or_default();
    let extension = match after {
        [] => return Ok(None),
        _ if digits == 0 => return Err(ChunkError::Size),
        [b'\r'] => return Ok(None),
        [b'\r', b'\n', ..] => 0,
        [b';', ..] if rules == Rules::Request => return Err(ChunkError::Extension),
        [b';' | b' ' | b'\t', ..] if rules == Rules::Response => match extension_len(after)? {
            Some(len) => len,
            None if bytes.len() >= MAX_CHUNK_LINE_BYTES => return Err(ChunkError::LineTooLong),
            None => return Ok(None),
        },
        _ => return Err(ChunkError::Size),
    };
    let len = digits + extension + b"\r\n".len();
    if len > MAX_CHUNK_LINE_BYTES {
        return Err(ChunkError::LineTooLong);
    }
    Ok(Some(SizeLine {
        len,
        size,
        has_extension: extension > 0,
    }))
}

/// The length of an extension up to its CRLF, which must have arrived. White space may stand before the semicolon
/// (RFC 9112 section 7.1.1) but not instead of it.
fn extension_len(bytes: &[u8]) -> Result<Option<usize>, ChunkError> {
    let window = bytes.get(..MAX_CHUNK_LINE_BYTES).unwrap_or(bytes);
    let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t');
    match window.iter().find(|byte| !is_blank(byte)) {
        Some(b';') | None => {}
        Some(_) => return Err(ChunkError::Size),
    }
    let is_plain = |byte: &u8| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f);
    let Some(end) = window.iter().position(|byte| !is_plain(byte)) else {
        return Ok(None);
    };
    match window.get(end..).unwrap_or_default() {
        [b'\r'] => Ok(None),
        [b'\r', b'\n', ..] => Ok(Some(end)),
        _ => Err(ChunkError::Extension),
    }
}

/// A size line, such as `1f4\r\n`.
pub fn chunk_line(len: usize, out: &mut [u8; 18]) -> &[u8] {
    let mut rest = len;
    let mut start = MAX_DIGITS;
    if let Some((digits, end)) = out.split_at_mut_checked(MAX_DIGITS) {
        end.copy_from_slice(b"\r\n");
        for slot in digits.iter_mut().rev() {
            let digit = (rest & 0xf) as u8;
            *slot = match digit {
                0..=9 => b'0' + digit,
                _ => b'a' + digit - 10,
            };
            start -= 1;
            rest >>= 4;
            if rest == 0 {
                break;
            }
        }
    }
    out.get(start..).unwrap_or_default()
}

#[cfg(test)]
mod tests;
