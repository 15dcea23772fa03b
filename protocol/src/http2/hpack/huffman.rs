//! Strings in the Huffman code (RFC 7541 section 5.2).
//!
//! Decoding looks at eleven bits at a time, in which most often one symbol stands, and often two; longer codes, which
//! are those of rare bytes, are found by their length.

mod code;

use code::{CODES, END, FIRST, LIMITS, LONGEST, SYMBOLS};

/// Bits that a look-up takes.
const WIDTH: u32 = 11;

/// What begins in some [`WIDTH`] bits.
#[derive(Clone, Copy)]
struct Found {
    /// Two symbols; the second one only if `both` exceeds `one`.
    symbols: [u8; 2],
    /// Bits of the first symbol; 0 when its code is longer than the look-up.
    one: u8,
    /// Bits of all that was found.
    both: u8,
}

/// The most bytes that so many coded ones can stand for.
#[inline]
fn most(coded: usize) -> usize {
    coded * 8 / code::SHORTEST
}

/// Appends what `coded` stands for. `None` when it holds the end symbol, or doesn't end in less than eight bits, all
/// set; `out` is then to be cut back by the caller.
pub(super) fn decode(coded: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let start = out.len();
    // A second symbol may be written where there is none.
    out.resize(start + most(coded.len()) + 1, 0);
    let room = out.get_mut(start..)?;
    let mut at = 0;
    let mut bits = Bits::of(coded);
    loop {
        bits.refill();
        // Ever fewer bits than the longest code: the string ends within them.
        let is_end = bits.count < LONGEST as u32;
        while bits.count >= LONGEST as u32 || is_end {
            let found = bits.look_up();
            if u32::from(found.both) <= bits.count && found.one > 0 {
                *room.get_mut(at..at + 2)?.first_chunk_mut()? = found.symbols;
                at += 1 + usize::from(found.both > found.one);
                bits.skip(found.both.into());
                continue;
            }
            let (symbol, len) = match found.one {
                0 => bits.long_code()?,
                one => (found.symbols[0], one.into()),
            };
            if len > bits.count {
                break;
            }
            *room.get_mut(at)? = symbol;
            at += 1;
            bits.skip(len);
        }
        if is_end {
            out.truncate(start + at);
            return bits.is_padding().then_some(());
        }
    }
}

/// The coded bits, a word ahead.
struct Bits<'a> {
    /// The next `count` bits at the top, ones below.
    word: u64,
    count: u32,
    rest: &'a [u8],
}

impl<'a> Bits<'a> {
    fn of(rest: &'a [u8]) -> Bits<'a> {
        Bits {
            word: u64::MAX,
            count: 0,
            rest,
        }
    }

    /// Takes in bytes while there is room.
    #[inline]
    fn refill(&mut self) {
        debug_assert!(self.count < 32, "called before the bits run out");
        if let Some(next) = self.rest.first_chunk::<8>() {
            let taken = (64 - self.count) / 8;
            let above = self.word & !(u64::MAX >> self.count);
            let new = u64::from_be_bytes(*next) >> self.count;
            self.count += taken * 8;
            let below = u64::MAX.checked_shr(self.count).unwrap_or(0);
            self.word = above | new | below;
            self.rest = self.rest.get(taken as usize..).unwrap_or_default();
            return;
        }
        while self.count <= 56 {
            let Some((next, rest)) = self.rest.split_first() else {
                return;
            };
            self.word &= !(u64::from(!next) << (56 - self.count));
            self.count += 8;
            self.rest = rest;
        }
    }

    #[inline]
    fn look_up(&self) -> Found {
        let at = (self.word >> (64 - WIDTH)) as usize;
        FOUND.get(at).copied().unwrap_or(NOTHING)
    }

    /// The symbol whose code comes next, and the code's length. `None` for the end symbol within the string.
    #[cold]
    fn long_code(&self) -> Option<(u8, u32)> {
        let top = (self.word >> 32) as u32;
        let fits = |limit: &u32| top < *limit;
        // Bits above all limits begin the end symbol; it is padding as long as not all of it is there.
        let len = LIMITS.iter().position(fits).unwrap_or(LONGEST);
        let (first, place) = *FIRST.get(len)?;
        let ahead = (top >> (32 - len)).checked_sub(first)?;
        let symbol = *SYMBOLS.get(usize::from(place) + ahead as usize)?;
        let len = len as u32;
        match u8::try_from(symbol) {
            Ok(byte) => Some((byte, len)),
            Err(_) => (len > self.count).then_some((0, len)),
        }
    }

    #[inline]
    fn skip(&mut self, bits: u32) {
        // Ones follow.
        self.word = !(!self.word << bits);
        self.count -= bits;
    }

    /// Whether what is left is the beginning of the end symbol, of less than a byte.
    fn is_padding(&self) -> bool {
        self.count < 8 && self.word == u64::MAX
    }
}

const NOTHING: Found = Found {
    symbols: [0, 0],
    one: 0,
    both: 0,
};

#[expect(clippy::indexing_slicing, reason = "evaluated when compiled")]
static FOUND: [Found; 1 << WIDTH] = {
    let mut found = [NOTHING; 1 << WIDTH];
    let codes = code::codes();
    let mut symbol = 0;
    while symbol < END {
        let code = codes[symbol];
        if code.len <= WIDTH {
            let free = WIDTH - code.len;
            let mut at = (code.bits << free) as usize;
            let end = at + (1 << free);
            while at < end {
                found[at] = Found {
                    symbols: [symbol as u8, 0],
                    one: code.len as u8,
                    both: code.len as u8,
                };
                at += 1;
            }
        }
        symbol += 1;
    }
    let mut at = 0;
    while at < found.len() {
        let one = found[at].one;
        let after = (at << one) & (found.len() - 1);
        // Only complete codes count: their length must not reach beyond the bits that are left.
        let next = found[after];
        if one > 0 && next.one > 0 && (one + next.one) as u32 <= WIDTH {
            found[at].symbols[1] = next.symbols[0];
            found[at].both = one + next.one;
        }
        at += 1;
    }
    found
};

/// Bytes that a string takes in the code.
pub(super) fn encoded_len(text: &[u8]) -> usize {
    let code_len = |byte: &u8| CODES.get(usize::from(*byte)).map_or(0, |code| code.len);
    let bits: u64 = text.iter().map(|byte| u64::from(code_len(byte))).sum();
    bits.div_ceil(8) as usize
}

/// Appends a string in the code.
pub(super) fn encode(text: &[u8], out: &mut Vec<u8>) {
    let (mut word, mut count) = (0u64, 0);
    for byte in text {
        let Some(code) = CODES.get(usize::from(*byte)) else {
            return;
        };
        word = word << code.len | u64::from(code.bits);
        count += code.len;
        if count >= 32 {
            count -= 32;
            out.extend_from_slice(&((word >> count) as u32).to_be_bytes());
        }
    }
    // The end symbol's ones fill the last byte.
    let padding = count.wrapping_neg() % 8;
    word = (word << padding) | ((1 << padding) - 1);
    count += padding;
    while count > 0 {
        count -= 8;
        out.push((word >> count) as u8);
    }
}

#[cfg(test)]
mod tests;
