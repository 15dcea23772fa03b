//! The workers' series added up onto a page. Runs on the control thread; takes each lock only to copy pointers.
//! Invariant: the order of the page is that of the list of names; labels are sorted, so that two scrapes compare.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use super::cell::{Counter, Gauge};
use super::family::Labels;
use super::histogram::{Histogram, Totals};
use super::names::{self, Kind, Metric};
use super::page::Page;
use super::words::Words;
use super::{ControlSeries, Metrics, WorkerSeries};
use crate::Snapshot;
use crate::ledger::Counts;
use crate::life::WorkerState;

/// The word on one endpoint, for [`Metrics::write`].
pub struct EndpointHealth<'a> {
    /// The upstream's name.
    pub upstream: &'a str,
    /// The endpoint's.
    pub endpoint: &'a str,
    /// The word.
    pub healthy: bool,
}

impl ControlSeries {
    /// Tells the hash of the configuration that is live from now on.
    pub(crate) fn live_config(&self, hash: &str) {
        *self.hash.lock().unwrap_or_else(PoisonError::into_inner) = hash.to_string();
    }
}

impl Metrics {
    /// Writes everything that the workers and control have counted, when the live snapshot's certificates run out, which
    /// endpoints are healthy, how the workers fare, and how the ledger's memory of each limit does. What the operating system counts for the process the
    /// caller adds.
    pub fn write(
        &self,
        page: &mut Page,
        live: Option<&Snapshot>,
        workers: &[WorkerState],
        limits: &[(Arc<str>, Counts)],
        healths: &[EndpointHealth<'_>],
    ) {
        self.write_routes(page);
        self.write_clients(page);
        self.write_tls(page);
        live.into_iter().for_each(|live| write_expiries(page, live));
        self.write_limits(page);
        write_ledger(page, limits);
        words(page, &names::AUTH_FAILURES, &self.auths.all(), |one| {
            &one.failures
        });
        self.write_upstreams(page, healths);
        self.write_process_wide(page);
        write_workers(page, workers);
        self.write_control(page);
    }

    fn write_routes(&self, page: &mut Page) {
        let routes = self.routes.all();
        for (labels, workers) in &routes {
            let mut statuses = BTreeMap::new();
            for worker in workers {
                worker
                    .requests
                    .each(|pair, count| *statuses.entry(pair).or_insert(0) += count);
            }
            for ((method, status), count) in statuses {
                let status = status.map_or("other".to_string(), |status| status.to_string());
                page.count(&names::REQUESTS, &[&labels[0], method, &status], count);
            }
        }
        histograms(page, &names::REQUEST_DURATION, &routes, |one| &one.duration);
        histograms(page, &names::BACKEND_LATENCY, &self.backends.all(), |one| {
            &one.latency
        });
        histograms(page, &names::OVERHEAD_TIME, &routes, |one| &one.overhead);
    }

    fn write_clients(&self, page: &mut Page) {
        let listeners = self.listeners.all();
        for (labels, workers) in &listeners {
            let open = workers.iter().map(|one| &one.active);
            page.level(&names::ACTIVE_CONNECTIONS, &[&labels[0]], level(open));
        }
        for (labels, workers) in &listeners {
            let accepted = workers.iter().map(|one| &one.accepted);
            page.count(&names::CONNECTIONS, &[&labels[0]], count(accepted));
        }
        words(page, &names::CONNECTIONS_REFUSED, &listeners, |one| {
            &one.refused
        });
        words(page, &names::CLIENT_TIMEOUTS, &listeners, |one| {
            &one.timeouts
        });
        for (labels, workers) in &listeners {
            let open = workers.iter().map(|one| &one.http2_streams);
            page.level(&names::HTTP2_STREAMS, &[&labels[0]], level(open));
        }
        words(page, &names::HTTP2_ERRORS, &listeners, |one| {
            &one.http2_errors
        });
        for (labels, workers) in &listeners {
            let open = workers.iter().map(|one| &one.tunnels);
            page.level(&names::TUNNELS, &[&labels[0]], level(open));
        }
        for (labels, workers) in &listeners {
            let into = workers.iter().map(|one| &one.tunnel_bytes_in);
            page.count(&names::TUNNEL_BYTES, &[&labels[0], "in"], count(into));
            let out = workers.iter().map(|one| &one.tunnel_bytes_out);
            page.count(&names::TUNNEL_BYTES, &[&labels[0], "out"], count(out));
        }
        for (labels, workers) in &listeners {
            let waiting = workers.iter().map(|one| &one.handshakes_waiting);
            page.level(&names::HANDSHAKES_WAITING, &[&labels[0]], level(waiting));
        }
    }

    fn write_tls(&self, page: &mut Page) {
        let (mut handshakes, mut groups) = (BTreeMap::new(), BTreeMap::new());
        for worker in &self.workers {
            for (version, results) in worker.tls.versions() {
                results.each(|result, count| {
                    *handshakes.entry((version, result)).or_insert(0) += count
                });
            }
            let groups_of = &worker.tls.groups;
            groups_of.each(|group, count| *groups.entry(group).or_insert(0) += count);
        }
        for ((version, result), count) in handshakes {
            page.count(&names::TLS_HANDSHAKES, &[version, result], count);
        }
        for (group, count) in groups {
            page.count(&names::TLS_KEY_EXCHANGES, &[group], count);
        }
    }

    fn write_limits(&self, page: &mut Page) {
        let limits = self.limits.all();
        for (labels, workers) in &limits {
            let exceeded = workers.iter().map(|one| &one.exceeded);
            page.count(&names::RATE_LIMIT_EXCEEDED, &[&labels[0]], count(exceeded));
        }
        for (labels, workers) in &limits {
            let shadowed = count(workers.iter().map(|one| &one.shadowed));
            if shadowed > 0 {
                page.count(&names::RATE_LIMIT_SHADOWED, &[&labels[0]], shadowed);
            }
        }
    }

    fn write_upstreams(&self, page: &mut Page, healths: &[EndpointHealth<'_>]) {
        let upstreams = self.upstreams.all();
        words(page, &names::BACKEND_ERRORS, &upstreams, |one| &one.errors);
        for (labels, workers) in &upstreams {
            let mut state =
                |name, value| page.level(&names::UPSTREAM_CONNECTIONS, &[&labels[0], name], value);
            state("active", level(workers.iter().map(|one| &one.active)));
            state(
                "connecting",
                level(workers.iter().map(|one| &one.connecting)),
            );
            state("idle", level(workers.iter().map(|one| &one.idle)));
        }
        for one in healths {
            let labels = [one.upstream, one.endpoint];
            page.level(&names::UPSTREAM_HEALTHY, &labels, one.healthy.into());
        }
        words(page, &names::HEALTH_CHECKS, &self.checks.all(), |one| {
            &one.results
        });
        words(page, &names::RETRIES, &upstreams, |one| &one.retries);
    }

    fn write_process_wide(&self, page: &mut Page) {
        let sum = |of: fn(&WorkerSeries) -> &Counter| count(self.workers.iter().map(|one| of(one)));
        let dropped = sum(|one| &one.access_log_dropped) + self.control.log_lines_lost.value();
        page.count(&names::ACCESS_LOG_DROPPED, &[], dropped);
        page.count(&names::AUDIT_LOST, &[], sum(|one| &one.audit_lost));
        page.count(&names::PANICS, &[], sum(|one| &one.panics));
    }

    fn write_control(&self, page: &mut Page) {
        page.level(&names::WORKERS_STALLED, &[], self.control.stalled.value());
        let hash = self
            .control
            .hash
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if !hash.is_empty() {
            page.count(&names::CONFIG_INFO, &[&hash], 1);
        }
        self.control
            .reloads
            .each(|result, count| page.count(&names::CONFIG_RELOADS, &[result], count));
    }
}

fn write_expiries(page: &mut Page, live: &Snapshot) {
    for certificate in &live.certificates {
        let expiry = certificate.identity.not_after;
        page.count(&names::CERTIFICATE_EXPIRY, &[&certificate.name], expiry);
    }
    for upstream in &live.upstreams {
        let tls = upstream.tls.as_ref();
        if let Some(identity) = tls.and_then(|tls| tls.identity.as_ref()) {
            let expiry = identity.not_after;
            page.count(
                &names::UPSTREAM_CERTIFICATE_EXPIRY,
                &[&upstream.name],
                expiry,
            );
        }
    }
}

fn write_ledger(page: &mut Page, limits: &[(Arc<str>, Counts)]) {
    for (limit, counts) in limits {
        page.count(&names::RATE_LIMIT_KEYS, &[limit], counts.keys as u64);
    }
    for (limit, counts) in limits {
        page.count(
            &names::RATE_LIMIT_FORGOTTEN,
            &[limit, "indebted"],
            counts.folded,
        );
        page.count(
            &names::RATE_LIMIT_FORGOTTEN,
            &[limit, "refilled"],
            counts.refilled,
        );
    }
    for (limit, counts) in limits {
        page.count(&names::RATE_LIMIT_SKETCHED, &[limit], counts.sketched);
    }
    for (limit, counts) in limits {
        let share = counts.cells_live as f64 / counts.cells.max(1) as f64;
        page.float(&names::RATE_LIMIT_SATURATION, &[limit], share);
    }
}

fn write_workers(page: &mut Page, workers: &[WorkerState]) {
    type Is = fn(&WorkerState) -> bool;
    let states: [(&str, Is); 4] = [
        ("drained", |it| matches!(it, WorkerState::Drained { .. })),
        ("failed", |it| matches!(it, WorkerState::Failed(_))),
        ("ready", |it| matches!(it, WorkerState::Ready)),
        ("starting", |it| matches!(it, WorkerState::Starting)),
    ];
    for (state, is) in states {
        let count = workers.iter().filter(|it| is(it)).count();
        page.count(&names::WORKERS, &[state], count as u64);
    }
}

type Series<S> = [(Labels, Vec<Arc<S>>)];

/// The histograms of a family; a series without an observation is left out, since thousands of routes may be idle.
fn histograms<S>(
    page: &mut Page,
    metric: &'static Metric,
    series: &Series<S>,
    of: impl Fn(&S) -> &Histogram,
) {
    let Kind::Histogram(bounds) = metric.kind else {
        return debug_assert!(false, "{} is no histogram", metric.name);
    };
    for (labels, workers) in series {
        let mut totals = Totals::new(bounds);
        workers.iter().for_each(|one| totals.add(of(one)));
        if totals.count() > 0 {
            page.histogram(metric, &values(labels), &totals);
        }
    }
}

/// The counters by word of a family, the word being the last label.
fn words<S, const PLACES: usize>(
    page: &mut Page,
    metric: &'static Metric,
    series: &Series<S>,
    of: impl Fn(&S) -> &Words<PLACES>,
) {
    for (labels, workers) in series {
        let mut sums = BTreeMap::new();
        for worker in workers {
            of(worker).each(|word, count| *sums.entry(word).or_insert(0) += count);
        }
        for (word, sum) in sums {
            let mut labels = values(labels);
            labels.push(word);
            page.count(metric, &labels, sum);
        }
    }
}

fn values(labels: &Labels) -> Vec<&str> {
    labels.iter().map(|label| &**label).collect()
}

fn count<'a>(cells: impl Iterator<Item = &'a Counter>) -> u64 {
    cells.map(Counter::value).sum()
}

fn level<'a>(cells: impl Iterator<Item = &'a Gauge>) -> i64 {
    cells.map(Gauge::value).sum()
}
