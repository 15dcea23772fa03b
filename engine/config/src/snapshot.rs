//! What a configuration means: the immutable value that workers and control act on.
//!
//! Everything here is resolved: names have become indices, texts have become compiled policies,
//! defaults are filled in. What a file says, and where, lives in `text.rs` and `said.rs`; nothing
//! here remembers it. Invariant: every index in a snapshot is in range of the list it points into.

use policy::address::Set;
use policy::chain::Chain;
use policy::headers::Edits;
use policy::route::Rewrite;
pub use policy_keys::{Address, Duration, Secret};
use std::path::PathBuf;
use std::sync::Arc;

pub use crate::keys::access_log::{Full, LogFormat};
pub use crate::keys::gateway::{DriverChoice, ErrorFormat, LogLevel};
pub use crate::keys::listener::Protocol;
pub use crate::keys::upstream::{ProxyHeader, UpstreamProtocol};
pub use health::{HealthCheck, Probe};
pub use passthrough::Passthrough;
pub use tls::{
    Certificate, ClientCertificates, Der, Digest, Identity, KeyForm, KeyKind, ListenerTls,
    PrivateKey, TlsGroup, TlsVersion, UpstreamTls,
};

mod health;
pub(crate) mod passthrough;
mod share;
pub(crate) mod tls;

/// A whole configuration, checked and compiled.
pub struct Snapshot {
    /// 12 hex digits of the SHA-256 of the canonical form; equal for equal meanings.
    pub hash: String,
    /// What is right but looks like a mistake; one rendered message each.
    pub warnings: Vec<String>,
    /// `[gateway]`.
    pub gateway: Gateway,
    /// `[admin]`; `None`: no admin listener.
    pub admin: Option<Admin>,
    /// Every `[listener.NAME]`, in name order; `Listener::id` is the index.
    pub listeners: Vec<Listener>,
    /// Every `[certificate.NAME]`, in name order; `Certificate::id` is the index.
    pub certificates: Vec<Arc<Certificate>>,
    /// Every `[upstream.NAME]`, in name order; `Upstream::id` is the index.
    pub upstreams: Vec<Upstream>,
    /// Every `[access_log.NAME]`, in name order; `AccessLog::id` is the index.
    pub access_logs: Vec<AccessLog>,
    /// Every `[route.NAME]`, in name order; `Route::id` is the index, and what `table` finds.
    pub routes: Vec<Route>,
    /// What each of `routes` matches, by the same index; the data path uses `table` alone.
    pub rules: Vec<policy::route::Rule>,
    /// The look-up over `routes`.
    pub table: policy::route::Table,
    /// The identity headers that are stripped from what clients send, on every route.
    pub identity_headers: policy::identity::HeaderNames,
    /// Every `[limit.NAME]`, in name order.
    pub limits: Vec<Arc<policy::limit::Rule>>,
    /// Every file that was read; a change of one of them is a change of the configuration.
    pub watched: Vec<PathBuf>,
    /// The canonical form that `hash` is taken over: `section.key = value` lines, secrets as digests.
    pub canonical: Vec<String>,
}

/// `[gateway]`: what holds for the process.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// How many workers; `None`: one per available core.
    pub workers: Option<usize>,
    /// Whether each worker stays on its core.
    pub pin: bool,
    /// How long `/ready` says 503 before listeners stop accepting.
    pub shutdown_delay: Duration,
    /// How long requests in flight may take to finish at a shutdown.
    pub shutdown_grace: Duration,
    /// The header that carries the request id, as it is written out.
    pub request_id_header: String,
    /// The peers whose X-Forwarded-For and request id are believed.
    pub trusted_proxies: Set,
    /// The form of the gateway's own error answers.
    pub error_format: ErrorFormat,
    /// How much is told on standard error.
    pub log_level: LogLevel,
    /// The most client connections of the node; `None`: no bound.
    pub max_connections: Option<u64>,
    /// The I/O driver that was asked for.
    pub driver: DriverChoice,
}

/// `[admin]`: the operators' listener.
#[derive(Clone, Debug)]
pub struct Admin {
    /// Where it listens. Invariant: local, unless there is a token.
    pub address: Address,
    /// What callers must present.
    pub token: Option<Secret>,
}

