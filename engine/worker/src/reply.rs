//! The one table from a fault or refusal to the answer that a client sees.
//!
//! Status, short error text, cause in machine words and blame stand here once for the whole gateway
//! (invariant 8). The document is RFC 9457; `Proxy-Status` is RFC 9209.

use engine_config::snapshot::{ErrorFormat, Gateway, Route};
use engine_net::tls::Reason;
use policy::context::Context;
use policy::problem::{self, Problem};
use policy::verdict::{Refusal, RefusalKind};
use protocol::grpc::Framing;
use protocol::http1::{RequestError, encode};
use protocol::http2::ErrorCode;
use protocol::http2::head::HeadError;
use protocol::message::Version;
use protocol::websocket::{self, HandshakeError};

use crate::core::Core;
use crate::forward::PumpError;
use crate::heads;

mod grpc;

/// Why the gateway answers itself.
#[derive(Debug)]
pub(crate) enum Fault {
    BadRequest(RequestError),
    /// The same over HTTP/2.
    BadHead(HeadError),
    BadPath,
    /// A handshake for a WebSocket that is not one.
    BadHandshake(HandshakeError),
    /// A WebSocket where none is let through.
    WebsocketNotAllowed,
    /// A CONNECT for something else.
    UnknownProtocol,
    /// HTTP on a port where TLS is spoken.
    PlainOnTls,
    /// A host that this connection's certificate is not for.
    Misdirected,
    BadBody(&'static str),
    /// A call's time that is none.
    BadGrpcTimeout,
    NoRoute,
    /// With the value of `Allow`.
    MethodNotAllowed(Vec<u8>),
    Refused(Refusal),
    BodyTooLarge,
    HeadTimeout,
    BodyTimeout,
    BodyTooSlow,
    /// The client does not take the answer.
    ClientWriteTimeout,
    /// The client went away: nobody reads the answer, the log has 499.
    ClientGone,
    ConnectFailed,
    ConnectTimeout,
    FirstByteTimeout,
    ReadTimeout,
    WholeTimeout,
    /// The time that the client gave its call is over.
    GrpcTimeout,
    /// A stream of events or messages has been quiet for too long.
    StreamIdle,
    /// The TLS handshake with the service failed.
    UpstreamTls(Reason),
    UpstreamClosed,
    /// It ended the request's stream alone, with this.
    UpstreamReset(ErrorCode),
    UpstreamMalformed(&'static str),
    /// Over HTTP/2 it has not offered to take WebSockets.
    UpstreamTakesNoWebsocket,
    UpstreamWriteTimeout,
    NoEndpoint,
    PoolExhausted,
    InFlightLimit,
}

/// Whose fault it is: decides the metric and whether the upstream is counted as failing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Blame {
    Client,
    Upstream,
    Gateway,
}

/// One row of the table.
pub(crate) struct Row {
    pub(crate) status: u16,
    pub(crate) error: &'static str,
    pub(crate) cause: &'static str,
    pub(crate) detail: &'static str,
    pub(crate) blame: Blame,
}

const fn row(
    status: u16,
    error: &'static str,
    cause: &'static str,
    detail: &'static str,
    blame: Blame,
) -> Row {
    Row {
        status,
        error,
        cause,
        detail,
        blame,
    }
}

/// Why a handshake with a service failed, as the log and metrics say it.
fn tls_cause(reason: Reason) -> &'static str {
    match reason {
        Reason::UnknownIssuer => "upstream_tls_unknown_issuer",
        Reason::Expired => "upstream_tls_expired",
        Reason::WrongName => "upstream_tls_wrong_name",
        Reason::BadCertificate => "upstream_tls_bad_certificate",
        Reason::CertificateRefused => "upstream_tls_certificate_refused",
        Reason::NoSharedProtocol => "upstream_tls_no_shared_protocol",
        Reason::NoSharedVersion | Reason::NoSharedCipher => "upstream_tls_nothing_in_common",
        Reason::Closed => "upstream_tls_closed",
        _ => "upstream_tls_failed",
    }
}

