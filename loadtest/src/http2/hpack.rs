//! Header compression (RFC 7541): blocks of a server read whole, blocks of ours from fields that lie ready.
//!
//! Reading keeps the dynamic table as the server does and hands each field to who asked; nothing is allocated once the
//! table has its memory. Writing lets each constant field of a scenario enter the table once, where it stays: as many as
//! fit, since what leaves the table would have to be counted for each connection.

use super::{Broken, COMPRESSION_ERROR};

pub(crate) mod huffman;
mod indexed;
mod integer;
mod table;

pub(crate) use indexed::{Cost, Indexed};
pub(crate) use integer::write as write_integer;
pub(crate) use table::Known;
pub(crate) use table::index_of;
use table::{STATIC, Table};

/// Bytes of the dynamic table that a server may use: what is usual when nothing is said.
pub(crate) const TABLE: usize = 4096;

/// A field of a header block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) value: &'a [u8],
    pub(crate) known: Known,
}

/// Reads a server's header blocks.
pub(crate) struct Decoder {
    table: Table,
    /// Name and value of the field that is being read.
    name: Vec<u8>,
    value: Vec<u8>,
}

impl Decoder {
    pub(crate) fn new() -> Decoder {
        Decoder {
            table: Table::new(TABLE),
            name: Vec::new(),
            value: Vec::new(),
        }
    }

    /// Reads a whole block and hands over its fields.
    pub(crate) fn decode(
        &mut self,
        block: &[u8],
        mut seen: impl FnMut(Field<'_>),
    ) -> Result<(), Broken> {
        let mut rest = block;
        let mut fields = 0_usize;
        while let Some(first) = rest.first().copied() {
            match first {
                0x80.. => {
                    let index = integer::read(&mut rest, 7)?;
                    seen(field(&self.table, index)?);
                }
                0x20..0x40 => {
                    let size = integer::read(&mut rest, 5)?;
                    if fields > 0 || size > TABLE {
                        return Err(wrong("a table size is too large, or not at the beginning"));
                    }
                    self.table.resize(size);
                    continue;
                }
                _ => {
                    let indexes = first >= 0x40;
                    let index = integer::read(&mut rest, if indexes { 6 } else { 4 })?;
                    let known = self.literal(&mut rest, index)?;
                    if indexes {
                        self.table.insert(&self.name, &self.value, known);
                    }
                    seen(Field {
                        name: &self.name,
                        value: &self.value,
                        known,
                    });
                }
            }
            fields += 1;
        }
        Ok(())
    }

    /// Reads name and value of a literal.
    fn literal(&mut self, rest: &mut &[u8], index: usize) -> Result<Known, Broken> {
        self.name.clear();
        self.value.clear();
        let known = match index {
            0 => {
                string(rest, &mut self.name)?;
                Known::of(&self.name)
            }
            index => {
                let of = field(&self.table, index)?;
                self.name.extend_from_slice(of.name);
                of.known
            }
        };
        string(rest, &mut self.value)?;
        Ok(known)
    }
}

/// The field of an index (RFC 7541 section 2.3.3).
#[inline]
fn field(table: &Table, index: usize) -> Result<Field<'_>, Broken> {
    let found = match index.checked_sub(STATIC.len() + 1) {
        None => index
            .checked_sub(1)
            .and_then(|at| STATIC.get(at))
            .map(|(name, value)| Field {
                name: name.as_bytes(),
                value: value.as_bytes(),
                known: Known::of(name.as_bytes()),
            }),
        Some(at) => table.get(at),
    };
    found.ok_or(wrong("an index stands for nothing"))
}

/// Reads a text (RFC 7541 section 5.2).
fn string(rest: &mut &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
    let coded = rest.first().is_some_and(|first| first & 0x80 != 0);
    let length = integer::read(rest, 7)?;
    let (text, behind) = rest
        .split_at_checked(length)
        .ok_or(wrong("a text ends behind its block"))?;
    *rest = behind;
    match coded {
        false => out.extend_from_slice(text),
        true if huffman::decode(text, out) => {}
        true => return Err(wrong("a text is not in the Huffman code")),
    }
    Ok(())
}

fn wrong(rule: &'static str) -> Broken {
    Broken {
        rule,
        code: COMPRESSION_ERROR,
    }
}

#[cfg(test)]
mod tests;
