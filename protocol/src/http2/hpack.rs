//! HPACK (RFC 7541): the tables, the integers, the Huffman code, and header blocks as a sequence of field lines.
//!
//! What a field means, and which fields a head may have, is `head`'s. A line that repeats is one copy in both
//! directions: the tables keep whole lines, and with each what a check of it found.

mod dynamic;
mod fixed;
mod huffman;
mod integer;
mod line;
mod read;
mod write;

pub(super) use line::{Line, Part};
pub(super) use read::Reader;
pub use read::{CompressionError, MAX_TABLE_BYTES};
pub(super) use write::{Habit, Key, Writer};

/// The table size that both sides begin with (RFC 9113 section 6.5.2).
const INITIAL_TABLE_BYTES: usize = 4096;

/// What an entry counts beyond its name and value (RFC 7541 section 4.1).
const ENTRY_OVERHEAD: usize = 32;

#[cfg(test)]
mod tests;