impl Fault {
    /// The table.
    pub(crate) fn row(&self) -> Row {
        use Blame::{Client, Gateway, Upstream};
        match self {
            Fault::BadRequest(e) => {
                row(e.status(), short(e.status()), e.cause(), e.detail(), Client)
            }
            Fault::BadHead(e) => row(e.status(), short(e.status()), e.cause(), e.detail(), Client),
            Fault::BadPath => row(
                400,
                "Bad request",
                "bad_path",
                "The path can't be brought into canonical form.",
                Client,
            ),
            Fault::BadHandshake(e) => {
                row(e.status(), short(e.status()), e.cause(), e.detail(), Client)
            }
            Fault::WebsocketNotAllowed => row(
                403,
                "Forbidden",
                "websocket_not_allowed",
                "No WebSocket is let through here.",
                Client,
            ),
            Fault::UnknownProtocol => row(
                501,
                "Not implemented",
                "unknown_protocol",
                "This protocol is not served.",
                Client,
            ),
            Fault::PlainOnTls => row(
                400,
                "Bad request",
                "plain_http_on_tls",
                "This port speaks TLS: use https.",
                Client,
            ),
            Fault::Misdirected => row(
                421,
                "Misdirected request",
                "misdirected_request",
                "This connection's certificate is not for that host: make a new connection.",
                Client,
            ),
            Fault::BadBody(cause) => row(
                400,
                "Bad request",
                cause,
                "The body's framing is broken.",
                Client,
            ),
            Fault::BadGrpcTimeout => row(
                400,
                "Bad request",
                "bad_grpc_timeout",
                "grpc-timeout is not a time.",
                Client,
            ),
            Fault::NoRoute => row(
                404,
                "Not found",
                "no_route",
                "No route matches this request.",
                Client,
            ),
            Fault::MethodNotAllowed(_) => row(
                405,
                "Method not allowed",
                "method_not_allowed",
                "The resource doesn't allow this method.",
                Client,
            ),
            Fault::Refused(r) => row(
                r.kind.status(),
                r.kind.error(),
                r.kind.cause(),
                r.kind.detail(),
                Client,
            ),
            Fault::BodyTooLarge => row(
                413,
                "Payload too large",
                "body_too_large",
                "The body is larger than this route takes.",
                Client,
            ),
            Fault::HeadTimeout => row(
                408,
                "Request timeout",
                "header_timeout",
                "The request head did not arrive in time.",
                Client,
            ),
            Fault::BodyTimeout => row(
                408,
                "Request timeout",
                "body_timeout",
                "The request body stopped arriving.",
                Client,
            ),
            Fault::BodyTooSlow => row(
                408,
                "Request timeout",
                "min_body_rate",
                "The request body arrives too slowly.",
                Client,
            ),
            Fault::ClientWriteTimeout => row(
                499,
                "Client closed request",
                "write_timeout",
                "The client stopped taking the answer.",
                Client,
            ),
            Fault::ClientGone => row(
                499,
                "Client closed request",
                "client_gone",
                "The client went away.",
                Client,
            ),
            Fault::ConnectFailed => row(
                502,
                "Bad gateway",
                "connection_refused",
                "The service refused the connection.",
                Upstream,
            ),
            Fault::ConnectTimeout => row(
                504,
                "Gateway timeout",
                "connect_timeout",
                "The service took too long to accept a connection.",
                Upstream,
            ),
            Fault::FirstByteTimeout => row(
                504,
                "Gateway timeout",
                "first_byte_timeout",
                "The service took too long to begin its answer.",
                Upstream,
            ),
            Fault::ReadTimeout => row(
                504,
                "Gateway timeout",
                "read_timeout",
                "The service stopped in the middle of its answer.",
                Upstream,
            ),
            Fault::WholeTimeout => row(
                504,
                "Gateway timeout",
                "timeout",
                "The service took longer than the route allows.",
                Upstream,
            ),
            Fault::GrpcTimeout => row(
                504,
                "Gateway timeout",
                "grpc_timeout",
                "The time that the call was given is over.",
                Client,
            ),
            Fault::StreamIdle => row(
                504,
                "Gateway timeout",
                "stream_idle_timeout",
                "The stream has been quiet for too long.",
                Gateway,
            ),
            Fault::UpstreamWriteTimeout => row(
                504,
                "Gateway timeout",
                "write_timeout",
                "The service stopped taking the request.",
                Upstream,
            ),
            Fault::UpstreamTls(reason) => row(
                502,
                "Bad gateway",
                tls_cause(*reason),
                "The service could not be spoken to over TLS.",
                Upstream,
            ),
            Fault::UpstreamClosed => row(
                502,
                "Bad gateway",
                "connection_terminated",
                "The service closed the connection without an answer.",
                Upstream,
            ),
            Fault::UpstreamReset(_) => row(
                502,
                "Bad gateway",
                "upstream_reset",
                "The service gave the request up.",
                Upstream,
            ),
            Fault::UpstreamMalformed(cause) => row(
                502,
                "Bad gateway",
                cause,
                "The service's answer is not valid HTTP.",
                Upstream,
            ),
            Fault::UpstreamTakesNoWebsocket => row(
                502,
                "Bad gateway",
                "websocket_not_offered",
                "The service takes no WebSocket over HTTP/2.",
                Upstream,
            ),
            Fault::NoEndpoint => row(
                503,
                "Service unavailable",
                "no_healthy_endpoint",
                "No endpoint of the service is available.",
                Upstream,
            ),
            Fault::PoolExhausted => row(
                503,
                "Service unavailable",
                "pool_exhausted",
                "All connections to the service are in use.",
                Gateway,
            ),
            Fault::InFlightLimit => row(
                503,
                "Service unavailable",
                "in_flight_limit",
                "Too many requests to the service are in flight.",
                Gateway,
            ),
        }
    }

