//! Request heads: request line, target forms, Host, expectations.
//!
//! Checks run in the order of what they need: syntax, method, target, host, framing, expectation. Whatever is left
//! after them has one reading only.

use std::mem::MaybeUninit;

use super::{
    Decoded, MessageError, Survey, field_fault, span_within, survey, take_fields, window,
    worth_parsing,
};
use crate::http1::error::RequestError;
use crate::http1::framing::Facts;
use crate::limits::{HeadLimits, MAX_FIELDS};
use crate::message::{
    Method, RequestHead, Span, TargetForm, Version, is_token, is_valid_authority, same_authority,
};

/// Decodes the request head at the start of `bytes`. Empty lines before it are the caller's, see
/// [`leading_crlf`](super::leading_crlf); what follows it is not looked at. `head` is cleared first.
pub fn decode_request(
    bytes: &[u8],
    head: &mut RequestHead,
    limits: &HeadLimits,
) -> Result<Decoded, RequestError> {
    head.clear();
    let max_fields = limits.max_fields.min(MAX_FIELDS);
    let window = window(bytes, limits);
    match window {
        // httparse would skip these.
        [b'\r'] => return Ok(Decoded::Partial),
        [b'\r' | b'\n', ..] => return Err(RequestError::RequestLine),
        _ => {}
    }
    if !worth_parsing(window)
        && let Survey::Open { first_line } = survey(window, max_fields + 1)?
    {
        return partial(window, first_line, limits);
    }
    let mut storage = [const { MaybeUninit::uninit() }; MAX_FIELDS];
    let slots = storage.get_mut(..max_fields).unwrap_or_default();
    let mut parsed = httparse::Request::new(&mut []);
    match parsed.parse_with_uninit_headers(window, slots) {
        Ok(httparse::Status::Complete(len)) => {
            head.len = len;
            complete(bytes, &parsed, head, limits)?;
            Ok(Decoded::Complete)
        }
        Ok(httparse::Status::Partial) => match survey(window, max_fields + 1)? {
            Survey::Open { first_line } => partial(window, first_line, limits),
            Survey::Ended => Err(RequestError::RequestLine),
        },
        Err(error) => Err(diagnose(window, error, max_fields)),
    }
}

/// An incomplete head: is there still room for the rest of it?
fn partial(window: &[u8], first_line: bool, limits: &HeadLimits) -> Result<Decoded, RequestError> {
    let is_full = window.len() >= limits.max_head_bytes;
    if is_full || window.len() > limits.max_target_bytes {
        let target = target_so_far(window);
        let took_all = is_full && !first_line && !target.is_empty();
        if took_all || target.len() > limits.max_target_bytes {
            return Err(RequestError::TargetTooLong);
        }
    }
    if is_full {
        return Err(MessageError::HeadTooLarge.into());
    }
    Ok(Decoded::Partial)
}

/// What stands between the first space and the second, or the end of what has arrived.
fn target_so_far(window: &[u8]) -> &[u8] {
    let start = memchr::memchr(b' ', window).map_or(window.len(), |at| at + 1);
    let rest = window.get(start..).unwrap_or_default();
    match memchr::memchr(b' ', rest) {
        Some(end) => rest.get(..end).unwrap_or_default(),
        None => rest,
    }
}

fn complete(
    bytes: &[u8],
    parsed: &httparse::Request<'_, '_>,
    head: &mut RequestHead,
    limits: &HeadLimits,
) -> Result<(), RequestError> {
    let method = parsed.method.unwrap_or_default().as_bytes();
    let target = parsed.path.unwrap_or_default().as_bytes();
    head.method = Method::parse(method);
    head.method_text = span_within(bytes, method);
    head.target = span_within(bytes, target);
    head.version = match parsed.version {
        Some(0) => Version::Http10,
        _ => Version::Http11,
    };
    if target.len() > limits.max_target_bytes {
        return Err(RequestError::TargetTooLong);
    }
    let mut facts = Facts::default();
    take_fields(
        bytes,
        parsed.headers,
        head.len,
        &mut head.fields,
        &mut facts,
    )?;
    if head.method == Method::Connect {
        return Err(RequestError::Connect);
    }
    let scheme_port = take_target(target, head)?;
    check_host(bytes, &facts, scheme_port, head)?;
    head.body = facts.request_body(head.version)?;
    head.keep_alive = facts.keeps_alive(head.version);
    head.upgrade = facts.upgrades(head.version);
    head.te_trailers = facts.te_trailers;
    // RFC 9110 section 10.1.1: expectations of HTTP/1.0 clients are ignored.
    if facts.has_expect && head.version == Version::Http11 {
        if facts.unknown_expectation {
            return Err(RequestError::Expectation);
        }
        head.expect_continue = true;
    }
    Ok(())
}