/// `[listener.NAME]`: a place where clients connect.
#[derive(Clone)]
pub struct Listener {
    /// Its name.
    pub name: Arc<str>,
    /// Its index in `Snapshot::listeners`.
    pub id: u16,
    /// Where it listens.
    pub address: Address,
    /// What it speaks, the preferred first. Invariant: `H2` only with `tls`, `H2c` only without; empty
    /// if, and only if, every connection is passed on (`passthrough` without `tls`).
    pub protocols: Vec<Protocol>,
    /// How it speaks TLS; `None`: it does not (but see `passthrough`).
    pub tls: Option<ListenerTls>,
    /// The TLS connections that are passed on unopened. Looked at before `tls`; a connection that neither
    /// takes is closed.
    pub passthrough: Passthrough,
    /// From the connection to the end of PROXY header and TLS handshake.
    pub handshake_timeout: Duration,
    /// The most TLS handshakes that one worker has in progress.
    pub max_handshakes: usize,
    /// The senders whose connections must begin with a PROXY header; others' are closed. `None`: no
    /// header is read.
    pub proxy_protocol: Option<Set>,
    /// The port under `https` that every request is sent to with 308; `None`: requests are served.
    /// Invariant: not together with `tls` or `passthrough`.
    pub http_to_https: Option<u16>,
    /// How old a connection grows; each its own age from four fifths of this on. `None`: no bound.
    pub max_connection_age: Option<Duration>,
    /// The most requests open at a time on one HTTP/2 connection.
    pub max_concurrent_streams: u32,
    /// The burst of an HTTP/2 client's resets; a tenth of it comes back each second. Resets that it forces
    /// on us: half of both.
    pub h2_max_resets: u32,
    /// What the other budgets of an HTTP/2 client are multiplied with; at least 1.
    pub h2_flood_factor: u32,
    /// The most connections of the node; `None`: no bound.
    pub max_connections: Option<u64>,
    /// The most connections of one client address.
    pub max_connections_per_ip: Option<u64>,
    /// The most requests on one connection.
    pub max_requests_per_connection: Option<u64>,
    /// From a head's first byte to its last.
    pub header_timeout: Duration,
    /// Between two requests of a connection.
    pub idle_timeout: Duration,
    /// Between two bytes of an event stream, a gRPC stream or a tunnel.
    pub stream_idle_timeout: Duration,
    /// Between two bytes of a request body.
    pub body_timeout: Duration,
    /// The least bytes a second of a request body; 0: any.
    pub min_body_rate: u64,
    /// For a write that the client does not take.
    pub write_timeout: Duration,
    /// The most bytes of a request head.
    pub max_header_bytes: usize,
    /// The most fields of a request head.
    pub max_headers: usize,
    /// The most bytes of a request body; `None`: no bound.
    pub max_body_bytes: Option<u64>,
    /// The only client addresses that may connect; empty: all.
    pub allow: Set,
    /// The client addresses that may not connect.
    pub deny: Set,
}

/// `[upstream.NAME]`: a set of endpoints that do the same work.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Its name.
    pub name: Arc<str>,
    /// Its index in `Snapshot::upstreams`.
    pub id: u16,
    /// Where it is served; at least one.
    pub endpoints: Vec<Endpoint>,
    /// How one is chosen.
    pub balance: policy::balance::Kind,
    /// What the endpoints speak. Invariant: `Auto` only with `tls`.
    pub protocol: UpstreamProtocol,
    /// How connections are TLS; `None`: they are not. Connections of `Listener::passthrough` never are.
    pub tls: Option<Arc<UpstreamTls>>,
    /// What a connection begins with; unless `Off`, it serves one client alone. Invariant: unless `Off`,
    /// `protocol` is `Http1`.
    pub proxy_protocol: ProxyHeader,
    /// The most requests open at a time on one HTTP/2 connection.
    pub max_concurrent_streams: u32,
    /// For a connection to be made, with its TLS handshake.
    pub connect_timeout: Duration,
    /// From the request's last byte to the answer's first.
    pub first_byte_timeout: Duration,
    /// The same for calls of gRPC; `None`: nobody has said so, and they may be quiet as streams may.
    pub first_byte_timeout_of_calls: Option<Duration>,
    /// Between two bytes of an answer.
    pub read_timeout: Duration,
    /// For the whole response; a route may override it. `None`: no bound.
    pub timeout: Option<Duration>,
    /// How long an HTTP/2 connection with requests in flight may be silent before it is sent a PING.
    pub ping_after: Duration,
    /// How long the answer to one may take.
    pub ping_timeout: Duration,
    /// How long an idle pooled connection is kept.
    pub keepalive: Duration,
    /// The most idle connections of one worker.
    pub pool_max_idle: usize,
    /// The most connections of the node.
    pub pool_max_connections: usize,
    /// The most requests of the node that wait for a connection.
    pub pool_max_pending: usize,
    /// The most requests of the node in flight; `None`: no bound.
    pub max_in_flight: Option<u64>,
    /// How its endpoints are checked; `None`: they aren't.
    pub health: Option<HealthCheck>,
}

