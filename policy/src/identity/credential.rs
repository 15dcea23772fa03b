//! Where a request carries its credential: a header, a cookie or a query parameter.
//!
//! Reads raw bytes and judges none of them, with one exception: two credentials of the same
//! kind are an error, since gateway and upstream could each take another one.

use protocol::message::{Name, Request};

/// Where to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `Authorization: Bearer …`, the scheme in any case.
    Bearer,
    /// The whole value of a header.
    Header(Box<str>),
    /// A cookie.
    Cookie(Box<str>),
    /// A query parameter.
    Query(Box<str>),
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// Nothing.
    Missing,
    /// One credential.
    One(&'a [u8]),
    /// Several where one may stand.
    Repeated,
}

impl Source {
    /// Parses `header`, `header:NAME`, `cookie:NAME` or `query:NAME`; `header` alone (and
    /// `header:Authorization`) is the bearer token of RFC 6750.
    pub fn parse(text: &str) -> Result<Source, String> {
        let (kind, name) = match text.split_once(':') {
            Some((kind, name)) => (kind.trim(), name.trim()),
            None => (text.trim(), ""),
        };
        if !name.bytes().all(is_token_byte) {
            return Err(format!("`{name}` is not a name that a {kind} can have"));
        }
        match (kind, name) {
            ("header", "") => Ok(Source::Bearer),
            ("header", name) if name.eq_ignore_ascii_case("authorization") => Ok(Source::Bearer),
            ("header", name) => Ok(Source::Header(name.into())),
            ("cookie", "") => Err("`cookie` needs a name: `cookie:session`".to_owned()),
            ("cookie", name) => Ok(Source::Cookie(name.into())),
            ("query", "") => Err("`query` needs a name: `query:access_token`".to_owned()),
            ("query", name) => Ok(Source::Query(name.into())),
            _ => Err(format!(
                "expected `header`, `header:NAME`, `cookie:NAME` or `query:NAME`, found `{text}`"
            )),
        }
    }

    /// Reads the credential of a request.
    #[inline]
    pub fn read<'a>(&self, request: Request<'a>) -> Found<'a> {
        match self {
            Source::Bearer => bearer(request),
            Source::Header(name) => {
                let values = request
                    .fields()
                    .filter(|(_, known, _)| known.eq_ignore_ascii_case(name.as_bytes()))
                    .map(|(_, _, value)| value);
                only(values)
            }
            Source::Cookie(name) => only(cookies(request, name.as_bytes())),
            Source::Query(name) => only(parameters(request.query(), name.as_bytes())),
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Bearer => f.write_str("header Authorization: Bearer"),
            Source::Header(name) => write!(f, "header {name}"),
            Source::Cookie(name) => write!(f, "cookie {name}"),
            Source::Query(name) => write!(f, "query parameter {name}"),
        }
    }
}

/// Reads the first source that has something.
#[inline]
pub fn read<'a>(sources: &[Source], request: Request<'a>) -> Found<'a> {
    for source in sources {
        let found = source.read(request);
        if found != Found::Missing {
            return found;
        }
    }
    Found::Missing
}

/// The bearer token of RFC 6750 section 2.1. Another scheme is no bearer token at all.
#[inline]
fn bearer(request: Request<'_>) -> Found<'_> {
    match only(request.headers(Name::Authorization)) {
        Found::One(value) => found(bearer_token(value)),
        other => other,
    }
}

/// What follows `Bearer` and its spaces.
#[inline]
fn bearer_token(value: &[u8]) -> Option<&[u8]> {
    // As nearly everyone spells it.
    if let Some(rest) = value.strip_prefix(b"Bearer ") {
        return Some(rest.trim_ascii());
    }
    let (scheme, rest) = value.split_at_checked(b"bearer".len())?;
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return None;
    }
    match rest.first() {
        Some(b' ') => Some(rest.trim_ascii()),
        _ => None,
    }
}

/// Values of a cookie (RFC 6265 section 4.2.1), over all `Cookie` fields.
fn cookies<'a>(request: Request<'a>, name: &[u8]) -> impl Iterator<Item = &'a [u8]> {
    request
        .headers(Name::Cookie)
        .flat_map(|value| value.split(|byte| *byte == b';'))
        .filter_map(move |pair| pair.trim_ascii().strip_prefix(name)?.strip_prefix(b"="))
}

/// Values of a query parameter, raw.
fn parameters<'a>(query: &'a [u8], name: &[u8]) -> impl Iterator<Item = &'a [u8]> {
    query.split(|byte| *byte == b'&').filter_map(move |pair| {
        let rest = pair.strip_prefix(name)?;
        match rest {
            [] => Some(rest),
            [b'=', value @ ..] => Some(value),
            _ => None,
        }
    })
}

#[inline]
fn only<'a>(mut values: impl Iterator<Item = &'a [u8]>) -> Found<'a> {
    let first = values.next();
    match (first, values.next()) {
        (_, Some(_)) => Found::Repeated,
        (first, None) => found(first),
    }
}

/// An empty credential is none.
fn found(value: Option<&[u8]>) -> Found<'_> {
    match value {
        Some(value) if !value.is_empty() => Found::One(value),
        _ => Found::Missing,
    }
}

/// `tchar` of RFC 9110 section 5.6.2.
pub(crate) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
