//! The heads that the gateway writes: the request towards an upstream and the response towards a client.
//!
//! Hop-by-hop fields and those named in Connection go first; then fields that clients may not set
//! (identity, forwarding, credentials); then the gateway adds its own (RFC 9110 section 7.6,
//! semantics page "Forwarding"). Body framing is written here from the decoded length, never copied.

use std::net::IpAddr;

use engine_config::snapshot::{Gateway, HostHeader, Route};
use policy::context::Context;
use policy::identity::HeaderNames;
use protocol::grpc::{ContentType, Framing, encode_timeout};
use protocol::http1::encode::{self, Passed};
use protocol::message::{BodyLength, Name, Request, Response, TargetForm, Version};

use crate::core::Core;
use crate::forward::Outgoing;
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

/// A Content-Type of gRPC in another framing.
fn content_type(came: Option<&[u8]>, framing: Framing, out: &mut Vec<u8>) {
    if let Some(came) = came.and_then(ContentType::parse) {
        out.extend_from_slice(b"Content-Type: ");
        came.write_as(framing, out);
        out.extend_from_slice(b"\r\n");
    }
}

const VIA_2: &[u8] = b"2 portcullis";
const VIA_11: &[u8] = b"1.1 portcullis";
const VIA_10: &[u8] = b"1.0 portcullis";

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
    appended(out, f.request, Name::Via, b"Via", via(head.version), true);
    appended(
        out,
        f.request,
        Name::XForwardedFor,
        b"X-Forwarded-For",
        f.peer,
        f.trusted,
    );
    // A trusted proxy's word on host and protocol stands; it alone knows what the client said. What
    // it declared to be for this hop alone does not count.
    let came = |request: Request<'_>, name| {
        request
            .fields()
            .any(|(field, _, _)| field.known == name && !field.hop_by_hop)
    };
    if !f.trusted || !came(f.request, Name::XForwardedProto) {
        let line: &[u8] = match f.secure {
            true => b"X-Forwarded-Proto: https\r\n",
            false => b"X-Forwarded-Proto: http\r\n",
        };
        out.extend_from_slice(line);
    }
    if !authority.is_empty() && (!f.trusted || !came(f.request, Name::XForwardedHost)) {
        encode::field(out, b"X-Forwarded-Host", authority);
    }
    forwarded(out, f);
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

/// Whether a name belongs to those by which proxies tell of the client, so that only a trusted proxy
/// may set it. `_` counts as `-`: some origins read both as one.
pub(crate) fn is_forwarding(name: &[u8]) -> bool {
    let is = |prefix: &[u8]| {
        name.get(..prefix.len()).is_some_and(|start| {
            start.iter().zip(prefix).all(|(a, b)| {
                let a = if *a == b'_' {
                    b'-'
                } else {
                    a.to_ascii_lowercase()
                };
                a == *b
            })
        })
    };
    match name.first() {
        Some(b'x' | b'X') => is(b"x-forwarded-") || (name.len() == 9 && is(b"x-real-ip")),
        _ => false,
    }
}

/// One field line that continues what came, if that may be believed, with an element of our own.
fn appended(
    out: &mut Vec<u8>,
    request: Request<'_>,
    known: Name,
    name: &[u8],
    element: &[u8],
    keep: bool,
) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    if keep {
        for value in request.headers(known) {
            if !value.is_empty() {
                out.extend_from_slice(value);
                out.extend_from_slice(b", ");
            }
        }
    }
    out.extend_from_slice(element);
    out.extend_from_slice(b"\r\n");
}

/// `Forwarded` (RFC 7239), with the address quoted where its grammar asks for it.
fn forwarded(out: &mut Vec<u8>, f: &Forwarded<'_>) {
    out.extend_from_slice(b"Forwarded: ");
    if f.trusted {
        for value in f.request.headers(Name::Forwarded) {
            out.extend_from_slice(value);
            out.extend_from_slice(b", ");
        }
    }
    let v6 = f.peer.contains(&b':');
    out.extend_from_slice(if v6 { b"for=\"[" } else { b"for=" });
    out.extend_from_slice(f.peer);
    if v6 {
        out.extend_from_slice(b"]\"");
    }
    let authority = f.request.authority();
    if !authority.is_empty() {
        out.extend_from_slice(b";host=\"");
        out.extend_from_slice(authority);
        out.push(b'"');
    }
    out.extend_from_slice(if f.secure {
        b";proto=https\r\n"
    } else {
        b";proto=http\r\n"
    });
}

/// What `Via` says of the gateway behind a message of this version (RFC 9110 section 7.6.3).
fn via(version: Version) -> &'static [u8] {
    match version {
        Version::Http10 => VIA_10,
        Version::Http11 => VIA_11,
        Version::Http2 => VIA_2,
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

/// The fields of a WebSocket's handshake that each connection has its own of (RFC 6455 section 4, RFC 8441 section 5).
fn is_handshake(name: &[u8]) -> bool {
    let ours: [&[u8]; 3] = [
        b"sec-websocket-key",
        b"sec-websocket-version",
        b"sec-websocket-accept",
    ];
    ours.iter().any(|it| name.eq_ignore_ascii_case(it))
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

/// The target to ask the upstream for: the canonical path as the route re-writes it, then the query
/// without the parameters that carried a credential.
pub(crate) fn target(
    request: Request<'_>,
    path: &[u8],
    route: &Route,
    removed: &Removed,
    captures: &policy::route::Captures,
    out: &mut Vec<u8>,
) {
    out.clear();
    if request.head.form == TargetForm::Asterisk {
        out.push(b'*');
        return;
    }
    if let Some(rewrite) = &route.rewrite {
        rewrite.apply(path, captures, out);
    } else if let Some(prefix) = &route.strip_prefix {
        out.extend_from_slice(policy::route::strip_prefix(path, prefix).unwrap_or(path));
    } else {
        out.extend_from_slice(path);
    }
    if out.first() != Some(&b'/') {
        out.insert(0, b'/');
    }
    if !request.head.has_query {
        return;
    }
    // A rewrite may have brought a query of its own.
    let joint = if out.contains(&b'?') { b'&' } else { b'?' };
    if !removed.any_query() {
        out.push(joint);
        out.extend_from_slice(request.query());
        return;
    }
    let mut separator = joint;
    for pair in request.query().split(|b| *b == b'&') {
        let name = pair.split(|b| *b == b'=').next().unwrap_or_default();
        if !removed.query(name) {
            out.push(separator);
            out.extend_from_slice(pair);
            separator = b'&';
        }
    }
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
