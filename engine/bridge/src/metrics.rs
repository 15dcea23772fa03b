//! What is counted. Each worker asks once, when it prepares a snapshot, for the series of its routes, upstreams,
//! listeners, limits and auths, and from then on counts without locks; a scrape adds the workers up.
//! Which names exist stands in `names`, nowhere else. Invariant: a series has one writer, so that counting is a plain
//! load and store; the values of a label come from the configuration and the program's own text, never from a client.

pub mod names;

mod cell;
mod family;
mod histogram;
mod page;
mod scrape;
mod series;
mod statuses;
mod words;

use std::sync::Arc;

use family::Family;

pub use cell::{Counter, Gauge};
pub use histogram::{Bounds, DURATION, Histogram};
pub use page::{Format, Page};
pub use scrape::EndpointHealth;
pub use series::{
    AuthSeries, BackendSeries, CheckSeries, ControlSeries, LimitSeries, ListenerSeries,
    RouteSeries, TlsSeries, UpstreamSeries, WorkerSeries,
};
pub use words::Words;

/// Every series of the process.
pub struct Metrics {
    /// Written by the control thread alone.
    pub control: ControlSeries,
    workers: Box<[Arc<WorkerSeries>]>,
    routes: Family<RouteSeries>,
    backends: Family<BackendSeries>,
    upstreams: Family<UpstreamSeries>,
    listeners: Family<ListenerSeries>,
    limits: Family<LimitSeries>,
    auths: Family<AuthSeries>,
    checks: Family<CheckSeries>,
}

impl Metrics {
    /// Series for `workers` workers, numbered from 0.
    pub fn new(workers: usize) -> Metrics {
        Metrics {
            control: ControlSeries::default(),
            workers: (0..workers.max(1)).map(|_| Arc::default()).collect(),
            routes: Family::default(),
            backends: Family::default(),
            upstreams: Family::default(),
            listeners: Family::default(),
            limits: Family::default(),
            auths: Family::default(),
            checks: Family::default(),
        }
    }

    /// What a worker counts whatever the configuration.
    ///
    /// # Panics
    /// If there is no such worker.
    pub fn worker(&self, worker: usize) -> Arc<WorkerSeries> {
        Arc::clone(&self.workers[worker])
    }

    // The series below last as long as a worker holds them (see `sweep`). Asking locks: for preparing a snapshot.

    /// A worker's series of a route; [`NO_ROUTE`] for requests that matched none.
    pub fn route(&self, worker: usize, route: &str) -> Arc<RouteSeries> {
        self.routes.of(worker, &[route])
    }

    /// A worker's series of a route's dealings with one of its upstreams.
    pub fn backend(&self, worker: usize, upstream: &str, route: &str) -> Arc<BackendSeries> {
        self.backends.of(worker, &[upstream, route])
    }

    /// A worker's series of an upstream.
    pub fn upstream(&self, worker: usize, upstream: &str) -> Arc<UpstreamSeries> {
        self.upstreams.of(worker, &[upstream])
    }

    /// A worker's series of a listener.
    pub fn listener(&self, worker: usize, listener: &str) -> Arc<ListenerSeries> {
        self.listeners.of(worker, &[listener])
    }

    /// A worker's series of a limit.
    pub fn limit(&self, worker: usize, limit: &str) -> Arc<LimitSeries> {
        self.limits.of(worker, &[limit])
    }

    /// A worker's series of an auth.
    pub fn auth(&self, worker: usize, auth: &str) -> Arc<AuthSeries> {
        self.auths.of(worker, &[auth])
    }

    /// The series of an endpoint's health checks, which control counts: there is one, whatever the workers.
    pub fn checks(&self, upstream: &str, endpoint: &str) -> Arc<CheckSeries> {
        self.checks.of(0, &[upstream, endpoint])
    }

    /// Forgets the series that no worker holds: those of routes, upstreams and so on that a reload removed. Control
    /// calls it once the old snapshot is gone, so that reloads don't make the scrape grow without end.
    pub fn sweep(&self) {
        self.routes.sweep();
        self.backends.sweep();
        self.upstreams.sweep();
        self.listeners.sweep();
        self.limits.sweep();
        self.auths.sweep();
        self.checks.sweep();
    }
}

/// The route label of a request that no route took.
pub const NO_ROUTE: &str = "";

#[cfg(test)]
mod tests;
