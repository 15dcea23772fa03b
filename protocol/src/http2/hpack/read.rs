//! Header blocks to lines (RFC 7541 sections 3 and 6): one representation at a time, each appended to an arena as a line.
//!
//! A line from a table is one copy, checked when it came in; a literal is written to the arena, checked there, and
//! copied into the table if the block says so. A block has to be read to its end whatever its lines say: otherwise the
//! table would no longer be that of the peer.

use std::fmt;

use super::dynamic::Dynamic;
use super::line::{Line, Note};
use super::{INITIAL_TABLE_BYTES, fixed, huffman, integer};

/// Most bytes of a table that are ever offered to a peer.
pub const MAX_TABLE_BYTES: usize = 64 * 1024;

/// Why a block can't be read: the tables of both sides may differ from now on, which ends the connection
/// (RFC 9113 section 4.3: COMPRESSION_ERROR).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CompressionError {
    /// The block ends within a representation.
    Truncated,
    /// An integer is too long, or cut short.
    Integer,
    /// There is no entry with this index.
    Index,
    /// A string is not in the Huffman code, or not padded as it must be.
    Huffman,
    /// The table is set to a size above what was offered.
    TableSize,
    /// The table's size changes behind the first field of a block.
    LateTableSize,
    /// The table was not made smaller after less was offered.
    MissingTableSize,
}

impl CompressionError {
    /// Machine word for logs.
    pub fn cause(self) -> &'static str {
        match self {
            CompressionError::Truncated => "hpack_truncated",
            CompressionError::Integer => "hpack_integer",
            CompressionError::Index => "hpack_index",
            CompressionError::Huffman => "hpack_huffman",
            CompressionError::TableSize => "hpack_table_size",
            CompressionError::LateTableSize => "hpack_late_table_size",
            CompressionError::MissingTableSize => "hpack_missing_table_size",
        }
    }

    /// One sentence for the log.
    pub fn detail(self) -> &'static str {
        match self {
            CompressionError::Truncated => "The header block ends within a field.",
            CompressionError::Integer => "An integer in the header block is not valid.",
            CompressionError::Index => "The header block refers to an entry that does not exist.",
            CompressionError::Huffman => "A string in the header block is not valid Huffman code.",
            CompressionError::TableSize => {
                "The header table is set to a size that was not offered."
            }
            CompressionError::LateTableSize => {
                "The header table's size changes within a header block."
            }
            CompressionError::MissingTableSize => "The header table was not made smaller in time.",
        }
    }
}

impl fmt::Display for CompressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail())
    }
}

impl std::error::Error for CompressionError {}

const INDEXED: u8 = 0x80;
const WITH_INDEXING: u8 = 0x40;
const TABLE_SIZE: u8 = 0x20;

/// The reading side of a connection: the table that the peer fills.
#[derive(Debug)]
pub(in crate::http2) struct Reader {
    table: Dynamic<Note>,
    /// What we offer, once the peer has said that it knows.
    offered: usize,
    /// What the peer may set the table to.
    allowed: usize,
}

impl Reader {
    /// `offered` is our SETTINGS_HEADER_TABLE_SIZE, at most [`MAX_TABLE_BYTES`].
    pub(in crate::http2) fn new(offered: usize) -> Reader {
        let offered = offered.min(MAX_TABLE_BYTES);
        Reader {
            table: Dynamic::new(INITIAL_TABLE_BYTES),
            offered,
            // Until it has seen our settings, the peer goes by the initial size.
            allowed: offered.max(INITIAL_TABLE_BYTES),
        }
    }

    /// The peer has acknowledged our settings.
    pub(in crate::http2) fn acknowledged(&mut self) {
        self.allowed = self.offered;
    }

