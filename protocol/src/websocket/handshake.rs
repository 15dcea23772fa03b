//! The opening handshake (RFC 6455 section 4), and what of it is left over HTTP/2 (RFC 8441).
//!
//! Between an HTTP/2 stream and an HTTP/1.1 connection the gateway translates: towards an endpoint it asks with a key
//! of its own and checks the proof in the answer; towards a client it gives the proof that the endpoint can't.

use std::fmt;

use super::sha1::sha1;
use crate::base64;
use crate::message::{BodyLength, Field, Method, Name, Request, Response, Version};

/// The one version of the protocol, as Sec-WebSocket-Version has it; an answer 426 says it too (section 4.4).
pub const VERSION: &str = "13";

/// What the proof is made from besides the key (section 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The value of Sec-WebSocket-Key: sixteen random bytes in base64.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key([u8; 24]);

/// The value of Sec-WebSocket-Accept: the proof that a key was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Accept([u8; 28]);

impl Key {
    /// A key of our own.
    pub fn from_random(random: [u8; 16]) -> Key {
        Key(encoded(&random))
    }

    /// A peer's key, if it is base64 for sixteen bytes.
    pub fn of(text: &[u8]) -> Option<Key> {
        let text = <[u8; 24]>::try_from(text).ok()?;
        let digits = text.strip_suffix(&[base64::PAD; 2])?;
        let are_digits = digits.iter().all(|byte| base64::value(*byte).is_some());
        are_digits.then_some(Key(text))
    }

    /// The proof for it (section 4.2.2).
    pub fn accept(&self) -> Accept {
        let mut text = Vec::with_capacity(self.0.len() + GUID.len());
        text.extend_from_slice(&self.0);
        text.extend_from_slice(GUID);
        Accept(encoded(&sha1(&text)))
    }

    /// As the field has it.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Accept {
    /// As the field has it.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Why a request for a WebSocket is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HandshakeError {
    /// The method is not GET.
    Method,
    /// The request has a body, which would be taken for frames.
    Body,
    /// Sec-WebSocket-Key is missing, stands there twice, or is not sixteen bytes in base64.
    Key,
    /// Sec-WebSocket-Version is not 13, once.
    Version,
}

impl HandshakeError {
    /// The status that answers it. 426 goes with `Sec-WebSocket-Version: 13` (section 4.2.2), and in HTTP/1.1 with
    /// `Upgrade: websocket` (RFC 9110 section 15.5.22).
    pub fn status(self) -> u16 {
        match self {
            HandshakeError::Version => 426,
            _ => 400,
        }
    }

    /// Machine word for logs.
    pub fn cause(self) -> &'static str {
        match self {
            HandshakeError::Method => "websocket_bad_method",
            HandshakeError::Body => "websocket_with_body",
            HandshakeError::Key => "websocket_bad_key",
            HandshakeError::Version => "websocket_bad_version",
        }
    }

    /// One sentence for the problem document.
    pub fn detail(self) -> &'static str {
        match self {
            HandshakeError::Method => "A WebSocket is asked for with GET.",
            HandshakeError::Body => "A request for a WebSocket has no body.",
            HandshakeError::Key => "Sec-WebSocket-Key is not valid.",
            HandshakeError::Version => "The WebSocket version is not supported.",
        }
    }
}

/// Why an endpoint's answer opens no WebSocket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AnswerError {
    /// The status is not 101: it is an answer like any other, to be passed on.
    Status,
    /// It switches to another protocol.
    Upgrade,
    /// Sec-WebSocket-Accept is not the proof for the key, once.
    Accept,
}

impl AnswerError {
    /// Machine word for logs.
    pub fn cause(self) -> &'static str {
        match self {
            AnswerError::Status => "websocket_not_switched",
            AnswerError::Upgrade => "websocket_other_protocol",
            AnswerError::Accept => "websocket_bad_accept",
        }
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail())
    }
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.cause())
    }
}

impl std::error::Error for HandshakeError {}
impl std::error::Error for AnswerError {}

/// The key of an HTTP/1.1 request that asks for a WebSocket (section 4.2.1); `None` when it doesn't ask, which includes
/// an Upgrade that Connection doesn't name and one in HTTP/1.0: those are to be ignored (RFC 9110 section 7.8).
pub fn asked(request: Request<'_>) -> Result<Option<Key>, HandshakeError> {
    let is_meant = request.headers(Name::Upgrade).any(lists(b"websocket"));
    if !is_meant || !request.head.upgrade || request.head.version != Version::Http11 {
        return Ok(None);
    }
    if request.method() != Method::Get {
        return Err(HandshakeError::Method);
    }
    if !matches!(request.head.body, BodyLength::None | BodyLength::Exact(0)) {
        return Err(HandshakeError::Body);
    }
    asked_by_connect(request)?;
    let key = single(request.fields(), b"sec-websocket-key").and_then(Key::of);
    key.map(Some).ok_or(HandshakeError::Key)
}

/// Checks what is left of the handshake in an extended CONNECT for `websocket` (RFC 8441 section 5): there is no key.
pub fn asked_by_connect(request: Request<'_>) -> Result<(), HandshakeError> {
    match single(request.fields(), b"sec-websocket-version") {
        Some(version) if version == VERSION.as_bytes() => Ok(()),
        _ => Err(HandshakeError::Version),
    }
}

/// Checks that an HTTP/1.1 answer opens the WebSocket that was asked for with this key (section 4.1). What it says of
/// subprotocol and extensions is between the two ends.
pub fn accepted(response: Response<'_>, key: &Key) -> Result<(), AnswerError> {
    if response.status() != 101 {
        return Err(AnswerError::Status);
    }
    let mut upgrades = response.headers(Name::Upgrade);
    let is_meant = match (upgrades.next(), upgrades.next()) {
        (Some(protocol), None) => protocol.eq_ignore_ascii_case(b"websocket"),
        _ => false,
    };
    if !is_meant || !response.headers(Name::Connection).any(lists(b"upgrade")) {
        return Err(AnswerError::Upgrade);
    }
    match single(response.fields(), b"sec-websocket-accept") {
        Some(proof) if proof == key.accept().as_bytes() => Ok(()),
        _ => Err(AnswerError::Accept),
    }
}

/// Whether a comma-separated list has this element, in any case.
fn lists(wanted: &[u8]) -> impl Fn(&[u8]) -> bool {
    move |list| {
        list.split(|byte| *byte == b',')
            .any(|it| it.trim_ascii().eq_ignore_ascii_case(wanted))
    }
}

/// The value of the field with this name, if there is one and not two.
fn single<'a>(
    mut fields: impl Iterator<Item = (&'a Field, &'a [u8], &'a [u8])>,
    wanted: &[u8],
) -> Option<&'a [u8]> {
    let is_meant = |name: &[u8]| name.eq_ignore_ascii_case(wanted);
    let (_, _, value) = fields.find(|(_, name, _)| is_meant(name))?;
    match fields.any(|(_, name, _)| is_meant(name)) {
        true => None,
        false => Some(value),
    }
}

/// In base64; `N` is the length that it has there.
fn encoded<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut text = Vec::with_capacity(N);
    base64::encode(bytes, &mut text);
    debug_assert_eq!(text.len(), N);
    <[u8; N]>::try_from(text).unwrap_or([base64::PAD; N])
}
