//! Everything that two threads may both see: the snapshot slot, the token ledger, the counters, the log rings, the keys of
//! session tickets and the process's life. No decisions live here: control proposes and decides, workers answer and count.
//! Invariant: the steady request path of a worker takes no lock here and issues no locked instruction, and no two workers
//! write to one cache line (`bench/benches/sharing.rs` times that): tokens and the places under a cap are leased, and what
//! all write is gone to where a lease is used up, and near a cap. A cap by client address takes a shard's lock once a
//! connection. What locks otherwise (publishing, preparing, rendering) happens on a tick, on a reload or on the control
//! thread.

pub mod board;
pub mod ledger;
pub mod life;
pub mod logs;
pub mod metrics;
pub mod slot;
pub mod sockets;
pub mod tickets;

#[cfg(test)]
mod lines;

use std::sync::Arc;

pub use engine_config::snapshot::Snapshot;
use engine_config::snapshot::{Endpoint, Upstream};

/// What the workers and the control thread share; one per process.
pub struct Bridge {
    /// The live snapshot and the candidate that may become it.
    pub slot: slot::Slot,
    /// The caps that hold for the whole node, and the health of endpoints.
    pub board: Arc<board::Board>,
    /// The node's token buckets.
    pub ledger: Arc<ledger::Ledger>,
    /// Counters, gauges and histograms of every worker.
    pub metrics: Arc<metrics::Metrics>,
    /// The rings between workers and log writers.
    pub logs: logs::Logs,
    /// Sockets on their way from the worker that bound them to the others.
    pub sockets: sockets::Sockets,
    /// The keys of TLS session tickets.
    pub tickets: tickets::Tickets,
    /// Running, draining or stopping; and how each worker fares.
    pub life: life::Life,
}

impl Bridge {
    /// An empty bridge for `workers` workers, numbered from 0; nothing is live yet.
    pub fn new(workers: usize) -> Arc<Bridge> {
        let metrics = Arc::new(metrics::Metrics::new(workers));
        Arc::new(Bridge {
            slot: slot::Slot::new(workers),
            board: Arc::new(board::Board::new(workers)),
            ledger: Arc::new(ledger::Ledger::new(workers)),
            logs: logs::Logs::new(workers, Arc::clone(&metrics)),
            metrics,
            sockets: sockets::Sockets::default(),
            tickets: tickets::Tickets::default(),
            life: life::Life::new(workers),
        })
    }

    /// Writes what the whole bridge knows onto a scrape's page.
    pub fn scrape(&self, page: &mut metrics::Page) {
        let now = self.life.newest_beat();
        let live = self.slot.live();
        let live = live.as_ref().map(|(_, snapshot)| &**snapshot);
        let rules = live.iter().flat_map(|snapshot| &snapshot.limits);
        let counts = |rule: &Arc<policy::limit::Rule>| {
            (
                Arc::clone(&rule.name),
                self.ledger.counts(rule.number(), now),
            )
        };
        let limits: Vec<_> = rules.map(counts).collect();
        let healths = self.healths(live);
        self.metrics
            .write(page, live, &self.life.states(), &limits, &healths);
    }

    /// The words on all endpoints that are checked.
    fn healths<'a>(&self, live: Option<&'a Snapshot>) -> Vec<metrics::EndpointHealth<'a>> {
        let upstreams = live.into_iter().flat_map(|live| &live.upstreams);
        let checked = upstreams.filter(|upstream| upstream.health.is_some());
        let health = |upstream: &'a Upstream, endpoint: &'a Endpoint| metrics::EndpointHealth {
            upstream: &upstream.name,
            endpoint: &endpoint.name,
            healthy: self
                .board
                .health(&upstream.name, &endpoint.name)
                .is_healthy(),
        };
        checked
            .flat_map(|it| {
                it.endpoints
                    .iter()
                    .map(move |endpoint| health(it, endpoint))
            })
            .collect()
    }

    /// Goes over to the live snapshot with what outlives snapshots: the limits' buckets, the hash that is shown. Control
    /// calls it when a snapshot has become live.
    pub fn adopt_live(&self) {
        if let Some((_, snapshot)) = self.slot.live() {
            self.ledger.adopt(&snapshot.limits, self.life.newest_beat());
            self.metrics.control.live_config(&snapshot.hash);
        }
    }

    /// Forgets the series and caps of what is no longer configured: once no worker holds an older snapshot.
    pub fn sweep(&self) {
        self.metrics.sweep();
        self.board.sweep();
    }

    /// How many workers this bridge was made for.
    pub fn workers(&self) -> usize {
        self.life.workers()
    }
}
