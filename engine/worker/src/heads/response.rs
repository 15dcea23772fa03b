//! The head of the response towards the client, and of the interim ones before it.

use engine_config::snapshot::{Gateway, Route};
use policy::context::Context;
use protocol::grpc::Framing;
use protocol::http1::encode::{self, Passed};
use protocol::message::{BodyLength, Name, Response, Version};

use super::{content_type, is_handshake, via};
use crate::core::Core;
use crate::forward::Outgoing;
use crate::grpc;

/// What the response towards the client is made from.
pub(crate) struct Answered<'a> {
    pub(crate) core: &'a Core,
    pub(crate) response: Response<'a>,
    pub(crate) gateway: &'a Gateway,
    pub(crate) route: &'a Route,
    pub(crate) context: &'a Context,
    pub(crate) request_id: &'a [u8],
    pub(crate) client: Version,
    /// The request was HEAD.
    pub(crate) head_only: bool,
    pub(crate) out: Outgoing,
    /// It is translated to this framing of gRPC.
    pub(crate) web: Option<Framing>,
    /// Whether the connection to the client lives on after this answer.
    pub(crate) keep_alive: bool,
    /// It becomes a tunnel, by this status and these lines.
    pub(crate) switched: Option<(u16, &'a [u8])>,
}

/// Appends the response head for the client to `out`.
pub(crate) fn response(a: &Answered<'_>, out: &mut Vec<u8>) {
    let status = a.response.status();
    match a.switched {
        Some((status, _)) => encode::status_line(out, Version::Http11, status, None),
        None => encode::status_line(out, Version::Http11, status, Some(a.response.reason())),
    }
    let id_name = a.gateway.request_id_header.as_bytes();
    let mut dated = false;
    // Two voices on what is left would contradict each other; the gateway's is the one it enforces.
    let limited = a.context.limits.remaining().is_some();
    let mut passed = Passed::new(a.response.bytes, out);
    for (field, name, _) in a.response.fields() {
        match field.known {
            _ if field.hop_by_hop => continue,
            Name::Via | Name::TransferEncoding => continue,
            // A length stands without a body in answers to HEAD and in 304 (RFC 9110 section 8.6).
            Name::ContentLength
                if status == 204 || !matches!(a.response.head.body, BodyLength::None) =>
            {
                continue;
            }
            Name::ContentType | Name::ContentLength if a.web.is_some() => continue,
            Name::Date => dated = true,
            _ => {}
        }
        if name.eq_ignore_ascii_case(id_name)
            || a.route.response_headers.drops(name)
            || (limited && is_limit(name))
            || (a.switched.is_some() && is_handshake(name))
            || (a.web.is_some() && grpc::is_status(name))
        {
            continue;
        }
        passed.field(field);
    }
    passed.finish();
    if let Some(framing) = a.web {
        content_type(a.response.header(Name::ContentType), framing, out);
    }
    if !dated {
        out.extend_from_slice(b"Date: ");
        a.core.date(out);
        out.extend_from_slice(b"\r\n");
    }
    match a.response.head.body {
        BodyLength::Exact(n) => encode::field_u64(out, b"Content-Length", n),
        BodyLength::Chunked | BodyLength::UntilClose | BodyLength::Frames
            if a.out == Outgoing::Chunked =>
        {
            encode::field(out, b"Transfer-Encoding", b"chunked");
        }
        // Its stream ended with the head, which HTTP/1.1 must be told in a field (RFC 9112 section 6.3).
        BodyLength::None
            if a.response.head.version == Version::Http2
                && a.client != Version::Http2
                && !a.head_only
                && a.switched.is_none()
                && a.web.is_none()
                && !matches!(status, 204 | 304)
                && a.response.header(Name::ContentLength).is_none() =>
        {
            encode::field(out, b"Content-Length", b"0");
        }
        _ => {}
    }
    out.extend_from_slice(b"Via: ");
    for value in a.response.headers(Name::Via) {
        out.extend_from_slice(value);
        out.extend_from_slice(b", ");
    }
    out.extend_from_slice(via(a.response.head.version));
    out.extend_from_slice(b"\r\n");
    encode::field(out, id_name, a.request_id);
    a.context.limits.write_headers(a.route.chain.limits(), out);
    out.extend_from_slice(a.route.response_headers.lines());
    match a.switched {
        Some((_, lines)) => out.extend_from_slice(lines),
        None => persistence(out, a.client, a.keep_alive),
    }
    out.extend_from_slice(b"\r\n");
}

/// The fields by which limits tell what is left.
fn is_limit(name: &[u8]) -> bool {
    let starts = |prefix: &[u8]| {
        name.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    starts(b"ratelimit") || starts(b"x-ratelimit-")
}

/// Appends an interim (1xx) response head with its fields to `out`.
pub(crate) fn interim(response: Response<'_>, out: &mut Vec<u8>) {
    encode::status_line(
        out,
        Version::Http11,
        response.status(),
        Some(response.reason()),
    );
    for (field, name, value) in response.fields() {
        if !field.hop_by_hop && !matches!(field.known, Name::ContentLength | Name::TransferEncoding)
        {
            encode::field(out, name, value);
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// Says whether the connection lives on, where that differs from the version's default.
pub(crate) fn persistence(out: &mut Vec<u8>, client: Version, keep_alive: bool) {
    if !keep_alive {
        out.extend_from_slice(b"Connection: close\r\n");
    } else if client == Version::Http10 {
        out.extend_from_slice(b"Connection: keep-alive\r\n");
    }
}
