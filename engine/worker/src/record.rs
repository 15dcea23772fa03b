//! Exactly one record per exchange: counters, histograms and the access log line.
//!
//! A `Record` is begun before anything can fail and writes itself when dropped, so that a panic or an
//! abandoned exchange is counted too. Nothing that a client sends reaches a label; values in the log
//! are escaped; tokens, keys, cookies and (unless asked for) queries are not written at all.

use std::rc::Rc;

use engine_bridge::logs::Line;
use engine_config::snapshot::{AccessLog, LogFormat};
use engine_net::tls::Info;
use engine_net::{clock, deadline};
use policy::context::Context;
use protocol::grpc::Code;
use protocol::message::{Method, Request};

use crate::core::{Core, Live};
use crate::reply::Fault;

mod line;

/// How long an exchange waits for room in a log that must not drop, and how often it looks.
const LOG_WAIT: u64 = 5_000_000_000;
const LOG_LOOK: u64 = 10_000_000;

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
    /// How it ended as a call of gRPC.
    pub(crate) grpc: Option<Code>,
    written: bool,
}

/// What the log line shows of the request itself.
pub(crate) struct Shown<'a> {
    pub(crate) request: Request<'a>,
    pub(crate) context: &'a Context,
    pub(crate) client: &'a [u8],
    pub(crate) request_id: &'a [u8],
    /// What the handshake of its connection came to.
    pub(crate) tls: Option<&'a Info>,
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
            status: 0,
            cause: "",
            bytes_in: 0,
            bytes_out: 0,
            backend: None,
            upstream: None,
            endpoint: None,
            attempts: 0,
            grpc: None,
            written: false,
        }
    }

    /// The exchange ended with a fault, before or after its answer began.
    pub(crate) fn blame(&mut self, fault: &Fault) {
        let row = fault.row();
        self.cause = row.cause;
        if self.status == 0 || row.status == 499 {
            self.status = row.status;
        }
    }

    /// It ended because the client's connection did.
    pub(crate) fn was_left(&self) -> bool {
        self.cause == Fault::ClientGone.row().cause
    }

    /// Counts the exchange and writes its log line. False: the log has no room and must not drop, so
    /// that the connection has to end here.
    pub(crate) async fn finish(mut self, shown: &Shown<'_>) -> bool {
        let total = self.count();
        let Some((id, settings)) = self.log() else {
            return true;
        };
        if !self.sampled(settings) {
            return true;
        }
        let give_up = deadline::now().saturating_add(LOG_WAIT);
        loop {
            match self.offer(id, settings, shown, total) {
                Line::Written | Line::Dropped => return true,
                Line::Full if deadline::now() >= give_up => return false,
                Line::Full => deadline::sleep_until(deadline::now().saturating_add(LOG_LOOK)).await,
            }
        }
    }

    /// The log that this exchange belongs to: its route's; the first one for what no route answered.
    fn log(&self) -> Option<(usize, &AccessLog)> {
        let snapshot = &self.live.snapshot;
        let id = match self.route {
            Some(id) => usize::from(snapshot.routes.get(id as usize)?.access_log?),
            None => 0,
        };
        Some((id, snapshot.access_logs.get(id)?))
    }

    fn offer(&self, id: usize, settings: &AccessLog, shown: &Shown<'_>, total: u64) -> Line {
        let mut logs = self.live.logs.borrow_mut();
        let Some(sink) = logs.get_mut(id) else {
            return Line::Dropped;
        };
        sink.line(|out| match settings.format {
            LogFormat::Json => line::json(self, out, shown, settings.query, total),
            LogFormat::Text => line::text(self, out, shown, settings.query, total),
        })
    }

    fn sampled(&self, settings: &AccessLog) -> bool {
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
            if self.status == 0 {
                // Abandoned before it was answered: a panic, or the end of the process.
                self.status = 500;
            }
            series.count(self.method, self.status, total, self.backend);
            if let (Some(series), Some(backend)) =
                (route.and_then(|route| route.backend.as_ref()), self.backend)
            {
                series.observe(backend);
            }
        }
        total
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if !self.written {
            self.count();
        }
    }
}
