//! The compact serialization (RFC 7515 section 7.1) taken apart, and its header judged.
//!
//! Exactly three segments of strict base64url: no padding, no other alphabet, no bits left
//! over. One byte string means one token; the cache and the signature both rest on that.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::{Rejection, json};
use crate::crypto::{Algorithm, Signature};

/// Longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 8192;

/// Longest header, in bytes of base64url.
const MAX_HEADER: usize = 2048;

/// The values of `typ` that mean an access token. Tokens made for other ends (`logout+jwt`,
/// `dpop+jwt`, `secevent+jwt`) must not pass as one (RFC 8725 section 3.11).
const TYPES: [&str; 2] = ["jwt", "at+jwt"];

/// A token taken apart; nothing in it is trusted yet.
pub(super) struct Token<'a> {
    pub(super) header: Header,
    /// Header, dot and payload: what the signature is over.
    pub(super) signed: &'a [u8],
    payload: Vec<u8>,
    signature: &'a str,
    signature_bytes: Vec<u8>,
}

/// What the header says.
pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
}

impl<'a> Token<'a> {
    pub(super) fn parse(token: &'a [u8]) -> Result<Token<'a>, Rejection> {
        if token.len() > MAX_TOKEN {
            return Err(Rejection::Invalid("token_too_long"));
        }
        let malformed = Rejection::Invalid("malformed_token");
        let text = std::str::from_utf8(token).map_err(|_| malformed)?;
        let (signed, signature) = text.rsplit_once('.').ok_or(malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(malformed)?;
        if header.is_empty() || header.len() > MAX_HEADER || payload.is_empty() {
            return Err(malformed);
        }
        let header = Header::parse(&decode(header).ok_or(malformed)?)?;
        if signature.is_empty() {
            return Err(malformed);
        }
        Ok(Token {
            header,
            signed: signed.as_bytes(),
            payload: decode(payload).ok_or(malformed)?,
            signature,
            signature_bytes: decode(signature).ok_or(malformed)?,
        })
    }

    pub(super) fn signature(&self) -> Signature<'_> {
        Signature {
            text: self.signature,
            bytes: &self.signature_bytes,
        }
    }

    /// The claims set. To be asked for only after the signature held.
    pub(super) fn claims(&self) -> Result<Map<String, Value>, Rejection> {
        json::object(&self.payload).ok_or(Rejection::Invalid("malformed_claims"))
    }
}

impl Header {
    fn parse(bytes: &[u8]) -> Result<Header, Rejection> {
        let malformed = Rejection::Invalid("malformed_header");
        let header = json::object(bytes).ok_or(malformed)?;
        // RFC 7515 section 4.1.11: an extension that is critical and not understood. None is.
        if header.contains_key("crit") {
            return Err(Rejection::Invalid("critical_header"));
        }
        if header
            .get("b64")
            .is_some_and(|b64| *b64 != Value::Bool(true))
        {
            return Err(Rejection::Invalid("unencoded_payload"));
        }
        match header.get("typ") {
            None => {}
            Some(Value::String(typ)) if is_access_token(typ) => {}
            Some(_) => return Err(Rejection::Invalid("wrong_type")),
        }
        let algorithm = match header.get("alg") {
            Some(Value::String(name)) => Algorithm::parse(name),
            _ => return Err(malformed),
        };
        let kid = match header.get("kid") {
            None => None,
            Some(Value::String(kid)) => Some(kid.clone()),
            Some(_) => return Err(malformed),
        };
        Ok(Header {
            algorithm: algorithm.ok_or(Rejection::Invalid("unsupported_algorithm"))?,
            kid,
        })
    }
}

/// `JWT` or `at+jwt`, with or without `application/`, in any case (RFC 7515 section 4.1.9).
fn is_access_token(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    let short = typ.strip_prefix("application/").unwrap_or(&typ);
    TYPES.contains(&short)
}

/// Strict base64url.
fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
