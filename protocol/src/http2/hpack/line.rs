//! A decoded field line, and what is noted of it: which part of a head it is, and whether it is sound by itself.
//!
//! Notes are made when a literal comes in and kept with the table's entry, so that what repeats is checked once. What
//! depends on the other lines of the head is not here.

use crate::http2::head::Malformed;
use crate::message::{Name, Span, is_disguised, is_lower_token_byte, is_token, is_valid_authority};

/// Which part of a head a line is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::http2) enum Part {
    /// A field, or what tries to be one.
    Field,
    /// `:authority`; its line is that of Host.
    Authority,
    /// `:method`
    Method,
    /// `:path`
    Path,
    /// `:scheme`
    Scheme,
    /// `:protocol` (RFC 8441 section 4)
    Protocol,
    /// `:status`
    Status,
}

/// What is known of a line wherever it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::http2) struct Note {
    pub(in crate::http2) part: Part,
    /// The field's name, if it is one of those known by number; that of a pseudo-field is not.
    pub(in crate::http2) known: Name,
    /// What is wrong with the name, whatever the value.
    name_fault: Option<Malformed>,
    /// What is wrong with the value.
    value_fault: Option<Malformed>,
    /// Bytes of the name as it stands in the line.
    name: u32,
}

const AUTHORITY: &[u8] = b":authority";
/// What stands in a line for [`AUTHORITY`].
const HOST: &[u8] = b"host";

impl Note {
    /// Of a line of the static table.
    pub(super) const fn fixed(
        part: Part,
        known: Name,
        name: u32,
        name_fault: Option<Malformed>,
    ) -> Note {
        let value_fault = match part {
            Part::Authority => Some(Malformed::Authority),
            _ => match known {
                Name::Host => Some(Malformed::Authority),
                Name::Te => Some(Malformed::Te),
                _ => None,
            },
        };
        Note {
            part,
            known,
            name_fault,
            value_fault,
            name,
        }
    }

    /// Of a name that was spelled out, with the name that is to stand in the line where that is another.
    pub(super) fn of_name(name: &[u8]) -> (Note, Option<&'static [u8]>) {
        if name.first() == Some(&b':') {
            let part = match name {
                AUTHORITY => Part::Authority,
                b":method" => Part::Method,
                b":path" => Part::Path,
                b":scheme" => Part::Scheme,
                b":protocol" => Part::Protocol,
                b":status" => Part::Status,
                _ => {
                    let fault = Some(Malformed::UnknownPseudoField);
                    return (Note::new(Part::Field, Name::Other, fault, name), None);
                }
            };
            let shown = (part == Part::Authority).then_some(HOST);
            let note = Note::new(part, Name::Other, None, shown.unwrap_or(name));
            return (note, shown);
        }
        let known = Name::lookup(name);
        let note = Note::new(Part::Field, known, name_fault(known, name), name);
        (note, None)
    }

    fn new(part: Part, known: Name, name_fault: Option<Malformed>, name: &[u8]) -> Note {
        Note {
            part,
            known,
            name_fault,
            value_fault: None,
            name: name.len() as u32,
        }
    }

    /// The same name with this value.
    #[inline]
    pub(super) fn with_value(self, value: &[u8]) -> Note {
        Note {
            value_fault: value_fault(self.part, self.known, value),
            ..self
        }
    }

    /// What is wrong with the line, whatever stands around it.
    #[inline]
    pub(in crate::http2) fn fault(&self) -> Option<Malformed> {
        self.name_fault.or(self.value_fault)
    }

    /// Bytes of the name as it stands in the line.
    #[inline]
    pub(super) fn name(&self) -> usize {
        self.name as usize
    }

    /// Bytes of the name as it was sent.
    #[inline]
    pub(super) fn sent_name(&self) -> usize {
        match self.part {
            Part::Authority => AUTHORITY.len(),
            _ => self.name(),
        }
    }
}

