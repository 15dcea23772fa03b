//! The body of an answer: where it ends, and its first bytes for who wants to look at them.
//!
//! Nothing is kept here but where in the framing we are. Invariant: bytes are taken only up to the end of the body, so that
//! what is left over belongs to the next answer.

use super::head::{Lines, field};
use super::{Length, Malformed};

/// The longest line that announces a chunk, with its extensions, or that is a trailer.
const LONGEST_LINE: usize = 4096;

/// A body that is being read.
#[derive(Debug)]
pub struct Body {
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// So many bytes are left; whole when none are.
    Plain(u64),
    /// A chunk's size comes next.
    ChunkSize,
    /// So many bytes of a chunk are left.
    ChunkData(u64),
    /// The line end behind a chunk comes next.
    ChunkEnd,
    /// Trailers, or the empty line after them, come next.
    Trailers,
    /// All there is until the connection ends.
    UntilClose,
}

impl Body {
    /// A body of this length, of which nothing has come.
    pub fn new(length: Length) -> Body {
        Body {
            state: match length {
                Length::Exactly(bytes) => State::Plain(bytes),
                Length::Chunked => State::ChunkSize,
                Length::UntilClose => State::UntilClose,
            },
        }
    }

    /// Whether all of it has been taken.
    #[inline]
    pub fn is_whole(&self) -> bool {
        self.state == State::Plain(0)
    }

    /// Whether the end of the connection is its end.
    pub fn ends_with_connection(&self) -> bool {
        self.state == State::UntilClose
    }

    /// How many bytes are certainly still to come.
    pub fn at_least(&self) -> u64 {
        match self.state {
            State::Plain(left) | State::ChunkData(left) => left,
            _ => 0,
        }
    }

    /// Takes what belongs to the body from the front of `bytes` and says how much that was; what it leaves before the
    /// body's end needs more bytes behind it. The contents go to `seen`.
    ///
    /// # Errors
    /// The first rule that the framing breaks.
    #[inline]
    pub fn take(&mut self, bytes: &[u8], mut seen: impl FnMut(&[u8])) -> Result<usize, Malformed> {
        // Most bodies: no framing within.
        if let State::Plain(left) = &mut self.state {
            return Ok(contents(bytes, left, &mut seen));
        }
        self.take_framed(bytes, &mut seen)
    }

    fn take_framed(
        &mut self,
        bytes: &[u8],
        seen: &mut impl FnMut(&[u8]),
    ) -> Result<usize, Malformed> {
        let mut lines = Lines { bytes, at: 0 };
        loop {
            let rest = bytes.get(lines.at..).unwrap_or(&[]);
            match &mut self.state {
                State::UntilClose => {
                    seen(rest);
                    return Ok(bytes.len());
                }
                State::ChunkData(left) => {
                    lines.at += contents(rest, left, seen);
                    if *left > 0 {
                        return Ok(lines.at);
                    }
                    self.state = State::ChunkEnd;
                }
                State::Plain(_) => return Ok(lines.at),
                State::ChunkSize | State::ChunkEnd | State::Trailers => {
                    match lines.next().map_err(|_| Malformed::Chunk)? {
                        Some(line) => self.line(line)?,
                        None if rest.len() > LONGEST_LINE => return Err(Malformed::Chunk),
                        None => return Ok(lines.at),
                    }
                }
            }
        }
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Malformed> {
        self.state = match self.state {
            State::ChunkSize => match chunk_size(line).ok_or(Malformed::Chunk)? {
                0 => State::Trailers,
                size => State::ChunkData(size),
            },
            State::ChunkEnd if line.is_empty() => State::ChunkSize,
            State::Trailers if line.is_empty() => State::Plain(0),
            State::Trailers => {
                field(line).map_err(|_| Malformed::Trailer)?;
                State::Trailers
            }
            _ => return Err(Malformed::Chunk),
        };
        Ok(())
    }
}

/// Takes what there is of `left` bytes.
fn contents(bytes: &[u8], left: &mut u64, seen: &mut impl FnMut(&[u8])) -> usize {
    let taken = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
    *left -= taken as u64;
    if taken > 0 {
        seen(bytes.get(..taken).unwrap_or(&[]));
    }
    taken
}

/// Hexadecimal digits, perhaps with extensions behind them (RFC 9112 section 7.1.1).
fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.iter().take_while(|it| it.is_ascii_hexdigit()).count();
    let (digits, rest) = line.split_at(digits);
    let extension = rest.iter().find(|it| !matches!(it, b' ' | b'\t'));
    let well_formed = rest.is_empty() || extension == Some(&b';');
    // Sixteen digits would fit, but no server sends chunks of exabytes.
    if digits.is_empty() || digits.len() > 15 || !well_formed || rest.contains(&b'\r') {
        return None;
    }
    let digits = std::str::from_utf8(digits).ok()?;
    u64::from_str_radix(digits, 16).ok()
}
