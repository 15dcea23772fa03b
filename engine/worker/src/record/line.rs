//! One access log line, as JSON or as text. Values are escaped; what carried a credential is left out.

use engine_net::clock;
use policy::problem::json_string;
use protocol::message::{Name, Request};

use super::{Record, Shown};
use crate::time;

/// A member's name as it stands in the line: one piece, since a line has some twenty of them.
macro_rules! key {
    ($name:literal) => {
        concat!(",\"", $name, "\":")
    };
}

/// Appends the exchange as one JSON object (semantics page, "Access log").
pub(super) fn json(record: &Record, out: &mut Vec<u8>, shown: &Shown<'_>, query: bool, total: u64) {
    let snapshot = &record.live.snapshot;
    let request = shown.request;
    let identity = &shown.context.identity;
    let mut line = Members { out };
    line.out.extend_from_slice(b"{\"timestamp\":\"");
    time::rfc3339_millis(clock::unix_millis(), line.out);
    line.out.push(b'"');
    line.text(key!("requestId"), shown.request_id);
    if let Some(id) = trace_id(request) {
        line.text(key!("traceId"), id);
    }
    line.text(key!("method"), request.method_text());
    line.text(key!("path"), request.path());
    if query && request.head.has_query && record.route.is_some() {
        line.text(key!("query"), &shown_query(record, request));
    }
    line.text(key!("protocol"), request.head.version.as_str().as_bytes());
    if let Some(tls) = shown.tls {
        line.text(key!("tlsVersion"), tls.version.as_str().as_bytes());
        line.optional(key!("tlsGroup"), tls.group);
    }
    line.number(key!("statusCode"), u64::from(record.status));
    if let Some(code) = record.grpc {
        line.number(key!("grpcStatus"), u64::from(code.number()));
    }
    line.millis(key!("latencyMs"), total);
    line.millis(
        key!("overheadMs"),
        total.saturating_sub(record.backend.unwrap_or(0)),
    );
    line.number(key!("bytesIn"), record.bytes_in);
    line.number(key!("bytesOut"), record.bytes_out);
    line.text(key!("clientIp"), shown.client);
    if let Some(agent) = request.header(Name::UserAgent) {
        line.text(key!("userAgent"), agent);
    }
    line.optional(key!("userId"), identity.subject());
    line.optional(key!("tenant"), identity.tenant());
    line.optional(key!("consumer"), identity.consumer_name());
    line.optional(
        key!("route"),
        record
            .route
            .and_then(|id| snapshot.routes.get(id as usize))
            .map(|route| &*route.name),
    );
    if let Some(remaining) = shown.context.limits.remaining() {
        line.number(key!("rateLimitRemaining"), remaining);
    }
    let (service, endpoint) = backend(record);
    line.optional(key!("backendService"), service);
    line.optional(key!("backendEndpoint"), endpoint);
    if let Some(backend) = record.backend {
        line.millis(key!("backendLatencyMs"), backend);
    }
    if record.attempts > 0 {
        line.number(key!("attempts"), u64::from(record.attempts));
    }
    line.optional(
        key!("error"),
        (!record.cause.is_empty()).then_some(record.cause),
    );
    line.out.extend_from_slice(b"}\n");
}

/// Appends the exchange as one line for reading: time, client, request, status, bytes, milliseconds,
/// route, endpoint, request id, cause.
pub(super) fn text(record: &Record, out: &mut Vec<u8>, shown: &Shown<'_>, query: bool, total: u64) {
    let request = shown.request;
    time::rfc3339_millis(clock::unix_millis(), out);
    out.push(b' ');
    out.extend_from_slice(shown.client);
    out.push(b' ');
    let mut asked = Vec::with_capacity(64);
    asked.extend_from_slice(request.method_text());
    asked.push(b' ');
    asked.extend_from_slice(request.path());
    if query && request.head.has_query && record.route.is_some() {
        asked.push(b'?');
        asked.extend_from_slice(&shown_query(record, request));
    }
    asked.push(b' ');
    asked.extend_from_slice(request.head.version.as_str().as_bytes());
    json_string(out, &asked);
    out.push(b' ');
    number(out, u64::from(record.status));
    out.push(b' ');
    number(out, record.bytes_out);
    out.push(b' ');
    millis(out, total);
    let route = record
        .route
        .and_then(|id| record.live.snapshot.routes.get(id as usize));
    for word in [
        route.map_or("-", |route| &route.name),
        backend(record).1.unwrap_or("-"),
    ] {
        out.push(b' ');
        out.extend_from_slice(word.as_bytes());
    }
    out.push(b' ');
    out.extend_from_slice(shown.request_id);
    out.push(b' ');
    out.extend_from_slice(
        if record.cause.is_empty() {
            "-"
        } else {
            record.cause
        }
        .as_bytes(),
    );
    out.push(b'\n');
}

/// Names of the upstream and the endpoint that were asked last.
fn backend(record: &Record) -> (Option<&str>, Option<&str>) {
    let upstreams = &record.live.snapshot.upstreams;
    let Some(upstream) = record
        .upstream
        .and_then(|id| upstreams.get(usize::from(id)))
    else {
        return (None, None);
    };
    let endpoint = record
        .endpoint
        .and_then(|id| upstream.endpoints.get(usize::from(id)));
    (
        Some(&upstream.name),
        endpoint.map(|endpoint| &*endpoint.name),
    )
}

/// The query without the parameters that carry a credential of the route. Where no route matched,
/// nobody knows which those are: there the query is not shown at all.
fn shown_query(record: &Record, request: Request<'_>) -> Vec<u8> {
    let removed = record
        .route
        .and_then(|id| record.live.routes.get(id as usize))
        .map(|route| &route.removed);
    let mut shown = Vec::with_capacity(request.query().len());
    for pair in request.query().split(|b| *b == b'&') {
        let name = pair.split(|b| *b == b'=').next().unwrap_or_default();
        if removed.is_some_and(|removed| removed.query(name)) {
            continue;
        }
        if !shown.is_empty() {
            shown.push(b'&');
        }
        shown.extend_from_slice(pair);
    }
    shown
}

/// The trace id of a well-formed `traceparent` (W3C Trace Context section 3.2).
fn trace_id(request: Request<'_>) -> Option<&[u8]> {
    let value = request.header(Name::Traceparent)?;
    let id = value.get(3..35)?;
    let shaped = value.len() >= 55 && value.get(2) == Some(&b'-') && value.get(35) == Some(&b'-');
    (shaped && id.iter().all(u8::is_ascii_hexdigit)).then_some(id)
}

/// Members of one JSON object, each written after a comma.
struct Members<'a> {
    out: &'a mut Vec<u8>,
}

impl Members<'_> {
    /// The comma, the name and the colon.
    fn key(&mut self, key: &str) {
        self.out.extend_from_slice(key.as_bytes());
    }

    fn text(&mut self, key: &str, value: &[u8]) {
        self.key(key);
        json_string(self.out, value);
    }

    fn optional(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(key, value.as_bytes());
        }
    }

    fn number(&mut self, key: &str, value: u64) {
        self.key(key);
        number(self.out, value);
    }

    fn millis(&mut self, key: &str, nanoseconds: u64) {
        self.key(key);
        millis(self.out, nanoseconds);
    }
}

fn number(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Milliseconds with three decimals.
fn millis(out: &mut Vec<u8>, nanoseconds: u64) {
    let micros = nanoseconds / 1_000;
    number(out, micros / 1_000);
    out.push(b'.');
    for place in [100, 10, 1] {
        out.push(b'0' + (micros / place % 10) as u8);
    }
}
