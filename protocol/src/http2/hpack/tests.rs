//! RFC 7541 by its examples, then what must hold for all blocks.

mod appendix_a;
mod appendix_c;
mod properties;
mod sizes;
mod writing;

use super::*;
use crate::message::{Folded, Name};

/// The bytes that hexadecimal digits with blanks between them say.
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// Names and values.
type List = Vec<(Vec<u8>, Vec<u8>)>;

/// The names and values of a block, `:authority` under its own name.
fn read(reader: &mut Reader, block: &[u8]) -> Result<List, CompressionError> {
    let mut arena = Vec::new();
    let mut list = Vec::new();
    let mut rest = reader.begin(block)?;
    while !rest.is_empty() {
        let before = arena.len();
        let (line, after) = reader.line(rest, &mut arena)?;
        rest = after;
        let (name, value) = (line.name().of(&arena), line.value().of(&arena));
        let whole = [name, b": ", value, b"\r\n"].concat();
        assert_eq!(whole, arena[before..], "the line stands at the arena's end");
        let name = match line.note.part {
            Part::Authority => b":authority",
            _ => name,
        };
        assert_eq!(line.size(), name.len() + value.len() + 32);
        list.push((name.to_vec(), value.to_vec()));
    }
    Ok(list)
}

/// As text.
fn shown(list: &[(Vec<u8>, Vec<u8>)]) -> Vec<(&str, &str)> {
    let text = |bytes| std::str::from_utf8(bytes).unwrap();
    list.iter()
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}

fn key(name: &[u8]) -> Key {
    let folded = Folded::of(name);
    Key::field(folded, Name::of(folded))
}

/// A block of these fields.
fn written(writer: &mut Writer, list: &[(&[u8], &[u8], Habit)]) -> Vec<u8> {
    let mut out = Vec::new();
    writer.begin(&mut out);
    for (name, value, habit) in list {
        writer.field(key(name), name, value, *habit, &mut out);
    }
    out
}

#[test]
fn integers_as_in_appendix_c_1() {
    let table: [(u32, u32, &[u8]); 6] = [
        (5, 10, b"\x0a"),
        (5, 1337, b"\x1f\x9a\x0a"),
        (8, 42, b"\x2a"),
        (7, 127, b"\x7f\x00"),
        (4, 15, b"\x0f\x00"),
        (6, u32::MAX, b"\x3f\xc0\xff\xff\xff\x0f"),
    ];
    for (bits, value, bytes) in table {
        let mut out = Vec::new();
        integer::write(0, bits, value as usize, &mut out);
        assert_eq!(out, bytes);
        let rest = [&bytes[1..], b"rest"].concat();
        let read = integer::read(bytes[0], bits, &rest);
        assert_eq!(read, Some((value, b"rest".as_slice())));
    }
}

#[test]
fn integers_that_say_too_much_or_too_little() {
    let table: [&[u8]; 6] = [
        b"",
        b"\x80",
        b"\xff\xff\xff\xff",
        b"\xff\xff\xff\xff\xff",
        b"\x80\x80\x80\x80\x80\x00",
        // One more than 32 bits hold.
        b"\x81\xff\xff\xff\x0f",
    ];
    for rest in table {
        assert_eq!(integer::read(0x7f, 7, rest), None, "{rest:02x?}");
    }
    // Zeros at the end say nothing, but no more than five bytes of them are read.
    let longest = integer::read(0x7f, 7, b"\x80\x80\x80\x80\x00");
    assert_eq!(longest, Some((127, b"".as_slice())));
}
