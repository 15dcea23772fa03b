//! The text mode of gRPC-Web: the body in base64, in pieces (web protocol, "Text-encoded streams").
//!
//! Whoever flushes pads, so padding may stand anywhere between two groups of four. Both ways keep less than a group.

use std::fmt;

use crate::base64::{self, PAD};

/// Why a text body is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TextError {
    /// A byte that is no digit of base64, which includes line ends.
    Digit,
    /// Padding where none may stand.
    Padding,
    /// The body ends within a group.
    Cut,
}

impl TextError {
    /// Machine word for logs.
    pub fn cause(self) -> &'static str {
        match self {
            TextError::Digit => "grpc_web_bad_base64",
            TextError::Padding => "grpc_web_bad_padding",
            TextError::Cut => "grpc_web_cut_base64",
        }
    }
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.cause())
    }
}

impl std::error::Error for TextError {}

/// Base64 to bytes.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct TextDecoder {
    /// The digits of a group that is not whole: six bits each, the last one lowest.
    bits: u32,
    /// How many they are, padding counted; below 4.
    digits: u8,
    /// Whether one of two paddings has been there.
    padded: bool,
}

impl TextDecoder {
    /// At the start of a body.
    pub fn new() -> Self {
        TextDecoder::default()
    }

    /// Decodes what arrived and appends the bytes of all groups that are whole. The connection, or stream, can't be read
    /// any further after an error.
    pub fn decode(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), TextError> {
        out.reserve(text.len() / 4 * 3 + 3);
        let mut rest = text;
        while let Some((first, after)) = rest.split_first() {
            if self.digits == 0
                && let Some((group, after)) = rest.split_first_chunk::<4>()
                && let Some(bytes) = whole_group(group)
            {
                out.extend_from_slice(&bytes);
                rest = after;
                continue;
            }
            self.take(*first, out)?;
            rest = after;
        }
        Ok(())
    }

    /// Whether a body may end here.
    pub fn finish(self) -> Result<(), TextError> {
        match self.digits {
            0 => Ok(()),
            _ => Err(TextError::Cut),
        }
    }

    /// Takes one digit or padding.
    fn take(&mut self, byte: u8, out: &mut Vec<u8>) -> Result<(), TextError> {
        if byte != PAD {
            let value = base64::value(byte).ok_or(TextError::Digit)?;
            if self.padded {
                return Err(TextError::Padding);
            }
            self.bits = self.bits << 6 | u32::from(value);
            self.digits += 1;
            if self.digits == 4 {
                let [_, bytes @ ..] = self.bits.to_be_bytes();
                out.extend_from_slice(&bytes);
                *self = TextDecoder::default();
            }
            return Ok(());
        }
        match (self.digits, self.padded) {
            // Two digits are one byte and four bits over; another padding must follow.
            (2, false) => {
                out.push((self.bits >> 4) as u8);
                self.digits = 3;
                self.padded = true;
            }
            (3, true) => *self = TextDecoder::default(),
            // Three digits are two bytes and two bits over.
            (3, false) => {
                out.extend_from_slice(&((self.bits >> 2) as u16).to_be_bytes());
                *self = TextDecoder::default();
            }
            _ => return Err(TextError::Padding),
        }
        Ok(())
    }
}

/// The bytes of four digits, if they are all digits.
#[inline]
fn whole_group(group: &[u8; 4]) -> Option<[u8; 3]> {
    let [a, b, c, d] = group.map(base64::value);
    let bits = u32::from(a?) << 18 | u32::from(b?) << 12 | u32::from(c?) << 6 | u32::from(d?);
    let [_, bytes @ ..] = bits.to_be_bytes();
    Some(bytes)
}

/// Bytes to base64.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct TextEncoder {
    /// What has not made a group yet.
    held: [u8; 2],
    /// How many bytes of it; at most 2.
    len: usize,
}

impl TextEncoder {
    /// At the start of a body.
    pub fn new() -> Self {
        TextEncoder::default()
    }

    /// Appends all groups that are whole with these bytes.
    pub fn encode(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        out.reserve((bytes.len() / 3 + 1) * 4);
        let mut rest = bytes;
        while self.len > 0 {
            let Some((first, after)) = rest.split_first() else {
                return;
            };
            rest = after;
            if self.len == 2 {
                out.extend_from_slice(&base64::group([self.held[0], self.held[1], *first]));
                self.len = 0;
            } else {
                self.held[1] = *first;
                self.len = 2;
            }
        }
        let (groups, rest) = rest.as_chunks::<3>();
        for group in groups {
            out.extend_from_slice(&base64::group(*group));
        }
        for (place, byte) in self.held.iter_mut().zip(rest) {
            *place = *byte;
        }
        self.len = rest.len();
    }

    /// Appends what is held, padded: at the end of a body, and wherever the client is not to wait for more.
    pub fn flush(&mut self, out: &mut Vec<u8>) {
        let held = self.held.get(..self.len).unwrap_or_default();
        if let Some(group) = base64::last_group(held) {
            out.extend_from_slice(&group);
        }
        self.len = 0;
    }
}
