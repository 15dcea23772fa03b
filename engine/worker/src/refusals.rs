//! What the policies refused: counted by limit or auth, and written to the audit log when it was a
//! matter of credentials. Off the steady path, so looking a name up is fine here.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use engine_bridge::Bridge;
use engine_bridge::logs::{Line, LineSink};
use engine_bridge::metrics::{AuthSeries, LimitSeries, WorkerSeries};
use engine_config::snapshot::{Route, Snapshot};
use engine_net::clock;
use policy::chain::Auth;
use policy::context::Context;
use policy::problem::json_string;
use policy::verdict::{Refusal, RefusalKind};

use crate::record::Shown;
use crate::time;

/// One snapshot's counters of refusals on this worker, and its end of the audit log.
pub(crate) struct Refusals {
    limits: HashMap<Arc<str>, Arc<LimitSeries>>,
    auths: HashMap<Arc<str>, Arc<AuthSeries>>,
    audit: RefCell<LineSink>,
    worker: Arc<WorkerSeries>,
}

/// How long a refused exchange waits for room in the audit log before its connection is closed
/// unanswered, and how often it looks.
const AUDIT_WAIT: u64 = 5_000_000_000;
const AUDIT_LOOK: u64 = 10_000_000;

impl Refusals {
    pub(crate) fn new(worker: usize, bridge: &Bridge, snapshot: &Snapshot) -> Refusals {
        let metrics = &bridge.metrics;
        let limits = snapshot.limits.iter();
        let auths = snapshot.routes.iter().filter_map(auth_name);
        Refusals {
            limits: limits
                .map(|l| (Arc::clone(&l.name), metrics.limit(worker, &l.name)))
                .collect(),
            auths: auths
                .map(|name| (Arc::clone(name), metrics.auth(worker, name)))
                .collect(),
            audit: RefCell::new(bridge.logs.audit(worker)),
            worker: metrics.worker(worker),
        }
    }

    /// Counts a refusal. False: the audit log had no room in time, so that the refusal may not be
    /// answered.
    pub(crate) async fn note(
        &self,
        refusal: &Refusal,
        route: Option<&Route>,
        shown: &Shown<'_>,
    ) -> bool {
        match &refusal.kind {
            RefusalKind::RateLimited { limit, .. } => {
                if let Some(series) = self.limits.get(&limit.name) {
                    series.exceeded.inc();
                }
            }
            kind => {
                let auth = route.and_then(auth_name);
                if let Some(series) = auth.and_then(|name| self.auths.get(name)) {
                    series.failures.inc(kind.cause());
                }
            }
        }
        if !refusal.audit {
            return true;
        }
        let give_up = clock::now().saturating_add(AUDIT_WAIT);
        loop {
            let line = self
                .audit
                .borrow_mut()
                .line(|out| audit_line(out, refusal, route, shown));
            if line != Line::Full {
                return true;
            }
            if clock::now() >= give_up {
                self.worker.audit_lost.inc();
                return false;
            }
            engine_net::deadline::sleep_until(clock::now().saturating_add(AUDIT_LOOK)).await;
        }
    }

    /// Counts what limits in shadow mode would have refused.
    pub(crate) fn note_shadows(&self, route: &Route, context: &Context) {
        for outcome in context.limits.iter().filter(|outcome| outcome.exceeded()) {
            let limit = route
                .chain
                .limits()
                .find(|limit| limit.number() == outcome.limit);
            if let Some(series) = limit.and_then(|limit| self.limits.get(&limit.name)) {
                series.shadowed.inc();
            }
        }
    }

    pub(crate) fn finish(&self) {
        self.audit.borrow_mut().finish();
    }

    pub(crate) fn tick(&self) {
        self.audit.borrow_mut().tick();
    }
}

fn auth_name(route: &Route) -> Option<&Arc<str>> {
    match route.chain.auth() {
        Auth::None => None,
        Auth::Jwt(verifier) => Some(verifier.name()),
        Auth::ApiKey(verifier) => Some(verifier.name()),
        Auth::Mtls(verifier) => Some(verifier.name()),
    }
}

fn audit_line(out: &mut Vec<u8>, refusal: &Refusal, route: Option<&Route>, shown: &Shown<'_>) {
    out.push(b'{');
    let mut when = Vec::with_capacity(24);
    time::rfc3339_millis(clock::unix_millis(), &mut when);
    let request = shown.request;
    let status = refusal.kind.status();
    let route = route.map_or("", |r| &r.name);
    for (key, value) in [
        ("timestamp", when.as_slice()),
        ("audit", b"refused"),
        ("requestId", shown.request_id),
        ("error", refusal.kind.cause().as_bytes()),
        ("statusCode", itoa::Buffer::new().format(status).as_bytes()),
        ("route", route.as_bytes()),
        ("method", request.method_text()),
        ("path", request.path()),
        ("clientIp", shown.client),
    ] {
        if out.last() != Some(&b'{') {
            out.push(b',');
        }
        out.push(b'"');
        out.extend_from_slice(key.as_bytes());
        out.extend_from_slice(b"\":");
        match key {
            "statusCode" => out.extend_from_slice(value),
            _ => json_string(out, value),
        }
    }
    if let Some(user) = shown.context.identity.subject() {
        out.extend_from_slice(b",\"userId\":");
        json_string(out, user.as_bytes());
    }
    out.extend_from_slice(b"}\n");
}
