//! A request of HTTP/2 in pieces that the generator strings together: a header block whose constant fields a connection
//! sends once, and the body.
//!
//! What differs from request to request, and what a cache would not share (the path, lengths), is written as it stands.

use std::ops::Range;

use super::body::Body;
use super::draw::Draw;
use super::pattern::Part;
use super::token::Tokens;
use crate::http2::hpack::{Cost, Indexed, huffman, index_of, write_integer};

/// How a header block and its body are made.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    /// Everything that never changes.
    bytes: Vec<u8>,
    items: Vec<Item>,
    pub(super) draws: Vec<Draw>,
    body: Vec<Piece>,
    /// The body is a message of gRPC, with its prefix.
    framed: bool,
}

#[derive(Clone, Debug)]
enum Item {
    /// Bytes of the block as they stand.
    Bytes(Range<usize>),
    /// A field that a connection sends once.
    Constant {
        /// Its number among those of the scenario.
        number: usize,
        /// What it is, for giving numbers.
        field: (Vec<u8>, Vec<u8>),
        entering: Range<usize>,
        plain: Range<usize>,
    },
    /// A field whose value is put together: the bytes before the value, and its pieces.
    Varying(Range<usize>, Vec<Piece>),
    /// `content-length` of a body that is put together.
    Length(Range<usize>),
}

#[derive(Clone, Debug)]
enum Piece {
    Literal(Range<usize>),
    Value(usize),
}

/// Names that HTTP/2 has no place for (RFC 9113 section 8.2.2).
pub(super) fn is_foreign(name: &str) -> bool {
    const NAMES: [&str; 3] = ["connection", "keep-alive", "proxy-connection"];
    NAMES.iter().any(|it| it.eq_ignore_ascii_case(name))
}

impl Fields {
    /// Appends a field; its name is written in lower case.
    pub(super) fn field(&mut self, name: &str, parts: &[Part]) {
        let name = name.to_ascii_lowercase();
        let Some(value) = constant(parts) else {
            let before = self.literal_name(name.as_bytes(), 0x00, 4);
            let pieces = self.pieces(parts);
            self.items.push(Item::Varying(before, pieces));
            return;
        };
        let (name, value) = (name.as_bytes(), value.as_bytes());
        let whole = index_of(name, Some(value));
        if whole > 0 && !value.is_empty() {
            let start = self.bytes.len();
            write_integer(0x80, 7, whole, &mut self.bytes);
            self.items.push(Item::Bytes(start..self.bytes.len()));
            return;
        }
        if matches!(name, b":path" | b"content-length") {
            let plain = self.literal(name, value, 0x00, 4);
            self.items.push(Item::Bytes(plain));
            return;
        }
        let entering = self.literal(name, value, 0x40, 6);
        let plain = self.literal(name, value, 0x00, 4);
        self.items.push(Item::Constant {
            number: 0,
            field: (name.to_vec(), value.to_vec()),
            entering,
            plain,
        });
    }

    /// Takes the body in, with its length.
    pub(super) fn body(&mut self, body: &Body) {
        match body {
            Body::None => {}
            Body::Bytes(bytes) => {
                let length = bytes.len().to_string();
                self.field("content-length", &[Part::Literal(length)]);
                let start = self.bytes.len();
                self.bytes.extend_from_slice(bytes);
                self.body.push(Piece::Literal(start..self.bytes.len()));
            }
            Body::Parts(parts) => {
                let before = self.literal_name(b"content-length", 0x00, 4);
                self.items.push(Item::Length(before));
                self.body = self.pieces(parts);
            }
        }
    }

    /// Takes the body in as a message of gRPC, whose length stands in front of it and in no header.
    pub(super) fn message(&mut self, body: &Body) {
        self.framed = true;
        match body {
            Body::None => {}
            Body::Bytes(bytes) => {
                let start = self.bytes.len();
                self.bytes.extend_from_slice(bytes);
                self.body.push(Piece::Literal(start..self.bytes.len()));
            }
            Body::Parts(parts) => self.body = self.pieces(parts),
        }
    }

    /// Bytes of the fields that never change, about.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Gives the constant fields their numbers: the same field of another request has the same one.
    pub(super) fn number(&mut self, known: &mut Vec<(Vec<u8>, Vec<u8>)>) {
        for item in &mut self.items {
            if let Item::Constant { number, field, .. } = item {
                *number = match known.iter().position(|it| it == field) {
                    Some(at) => at,
                    None => {
                        known.push(field.clone());
                        known.len() - 1
                    }
                };
            }
        }
    }

