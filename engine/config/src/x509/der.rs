//! The Distinguished Encoding Rules (X.690), as far as walking through a certificate needs them.
//!
//! Invariant: a reader never looks beyond the bytes it was given, and never panics, whatever they are.

/// The tags that are looked for.
pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_ID: u8 = 0x06;
pub(super) const ENUMERATED: u8 = 0x0a;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// `[n]`, constructed.
pub(super) const fn explicit(n: u8) -> u8 {
    0xa0 | n
}

/// `[n]`, primitive.
pub(super) const fn implicit(n: u8) -> u8 {
    0x80 | n
}

/// The elements of some bytes, one after the other.
#[derive(Clone, Copy)]
pub(super) struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Reader<'b> {
        Reader { rest: bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next element: its tag and what it holds.
    pub(super) fn next(&mut self) -> Option<(u8, &'b [u8])> {
        let (&tag, rest) = self.rest.split_first()?;
        // Tags above 30 take several bytes; certificates have none.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            // 0x80 is a length that is not known yet, which the rules do not allow.
            0x81..=0x84 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let add = |sum: usize, digit: &u8| sum << 8 | usize::from(*digit);
                (digits.iter().fold(0, add), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some((tag, content))
    }

    /// What the next element holds, if it bears this tag; else it stays the next.
    pub(super) fn take(&mut self, tag: u8) -> Option<&'b [u8]> {
        let mut ahead = *self;
        let (found, content) = ahead.next()?;
        if found != tag {
            return None;
        }
        *self = ahead;
        Some(content)
    }

    /// The elements that the next one holds, if it bears this tag.
    pub(super) fn open(&mut self, tag: u8) -> Option<Reader<'b>> {
        self.take(tag).map(Reader::new)
    }
}
