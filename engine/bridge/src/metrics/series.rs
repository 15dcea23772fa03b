//! What one worker counts for one route, upstream, listener, limit or auth; and what control counts, of endpoints too.
//! Invariant: one writer per series, and no two series on one cache line (nor a series beside the count of those that
//! hold it, which a scrape writes): hence their alignment. Where each lands in the scrape is `scrape`'s.

use std::sync::Mutex;

use protocol::message::Method;

use super::cell::{Counter, Gauge};
use super::histogram::{DURATION, Histogram, OVERHEAD};
use super::statuses::Statuses;
use super::words::Words;

/// One worker's requests of one route.
#[repr(align(128))]
pub struct RouteSeries {
    pub(super) requests: Statuses,
    pub(super) duration: Histogram,
    pub(super) overhead: Histogram,
}

impl RouteSeries {
    /// Counts one finished exchange: `total_ns` from the head's first byte to the answer's last, `backend_ns` what of it
    /// was spent waiting for upstreams, if any was asked.
    #[inline]
    pub fn count(&self, method: Method, status: u16, total_ns: u64, backend_ns: Option<u64>) {
        self.requests.inc(method, status);
        self.duration.observe(total_ns);
        self.overhead
            .observe(total_ns.saturating_sub(backend_ns.unwrap_or(0)));
    }
}

impl Default for RouteSeries {
    fn default() -> Self {
        RouteSeries {
            requests: Statuses::default(),
            duration: Histogram::new(&DURATION),
            overhead: Histogram::new(&OVERHEAD),
        }
    }
}

/// One worker's dealings of one route with one upstream.
#[repr(align(128))]
pub struct BackendSeries {
    pub(super) latency: Histogram,
}

impl BackendSeries {
    /// Counts what one exchange spent waiting for the upstream.
    #[inline]
    pub fn observe(&self, backend_ns: u64) {
        self.latency.observe(backend_ns);
    }
}

impl Default for BackendSeries {
    fn default() -> Self {
        BackendSeries {
            latency: Histogram::new(&DURATION),
        }
    }
}

/// One worker's connections to one upstream, and what went wrong.
#[derive(Default)]
#[repr(align(128))]
pub struct UpstreamSeries {
    /// Failed tries by kind: `connect_refused`, `first_byte_timeout`, ...
    pub errors: Words,
    /// Tries after the first, by the reason for it.
    pub retries: Words,
    /// Connections that wait in the pool.
    pub idle: Gauge,
    /// Connections that carry an exchange.
    pub active: Gauge,
    /// Connections being made.
    pub connecting: Gauge,
}

/// The checks of one endpoint; written by the control thread alone.
#[derive(Default)]
pub struct CheckSeries {
    /// Checks by result: `ok`, or why it was not good.
    pub results: Words,
}

/// One worker's connections from clients on one listener.
#[derive(Default)]
#[repr(align(128))]
pub struct ListenerSeries {
    /// Connections that are open.
    pub active: Gauge,
    /// Connections taken from the queue and served.
    pub accepted: Counter,
    /// Connections closed at once, by reason: a cap, an address rule.
    pub refused: Words,
    /// Clients that were too slow, by the time-out that struck.
    pub timeouts: Words,
    /// Requests open over HTTP/2.
    pub http2_streams: Gauge,
    /// HTTP/2 connections ended for what the client did: `rapid_reset`, `too_many_streams`, ...
    pub http2_errors: Words<64>,
    /// Tunnels that are open.
    pub tunnels: Gauge,
    /// Bytes that tunnels have taken from clients.
    pub tunnel_bytes_in: Counter,
    /// Bytes that tunnels have given to clients.
    pub tunnel_bytes_out: Counter,
    /// Connections that wait for another's TLS handshake to end.
    pub handshakes_waiting: Gauge,
}

impl ListenerSeries {
    /// A connection was taken from the queue and is served.
    pub fn opened(&self) {
        self.accepted.inc();
        self.active.inc();
    }

    /// A connection that was served has ended.
    pub fn closed(&self) {
        self.active.dec();
    }
}

/// One worker's refusals by one limit.
#[derive(Default)]
#[repr(align(128))]
pub struct LimitSeries {
    /// Requests refused.
    pub exceeded: Counter,
    /// Requests that a limit in shadow mode would have refused.
    pub shadowed: Counter,
}

/// One worker's refusals by one auth.
#[derive(Default)]
#[repr(align(128))]
pub struct AuthSeries {
    /// Requests refused, by reason.
    pub failures: Words,
}

/// One worker's TLS handshakes with clients.
#[derive(Default)]
pub struct TlsSeries {
    tls12: Words,
    tls13: Words,
    none: Words,
    /// Key exchanges by the group's name.
    pub groups: Words,
}

impl TlsSeries {
    /// Counts one handshake that ended: under which version, `TLSv1.2` or `TLSv1.3`, if it came so far, and how, `ok`,
    /// `resumed` or the word for why it failed.
    pub fn handshake(&self, version: Option<&'static str>, result: &'static str) {
        let results = match version {
            Some(TLS12) => &self.tls12,
            Some(TLS13) => &self.tls13,
            _ => &self.none,
        };
        results.inc(result);
    }

    /// The counts of each version, by its name.
    pub(super) fn versions(&self) -> [(&'static str, &Words); 3] {
        [
            (TLS12, &self.tls12),
            (TLS13, &self.tls13),
            ("none", &self.none),
        ]
    }
}

const TLS12: &str = "TLSv1.2";
const TLS13: &str = "TLSv1.3";

/// What one worker counts whatever the configuration.
#[derive(Default)]
#[repr(align(128))]
pub struct WorkerSeries {
    /// TLS handshakes with clients.
    pub tls: TlsSeries,
    /// Tasks that panicked: each cost one connection.
    pub panics: Counter,
    /// Access log lines dropped for want of room.
    pub access_log_dropped: Counter,
    /// Connections closed unanswered because the audit log had no room until the deadline.
    pub audit_lost: Counter,
}

/// What control counts.
#[derive(Default)]
pub struct ControlSeries {
    /// Reloads by result: `ok`, `invalid`, `refused`, `timeout`.
    pub reloads: Words,
    /// Log lines that a writer had to give up at the end of the process.
    pub log_lines_lost: Counter,
    /// Workers whose loop does not turn.
    pub stalled: Gauge,
    /// Hash of the live configuration; empty while there is none.
    pub(super) hash: Mutex<String>,
}