    /// Appends a header block with these drawn values, and the body.
    #[inline]
    pub(super) fn write(
        &self,
        drawn: &[u64],
        tokens: &Tokens,
        indexed: &mut Indexed,
        (head, body): (&mut Vec<u8>, &mut Vec<u8>),
    ) {
        indexed.begin(head);
        for item in &self.items {
            match item {
                Item::Bytes(range) => head.extend_from_slice(&self.bytes[range.clone()]),
                Item::Constant {
                    number,
                    field,
                    entering,
                    plain,
                } => {
                    let cost = Cost::of(&field.0, &field.1);
                    let (entering, plain) =
                        (&self.bytes[entering.clone()], &self.bytes[plain.clone()]);
                    indexed.write(*number, cost, (entering, plain), head);
                }
                Item::Varying(before, pieces) => {
                    head.extend_from_slice(&self.bytes[before.clone()]);
                    write_integer(0, 7, self.length(pieces, drawn, tokens), head);
                    self.pieces_out(pieces, drawn, tokens, head);
                }
                Item::Length(before) => {
                    head.extend_from_slice(&self.bytes[before.clone()]);
                    let mut digits = itoa::Buffer::new();
                    let digits = digits.format(self.length(&self.body, drawn, tokens));
                    write_integer(0, 7, digits.len(), head);
                    head.extend_from_slice(digits.as_bytes());
                }
            }
        }
        if self.framed {
            // Not compressed, and so many bytes.
            let length = self.length(&self.body, drawn, tokens) as u32;
            body.push(0);
            body.extend_from_slice(&length.to_be_bytes());
        }
        self.pieces_out(&self.body, drawn, tokens, body);
    }

    fn pieces_out(&self, pieces: &[Piece], drawn: &[u64], tokens: &Tokens, out: &mut Vec<u8>) {
        for piece in pieces {
            match piece {
                Piece::Literal(range) => out.extend_from_slice(&self.bytes[range.clone()]),
                Piece::Value(slot) => self.draws[*slot].write(drawn[*slot], tokens, out),
            }
        }
    }

    fn length(&self, pieces: &[Piece], drawn: &[u64], tokens: &Tokens) -> usize {
        let lengths = pieces.iter().map(|piece| match piece {
            Piece::Literal(range) => range.len(),
            Piece::Value(slot) => self.draws[*slot].len(drawn[*slot], tokens),
        });
        lengths.sum()
    }

    fn pieces(&mut self, parts: &[Part]) -> Vec<Piece> {
        let mut pieces = Vec::with_capacity(parts.len());
        for part in parts {
            pieces.push(match part {
                Part::Value(slot) => Piece::Value(*slot),
                Part::Literal(text) => {
                    let start = self.bytes.len();
                    self.bytes.extend_from_slice(text.as_bytes());
                    Piece::Literal(start..self.bytes.len())
                }
            });
        }
        pieces
    }

    /// Writes the front of a literal field (RFC 7541 section 6.2): its first byte is `kind`, `bits` of it an index.
    fn literal_name(&mut self, name: &[u8], kind: u8, bits: u32) -> Range<usize> {
        let start = self.bytes.len();
        let index = index_of(name, None);
        write_integer(kind, bits, index, &mut self.bytes);
        if index == 0 {
            text(name, &mut self.bytes);
        }
        start..self.bytes.len()
    }

    fn literal(&mut self, name: &[u8], value: &[u8], kind: u8, bits: u32) -> Range<usize> {
        let start = self.literal_name(name, kind, bits).start;
        text(value, &mut self.bytes);
        start..self.bytes.len()
    }
}

/// A text in the shorter of its forms (RFC 7541 section 5.2).
fn text(bytes: &[u8], out: &mut Vec<u8>) {
    let mut coded = Vec::new();
    huffman::encode(bytes, &mut coded);
    match coded.len() < bytes.len() {
        true => {
            write_integer(0x80, 7, coded.len(), out);
            out.extend_from_slice(&coded);
        }
        false => {
            write_integer(0, 7, bytes.len(), out);
            out.extend_from_slice(bytes);
        }
    }
}

/// The text, when nothing in it varies.
fn constant(parts: &[Part]) -> Option<String> {
    let texts = parts.iter().map(|part| match part {
        Part::Literal(text) => Some(text.as_str()),
        Part::Value(_) => None,
    });
    texts.collect()
}

#[cfg(test)]
mod tests;