/// Takes the target apart. Gives the default port of an absolute-form target's scheme.
fn take_target(target: &[u8], head: &mut RequestHead) -> Result<Option<u16>, RequestError> {
    if !target.is_ascii() || memchr::memchr(b'#', target).is_some() {
        return Err(RequestError::Target);
    }
    let base = head.target.start as usize;
    let span = |from: usize, to: usize| Span::new(base + from, base + to);
    let mark = memchr::memchr(b'?', target);
    head.has_query = mark.is_some();
    let path_end = mark.unwrap_or(target.len());
    head.query = span(mark.map_or(target.len(), |at| at + 1), target.len());
    if target.first() == Some(&b'/') {
        head.form = TargetForm::Origin;
        head.path = span(0, path_end);
        return Ok(None);
    }
    if target == b"*" && head.method == Method::Options {
        head.form = TargetForm::Asterisk;
        head.path = head.target;
        return Ok(None);
    }
    let (scheme, default_port) = scheme_of(target).ok_or(RequestError::Target)?;
    let start = scheme + b"://".len();
    let hierarchy = target.get(start..path_end).ok_or(RequestError::Target)?;
    let slash = memchr::memchr(b'/', hierarchy).map(|at| start + at);
    head.authority = span(start, slash.unwrap_or(path_end));
    head.form = match (slash, mark, head.method) {
        (None, None, Method::Options) => TargetForm::Asterisk,
        _ => TargetForm::Absolute,
    };
    head.path = match slash {
        Some(at) => span(at, path_end),
        // One of the slashes of `://` stands in for the path that isn't there.
        None => span(start - 1, start),
    };
    Ok(Some(default_port))
}

fn scheme_of(target: &[u8]) -> Option<(usize, u16)> {
    [(b"http".as_slice(), 80), (b"https", 443)]
        .into_iter()
        .find(|(scheme, _)| {
            let length = scheme.len();
            target
                .get(..length)
                .is_some_and(|text| text.eq_ignore_ascii_case(scheme))
                && target
                    .get(length..)
                    .is_some_and(|rest| rest.starts_with(b"://"))
        })
        .map(|(scheme, port)| (scheme.len(), port))
}

/// RFC 9112 section 3.2: one valid Host, which agrees with the target's authority if that has one.
fn check_host(
    bytes: &[u8],
    facts: &Facts,
    scheme_port: Option<u16>,
    head: &mut RequestHead,
) -> Result<(), RequestError> {
    if facts.repeated_host {
        return Err(RequestError::RepeatedHost);
    }
    if let Some(host) = facts.host
        && !is_valid_authority(host.of(bytes))
    {
        return Err(RequestError::Host);
    }
    if facts.host.is_none() && head.version != Version::Http10 {
        return Err(RequestError::MissingHost);
    }
    let Some(default_port) = scheme_port else {
        head.authority = facts.host.unwrap_or(Span::EMPTY);
        return Ok(());
    };
    let authority = head.authority.of(bytes);
    if !is_valid_authority(authority) {
        return Err(RequestError::Host);
    }
    match facts.host {
        Some(host) if !same_authority(authority, host.of(bytes), default_port) => {
            Err(RequestError::HostMismatch)
        }
        _ => Ok(()),
    }
}

/// Names what httparse found wrong.
#[cold]
fn diagnose(window: &[u8], error: httparse::Error, max_fields: usize) -> RequestError {
    let fault = |otherwise| field_fault(window, max_fields + 1, otherwise).into();
    match error {
        httparse::Error::TooManyHeaders => MessageError::TooManyFields.into(),
        httparse::Error::HeaderName => fault(MessageError::FieldName),
        httparse::Error::HeaderValue => fault(MessageError::FieldValue),
        _ => diagnose_line(window, max_fields),
    }
}

/// The fault lies in the request line, or in how it ends.
fn diagnose_line(window: &[u8], max_fields: usize) -> RequestError {
    let end = memchr::memchr2(b'\r', b'\n', window).unwrap_or(window.len());
    let mut words = window
        .get(..end)
        .unwrap_or_default()
        .split(|byte| *byte == b' ');
    let method = words.next().unwrap_or_default();
    if !is_token(method) {
        return RequestError::Method;
    }
    if let Err(fault) = survey(window, max_fields + 1) {
        return fault.into();
    }
    let (target, version) = (words.next().unwrap_or_default(), words.next());
    if !target.iter().all(u8::is_ascii_graphic) {
        return RequestError::Target;
    }
    match version {
        Some(text) if words.next().is_none() && is_other_version(text) => RequestError::Version,
        _ => RequestError::RequestLine,
    }
}

/// `HTTP/` and a digit, with a minor version or without, that isn't one we speak.
fn is_other_version(text: &[u8]) -> bool {
    match text.strip_prefix(b"HTTP/") {
        Some([b'1', b'.', b'0' | b'1']) => false,
        Some([major] | [major, b'.']) => major.is_ascii_digit(),
        Some([major, b'.', minor]) => major.is_ascii_digit() && minor.is_ascii_digit(),
        _ => false,
    }
}
