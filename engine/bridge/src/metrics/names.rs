//! The one list of metrics: name, kind, labels, meaning. The scrape and docs/metrics.md are made from it.
//! Invariant: what is not here can't be rendered; names of this list are never re-used with another meaning.

use super::histogram::{Bounds, DURATION, OVERHEAD};

/// One metric, as it stands in the list.
#[derive(Debug)]
pub struct Metric {
    /// As in the Prometheus text, so that of a counter ends in `_total`.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: Kind,
    /// Names of the labels, in the order of their values.
    pub labels: &'static [&'static str],
    /// One sentence.
    pub help: &'static str,
}

/// What kind of thing a metric is.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Durations in seconds, by bucket.
    Histogram(&'static Bounds),
}

impl Kind {
    /// The word of the exposition formats.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        }
    }
}

macro_rules! metric_names {
    ($( #[doc = $help:literal] $constant:ident: $kind:expr, $name:literal, [$($label:literal),*]; )+) => {
        $(
            #[doc = $help]
            pub static $constant: Metric = Metric {
                name: $name,
                kind: $kind,
                labels: &[$($label),*],
                help: $help,
            };
        )+

        /// Every metric there is, in the order of the scrape.
        pub static ALL: &[&Metric] = &[$(&$constant),+];
    };
}

metric_names! {
    /// Requests answered, by route, method and status as logged (499: the client went away).
    REQUESTS: Kind::Counter, "gateway_requests_total", ["route", "method", "status"];
    /// Time from a request's first byte to its answer's last.
    REQUEST_DURATION: Kind::Histogram(&DURATION), "gateway_request_duration_seconds", ["route"];
    /// Time that requests spent waiting for an upstream.
    BACKEND_LATENCY: Kind::Histogram(&DURATION), "gateway_backend_latency_seconds", ["upstream", "route"];
    /// Time that the gateway itself took: the whole less the wait for upstreams.
    OVERHEAD_TIME: Kind::Histogram(&OVERHEAD), "gateway_overhead_seconds", ["route"];
    /// Connections from clients that are open.
    ACTIVE_CONNECTIONS: Kind::Gauge, "gateway_active_connections", ["listener"];
    /// Connections from clients that were accepted.
    CONNECTIONS: Kind::Counter, "gateway_connections_total", ["listener"];
    /// Connections from clients that were closed at once, by reason.
    CONNECTIONS_REFUSED: Kind::Counter, "gateway_connections_refused_total", ["listener", "reason"];
    /// Clients that were too slow, by the time-out that struck.
    CLIENT_TIMEOUTS: Kind::Counter, "gateway_client_timeouts_total", ["listener", "timeout"];
    /// Requests that clients have open over HTTP/2.
    HTTP2_STREAMS: Kind::Gauge, "gateway_http2_streams", ["listener"];
    /// HTTP/2 connections that were ended for what the client did, by cause: a budget that it went over (rapid_reset, ping_flood, ...) or a rule that it broke.
    HTTP2_ERRORS: Kind::Counter, "gateway_http2_errors_total", ["listener", "cause"];
    /// Tunnels that are open: WebSockets, and connections that are passed on unopened.
    TUNNELS: Kind::Gauge, "gateway_tunnels", ["listener"];
    /// Bytes that went through tunnels, from the client (in) or to it (out).
    TUNNEL_BYTES: Kind::Counter, "gateway_tunnel_bytes_total", ["listener", "direction"];
    /// Connections that wait for another one's TLS handshake to end, since max_handshakes are in progress.
    HANDSHAKES_WAITING: Kind::Gauge, "gateway_handshakes_waiting", ["listener"];
    /// TLS handshakes with clients, by version (none: there was no agreement yet) and result: ok, resumed, or why it failed.
    TLS_HANDSHAKES: Kind::Counter, "gateway_tls_handshakes_total", ["version", "result"];
    /// Key exchanges of TLS handshakes with clients, by group; X25519MLKEM768 is the one that a quantum computer does not break.
    TLS_KEY_EXCHANGES: Kind::Counter, "gateway_tls_key_exchanges_total", ["group"];
    /// When a certificate of ours runs out, or one that vouches for it, as Unix time.
    CERTIFICATE_EXPIRY: Kind::Gauge, "gateway_certificate_expiry_timestamp_seconds", ["certificate"];
    /// When the certificate that an upstream is shown runs out, or one that vouches for it, as Unix time.
    UPSTREAM_CERTIFICATE_EXPIRY: Kind::Gauge, "gateway_upstream_certificate_expiry_timestamp_seconds", ["upstream"];
    /// Requests refused by a limit.
    RATE_LIMIT_EXCEEDED: Kind::Counter, "gateway_rate_limit_exceeded_total", ["limit"];
    /// Requests that a limit in shadow mode would have refused.
    RATE_LIMIT_SHADOWED: Kind::Counter, "gateway_rate_limit_shadowed_total", ["limit"];
    /// Keys that a limit remembers exactly.
    RATE_LIMIT_KEYS: Kind::Gauge, "gateway_rate_limit_keys", ["limit"];
    /// Keys that a limit forgot, by state: refilled (nothing was lost), indebted (what was owed went into the sketch).
    RATE_LIMIT_FORGOTTEN: Kind::Counter, "gateway_rate_limit_forgotten_keys_total", ["limit", "state"];
    /// Requests counted by a limit's sketch alone, since there was no room for their key.
    RATE_LIMIT_SKETCHED: Kind::Counter, "gateway_rate_limit_sketched_total", ["limit"];
    /// Share of the cells of a limit's sketch that stand for a debt: near 1, keys are refused for others' debts.
    RATE_LIMIT_SATURATION: Kind::Gauge, "gateway_rate_limit_sketch_saturation", ["limit"];
    /// Requests refused by an auth, by reason.
    AUTH_FAILURES: Kind::Counter, "gateway_auth_failures_total", ["auth", "reason"];
    /// Tries that failed on the upstream's side, by kind.
    BACKEND_ERRORS: Kind::Counter, "gateway_backend_errors_total", ["upstream", "kind"];
    /// Connections to an upstream, by state: idle, active, connecting.
    UPSTREAM_CONNECTIONS: Kind::Gauge, "gateway_upstream_connections", ["upstream", "state"];
    /// Whether the checks find an endpoint healthy (1) or not (0); only of upstreams that are checked.
    UPSTREAM_HEALTHY: Kind::Gauge, "gateway_upstream_healthy", ["upstream", "endpoint"];
    /// Health checks of endpoints, by result: ok, or why it was not good (status, not_serving, timeout, connection_refused, ...).
    HEALTH_CHECKS: Kind::Counter, "gateway_upstream_health_checks_total", ["upstream", "endpoint", "result"];
    /// Tries after the first, by the reason for it.
    RETRIES: Kind::Counter, "gateway_retries_total", ["upstream", "reason"];
    /// Access log lines that were dropped because the writer could not keep up.
    ACCESS_LOG_DROPPED: Kind::Counter, "gateway_access_log_dropped_total", [];
    /// Connections closed unanswered because the audit log had no room.
    AUDIT_LOST: Kind::Counter, "gateway_audit_log_refused_total", [];
    /// Faults of the gateway's own that cost a connection.
    PANICS: Kind::Counter, "gateway_panics_total", [];
    /// Workers by state: starting, ready, failed, drained.
    WORKERS: Kind::Gauge, "gateway_workers", ["state"];
    /// Workers whose loop does not turn.
    WORKERS_STALLED: Kind::Gauge, "gateway_workers_stalled", [];
    /// 1, with the hash of the live configuration.
    CONFIG_INFO: Kind::Gauge, "gateway_config_info", ["hash"];
    /// Reloads by result: ok, invalid (what was read is wrong), refused (a worker can't), timeout.
    CONFIG_RELOADS: Kind::Counter, "gateway_config_reloads_total", ["result"];
    /// Processor time used, user and system.
    PROCESS_CPU: Kind::Counter, "process_cpu_seconds_total", [];
    /// Threads of the process.
    PROCESS_THREADS: Kind::Gauge, "process_threads", [];
    /// Open file descriptors.
    PROCESS_OPEN_FDS: Kind::Gauge, "process_open_fds", [];
    /// The most file descriptors that may be open.
    PROCESS_MAX_FDS: Kind::Gauge, "process_max_fds", [];
    /// Virtual memory.
    PROCESS_VIRTUAL_MEMORY: Kind::Gauge, "process_virtual_memory_bytes", [];
    /// Resident memory.
    PROCESS_RESIDENT_MEMORY: Kind::Gauge, "process_resident_memory_bytes", [];
    /// When the process started, as Unix time.
    PROCESS_START_TIME: Kind::Gauge, "process_start_time_seconds", [];
}

/// docs/metrics.md.
pub fn document() -> String {
    let mut out = String::from(HEADER);
    for metric in ALL {
        let labels: Vec<String> = metric
            .labels
            .iter()
            .map(|label| format!("`{label}`"))
            .collect();
        let (name, kind, labels, help) = (
            metric.name,
            metric.kind.word(),
            labels.join(", "),
            metric.help.trim(),
        );
        out.push_str(&format!("| `{name}` | {kind} | {labels} | {help} |\n"));
    }
    out
}

const HEADER: &str = "\
<!-- Generated from engine/bridge/src/metrics/names.rs; do not edit. UPDATE_GENERATED=1 cargo test -p engine-bridge rewrites it. -->
# Metrics

`GET /metrics` on the admin listener answers in the Prometheus text format, or in OpenMetrics when the `Accept` header
prefers it. The values of a label come from the configuration and from the program's own words, never from a client; a
series appears with its first event. The route of a request that matched none is empty.

| metric | kind | labels | meaning |
| --- | --- | --- | --- |
";

#[cfg(test)]
mod tests;
