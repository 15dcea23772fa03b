//! The Distinguished Encoding Rules (X.690), as far as walking through a certificate needs them.
//!
//! Invariant: a reader never looks beyond the bytes it was given, and never panics, whatever they are.

/// The tag of BOOLEAN.
pub const BOOLEAN: u8 = 0x01;
/// The tag of INTEGER.
pub const INTEGER: u8 = 0x02;
/// The tag of BIT STRING.
pub const BIT_STRING: u8 = 0x03;
/// The tag of OCTET STRING.
pub const OCTET_STRING: u8 = 0x04;
/// The tag of OBJECT IDENTIFIER.
pub const OBJECT_ID: u8 = 0x06;
/// The tag of ENUMERATED.
pub const ENUMERATED: u8 = 0x0a;
/// The tag of UTCTime.
pub const UTC_TIME: u8 = 0x17;
/// The tag of GeneralizedTime.
pub const GENERALIZED_TIME: u8 = 0x18;
/// The tag of SEQUENCE and SEQUENCE OF.
pub const SEQUENCE: u8 = 0x30;
/// The tag of SET and SET OF.
pub const SET: u8 = 0x31;

/// `[n]`, constructed.
pub const fn explicit(n: u8) -> u8 {
    0xa0 | n
}

/// `[n]`, primitive.
pub const fn implicit(n: u8) -> u8 {
    0x80 | n
}

/// The elements of some bytes, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    /// Reads these.
    pub fn new(bytes: &'b [u8]) -> Reader<'b> {
        Reader { rest: bytes }
    }

    /// Whether no byte is left.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next element: its tag and what it holds.
    // No iterator: after an element that can't be read, what is left is not empty, and callers look.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Option<(u8, &'b [u8])> {
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
    pub fn take(&mut self, tag: u8) -> Option<&'b [u8]> {
        let mut ahead = *self;
        let (found, content) = ahead.next()?;
        if found != tag {
            return None;
        }
        *self = ahead;
        Some(content)
    }

    /// The elements that the next one holds, if it bears this tag.
    pub fn open(&mut self, tag: u8) -> Option<Reader<'b>> {
        self.take(tag).map(Reader::new)
    }

    /// The bytes from here to where a reader stands that was copied from this one and went ahead.
    pub fn up_to(&self, ahead: &Reader<'b>) -> &'b [u8] {
        let length = self.rest.len().saturating_sub(ahead.rest.len());
        self.rest.get(..length).unwrap_or_default()
    }
}
