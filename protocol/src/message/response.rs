//! The head of an answer, and the view of it that the response phase reads.

use super::{BodyLength, Field, Name, Span, Version, lines, value_named, values};

/// An answer's head: ranges of the buffer it was decoded from. `fields` keeps its capacity from answer to answer.
#[derive(Clone, Debug)]
pub struct ResponseHead {
    /// The version.
    pub version: Version,
    /// The status code, `100 <= status <= 999`.
    pub status: u16,
    /// The reason phrase as sent; may be empty.
    pub reason: Span,
    /// The field lines in order.
    pub fields: Vec<Field>,
    /// How the body ends.
    pub body: BodyLength,
    /// Whether the connection may carry another request after this answer. False too when what follows the head can't
    /// be trusted, such as a 204 that announces a body.
    pub keep_alive: bool,
    /// Bytes of the head with its empty line; 0 until one is complete.
    pub len: usize,
}

impl ResponseHead {
    /// An empty head that holds no memory yet.
    pub fn new() -> Self {
        ResponseHead {
            version: Version::Http11,
            status: 0,
            reason: Span::EMPTY,
            fields: Vec::new(),
            body: BodyLength::None,
            keep_alive: false,
            len: 0,
        }
    }

    /// Forgets the last answer but keeps the memory. The decoder does so first thing.
    pub fn clear(&mut self) {
        let mut fields = std::mem::take(&mut self.fields);
        fields.clear();
        *self = ResponseHead {
            fields,
            ..ResponseHead::new()
        };
    }

    /// The head together with the bytes it was decoded from.
    #[inline]
    pub fn view<'a>(&'a self, bytes: &'a [u8]) -> Response<'a> {
        Response { head: self, bytes }
    }
}

impl Default for ResponseHead {
    fn default() -> Self {
        ResponseHead::new()
    }
}

/// An answer's head with its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Response<'a> {
    /// The ranges.
    pub head: &'a ResponseHead,
    /// What they are ranges of.
    pub bytes: &'a [u8],
}

impl<'a> Response<'a> {
    /// The first value of a known field.
    #[inline]
    pub fn header(self, name: Name) -> Option<&'a [u8]> {
        self.headers(name).next()
    }

    /// All values of a known field, in order.
    #[inline]
    pub fn headers(self, name: Name) -> impl DoubleEndedIterator<Item = &'a [u8]> + use<'a> {
        values(&self.head.fields, self.bytes, name)
    }

    /// The first value of the field with this name, compared without case.
    pub fn header_named(self, name: &str) -> Option<&'a [u8]> {
        value_named(&self.head.fields, self.bytes, name)
    }

    /// All fields with their names and values.
    #[inline]
    pub fn fields(self) -> impl Iterator<Item = (&'a Field, &'a [u8], &'a [u8])> + use<'a> {
        lines(&self.head.fields, self.bytes)
    }

    /// The status code.
    #[inline]
    pub fn status(self) -> u16 {
        self.head.status
    }

    /// The reason phrase as sent.
    #[inline]
    pub fn reason(self) -> &'a [u8] {
        self.head.reason.of(self.bytes)
    }
}