/// One server of an upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its address as text: `127.0.0.1:19101`.
    pub name: Arc<str>,
    /// Where to connect.
    pub address: Address,
    /// Its share beside the others; at least 1.
    pub weight: u32,
}

/// `[access_log.NAME]`: where a line per request goes.
#[derive(Clone, Debug)]
pub struct AccessLog {
    /// Its name.
    pub name: Arc<str>,
    /// Its index in `Snapshot::access_logs`.
    pub id: u16,
    /// Where the lines go.
    pub path: LogPath,
    /// How a line looks.
    pub format: LogFormat,
    /// Whether the query string is logged.
    pub query: bool,
    /// The bytes a worker gathers before it hands them over.
    pub buffer: usize,
    /// What happens when the writer can't keep up.
    pub on_full: Full,
    /// The share of requests that are logged, 0 to 1.
    pub sample: f64,
}

/// Where log lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogPath {
    /// Standard output.
    Stdout,
    /// A file, made when absent, appended to; relative to the configuration's folder, resolved here.
    File(PathBuf),
}

/// `[route.NAME]`: which requests, under which policies, to where.
pub struct Route {
    /// Its name.
    pub name: Arc<str>,
    /// Its index in `Snapshot::routes`.
    pub id: u32,
    /// What is done with a request that passed.
    pub action: Action,
    /// The policies, in order.
    pub chain: Chain,
    /// Taken off the front of the path before it is forwarded; without a trailing slash.
    pub strip_prefix: Option<String>,
    /// The path that is forwarded instead. Invariant: not together with `strip_prefix`.
    pub rewrite: Option<Rewrite>,
    /// What Host the upstream sees.
    pub host_header: HostHeader,
    /// For the whole exchange with the upstream, all tries; `None`: the upstream's.
    pub timeout: Option<Duration>,
    /// The index in `Snapshot::access_logs`; `None`: off.
    pub access_log: Option<u16>,
    /// Whether a request may turn its connection into a WebSocket.
    pub websocket: bool,
    /// The most bytes of a request body; `None`: the listener's.
    pub max_body_bytes: Option<u64>,
    /// Changes to the headers of the request, before it is forwarded.
    pub request_headers: Edits,
    /// Changes to the headers of the response.
    pub response_headers: Edits,
    /// Whether `Authorization` is passed on.
    pub forward_credentials: bool,
    /// What carries a credential and is removed before forwarding.
    pub credentials: Vec<CredentialPlace>,
}

/// What is done with a request that passed its policies.
#[derive(Clone)]
pub enum Action {
    /// It goes to an upstream.
    Forward {
        /// The index in `Snapshot::upstreams`.
        upstream: u16,
    },
    /// It gets this answer.
    Respond {
        /// The status code.
        status: u16,
        /// The `Content-Type`; empty: none.
        content_type: String,
        /// The body.
        body: Vec<u8>,
    },
    /// It is sent elsewhere.
    Redirect {
        /// 301, 302, 303, 307 or 308.
        status: u16,
        /// The `Location`.
        location: Rewrite,
    },
}

/// What Host an upstream sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostHeader {
    /// The endpoint's address.
    Upstream,
    /// What the client sent.
    Client,
    /// This.
    Set(String),
}

/// Where a request carries a credential that must not reach the upstream.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CredentialPlace {
    /// A header, in lower case.
    Header(String),
    /// A parameter of the query.
    Query(String),
    /// A cookie.
    Cookie(String),
}
