//! The Huffman code of RFC 7541 appendix B, from the lengths of its codes.
//!
//! The code is canonical: codes of one length follow each other in the order of their symbols, and those of the next
//! length follow them. So the lengths say all; the tests compare what comes of them with the appendix, code by code.

/// The symbol for the end of a string, which never stands in one.
pub(super) const END: usize = 256;

/// Bits of the shortest code and of the longest.
pub(super) const SHORTEST: usize = 5;
pub(super) const LONGEST: usize = 30;

/// A code in its lower bits, and how many they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Code {
    pub(super) bits: u32,
    pub(super) len: u32,
}

/// The codes of all bytes, and that of [`END`].
pub(super) static CODES: [Code; END + 1] = codes();

/// The symbols in the order of their codes.
pub(super) static SYMBOLS: [u16; END + 1] = symbols();

/// For each length, the first code that is longer, with its bits moved to the top of a word.
pub(super) static LIMITS: [u32; LONGEST + 1] = limits();

/// For each length, the first code of it, and the place of its symbol in [`SYMBOLS`].
pub(super) static FIRST: [(u32, u16); LONGEST + 1] = first();

#[expect(clippy::indexing_slicing, reason = "evaluated when compiled")]
const fn symbols() -> [u16; END + 1] {
    let mut symbols = [0; END + 1];
    let (mut length, mut at) = (SHORTEST, 0);
    while length <= LONGEST {
        let mut symbol = 0;
        while symbol <= END {
            if LENGTHS[symbol] as usize == length {
                symbols[at] = symbol as u16;
                at += 1;
            }
            symbol += 1;
        }
        length += 1;
    }
    symbols
}

#[expect(clippy::indexing_slicing, reason = "evaluated when compiled")]
pub(super) const fn codes() -> [Code; END + 1] {
    let mut codes = [Code { bits: 0, len: 0 }; END + 1];
    let symbols = symbols();
    let (mut next, mut length, mut at) = (0u32, SHORTEST as u32, 0);
    while at <= END {
        let symbol = symbols[at] as usize;
        let len = LENGTHS[symbol] as u32;
        next <<= len - length;
        length = len;
        codes[symbol] = Code { bits: next, len };
        next += 1;
        at += 1;
    }
    codes
}

#[expect(clippy::indexing_slicing, reason = "evaluated when compiled")]
const fn first() -> [(u32, u16); LONGEST + 1] {
    let mut first = [(0, 0); LONGEST + 1];
    let (codes, symbols) = (codes(), symbols());
    let mut at = END + 1;
    while at > 0 {
        at -= 1;
        let code = codes[symbols[at] as usize];
        first[code.len as usize] = (code.bits, at as u16);
    }
    first
}

#[expect(clippy::indexing_slicing, reason = "evaluated when compiled")]
const fn limits() -> [u32; LONGEST + 1] {
    let mut limits = [0; LONGEST + 1];
    let (codes, symbols) = (codes(), symbols());
    let mut at = 0;
    while at <= END {
        let code = codes[symbols[at] as usize];
        // The very last code would go beyond the word; all that is below it is enough, since it is END's.
        limits[code.len as usize] = match (code.bits + 1).checked_shl(32 - code.len) {
            Some(0) | None => u32::MAX,
            Some(limit) => limit,
        };
        at += 1;
    }
    // A length without codes of its own ends where the shorter ones end.
    let mut length = 1;
    while length <= LONGEST {
        if limits[length] == 0 {
            limits[length] = limits[length - 1];
        }
        length += 1;
    }
    limits
}

/// The lengths, by symbol.
#[rustfmt::skip]
const LENGTHS: [u8; END + 1] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];