    /// The client's time-out that struck, for the listener's metric.
    pub(crate) fn client_timeout(&self) -> Option<&'static str> {
        matches!(
            self,
            Fault::HeadTimeout
                | Fault::BodyTimeout
                | Fault::BodyTooSlow
                | Fault::ClientWriteTimeout
        )
        .then(|| self.row().cause)
    }

    /// A fault after which the framing of the connection can't be trusted.
    pub(crate) fn breaks_framing(&self) -> bool {
        matches!(
            self,
            Fault::BadRequest(_)
                | Fault::BadHead(_)
                | Fault::BadBody(_)
                | Fault::BadPath
                | Fault::PlainOnTls
                | Fault::HeadTimeout
                | Fault::BodyTimeout
                | Fault::BodyTooSlow
                | Fault::ClientGone
                | Fault::ClientWriteTimeout
        )
    }

    /// Where a request body's journey towards the upstream ended.
    pub(crate) fn from_request_body(error: &PumpError) -> Fault {
        match error {
            PumpError::SourceClosed => Fault::ClientGone,
            PumpError::SourceTimeout => Fault::BodyTimeout,
            PumpError::SourceTooSlow => Fault::BodyTooSlow,
            PumpError::SourceMalformed(cause) => Fault::BadBody(cause),
            PumpError::TooLarge => Fault::BodyTooLarge,
            PumpError::SinkClosed => Fault::UpstreamClosed,
            PumpError::SinkTimeout => Fault::UpstreamWriteTimeout,
        }
    }

    /// Where a response body's journey towards the client ended.
    pub(crate) fn from_response_body(error: &PumpError) -> Fault {
        match error {
            PumpError::SourceClosed => Fault::UpstreamClosed,
            PumpError::SourceTimeout => Fault::ReadTimeout,
            PumpError::SourceMalformed(cause) => Fault::UpstreamMalformed(cause),
            PumpError::SourceTooSlow | PumpError::TooLarge => {
                Fault::UpstreamMalformed("body_too_large")
            }
            PumpError::SinkClosed => Fault::ClientGone,
            PumpError::SinkTimeout => Fault::ClientWriteTimeout,
        }
    }
}

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

/// The short text for a head that can't be taken.
fn short(status: u16) -> &'static str {
    match status {
        400 => "Bad request",
        414 => "URI too long",
        417 => "Expectation failed",
        426 => "Upgrade required",
        431 => "Request header fields too large",
        501 => "Not implemented",
        505 => "HTTP version not supported",
        _ => "Refused",
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
