//! Exactly one record per exchange: counters, histograms and the access log line.
//!
//! A `Record` is begun before anything can fail and writes itself when dropped, so that a panic or an
//! abandoned exchange is counted too. Nothing that a client sends reaches a label; values in the log
//! are escaped; tokens, keys, cookies and (unless asked for) queries are not written at all.

use std::rc::Rc;

use engine_config::snapshot::AccessLog;
use engine_net::clock;
use policy::context::Context;
use policy::problem::json_string;
use protocol::message::{Method, Name, Request};

use crate::core::{Core, Live};
use crate::reply::Fault;
use crate::time;

/// What is known of one exchange so far.
pub(crate) struct Record {
    core: Rc<Core>,
    live: Rc<Live>,
    /// Monotonic instant of the head's first byte.
    pub(crate) begun: u64,
    pub(crate) method: Method,
    pub(crate) route: Option<u32>,
    pub(crate) status: u16,
    pub(crate) cause: &'static str,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    /// Nanoseconds between the request's leaving and the last byte of the upstream's answer.
    pub(crate) backend: Option<u64>,
    pub(crate) upstream: Option<u16>,
    pub(crate) endpoint: Option<u16>,
    pub(crate) attempts: u32,
    written: bool,
}

/// What the log line shows of the request itself.
pub(crate) struct Shown<'a> {
    pub(crate) request: Request<'a>,
    pub(crate) context: &'a Context,
    pub(crate) client: &'a [u8],
    pub(crate) request_id: &'a [u8],
}

impl Record {
    pub(crate) fn begin(core: &Rc<Core>, live: &Rc<Live>, begun: u64, method: Method) -> Record {
        core.activity.set(core.activity.get() + 1);
        core.in_flight.set(core.in_flight.get() + 1);
        Record {
            core: Rc::clone(core),
            live: Rc::clone(live),
            begun,
            method,
            route: None,
            status: 500,
            cause: "",
            bytes_in: 0,
            bytes_out: 0,
            backend: None,
            upstream: None,
            endpoint: None,
            attempts: 0,
            written: false,
        }
    }

    /// The exchange ended with a fault, before or after its answer began.
    pub(crate) fn blame(&mut self, fault: &Fault) {
        let row = fault.row();
        self.cause = row.cause;
        if self.status == 500 || row.status == 499 {
            self.status = row.status;
        }
    }

    /// Counts the exchange and writes its log line.
    pub(crate) fn finish(mut self, shown: &Shown<'_>) {
        let total = self.count();
        let Some(id) = self.route else { return };
        let snapshot = &self.live.snapshot;
        let Some(log) = snapshot
            .routes
            .get(id as usize)
            .and_then(|route| route.access_log)
        else {
            return;
        };
        let Some(settings) = snapshot.access_logs.get(usize::from(log)) else {
            return;
        };
        if !self.sampled(settings, total) {
            return;
        }
        if let Some(sink) = self.live.logs.borrow_mut().get_mut(usize::from(log)) {
            // A log that must not drop is waited for before the answer, not here: what is full now drops.
            let _ = sink.line(|out| self.json(out, shown, settings, total));
        }
    }

    fn sampled(&self, settings: &AccessLog, _total: u64) -> bool {
        settings.sample >= 1.0
            || (self.core.random() >> 11) as f64 / ((1_u64 << 53) as f64) < settings.sample
    }

    /// Total nanoseconds, counted once.
    fn count(&mut self) -> u64 {
        let total = clock::now().saturating_sub(self.begun);
        if !std::mem::replace(&mut self.written, true) {
            self.core
                .in_flight
                .set(self.core.in_flight.get().saturating_sub(1));
            let route = self.route.and_then(|id| self.live.routes.get(id as usize));
            let series = route.map_or(&self.live.unrouted, |route| &route.series);
            series.count(self.method, self.status, total, self.backend);
            if let (Some(series), Some(backend)) =
                (route.and_then(|route| route.backend.as_ref()), self.backend)
            {
                series.observe(backend);
            }
        }
        total
    }

