//! Fields to header blocks: what repeats goes into the table that the peer keeps, what is secret never does.
//!
//! A value enters the table when it is met for the second time within a while, so that what comes once (a request id, a
//! date, whatever a client makes up) doesn't push out what comes each time. Literals that don't enter it are written
//! plain: they are mostly short, and the Huffman code costs both sides more time than the few bytes are worth.

mod recent;

use super::dynamic::Dynamic;
use super::{ENTRY_OVERHEAD, INITIAL_TABLE_BYTES, fixed, huffman, integer};
use crate::message::{Folded, Name};
use recent::Recent;

/// Which name a field has, in one byte where that says all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::http2) struct Key {
    /// Its index in the static table, else beyond those its number as a known name; 0 for all other names.
    number: u8,
    hash: u32,
}

const _: () = assert!(fixed::LEN + Name::COUNT <= 256, "a byte says which name");

/// Spreads hashes; any odd number without a pattern does.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

impl Key {
    /// That of a pseudo-field, by its first index in the static table.
    pub(in crate::http2) const fn pseudo(index: u8) -> Key {
        Key {
            number: index,
            hash: (index as u32).wrapping_mul(MULTIPLIER as u32),
        }
    }

    /// That of a field.
    #[inline]
    pub(in crate::http2) fn field(folded: Folded, known: Name) -> Key {
        let number = match (fixed::index_of(known), known) {
            (0, Name::Other) => 0,
            (0, _) => fixed::LEN as u8 + known as u8,
            (index, _) => index,
        };
        Key {
            number,
            hash: folded.hash(MULTIPLIER, u32::BITS) as u32,
        }
    }

    /// The index of the name in the static table, or 0.
    #[inline]
    fn fixed(self) -> usize {
        match self.number as usize {
            number @ ..=fixed::LEN => number,
            _ => 0,
        }
    }

    /// A hash of name and value.
    #[inline]
    fn with(self, value: &[u8]) -> u32 {
        let mix = |hash: u64, word: u64| (hash.rotate_left(23) ^ word).wrapping_mul(MULTIPLIER);
        let (words, rest) = value.as_chunks::<8>();
        let mut hash = u64::from(self.hash) ^ value.len() as u64;
        for word in words {
            hash = mix(hash, u64::from_le_bytes(*word));
        }
        if let Some(last) = value.last_chunk::<8>() {
            hash = mix(hash, u64::from_le_bytes(*last));
        } else {
            for byte in rest {
                hash = (hash << 8) ^ u64::from(*byte) ^ (hash >> 56);
            }
            hash = mix(hash, 0);
        }
        (hash >> 32) as u32
    }
}

/// What becomes of a field's value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::http2) enum Habit {
    /// It may well come again.
    Returns,
    /// It is unlikely to.
    Passes,
    /// It is to stand in no table, here or further on (RFC 7541 section 7.1.3).
    Secret,
}

/// What is noted of an entry.
#[derive(Clone, Copy, Debug)]
struct Mark {
    number: u8,
    /// Bytes of the name, with which its text begins.
    name: u32,
    /// The hash of name and value.
    hash: u32,
    /// The entry before it in the same bucket, by [`Recent`]'s count.
    next: u64,
}

/// The writing side of a connection: the table that the peer mirrors.
#[derive(Debug)]
pub(in crate::http2) struct Writer {
    table: Dynamic<Mark>,
    recent: Recent,
    /// Sizes that the table was set to since the last block: the smallest and the last.
    resized: Option<(usize, usize)>,
    /// A name in lower case, while it is written.
    lowered: Vec<u8>,
}

const INDEXED: u8 = 0x80;
const WITH_INDEXING: u8 = 0x40;
const WITHOUT_INDEXING: u8 = 0x00;
const NEVER_INDEXED: u8 = 0x10;
const TABLE_SIZE: u8 = 0x20;
const HUFFMAN: u8 = 0x80;

impl Writer {
    pub(in crate::http2) fn new() -> Writer {
        Writer {
            table: Dynamic::new(INITIAL_TABLE_BYTES),
            recent: Recent::new(),
            resized: None,
            lowered: Vec::new(),
        }
    }

    /// Sets the largest table that the peer keeps. More than the initial size is not made use of.
    pub(in crate::http2) fn set_max_table(&mut self, max: usize) {
        let max = max.min(INITIAL_TABLE_BYTES);
        if max == self.table.max() && self.resized.is_none() {
            return;
        }
        let smallest = self.resized.map_or(max, |(smallest, _)| smallest.min(max));
        self.resized = Some((smallest, max));
        self.table.resize(max);
    }

