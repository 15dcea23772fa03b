//! Heads and chunks as tables of bytes and exact outcomes, by the page of RFC 9112 they belong to.

mod properties;
mod request;
mod response;
mod smuggling;

use super::*;
use crate::limits::HeadLimits;
use crate::message::{Field, Method, RequestHead, ResponseHead};

const LIMITS: HeadLimits = HeadLimits::DEFAULT;

/// Decodes a request from all its bytes at once.
fn request(bytes: impl AsRef<[u8]>) -> Result<(Decoded, RequestHead), RequestError> {
    let mut head = RequestHead::new();
    let decoded = decode_request(bytes.as_ref(), &mut head, &LIMITS)?;
    Ok((decoded, head))
}

/// Decodes a request that must be complete.
fn good_request(bytes: impl AsRef<[u8]>) -> RequestHead {
    let bytes = bytes.as_ref();
    match request(bytes) {
        Ok((Decoded::Complete, head)) => head,
        other => panic!("{}: {other:?}", bytes.escape_ascii()),
    }
}

/// What byte-by-byte decoding says in the end: it must be what decoding at once says, and no prefix may be complete.
fn request_grown(bytes: &[u8]) -> Result<Decoded, RequestError> {
    let mut head = RequestHead::new();
    for end in 0..bytes.len() {
        let decoded = decode_request(&bytes[..end], &mut head, &LIMITS)?;
        if decoded == Decoded::Complete {
            return Ok(decoded);
        }
    }
    decode_request(bytes, &mut head, &LIMITS)
}

/// A bad request is refused with exactly this, all at once, followed by more, and byte by byte (there, an earlier byte
/// may already give away another fault, but never may it be accepted).
fn bad_request(bytes: impl AsRef<[u8]>, expected: RequestError) {
    let bytes = bytes.as_ref();
    let got = request(bytes).map(|(decoded, _)| decoded);
    assert_eq!(got, Err(expected), "{}", bytes.escape_ascii());
    let grown = request_grown(bytes);
    assert!(grown.is_err(), "{}: {grown:?}", bytes.escape_ascii());
    let mut more = bytes.to_vec();
    more.extend_from_slice(b"GET / HTTP/1.1\r\nHost: b\r\n\r\n");
    let got = request(&more).map(|(decoded, _)| decoded);
    assert!(got.is_err(), "{}: {got:?}", more.escape_ascii());
}

/// `GET / HTTP/1.1`, Host, these lines, and the end.
fn with_lines(lines: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n")
}

fn response(
    request: Method,
    bytes: impl AsRef<[u8]>,
) -> Result<(Decoded, ResponseHead), ResponseError> {
    let mut head = ResponseHead::new();
    let decoded = decode_response(bytes.as_ref(), &mut head, request, &LIMITS)?;
    Ok((decoded, head))
}

fn good_response(request: Method, bytes: impl AsRef<[u8]>) -> ResponseHead {
    let bytes = bytes.as_ref();
    match response(request, bytes) {
        Ok((Decoded::Complete, head)) => head,
        other => panic!("{}: {other:?}", bytes.escape_ascii()),
    }
}

fn bad_response(bytes: impl AsRef<[u8]>, expected: ResponseError) {
    let bytes = bytes.as_ref();
    let got = response(Method::Get, bytes).map(|(decoded, _)| decoded);
    assert_eq!(got, Err(expected), "{}", bytes.escape_ascii());
}

/// Names of the fields that may be forwarded.
fn end_to_end(fields: &[Field], bytes: &[u8]) -> Vec<String> {
    fields
        .iter()
        .filter(|field| !field.hop_by_hop)
        .map(|field| String::from_utf8_lossy(field.name.of(bytes)).into_owned())
        .collect()
}
