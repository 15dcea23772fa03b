//! HPACK (RFC 7541) for tests: an encoder whose every byte the test decides, and a decoder that takes all of it.

use super::huffman;
use crate::wire::{Field, latin};

/// What dynamic tables may fill unless SETTINGS say otherwise.
const USUAL_TABLE: usize = 4096;

/// Appendix A.
#[rustfmt::skip]
const STATIC: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

/// A block of literals without indexing, their names and values as they are (section 6.2.2).
pub fn block(fields: &[Field]) -> Vec<u8> {
    let literal = |(name, value): &Field| literal(0x00, 4, name, value);
    fields.iter().flat_map(literal).collect()
}

/// A literal with a new name: `first` has the bits of its representation, whose index has `prefix` bits.
pub fn literal(first: u8, prefix: u8, name: &str, value: &str) -> Vec<u8> {
    [integer(first, prefix, 0), string(name), string(value)].concat()
}

/// A literal that enters the dynamic table (section 6.2.1).
pub fn indexed_literal(name: &str, value: &str) -> Vec<u8> {
    literal(0x40, 6, name, value)
}

/// An indexed field (section 6.1).
pub fn indexed(index: usize) -> Vec<u8> {
    integer(0x80, 7, index)
}

/// A change of the table's size (section 6.3).
pub fn table_size(size: usize) -> Vec<u8> {
    integer(0x20, 5, size)
}

/// A string as it is (section 5.2), each character one byte.
pub fn string(text: &str) -> Vec<u8> {
    let bytes: Vec<u8> = text
        .chars()
        .map(|c| u8::try_from(c).expect("a byte"))
        .collect();
    [integer(0x00, 7, bytes.len()), bytes].concat()
}

/// A string in the Huffman code.
pub fn huffman_string(text: &str) -> Vec<u8> {
    let code = huffman::encode(text.as_bytes());
    [integer(0x80, 7, code.len()), code].concat()
}

/// An integer behind the bits of `first` (section 5.1).
pub fn integer(first: u8, prefix: u8, value: usize) -> Vec<u8> {
    let most = (1 << prefix) - 1;
    if value < most {
        return vec![first | value as u8];
    }
    let (mut out, mut rest) = (vec![first | most as u8], value - most);
    while rest >= 128 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
    out
}

/// The decoder of one direction of a connection.
pub struct Decoder {
    /// The newest first.
    table: Vec<Field>,
    most: usize,
}

impl Default for Decoder {
    fn default() -> Decoder {
        Decoder {
            table: Vec::new(),
            most: USUAL_TABLE,
        }
    }
}

impl Decoder {
    /// The fields of a block.
    ///
    /// # Panics
    /// When it is not valid: the gateway has sent it.
    #[track_caller]
    pub fn decode(&mut self, block: &[u8]) -> Vec<Field> {
        self.try_decode(block)
            .unwrap_or_else(|| panic!("not a header block: {block:02x?}"))
    }

    fn try_decode(&mut self, mut rest: &[u8]) -> Option<Vec<Field>> {
        let (mut fields, rest) = (Vec::new(), &mut rest);
        while let Some(first) = rest.first().copied() {
            if first & 0x80 != 0 {
                let index = take_integer(rest, 7)?;
                fields.push(self.entry(index)?);
            } else if first & 0xe0 == 0x20 {
                let size = take_integer(rest, 5)?;
                if size > USUAL_TABLE || !fields.is_empty() {
                    return None;
                }
                self.most = size;
                self.shrink();
            } else {
                let enters = first & 0x40 != 0;
                let index = take_integer(rest, if enters { 6 } else { 4 })?;
                let name = match index {
                    0 => take_string(rest)?,
                    index => self.entry(index)?.0,
                };
                let field = (name, take_string(rest)?);
                if enters {
                    self.table.insert(0, field.clone());
                    self.shrink();
                }
                fields.push(field);
            }
        }
        Some(fields)
    }

    fn entry(&self, index: usize) -> Option<Field> {
        let index = index.checked_sub(1)?;
        match STATIC.get(index) {
            Some((name, value)) => Some(((*name).to_owned(), (*value).to_owned())),
            None => self.table.get(index - STATIC.len()).cloned(),
        }
    }

    fn shrink(&mut self) {
        let size = |table: &[Field]| -> usize {
            table
                .iter()
                .map(|(name, value)| name.len() + value.len() + 32)
                .sum()
        };
        while size(&self.table) > self.most {
            self.table.pop();
        }
    }
}

fn take_integer(rest: &mut &[u8], prefix: u8) -> Option<usize> {
    let most = (1 << prefix) - 1;
    let (first, mut more) = rest.split_first()?;
    let mut value = usize::from(*first) & most;
    if value == most {
        let mut shift = 0;
        loop {
            let (byte, behind) = more.split_first()?;
            more = behind;
            value += (usize::from(*byte) & 127).checked_shl(shift)?;
            shift += 7;
            if byte & 128 == 0 {
                break;
            }
        }
    }
    *rest = more;
    Some(value)
}

fn take_string(rest: &mut &[u8]) -> Option<String> {
    let coded = rest.first()? & 0x80 != 0;
    let length = take_integer(rest, 7)?;
    let (bytes, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    Some(latin(&match coded {
        true => huffman::decode(bytes)?,
        false => bytes.to_vec(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http2::fields;

    #[test]
    fn what_is_encoded_is_decoded() {
        let sent = fields(&[(":method", "PUT"), ("x-long", &"y".repeat(1000)), ("x", "")]);
        assert_eq!(Decoder::default().decode(&block(&sent)), sent);
        let mut decoder = Decoder::default();
        let both = [indexed_literal("a", "b"), indexed(62), indexed(2)].concat();
        let expected = fields(&[("a", "b"), ("a", "b"), (":method", "GET")]);
        assert_eq!(decoder.decode(&both), expected);
        assert_eq!(decoder.decode(&indexed(62)), fields(&[("a", "b")]));
        let emptied = [table_size(0), huffman_literal()].concat();
        assert_eq!(decoder.decode(&emptied), fields(&[("name", "value")]));
        assert!(decoder.try_decode(&indexed(62)).is_none());
    }

    fn huffman_literal() -> Vec<u8> {
        [vec![0], huffman_string("name"), huffman_string("value")].concat()
    }
}
