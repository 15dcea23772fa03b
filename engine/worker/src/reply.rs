//! The answers that the gateway writes itself: refusals and faults as the table in `fault` has them, fixed answers, redirects.
//!
//! The document is RFC 9457; `Proxy-Status` is RFC 9209; to a gRPC call it is a status (`grpc`).

use engine_config::snapshot::{ErrorFormat, Gateway, Route};
use policy::context::Context;
use policy::problem::{self, Problem};
use policy::verdict::{Refusal, RefusalKind};
use protocol::grpc::Framing;
use protocol::http1::encode;
use protocol::message::Version;
use protocol::websocket;

use crate::core::Core;
use crate::heads;

mod fault;
mod grpc;

pub(crate) use fault::{Blame, Fault};

/// What an answer of our own is made from.
pub(crate) struct Reply<'a> {
    pub(crate) core: &'a Core,
    pub(crate) gateway: &'a Gateway,
    pub(crate) context: &'a Context,
    /// The route, where one matched.
    pub(crate) route: Option<&'a Route>,
    pub(crate) request_id: &'a [u8],
    /// The path as the client sent it; echoed encoded.
    pub(crate) path: &'a [u8],
    pub(crate) client: Version,
    /// How the client speaks gRPC, if it does.
    pub(crate) grpc: Option<Framing>,
    pub(crate) head_only: bool,
    pub(crate) keep_alive: bool,
}

/// Seconds a client is told to wait where nothing better is known.
const RETRY_AFTER: u64 = 1;

impl Reply<'_> {
    /// Writes the answer to a fault: head into `head`, problem document into `body`; a status for gRPC.
    pub(crate) fn fault(&self, fault: &Fault, head: &mut Vec<u8>, body: &mut Vec<u8>) {
        if let Some(framing) = self.grpc {
            return self.status(framing, fault, head, body);
        }
        let row = fault.row();
        body.clear();
        let problem = Problem {
            status: row.status,
            title: encode::reason(row.status),
            detail: row.detail,
            instance: self.path,
            error: row.error,
            request_id: self.request_id,
            extra: &[],
        };
        let content_type: &[u8] = match self.gateway.error_format {
            ErrorFormat::ProblemJson => {
                problem::write_problem(body, &problem);
                b"application/problem+json"
            }
            ErrorFormat::Text => {
                problem::write_text(body, &problem);
                b"text/plain; charset=utf-8"
            }
        };
        self.begin(row.status, head);
        self.explain(fault, head);
        self.end(content_type, head, body);
    }

    /// What stands in the head of a refusal beside its status.
    fn explain(&self, fault: &Fault, head: &mut Vec<u8>) {
        let row = fault.row();
        match fault {
            Fault::MethodNotAllowed(allow) => {
                encode::field(head, b"Allow", allow);
            }
            Fault::Refused(refusal) => challenge(refusal, head),
            // RFC 9110 section 15.5.22, RFC 6455 section 4.4.
            Fault::BadHandshake(_) if row.status == 426 => {
                head.extend_from_slice(b"Upgrade: websocket\r\nConnection: Upgrade\r\n");
                encode::field(
                    head,
                    b"Sec-WebSocket-Version",
                    websocket::VERSION.as_bytes(),
                );
            }
            _ if row.status == 503 => encode::field_u64(head, b"Retry-After", RETRY_AFTER),
            _ => {}
        }
        if matches!(row.status, 502..=504) {
            head.extend_from_slice(b"Proxy-Status: portcullis; error=");
            head.extend_from_slice(proxy_status(row.cause).as_bytes());
            head.extend_from_slice(b"; details=\"");
            head.extend_from_slice(row.cause.as_bytes());
            head.extend_from_slice(b"\"\r\n");
        }
    }

    /// Writes a route's own answer (`respond`), whose body is `body`.
    pub(crate) fn fixed(&self, status: u16, content_type: &[u8], head: &mut Vec<u8>, body: &[u8]) {
        self.begin(status, head);
        self.end(content_type, head, body);
    }

    /// Writes a redirect to `location`.
    pub(crate) fn redirect(&self, status: u16, location: &[u8], head: &mut Vec<u8>) {
        self.begin(status, head);
        encode::field(head, b"Location", location);
        self.end(b"", head, b"");
    }

    /// Writes the answer to `OPTIONS *` (RFC 9110 section 9.3.7): about the gateway, not a route.
    pub(crate) fn options(&self, head: &mut Vec<u8>) {
        self.begin(200, head);
        encode::field(
            head,
            b"Allow",
            b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
        );
        self.end(b"", head, b"");
    }

    fn begin(&self, status: u16, head: &mut Vec<u8>) {
        head.clear();
        encode::status_line(head, Version::Http11, status, None);
        head.extend_from_slice(b"Date: ");
        self.core.date(head);
        head.extend_from_slice(b"\r\n");
        encode::field(
            head,
            self.gateway.request_id_header.as_bytes(),
            self.request_id,
        );
        if let Some(route) = self.route {
            self.context
                .limits
                .write_headers(route.chain.limits(), head);
        }
    }

    fn end(&self, content_type: &[u8], head: &mut Vec<u8>, body: &[u8]) {
        self.end_with(content_type, head, Some(body));
    }

    /// As `end`; without a body there is no length either.
    fn end_with(&self, content_type: &[u8], head: &mut Vec<u8>, body: Option<&[u8]>) {
        if !content_type.is_empty() {
            encode::field(head, b"Content-Type", content_type);
        }
        // These never have a body, nor a length of one (RFC 9110 sections 8.6 and 15.3.5).
        let bodiless = matches!(head.get(9..12), Some(b"204" | b"304"));
        let body = body.filter(|_| !bodiless);
        if let Some(body) = body {
            encode::field_u64(head, b"Content-Length", body.len() as u64);
        }
        heads::persistence(head, self.client, self.keep_alive);
        head.extend_from_slice(b"\r\n");
        if let Some(body) = body.filter(|_| !self.head_only) {
            head.extend_from_slice(body);
        }
    }
}

/// What a refusal tells the client to do: authenticate, or wait.
fn challenge(refusal: &Refusal, head: &mut Vec<u8>) {
    if let RefusalKind::RateLimited { retry_after, .. } = refusal.kind {
        encode::field_u64(head, b"Retry-After", retry_after);
        return;
    }
    let start = head.len();
    head.extend_from_slice(b"WWW-Authenticate: ");
    if refusal.kind.www_authenticate(head, "portcullis") {
        head.extend_from_slice(b"\r\n");
    } else {
        head.truncate(start);
    }
}

/// The registered error token (RFC 9209 section 2.3) nearest to one of our causes.
fn proxy_status(cause: &str) -> &'static str {
    match cause {
        "connection_refused" => "connection_refused",
        "connection_terminated" | "upstream_reset" => "connection_terminated",
        "connect_timeout" => "connection_timeout",
        "first_byte_timeout" | "timeout" | "grpc_timeout" => "http_response_timeout",
        "read_timeout" | "stream_idle_timeout" => "connection_read_timeout",
        "write_timeout" => "connection_write_timeout",
        "no_healthy_endpoint" => "destination_unavailable",
        "pool_exhausted" | "in_flight_limit" => "connection_limit_reached",
        "websocket_not_offered"
        | "websocket_not_switched"
        | "websocket_other_protocol"
        | "websocket_bad_accept" => "http_upgrade_failed",
        _ => "http_protocol_error",
    }
}
