//! The heads that the gateway writes: the request towards an upstream and the response towards a client.
//!
//! Hop-by-hop fields and those named in Connection go first; then fields that clients may not set
//! (identity, forwarding, credentials); then the gateway adds its own (RFC 9110 section 7.6,
//! semantics page "Forwarding"). Body framing is written here from the decoded length, never copied.
//!
//! `request` and `response` compose the two; `target` is what the upstream is asked for, `forwarding` what it is told of
//! the client. Here is what both directions need.

mod forwarding;
mod request;
mod response;
mod target;

pub(crate) use forwarding::is_forwarding;
pub(crate) use request::{Asked, Forwarded, request};
pub(crate) use response::{Answered, interim, persistence, response};
pub(crate) use target::target;

use std::net::IpAddr;

use protocol::grpc::{ContentType, Framing};
use protocol::message::Version;

const VIA_2: &[u8] = b"2 portcullis";
const VIA_11: &[u8] = b"1.1 portcullis";
const VIA_10: &[u8] = b"1.0 portcullis";

/// What `Via` says of the gateway behind a message of this version (RFC 9110 section 7.6.3).
fn via(version: Version) -> &'static [u8] {
    match version {
        Version::Http10 => VIA_10,
        Version::Http11 => VIA_11,
        Version::Http2 => VIA_2,
    }
}

/// A Content-Type of gRPC in another framing.
fn content_type(came: Option<&[u8]>, framing: Framing, out: &mut Vec<u8>) {
    if let Some(came) = came.and_then(ContentType::parse) {
        out.extend_from_slice(b"Content-Type: ");
        came.write_as(framing, out);
        out.extend_from_slice(b"\r\n");
    }
}

/// The fields of a WebSocket's handshake that each connection has its own of (RFC 6455 section 4, RFC 8441 section 5).
fn is_handshake(name: &[u8]) -> bool {
    let ours: [&[u8]; 3] = [
        b"sec-websocket-key",
        b"sec-websocket-version",
        b"sec-websocket-accept",
    ];
    ours.iter().any(|it| name.eq_ignore_ascii_case(it))
}

/// Appends an address as text: dotted quads without formatting machinery, since each connection pays.
pub(crate) fn address(address: IpAddr, out: &mut Vec<u8>) {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let mut number = itoa::Buffer::new();
            for (i, octet) in v4.octets().into_iter().enumerate() {
                if i > 0 {
                    out.push(b'.');
                }
                out.extend_from_slice(number.format(octet).as_bytes());
            }
        }
        IpAddr::V6(v6) => {
            use std::io::Write;
            // Writing to a Vec can't fail.
            let _ = write!(out, "{v6}");
        }
    }
}
