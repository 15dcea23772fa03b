//! What the tasks of the control thread share among themselves.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use engine_bridge::Bridge;

use crate::operator::Operator;

/// One per control.
pub(crate) struct Shared {
    pub(crate) bridge: Arc<Bridge>,
    pub(crate) operator: Operator,
    /// Bumped to make the log writers open their files anew.
    pub(crate) reopen: AtomicU64,
    stalled: Mutex<Vec<usize>>,
    /// Held while `log_lines_lost` is counted: log writers are several.
    losing: Mutex<()>,
}

impl Shared {
    pub(crate) fn new(bridge: Arc<Bridge>, operator: Operator) -> Arc<Shared> {
        Arc::new(Shared {
            bridge,
            operator,
            reopen: AtomicU64::default(),
            stalled: Mutex::default(),
            losing: Mutex::default(),
        })
    }

    /// The workers whose loop does not turn.
    pub(crate) fn stalled(&self) -> Vec<usize> {
        self.stalled
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn set_stalled(&self, workers: Vec<usize>) {
        self.bridge
            .metrics
            .control
            .stalled
            .set(workers.len() as i64);
        *self.stalled.lock().unwrap_or_else(PoisonError::into_inner) = workers;
    }

    /// Counts lines that a log writer had to give up.
    pub(crate) fn lose_lines(&self, count: u64) {
        let _alone = self.losing.lock().unwrap_or_else(PoisonError::into_inner);
        self.bridge.metrics.control.log_lines_lost.add(count);
    }

    /// Makes the log writers open their files anew.
    pub(crate) fn reopen_logs(&self) {
        self.reopen.fetch_add(1, Ordering::Relaxed);
    }
}