/// A line in an arena: `name: value`, CR, LF.
#[derive(Clone, Copy, Debug)]
pub(in crate::http2) struct Line {
    pub(in crate::http2) note: Note,
    /// Where it begins.
    pub(super) start: usize,
    /// Bytes of the value.
    pub(super) value: usize,
}

impl Line {
    #[inline]
    pub(in crate::http2) fn start(&self) -> usize {
        self.start
    }

    #[inline]
    pub(in crate::http2) fn name(&self) -> Span {
        self.span(0, self.note.name())
    }

    #[inline]
    pub(in crate::http2) fn value(&self) -> Span {
        self.span(self.note.name() + b": ".len(), self.value)
    }

    /// Blocks and what they stand for are bounded far below 4 GiB.
    #[inline]
    fn span(&self, from: usize, len: usize) -> Span {
        debug_assert!(self.start + from + len <= u32::MAX as usize);
        Span {
            start: (self.start + from) as u32,
            len: len as u32,
        }
    }

    /// What it counts against a limit on the list of fields (RFC 9113 section 6.5.2).
    #[inline]
    pub(in crate::http2) fn size(&self) -> usize {
        self.note.sent_name() + self.value + super::ENTRY_OVERHEAD
    }
}

/// RFC 9113 section 8.2: tokens without upper case, and none of the fields that speak of a connection.
fn name_fault(known: Name, name: &[u8]) -> Option<Malformed> {
    if !name.iter().all(|byte| is_lower_token_byte(*byte)) || name.is_empty() {
        let raised = name.iter().any(u8::is_ascii_uppercase);
        return Some(match raised && is_token(name) {
            true => Malformed::UppercaseName,
            false => Malformed::FieldName,
        });
    }
    match known {
        Name::Connection
        | Name::KeepAlive
        | Name::ProxyConnection
        | Name::TransferEncoding
        | Name::Upgrade => Some(Malformed::ConnectionSpecific),
        Name::Other if is_disguised(name) => Some(Malformed::DisguisedFramingField),
        _ => None,
    }
}

fn value_fault(part: Part, known: Name, value: &[u8]) -> Option<Malformed> {
    let (is_sound, fault) = match part {
        Part::Field => match known {
            Name::Host => (is_valid_authority(value), Malformed::Authority),
            Name::Te => (value.eq_ignore_ascii_case(b"trailers"), Malformed::Te),
            _ => return field_value_fault(value),
        },
        Part::Authority => (is_valid_authority(value), Malformed::Authority),
        Part::Method => (is_token(value), Malformed::Method),
        Part::Protocol => (is_token(value), Malformed::Protocol),
        Part::Path => (is_target(value), Malformed::Path),
        Part::Scheme => (is_scheme(value), Malformed::Scheme),
        Part::Status => (is_status(value), Malformed::Status),
    };
    (!is_sound).then_some(fault)
}

/// RFC 9113 section 8.2.1, and no control byte at all but tab: the value may have to stand in an HTTP/1.1 message.
#[inline]
fn field_value_fault(value: &[u8]) -> Option<Malformed> {
    let is_blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    if is_blank(value.first()) || is_blank(value.last()) {
        return Some(Malformed::FieldValueBlank);
    }
    // Without a way out of the loop it is done for many bytes at once.
    let is_clean = value.iter().fold(true, |clean, byte| {
        clean & ((*byte >= b' ') & (*byte != 0x7f) | (*byte == b'\t'))
    });
    (!is_clean).then_some(Malformed::FieldValue)
}

/// The origin form or the asterisk: visible ASCII without a fragment.
fn is_target(value: &[u8]) -> bool {
    let is_visible = value.iter().fold(true, |visible, byte| {
        visible & (*byte > b' ') & (*byte < 0x7f) & (*byte != b'#')
    });
    is_visible && (value.first() == Some(&b'/') || value == b"*")
}

fn is_scheme(value: &[u8]) -> bool {
    value.eq_ignore_ascii_case(b"https") || value.eq_ignore_ascii_case(b"http")
}

fn is_status(value: &[u8]) -> bool {
    matches!(value, [b'1'..=b'9', b'0'..=b'9', b'0'..=b'9'])
}
