//! A Name (RFC 5280 section 4.1.2.4): its common name, and its text as RFC 4514 writes it.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::der::{OBJECT_ID, Reader, SEQUENCE, SET};

/// The longest text that is read out of a certificate, in bytes; SPIFFE ids, the longest in use, end there.
pub const MAX_TEXT: usize = 2048;

/// The most relative names of a Name that is written. Those in use have less than ten.
const MAX_PARTS: usize = 64;

/// The last common name, unless it is no text.
pub(super) fn common_name(name: &[u8]) -> Option<Cow<'_, str>> {
    let (mut parts, mut found) = (Reader::new(name), None);
    while let Some(mut part) = parts.open(SET) {
        while let Some(mut attribute) = part.open(SEQUENCE) {
            if attribute.take(OBJECT_ID)? == COMMON_NAME {
                let (tag, content) = attribute.next()?;
                found = text(tag, content);
            }
        }
        if !part.is_empty() {
            return None;
        }
    }
    found.filter(|_| parts.is_empty())
}

/// RFC 4514 section 2: the last part first. All but ASCII is escaped, so that it can stand in a header.
pub(super) fn text_of(name: &[u8], most: usize) -> Option<String> {
    let mut parts = Vec::new();
    let mut rest = Reader::new(name);
    while let Some(part) = rest.open(SET) {
        if parts.len() == MAX_PARTS {
            return None;
        }
        parts.push(part);
    }
    if !rest.is_empty() {
        return None;
    }
    let mut out = String::new();
    for mut part in parts.into_iter().rev() {
        let mut before = if out.is_empty() { "" } else { "," };
        while let Some(mut attribute) = part.open(SEQUENCE) {
            out.push_str(before);
            before = "+";
            let id = attribute.take(OBJECT_ID)?;
            let whole = attribute;
            let (tag, content) = attribute.next()?;
            match (short_name(id), text(tag, content)) {
                (Some(short), Some(value)) => {
                    out.push_str(short);
                    out.push('=');
                    escaped(&mut out, &value);
                }
                (short, _) => {
                    match short {
                        Some(short) => out.push_str(short),
                        None => dotted(&mut out, id)?,
                    }
                    out.push_str("=#");
                    // The value as it is encoded (section 2.4).
                    out.push_str(&crate::crypto::hex(whole.up_to(&attribute)));
                }
            }
            if out.len() > most {
                return None;
            }
        }
        if !part.is_empty() {
            return None;
        }
    }
    Some(out)
}

/// A DirectoryString, or one of the other kinds of text: what it says, unless it holds something else, or a control
/// character, which no name has and which cuts texts off elsewhere.
fn text(tag: u8, content: &[u8]) -> Option<Cow<'_, str>> {
    if content.len() > MAX_TEXT {
        return None;
    }
    let text = match tag {
        UTF8_STRING => Cow::Borrowed(std::str::from_utf8(content).ok()?),
        // Of T61String too only ASCII is read: what its other bytes mean was never agreed on.
        NUMERIC_STRING | PRINTABLE_STRING | T61_STRING | IA5_STRING | VISIBLE_STRING => {
            Cow::Borrowed(
                std::str::from_utf8(content)
                    .ok()
                    .filter(|it| it.is_ascii())?,
            )
        }
        BMP_STRING => {
            let (units, []) = content.as_chunks::<2>() else {
                return None;
            };
            let unit = |unit: &[u8; 2]| char::from_u32(u32::from(u16::from_be_bytes(*unit)));
            Cow::Owned(units.iter().map(unit).collect::<Option<String>>()?)
        }
        UNIVERSAL_STRING => {
            let (units, []) = content.as_chunks::<4>() else {
                return None;
            };
            let unit = |unit: &[u8; 4]| char::from_u32(u32::from_be_bytes(*unit));
            Cow::Owned(units.iter().map(unit).collect::<Option<String>>()?)
        }
        _ => return None,
    };
    let is_name = !text.is_empty() && !text.chars().any(char::is_control);
    Some(text).filter(|_| is_name)
}

/// RFC 4514 section 2.4, with every byte beyond ASCII as an escape.
fn escaped(out: &mut String, value: &str) {
    let last = value.len() - 1;
    for (at, byte) in value.bytes().enumerate() {
        match byte {
            b'"' | b'+' | b',' | b';' | b'<' | b'>' | b'\\' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            b'#' if at == 0 => out.push_str("\\#"),
            b' ' if at == 0 || at == last => out.push_str("\\ "),
            b' '..=b'~' => out.push(char::from(byte)),
            // Writing to a String can't fail.
            _ => {
                let _ = write!(out, "\\{byte:02X}");
            }
        }
    }
}

/// An object identifier in digits (X.690 section 8.19).
fn dotted(out: &mut String, id: &[u8]) -> Option<()> {
    let (mut arc, mut first, mut open) = (0u64, true, true);
    for byte in id {
        arc = arc.checked_mul(128)? | u64::from(byte & 0x7f);
        open = byte & 0x80 != 0;
        if open {
            continue;
        }
        let _ = match (first, arc) {
            // The first two arcs share a number.
            (true, 0..80) => write!(out, "{}.{}", arc / 40, arc % 40),
            (true, _) => write!(out, "2.{}", arc - 80),
            (false, _) => write!(out, ".{arc}"),
        };
        (arc, first) = (0, false);
    }
    (!open).then_some(())
}

/// The names of RFC 4514 section 3, and two more that OpenSSL writes.
fn short_name(id: &[u8]) -> Option<&'static str> {
    let known = SHORT_NAMES.iter().find(|(known, _)| *known == id);
    known.map(|(_, name)| *name)
}

const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

const SHORT_NAMES: [(&[u8], &str); 11] = [
    (COMMON_NAME, "CN"),
    (&[0x55, 0x04, 0x07], "L"),
    (&[0x55, 0x04, 0x08], "ST"),
    (&[0x55, 0x04, 0x0a], "O"),
    (&[0x55, 0x04, 0x0b], "OU"),
    (&[0x55, 0x04, 0x06], "C"),
    (&[0x55, 0x04, 0x09], "STREET"),
    (
        &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19],
        "DC",
    ),
    (
        &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x01],
        "UID",
    ),
    (&[0x55, 0x04, 0x05], "serialNumber"),
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01],
        "emailAddress",
    ),
];

const UTF8_STRING: u8 = 0x0c;
const NUMERIC_STRING: u8 = 0x12;
const PRINTABLE_STRING: u8 = 0x13;
const T61_STRING: u8 = 0x14;
const IA5_STRING: u8 = 0x16;
const VISIBLE_STRING: u8 = 0x1a;
const UNIVERSAL_STRING: u8 = 0x1c;
const BMP_STRING: u8 = 0x1e;
