//! Values that differ from request to request: how one is drawn, how long it is as text, how it is written.
//!
//! A drawn value is 64 bits from which its text follows, so that its length can be counted before it is written.
//! Invariant: nothing here allocates once a request's buffer has grown.

use super::random::Random;
use super::token::Tokens;
use std::sync::Arc;

/// Where values come from.
#[derive(Clone, Debug)]
pub(super) enum Draw {
    /// The number of the request among those of its template, over all workers.
    Counter {
        first: u64,
        /// After so many it begins again.
        cycle: u64,
        width: u8,
    },
    /// A random number of `low ..= low + more`.
    Range { low: u64, more: u64, width: u8 },
    /// A random one of these.
    List(Arc<List>),
    /// A random UUID (version 4).
    Uuid,
    /// So many random letters and digits.
    Text(u32),
    /// A random one of the tokens of this set.
    Token(usize),
}

impl Draw {
    /// Draws a value. `number` counts the requests of the template over all workers.
    #[inline]
    pub(super) fn draw(&self, random: &mut Random, number: u64, tokens: &Tokens) -> u64 {
        match self {
            Draw::Counter { first, cycle, .. } => first + number % cycle,
            Draw::Range { low, more, .. } => match more.checked_add(1) {
                Some(count) => low + random.below(count),
                None => random.next(),
            },
            Draw::List(list) => random.below(list.ends.len() as u64),
            Draw::Uuid | Draw::Text(_) => random.next(),
            Draw::Token(set) => random.below(tokens.count(*set) as u64),
        }
    }

    /// The value that the so-many-th token of a set carries: each in turn, so that as many tokens as there are values
    /// carry each value once.
    pub(super) fn nth(&self, number: u64, random: &mut Random) -> u64 {
        match self {
            Draw::Counter { first, cycle, .. } => first + number % cycle,
            Draw::Range { low, more, .. } => match more.checked_add(1) {
                Some(count) => low + number % count,
                None => number,
            },
            Draw::List(list) => number % list.ends.len() as u64,
            Draw::Uuid | Draw::Text(_) => random.next(),
            Draw::Token(_) => 0,
        }
    }

    /// How many different values there are; `None`: as many as one likes.
    pub(super) fn variety(&self) -> Option<u64> {
        match self {
            Draw::Range { more, .. } => more.checked_add(1),
            Draw::List(list) => Some(list.ends.len() as u64),
            Draw::Counter { cycle, .. } if *cycle < u64::MAX => Some(*cycle),
            _ => None,
        }
    }

    /// How many bytes [`Draw::write`] will write.
    #[inline]
    pub(super) fn len(&self, value: u64, tokens: &Tokens) -> usize {
        match self {
            Draw::Counter { width, .. } | Draw::Range { width, .. } => {
                digits(value).max(usize::from(*width))
            }
            Draw::List(list) => list.item(value).len(),
            Draw::Uuid => 36,
            Draw::Text(length) => *length as usize,
            Draw::Token(set) => tokens.token(*set, value).len(),
        }
    }

    /// Appends a drawn value.
    #[inline]
    pub(super) fn write(&self, value: u64, tokens: &Tokens, out: &mut Vec<u8>) {
        match self {
            Draw::Counter { width, .. } | Draw::Range { width, .. } => {
                for _ in digits(value)..usize::from(*width) {
                    out.push(b'0');
                }
                out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
            }
            Draw::List(list) => out.extend_from_slice(list.item(value)),
            Draw::Uuid => uuid(value, out),
            Draw::Text(length) => letters(value, *length as usize, out),
            Draw::Token(set) => out.extend_from_slice(tokens.token(*set, value)),
        }
    }
}

#[inline]
fn digits(number: u64) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

/// A version 4 UUID of RFC 9562, lower case.
fn uuid(value: u64, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut random = Random::new(value);
    let high = random.next() & !0xF000 | 0x4000;
    let low = random.next() & !(0b11 << 62) | 0b10 << 62;
    let mut text = [b'-'; 36];
    let mut at = 0;
    for nibble in 0..32 {
        if matches!(nibble, 8 | 12 | 16 | 20) {
            at += 1;
        }
        let half = if nibble < 16 { high } else { low };
        text[at] = HEX[(half >> (60 - nibble % 16 * 4)) as usize & 15];
        at += 1;
    }
    out.extend_from_slice(&text);
}

/// Letters and digits that follow from a value.
pub(super) fn letters(value: u64, length: usize, out: &mut Vec<u8>) {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789ab";
    let mut random = Random::new(value);
    let end = out.len() + length;
    while out.len() < end {
        let mut bits = random.next();
        for _ in 0..10.min(end - out.len()) {
            out.push(LETTERS[bits as usize & 63]);
            bits >>= 6;
        }
    }
}

/// Texts in one piece of memory.
#[derive(Clone, Debug, Default)]
pub(super) struct List {
    bytes: Vec<u8>,
    /// Where each ends; the next begins there.
    ends: Vec<usize>,
}

impl List {
    /// Adds one.
    pub(super) fn push(&mut self, item: &[u8]) {
        self.bytes.extend_from_slice(item);
        self.ends.push(self.bytes.len());
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|at| self.item(at as u64))
    }

    /// One of them; nothing, when there are not so many.
    #[inline]
    pub(super) fn item(&self, at: u64) -> &[u8] {
        let at = at as usize;
        let start = match at.checked_sub(1) {
            Some(before) => self.ends.get(before).copied().unwrap_or(0),
            None => 0,
        };
        let end = self.ends.get(at).copied().unwrap_or(start);
        self.bytes.get(start..end).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
