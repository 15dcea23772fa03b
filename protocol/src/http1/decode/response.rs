//! Answers' heads: status line, and the checks that keep an upstream from answering more than it was asked.

use std::mem::MaybeUninit;

use super::{
    Decoded, MessageError, Survey, field_fault, survey, take_fields, window, worth_parsing,
};
use crate::http1::error::ResponseError;
use crate::http1::framing::Facts;
use crate::limits::{HeadLimits, MAX_FIELDS};
use crate::message::{Method, Name, ResponseHead, Span, Version};

/// Decodes the head of an answer to `request` at the start of `bytes`. Interim answers (1xx) are given like any other,
/// with no body; 101 is an error unless `limits.switching_protocols`. `head` is cleared first.
pub fn decode_response(
    bytes: &[u8],
    head: &mut ResponseHead,
    request: Method,
    limits: &HeadLimits,
) -> Result<Decoded, ResponseError> {
    head.clear();
    let max_fields = limits.max_fields.min(MAX_FIELDS);
    let window = window(bytes, limits);
    if let [b'\r' | b'\n', ..] = window {
        // httparse would skip these.
        return Err(ResponseError::StatusLine);
    }
    if !worth_parsing(window) && survey(window, max_fields + 1)? != Survey::Ended {
        return partial(window, limits);
    }
    let mut storage = [const { MaybeUninit::uninit() }; MAX_FIELDS];
    let slots = storage.get_mut(..max_fields).unwrap_or_default();
    let mut parsed = httparse::Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    match config.parse_response_with_uninit_headers(&mut parsed, window, slots) {
        Ok(httparse::Status::Complete(len)) => {
            head.len = len;
            complete(bytes, &parsed, head, request, limits)?;
            Ok(Decoded::Complete)
        }
        Ok(httparse::Status::Partial) => match survey(window, max_fields + 1)? {
            Survey::Open { .. } => partial(window, limits),
            Survey::Ended => Err(ResponseError::StatusLine),
        },
        Err(error) => Err(diagnose(window, error, max_fields)),
    }
}

fn partial(window: &[u8], limits: &HeadLimits) -> Result<Decoded, ResponseError> {
    if window.len() >= limits.max_head_bytes {
        return Err(MessageError::HeadTooLarge.into());
    }
    Ok(Decoded::Partial)
}

fn complete(
    bytes: &[u8],
    parsed: &httparse::Response<'_, '_>,
    head: &mut ResponseHead,
    request: Method,
    limits: &HeadLimits,
) -> Result<(), ResponseError> {
    head.version = match parsed.version {
        Some(0) => Version::Http10,
        _ => Version::Http11,
    };
    head.status = parsed.code.unwrap_or_default();
    head.reason = reason_span(bytes);
    if head.status < 100 {
        return Err(ResponseError::Status);
    }
    if head.status == 101 && !limits.switching_protocols {
        return Err(ResponseError::SwitchingProtocols);
    }
    let mut facts = Facts::default();
    take_fields(
        bytes,
        parsed.headers,
        head.len,
        &mut head.fields,
        &mut facts,
    )?;
    let (body, is_delimited) = facts.response_body(head.version, head.status, request)?;
    head.body = body;
    head.keep_alive = is_delimited && head.status != 101 && facts.keeps_alive(head.version);
    if matches!(head.status, 100..=199 | 204) {
        // RFC 9110 section 8.6: must not be sent; passed on, it would make a client wait for a body.
        for field in &mut head.fields {
            field.hop_by_hop |= field.known == Name::ContentLength;
        }
    }
    Ok(())
}

/// The reason phrase of a status line that httparse has accepted: after `HTTP/1.1 200 `, if anything.
/// (httparse hides a phrase with bytes outside of ASCII.)
fn reason_span(bytes: &[u8]) -> Span {
    const START: usize = b"HTTP/1.1 200 ".len();
    let line = bytes.get(START..).unwrap_or_default();
    match memchr::memchr(b'\n', bytes) {
        Some(end) if end > START => {
            let phrase = line.get(..end - START).unwrap_or_default();
            let phrase = phrase.strip_suffix(b"\r").unwrap_or(phrase);
            Span::new(START, START + phrase.len())
        }
        _ => Span::EMPTY,
    }
}

/// Names what httparse found wrong.
#[cold]
fn diagnose(window: &[u8], error: httparse::Error, max_fields: usize) -> ResponseError {
    let fault = |otherwise| field_fault(window, max_fields + 1, otherwise).into();
    match error {
        httparse::Error::TooManyHeaders => MessageError::TooManyFields.into(),
        httparse::Error::HeaderName => fault(MessageError::FieldName),
        httparse::Error::HeaderValue => fault(MessageError::FieldValue),
        httparse::Error::Version => ResponseError::Version,
        _ => match survey(window, max_fields + 1) {
            Err(fault) => fault.into(),
            Ok(_) => ResponseError::StatusLine,
        },
    }
}