    /// Begins a block: takes the changes of the table's size that stand first, and gives what follows.
    #[inline]
    pub(in crate::http2) fn begin<'a>(
        &mut self,
        block: &'a [u8],
    ) -> Result<&'a [u8], CompressionError> {
        let mut rest = block;
        while let Some((first, after)) = rest.split_first()
            && first >> 5 == TABLE_SIZE >> 5
        {
            let (size, after) = integer::read(*first, 5, after).ok_or(CompressionError::Integer)?;
            if size as usize > self.allowed {
                return Err(CompressionError::TableSize);
            }
            self.table.resize(size as usize);
            rest = after;
        }
        if self.table.max() > self.allowed {
            return Err(CompressionError::MissingTableSize);
        }
        Ok(rest)
    }

    /// Reads the representation at the start of `rest`, which is not empty, and appends its line to `arena`. Gives what
    /// follows. After an error the arena ends in no whole line.
    #[inline]
    pub(in crate::http2) fn line<'a>(
        &mut self,
        rest: &'a [u8],
        arena: &mut Vec<u8>,
    ) -> Result<(Line, &'a [u8]), CompressionError> {
        let (first, rest) = rest.split_first().ok_or(CompressionError::Truncated)?;
        if first & INDEXED == 0 {
            return self.literal(*first, rest, arena);
        }
        let (index, rest) = integer::read(*first, 7, rest).ok_or(CompressionError::Integer)?;
        let start = arena.len();
        let (text, note) = self.entry(index)?;
        arena.extend_from_slice(text);
        let value = text.len() - note.name() - b": \r\n".len();
        Ok((Line { note, start, value }, rest))
    }

    /// The entry with this index in the space of both tables (RFC 7541 section 2.3.3).
    #[inline]
    fn entry(&self, index: u32) -> Result<(&[u8], Note), CompressionError> {
        let index = index as usize;
        match index.checked_sub(fixed::LEN + 1) {
            None => fixed::get(index),
            Some(index) => self.table.get(index),
        }
        .ok_or(CompressionError::Index)
    }

    fn literal<'a>(
        &mut self,
        first: u8,
        rest: &'a [u8],
        arena: &mut Vec<u8>,
    ) -> Result<(Line, &'a [u8]), CompressionError> {
        let is_indexed = first & WITH_INDEXING != 0;
        if !is_indexed && first & TABLE_SIZE != 0 {
            return Err(CompressionError::LateTableSize);
        }
        // What is never to be indexed is literal all the same: no table but ours is at stake.
        let bits = if is_indexed { 6 } else { 4 };
        let (index, rest) = integer::read(first, bits, rest).ok_or(CompressionError::Integer)?;
        let start = arena.len();
        let (note, rest) = match index {
            0 => spelled_name(rest, arena)?,
            _ => {
                let (text, note) = self.entry(index)?;
                arena.extend_from_slice(text.get(..note.name()).unwrap_or_default());
                (note, rest)
            }
        };
        arena.extend_from_slice(b": ");
        let from = arena.len();
        let rest = string(rest, arena)?;
        let value = arena.get(from..).unwrap_or_default();
        let line = Line {
            note: note.with_value(value),
            start,
            value: value.len(),
        };
        arena.extend_from_slice(b"\r\n");
        if is_indexed {
            let text = arena.get(start..).unwrap_or_default();
            let bytes = note.sent_name() + line.value;
            self.table.insert(bytes, [text], line.note);
        }
        Ok((line, rest))
    }

    /// Bytes of memory for the table's texts.
    #[cfg(test)]
    pub(in crate::http2) fn space(&self) -> usize {
        self.table.space()
    }

    /// Bytes that the entries count, and how many there are.
    #[cfg(test)]
    pub(in crate::http2) fn table(&self) -> (usize, usize) {
        (self.table.size(), self.table.len())
    }
}

/// Reads a name that is not taken from a table.
fn spelled_name<'a>(
    rest: &'a [u8],
    arena: &mut Vec<u8>,
) -> Result<(Note, &'a [u8]), CompressionError> {
    let start = arena.len();
    let rest = string(rest, arena)?;
    let (note, shown) = Note::of_name(arena.get(start..).unwrap_or_default());
    if let Some(shown) = shown {
        arena.truncate(start);
        arena.extend_from_slice(shown);
    }
    Ok((note, rest))
}

/// Appends the string that stands first (RFC 7541 section 5.2).
#[inline]
fn string<'a>(rest: &'a [u8], arena: &mut Vec<u8>) -> Result<&'a [u8], CompressionError> {
    let (first, rest) = rest.split_first().ok_or(CompressionError::Truncated)?;
    let (length, rest) = integer::read(*first, 7, rest).ok_or(CompressionError::Integer)?;
    let (text, rest) = rest
        .split_at_checked(length as usize)
        .ok_or(CompressionError::Truncated)?;
    if first & 0x80 == 0 {
        arena.extend_from_slice(text);
    } else {
        huffman::decode(text, arena).ok_or(CompressionError::Huffman)?;
    }
    Ok(rest)
}
