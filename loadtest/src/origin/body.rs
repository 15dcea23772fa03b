//! Request bodies as they come: how many bytes of what has been read belong to one, and when it ends.
//!
//! Invariant: however the bytes are cut into reads, the same data come out.

use super::head::{Framing, Refusal};

/// The longest line of a chunk's size with its extensions, and the longest trailer section.
const MAX_LINE: usize = 4096;

const BAD_CHUNK: Refusal = Refusal(400, "the chunked body is malformed");

/// Where in a body we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// So many bytes are still to come.
    Length(u64),
    /// In a chunk's size: its value so far, its digits, bytes of its line.
    Size(u64, u32, usize),
    /// Behind a chunk's size: bytes of its line.
    Extension(u64, usize),
    /// At the line feed behind a chunk's size.
    SizeEnd(u64),
    /// So many bytes of a chunk are still to come.
    Data(u64),
    /// At the carriage return behind a chunk.
    DataEnd,
    /// At the line feed behind a chunk.
    DataEnded,
    /// At the start of a line of the trailer section: bytes of it so far.
    Trailer(usize),
    /// Within such a line.
    TrailerLine(usize),
    /// At the line feed behind such a line.
    TrailerLineEnd(usize),
    /// At the line feed that ends the body.
    End,
    /// Behind it.
    Over,
}

impl Body {
    /// A body that has not begun.
    pub(super) fn new(framing: Framing) -> Body {
        match framing {
            Framing::Length(0) => Body::Over,
            Framing::Length(length) => Body::Length(length),
            Framing::Chunked => Body::Size(0, 0, 0),
        }
    }

    /// Whether it has ended.
    pub(super) fn is_over(self) -> bool {
        self == Body::Over
    }

    /// Bytes that are known to come.
    pub(super) fn left(self) -> u64 {
        match self {
            Body::Length(left) | Body::Data(left) => left,
            _ => 0,
        }
    }

    /// Takes what belongs to the body from the front of `bytes`, hands its data to `sink`, and says how many bytes it took.
    pub(super) fn take(
        &mut self,
        bytes: &[u8],
        mut sink: impl FnMut(&[u8]),
    ) -> Result<usize, Refusal> {
        let mut at = 0;
        while let Some(rest) = bytes
            .get(at..)
            .filter(|it| !it.is_empty() && !self.is_over())
        {
            at += match *self {
                Body::Length(left) | Body::Data(left) => {
                    let here = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                    sink(rest.get(..here).unwrap_or_default());
                    *self = self.after(left - here as u64);
                    here
                }
                _ => {
                    *self = self.step(rest.first().copied().unwrap_or_default())?;
                    1
                }
            };
        }
        Ok(at)
    }

    /// With so many bytes of the data left.
    fn after(self, left: u64) -> Body {
        match (self, left) {
            (Body::Data(_), 0) => Body::DataEnd,
            (Body::Data(_), left) => Body::Data(left),
            (_, 0) => Body::Over,
            (_, left) => Body::Length(left),
        }
    }

    /// One byte of what stands around the chunks (RFC 9112 section 7.1).
    fn step(self, byte: u8) -> Result<Body, Refusal> {
        let text = byte == b'\t' || (byte >= b' ' && byte != 0x7f);
        Ok(match (self, byte) {
            (Body::Size(size, digits, line), _) if byte.is_ascii_hexdigit() && digits < 15 => {
                let digit = (byte as char).to_digit(16).unwrap_or_default();
                Body::Size(size * 16 + u64::from(digit), digits + 1, line + 1)
            }
            (Body::Size(size, 1.., _), b'\r') | (Body::Extension(size, _), b'\r') => {
                Body::SizeEnd(size)
            }
            (Body::Size(size, 1.., line), b';' | b' ' | b'\t') => Body::Extension(size, line),
            (Body::Extension(size, line), _) if text && line < MAX_LINE => {
                Body::Extension(size, line + 1)
            }
            (Body::SizeEnd(0), b'\n') => Body::Trailer(0),
            (Body::SizeEnd(size), b'\n') => Body::Data(size),
            (Body::DataEnd, b'\r') => Body::DataEnded,
            (Body::DataEnded, b'\n') => Body::Size(0, 0, 0),
            (Body::Trailer(_), b'\r') => Body::End,
            (Body::Trailer(line) | Body::TrailerLine(line), _) if text && line < MAX_LINE => {
                Body::TrailerLine(line + 1)
            }
            (Body::TrailerLine(line), b'\r') => Body::TrailerLineEnd(line),
            (Body::TrailerLineEnd(line), b'\n') => Body::Trailer(line),
            (Body::End, b'\n') => Body::Over,
            _ => return Err(BAD_CHUNK),
        })
    }
}

#[cfg(test)]
mod tests;
