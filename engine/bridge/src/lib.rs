//! Everything that two threads may both see: the snapshot slot, the token ledger, the counters, the log rings and the
//! process's life. No decisions live here: control proposes and decides, workers answer and count.
//! Invariant: the steady request path of a worker takes no lock here and issues no locked instruction; what locks
//! (publishing, preparing, rendering) happens on a tick, on a reload or on the control thread.

pub mod board;
pub mod ledger;
pub mod life;
pub mod logs;
pub mod metrics;
pub mod slot;

use std::sync::Arc;

pub use engine_config::snapshot::Snapshot;

/// What the workers and the control thread share; one per process.
pub struct Bridge {
    /// The live snapshot and the candidate that may become it.
    pub slot: slot::Slot,
    /// The caps that hold for the whole node.
    pub board: board::Board,
    /// The node's token buckets.
    pub ledger: Arc<ledger::Ledger>,
    /// Counters, gauges and histograms of every worker.
    pub metrics: Arc<metrics::Metrics>,
    /// The rings between workers and log writers.
    pub logs: logs::Logs,
    /// Running, draining or stopping; and how each worker fares.
    pub life: life::Life,
}

impl Bridge {
    /// An empty bridge for `workers` workers, numbered from 0; nothing is live yet.
    pub fn new(workers: usize) -> Arc<Bridge> {
        let metrics = Arc::new(metrics::Metrics::new(workers));
        Arc::new(Bridge {
            slot: slot::Slot::new(workers),
            board: board::Board::default(),
            ledger: Arc::new(ledger::Ledger::new(workers)),
            logs: logs::Logs::new(workers, Arc::clone(&metrics)),
            metrics,
            life: life::Life::new(workers),
        })
    }

    /// How many workers this bridge was made for.
    pub fn workers(&self) -> usize {
        self.life.workers()
    }
}