    fn json(&self, out: &mut Vec<u8>, shown: &Shown<'_>, settings: &AccessLog, total: u64) {
        let snapshot = &self.live.snapshot;
        let request = shown.request;
        let identity = &shown.context.identity;
        let mut line = Line { out };
        line.out.extend_from_slice(b"{\"timestamp\":\"");
        time::rfc3339_millis(clock::unix_millis(), line.out);
        line.out.push(b'"');
        line.text("requestId", shown.request_id);
        if let Some(id) = trace_id(request) {
            line.text("traceId", id);
        }
        line.text("method", request.method_text());
        line.text("path", request.path());
        if settings.query && request.head.has_query {
            line.text("query", request.query());
        }
        line.text("protocol", request.head.version.as_str().as_bytes());
        line.number("statusCode", u64::from(self.status));
        line.millis("latencyMs", total);
        line.millis(
            "overheadMs",
            total.saturating_sub(self.backend.unwrap_or(0)),
        );
        line.number("bytesIn", self.bytes_in);
        line.number("bytesOut", self.bytes_out);
        line.text("clientIp", shown.client);
        if let Some(agent) = request.header(Name::UserAgent) {
            line.text("userAgent", agent);
        }
        if let Some(user) = identity.subject() {
            line.text("userId", user.as_bytes());
        }
        if let Some(tenant) = identity.tenant() {
            line.text("tenant", tenant.as_bytes());
        }
        if let Some(consumer) = identity.consumer_name() {
            line.text("consumer", consumer.as_bytes());
        }
        if let Some(route) = self.route.and_then(|id| snapshot.routes.get(id as usize)) {
            line.text("route", route.name.as_bytes());
        }
        if let Some(remaining) = shown.context.limits.remaining() {
            line.number("rateLimitRemaining", remaining);
        }
        if let Some(upstream) = self
            .upstream
            .and_then(|id| snapshot.upstreams.get(usize::from(id)))
        {
            line.text("backendService", upstream.name.as_bytes());
            if let Some(endpoint) = self
                .endpoint
                .and_then(|id| upstream.endpoints.get(usize::from(id)))
            {
                line.text("backendEndpoint", endpoint.name.as_bytes());
            }
        }
        if let Some(backend) = self.backend {
            line.millis("backendLatencyMs", backend);
        }
        if self.attempts > 0 {
            line.number("attempts", u64::from(self.attempts));
        }
        if !self.cause.is_empty() {
            line.text("error", self.cause.as_bytes());
        }
        line.out.extend_from_slice(b"}\n");
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if !self.written {
            self.count();
        }
    }
}

/// The trace id of a well-formed `traceparent` (W3C Trace Context section 3.2).
fn trace_id(request: Request<'_>) -> Option<&[u8]> {
    let value = request.header(Name::Traceparent)?;
    let id = value.get(3..35)?;
    let shaped = value.len() >= 55 && value.get(2) == Some(&b'-') && value.get(35) == Some(&b'-');
    (shaped && id.iter().all(u8::is_ascii_hexdigit)).then_some(id)
}

/// Members of one JSON object, each written after a comma.
struct Line<'a> {
    out: &'a mut Vec<u8>,
}

impl Line<'_> {
    fn key(&mut self, key: &str) {
        self.out.extend_from_slice(b",\"");
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    fn text(&mut self, key: &str, value: &[u8]) {
        self.key(key);
        json_string(self.out, value);
    }

    fn number(&mut self, key: &str, value: u64) {
        self.key(key);
        self.out
            .extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    }

    /// Milliseconds with three decimals.
    fn millis(&mut self, key: &str, nanoseconds: u64) {
        let micros = nanoseconds / 1_000;
        self.number(key, micros / 1_000);
        let fraction = micros % 1_000;
        self.out.push(b'.');
        for place in [100, 10, 1] {
            self.out.push(b'0' + (fraction / place % 10) as u8);
        }
    }
}
