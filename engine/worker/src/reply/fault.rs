//! The one table from a fault or refusal to what a client sees of it.
//!
//! Status, short error text, cause in machine words and blame stand here once for the whole gateway (invariant 8).

use engine_net::tls::Reason;
use policy::verdict::Refusal;
use protocol::http1::RequestError;
use protocol::http2::ErrorCode;
use protocol::http2::head::HeadError;
use protocol::websocket::HandshakeError;

use crate::forward::PumpError;

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
    /// Clients are asked for other certificates than the one by which this one was let in, and its time is over.
    ClientDistrusted,
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
            Fault::ClientDistrusted => row(
                499,
                "Client closed request",
                "client_trust_changed",
                "Clients must show themselves anew.",
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
