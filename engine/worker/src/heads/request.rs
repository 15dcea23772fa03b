//! The head of the request towards the upstream.

use engine_config::snapshot::{Gateway, HostHeader, Route};
use policy::context::Context;
use policy::identity::HeaderNames;
use protocol::grpc::{Framing, encode_timeout};
use protocol::http1::encode::{self, Passed};
use protocol::message::{BodyLength, Name, Request};

use super::forwarding::{self, is_forwarding};
use super::{content_type, is_handshake};
use crate::grpc::{self, Call};
use crate::removed::Removed;

/// What the request towards the upstream is made from.
pub(crate) struct Forwarded<'a> {
    pub(crate) request: Request<'a>,
    pub(crate) gateway: &'a Gateway,
    pub(crate) route: &'a Route,
    pub(crate) removed: &'a Removed,
    pub(crate) identity_names: &'a HeaderNames,
    pub(crate) context: &'a Context,
    /// Path and query to ask for.
    pub(crate) target: &'a [u8],
    /// The socket's peer is a trusted proxy: its forwarding fields are kept and appended to.
    pub(crate) trusted: bool,
    /// The socket's peer, as text.
    pub(crate) peer: &'a [u8],
    pub(crate) endpoint: &'a str,
    pub(crate) request_id: &'a [u8],
    /// The client came over TLS.
    pub(crate) secure: bool,
    /// The lines of a handshake for a tunnel, in place of those that came; mostly empty.
    pub(crate) handshake: &'a [u8],
    /// What it says as a call of gRPC, if it is one.
    pub(crate) call: Option<Asked>,
}

/// A call as the service is told of it.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) call: Call,
    /// Nanoseconds that it may take from now on, if that is bounded.
    pub(crate) left: Option<u64>,
    /// It goes over a stream, which frames it: what has come whole is given no length that the client did not say.
    pub(crate) framed: bool,
}

impl Asked {
    /// Whether the gateway has its own word for a field.
    fn replaces(&self, known: Name, name: &[u8]) -> bool {
        (self.call.translated && known == Name::ContentType)
            || name.eq_ignore_ascii_case(grpc::TIMEOUT.as_bytes())
    }

    fn lines(&self, request: Request<'_>, out: &mut Vec<u8>) {
        if let Some(left) = self.left {
            out.extend_from_slice(b"grpc-timeout: ");
            encode_timeout(left, out);
            out.extend_from_slice(b"\r\n");
        }
        if self.call.translated {
            content_type(request.header(Name::ContentType), Framing::Grpc, out);
            out.extend_from_slice(b"TE: trailers\r\n");
        }
    }
}

/// Appends the request head for the upstream to `out`.
pub(crate) fn request(f: &Forwarded<'_>, out: &mut Vec<u8>) {
    let head = f.request.head;
    encode::request_line(out, f.request.method_text(), f.target);
    let authority = f.request.authority();
    match &f.route.host_header {
        HostHeader::Client if !authority.is_empty() => encode::field(out, b"Host", authority),
        HostHeader::Set(host) => encode::field(out, b"Host", host.as_bytes()),
        HostHeader::Client | HostHeader::Upstream => {
            encode::field(out, b"Host", host_of_endpoint(f.endpoint))
        }
    }
    let id_name = f.gateway.request_id_header.as_bytes();
    let mut passed = Passed::new(f.request.bytes, out);
    for (field, name, value) in f.request.fields() {
        if field.hop_by_hop || is_replaced(field.known, f.trusted) {
            continue;
        }
        if field.known == Name::Cookie && f.removed.any_cookie() {
            cookies(passed.out(), f.removed, value);
            continue;
        }
        if name.eq_ignore_ascii_case(id_name)
            || f.identity_names.matches(name)
            || f.removed.header(name)
            || f.route.request_headers.drops(name)
            || (!f.trusted && is_forwarding(name))
            || (!f.handshake.is_empty() && is_handshake(name))
            || f.call.is_some_and(|it| it.replaces(field.known, name))
        {
            continue;
        }
        passed.field(field);
    }
    passed.finish();
    let translated = f.call.is_some_and(|it| it.call.translated);
    match head.body {
        _ if f.call.is_some_and(|it| it.framed) => {}
        BodyLength::Exact(n) => encode::field_u64(out, b"Content-Length", n),
        BodyLength::Chunked | BodyLength::Frames => {
            encode::field(out, b"Transfer-Encoding", b"chunked");
        }
        BodyLength::None | BodyLength::UntilClose => {}
    }
    if let Some(call) = f.call {
        call.lines(f.request, out);
    }
    if head.te_trailers && !translated {
        out.extend_from_slice(b"TE: trailers\r\nConnection: TE\r\n");
    }
    forwarding::fields(f, out);
    encode::field(out, id_name, f.request_id);
    f.context.identity.forward_lines(out);
    out.extend_from_slice(f.handshake);
    out.extend_from_slice(f.route.request_headers.lines());
    out.extend_from_slice(b"\r\n");
}

/// The Host that stands for an endpoint; a Unix socket has none.
fn host_of_endpoint(endpoint: &str) -> &[u8] {
    if endpoint.starts_with("unix:") {
        b"localhost"
    } else {
        endpoint.as_bytes()
    }
}

/// Fields that the gateway always writes itself, or that end at this hop.
fn is_replaced(name: Name, trusted: bool) -> bool {
    match name {
        Name::Host
        | Name::ContentLength
        | Name::TransferEncoding
        | Name::Expect
        | Name::Via
        | Name::XForwardedFor
        | Name::Forwarded => true,
        Name::XForwardedProto | Name::XForwardedHost => !trusted,
        _ => false,
    }
}

/// The Cookie field without the cookies that carried a credential.
fn cookies(out: &mut Vec<u8>, removed: &Removed, value: &[u8]) {
    let mut first = true;
    for pair in value.split(|b| *b == b';') {
        let pair = pair.trim_ascii();
        let name = pair.split(|b| *b == b'=').next().unwrap_or_default();
        if pair.is_empty() || removed.cookie(name) {
            continue;
        }
        out.extend_from_slice(if first { b"Cookie: " } else { b"; " });
        out.extend_from_slice(pair);
        first = false;
    }
    if !first {
        out.extend_from_slice(b"\r\n");
    }
}
