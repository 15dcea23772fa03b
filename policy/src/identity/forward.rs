//! `forward_claims`: which facts about a client become headers of the request upstream.
//!
//! The lines are encoded once, when the identity is established, and appended as they are on
//! each request. A value that could break out of its line, or that another parser would read
//! as something else, is never forwarded.

use super::credential::is_token_byte;

/// Longest value that is forwarded, in bytes, unless another bound is given.
pub const MAX_VALUE: usize = 4096;

/// Headers that frame, route or authenticate a message: no claim may set them.
const RESERVED: [&str; 22] = [
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-request-id",
];

/// One `claim -> Header`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardClaim {
    /// The claim: a name, or a path with dots.
    pub claim: Box<str>,
    /// The header.
    pub header: Box<str>,
}

impl ForwardClaim {
    /// Parses `"sub -> X-User-ID"`.
    pub fn parse(text: &str) -> Result<ForwardClaim, String> {
        let Some((claim, header)) = text.split_once("->") else {
            return Err(format!("expected `claim -> Header-Name`, found `{text}`"));
        };
        let (claim, header) = (claim.trim(), header.trim());
        if claim.is_empty() {
            return Err(format!("no claim stands before `->` in `{text}`"));
        }
        if header.is_empty() || !header.bytes().all(is_token_byte) {
            return Err(format!("`{header}` is not the name of a header"));
        }
        let folded = header.to_ascii_lowercase().replace('_', "-");
        if RESERVED.contains(&folded.as_str()) {
            return Err(format!("`{header}` is a header that no claim may set"));
        }
        Ok(ForwardClaim {
            claim: claim.into(),
            header: header.into(),
        })
    }

    /// What a verifier forwards unless it is told otherwise.
    pub fn defaults() -> Vec<ForwardClaim> {
        [("sub", "X-User-ID"), ("tenant", "X-Tenant-ID")]
            .map(ForwardClaim::from)
            .into()
    }
}

impl From<(&str, &str)> for ForwardClaim {
    /// From claim and header.
    fn from((claim, header): (&str, &str)) -> ForwardClaim {
        ForwardClaim {
            claim: claim.into(),
            header: header.into(),
        }
    }
}

/// Two entries that set the same header, if there are any.
pub fn duplicate_header(claims: &[ForwardClaim]) -> Option<&str> {
    let fold = |name: &str| name.to_ascii_lowercase().replace('_', "-");
    claims.iter().enumerate().find_map(|(at, claim)| {
        let mut earlier = claims.iter().take(at);
        earlier
            .any(|other| fold(&other.header) == fold(&claim.header))
            .then_some(&*claim.header)
    })
}

/// Appends `Name: value` and CRLF, and says whether the value allowed it: not empty, not too
/// long, no control byte, and no blank at either end (which the next parser would cut off,
/// making one identity of two).
pub fn write_line(out: &mut Vec<u8>, header: &str, value: &str) -> bool {
    write_line_within(out, header, value, MAX_VALUE)
}

/// The same with another bound.
pub fn write_line_within(out: &mut Vec<u8>, header: &str, value: &str, most: usize) -> bool {
    let bytes = value.as_bytes();
    let blank = |byte: Option<&u8>| matches!(byte, None | Some(b' '));
    let control = |byte: &u8| *byte < 0x20 || *byte == 0x7f;
    if bytes.len() > most
        || blank(bytes.first())
        || blank(bytes.last())
        || bytes.iter().any(control)
    {
        return false;
    }
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
    true
}