    /// Begins a block.
    #[inline]
    pub(in crate::http2) fn begin(&mut self, out: &mut Vec<u8>) {
        if let Some((smallest, last)) = self.resized.take() {
            if smallest < last {
                integer::write(TABLE_SIZE, 5, smallest, out);
            }
            integer::write(TABLE_SIZE, 5, last, out);
        }
    }

    /// Appends a line of the static table.
    #[inline]
    pub(in crate::http2) fn fixed(&mut self, index: u8, out: &mut Vec<u8>) {
        debug_assert!(fixed::get(index.into()).is_some());
        out.push(INDEXED | index);
    }

    /// Appends a field; `name` is in any case.
    pub(in crate::http2) fn field(
        &mut self,
        key: Key,
        name: &[u8],
        value: &[u8],
        habit: Habit,
        out: &mut Vec<u8>,
    ) {
        let mut pattern = match habit {
            Habit::Secret => NEVER_INDEXED,
            Habit::Passes | Habit::Returns => WITHOUT_INDEXING,
        };
        let mut hash = 0;
        if habit == Habit::Returns {
            hash = key.with(value);
            if let Some(index) = self.find(key, hash, name, value) {
                integer::write(INDEXED, 7, index, out);
                return;
            }
            if self.recent.met(hash) {
                pattern = WITH_INDEXING;
            }
        }
        let index = match key.fixed() {
            0 => self.find_name(key, name),
            index => index,
        };
        // A name that comes again is worth an entry even if its values never do.
        if index == 0 && habit != Habit::Secret && self.recent.met(key.hash) {
            pattern = WITH_INDEXING;
        }
        let size = name.len() + value.len() + ENTRY_OVERHEAD;
        if pattern == WITH_INDEXING && size > self.table.max() / 2 {
            pattern = WITHOUT_INDEXING;
        }
        if pattern == WITH_INDEXING {
            self.add(key, hash, index, name, value, out);
            return;
        }
        integer::write(pattern, 4, index, out);
        if index == 0 {
            integer::write(0, 7, name.len(), out);
            out.extend(name.iter().map(u8::to_ascii_lowercase));
        }
        integer::write(0, 7, value.len(), out);
        out.extend_from_slice(value);
    }

    /// The index of the entry that is this field.
    #[inline]
    fn find(&self, key: Key, hash: u32, name: &[u8], value: &[u8]) -> Option<usize> {
        let mut entry = self.recent.field(hash);
        loop {
            // Gone from the table: all that are older are gone too.
            let age = self.recent.age(entry)?;
            let (text, mark) = self.table.get(age)?;
            if mark.hash == hash
                && text.get(mark.name as usize..) == Some(value)
                && mark.is(text, key, name)
            {
                return Some(fixed::LEN + 1 + age);
            }
            entry = mark.next;
        }
    }

    /// The index of an entry with this name, or 0.
    fn find_name(&self, key: Key, name: &[u8]) -> usize {
        let age = self.recent.age(self.recent.name(key.hash));
        match age.and_then(|age| Some((age, self.table.get(age)?))) {
            Some((age, (text, mark))) if mark.is(text, key, name) => fixed::LEN + 1 + age,
            _ => 0,
        }
    }

    /// Appends a field that enters the table. It will be read once and referred to often: shorter is better.
    fn add(
        &mut self,
        key: Key,
        hash: u32,
        index: usize,
        name: &[u8],
        value: &[u8],
        out: &mut Vec<u8>,
    ) {
        self.lowered.clear();
        self.lowered.extend(name.iter().map(u8::to_ascii_lowercase));
        integer::write(WITH_INDEXING, 6, index, out);
        if index == 0 {
            string(&self.lowered, out);
        }
        string(value, out);
        let mark = Mark {
            number: key.number,
            name: name.len() as u32,
            hash,
            next: self.recent.field(hash),
        };
        let bytes = name.len() + value.len();
        if self.table.insert(bytes, [&self.lowered, value], mark) {
            self.recent.add(hash, key.hash);
        }
    }
}

impl Mark {
    /// Whether the entry with this text has this name.
    #[inline]
    fn is(&self, text: &[u8], key: Key, name: &[u8]) -> bool {
        self.number == key.number
            && (key.number != 0
                || text
                    .get(..self.name as usize)
                    .is_some_and(|own| own.eq_ignore_ascii_case(name)))
    }
}

/// Appends a string, in the Huffman code if that is shorter.
fn string(text: &[u8], out: &mut Vec<u8>) {
    let coded = huffman::encoded_len(text);
    if coded < text.len() {
        integer::write(HUFFMAN, 7, coded, out);
        huffman::encode(text, out);
    } else {
        integer::write(0, 7, text.len(), out);
        out.extend_from_slice(text);
    }
}
