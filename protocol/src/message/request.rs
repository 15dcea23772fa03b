//! The head of a request, and the one view of it that routes and policies read.

use super::{BodyLength, Field, Method, Name, Span, Version, lines, value_named, values};

/// The four forms of a request target (RFC 9112 section 3.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TargetForm {
    /// `/path?query`
    Origin,
    /// `http://host/path?query`
    Absolute,
    /// `*`, or `OPTIONS http://host` (RFC 9112 section 3.2.4)
    Asterisk,
    /// `host:port`; CONNECT only, which is refused, so no head that decoded has it.
    Authority,
}

/// A request's head: ranges of the buffer it was decoded from. One value serves a connection; `fields` keeps its
/// capacity from request to request.
#[derive(Clone, Debug)]
pub struct RequestHead {
    /// The method.
    pub method: Method,
    /// The method as sent.
    pub method_text: Span,
    /// The version.
    pub version: Version,
    /// The request target as sent.
    pub target: Span,
    /// Which form the target has.
    pub form: TargetForm,
    /// `host[:port]`: that of an absolute-form target, else Host; empty when there is none (HTTP/1.0).
    pub authority: Span,
    /// The raw path, `/` if an absolute-form target has none; [`Request::path`] gives `*` for the asterisk form.
    pub path: Span,
    /// The raw query without `?`; may be empty though there is one.
    pub query: Span,
    /// Whether the target has a `?`.
    pub has_query: bool,
    /// The field lines in order.
    pub fields: Vec<Field>,
    /// How the body ends; never [`BodyLength::UntilClose`].
    pub body: BodyLength,
    /// Whether the client lets the connection live on.
    pub keep_alive: bool,
    /// Whether the client waits for 100 (Continue) before it sends the body.
    pub expect_continue: bool,
    /// Whether Connection has `upgrade` and there is an Upgrade field, or the request is an extended CONNECT.
    pub upgrade: bool,
    /// What an extended CONNECT (RFC 8441) asks to speak, such as `websocket`; empty in all other requests.
    pub protocol: Span,
    /// Whether TE lists `trailers`.
    pub te_trailers: bool,
    /// Bytes of the head with its empty line; 0 until one is complete.
    pub len: usize,
}

impl RequestHead {
    /// An empty head that holds no memory yet.
    pub fn new() -> Self {
        RequestHead {
            method: Method::Other,
            method_text: Span::EMPTY,
            version: Version::Http11,
            target: Span::EMPTY,
            form: TargetForm::Origin,
            authority: Span::EMPTY,
            path: Span::EMPTY,
            query: Span::EMPTY,
            has_query: false,
            fields: Vec::new(),
            body: BodyLength::None,
            keep_alive: false,
            expect_continue: false,
            upgrade: false,
            protocol: Span::EMPTY,
            te_trailers: false,
            len: 0,
        }
    }

    /// Forgets the last request but keeps the memory. The decoder does so first thing.
    pub fn clear(&mut self) {
        let mut fields = std::mem::take(&mut self.fields);
        fields.clear();
        *self = RequestHead {
            fields,
            ..RequestHead::new()
        };
    }

    /// The head together with the bytes it was decoded from.
    #[inline]
    pub fn view<'a>(&'a self, bytes: &'a [u8]) -> Request<'a> {
        Request { head: self, bytes }
    }
}

impl Default for RequestHead {
    fn default() -> Self {
        RequestHead::new()
    }
}

/// A request's head with its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The ranges.
    pub head: &'a RequestHead,
    /// What they are ranges of.
    pub bytes: &'a [u8],
}

impl<'a> Request<'a> {
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

    /// The raw path; `*` for the asterisk form.
    #[inline]
    pub fn path(self) -> &'a [u8] {
        match self.head.form {
            TargetForm::Asterisk => b"*",
            _ => self.head.path.of(self.bytes),
        }
    }

    /// The raw query without `?`.
    #[inline]
    pub fn query(self) -> &'a [u8] {
        self.head.query.of(self.bytes)
    }

    /// `host[:port]`, empty when there is none.
    #[inline]
    pub fn authority(self) -> &'a [u8] {
        self.head.authority.of(self.bytes)
    }

    /// The method.
    #[inline]
    pub fn method(self) -> Method {
        self.head.method
    }

    /// The method as sent.
    #[inline]
    pub fn method_text(self) -> &'a [u8] {
        self.head.method_text.of(self.bytes)
    }

    /// The raw value of the first cookie with exactly this name.
    pub fn cookie(self, name: &str) -> Option<&'a [u8]> {
        self.headers(Name::Cookie)
            .flat_map(|value| value.split(|byte| *byte == b';'))
            .find_map(|pair| pair_value(pair.trim_ascii(), name))
            .map(<[u8]>::trim_ascii)
    }

    /// The raw value of the first query parameter with exactly this (raw) name; empty when it has no `=`.
    pub fn query_param(self, name: &str) -> Option<&'a [u8]> {
        let wanted = name.as_bytes();
        self.query().split(|byte| *byte == b'&').find_map(|pair| {
            if pair == wanted && !wanted.is_empty() {
                return Some(b"".as_slice());
            }
            pair_value(pair, name)
        })
    }
}

/// What follows `name=`.
fn pair_value<'a>(pair: &'a [u8], name: &str) -> Option<&'a [u8]> {
    pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=")
}
