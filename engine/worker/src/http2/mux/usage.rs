//! Whether a connection to an endpoint has streams: what its gauges say, and since when the endpoint owes a word.
//!
//! Touched only when the first stream is held and when the last one is let go.

use std::sync::Arc;

use engine_bridge::metrics::UpstreamSeries;
use engine_net::deadline;

use super::{Inner, Mux};

/// What is kept of it; clients' connections have none.
pub(super) struct Usage {
    series: Arc<UpstreamSeries>,
    active: bool,
    /// When a stream was first held since bytes came last; 0: none was.
    owed: u64,
}

impl Usage {
    fn set(&mut self, active: bool) {
        if std::mem::replace(&mut self.active, active) == active {
            return;
        }
        if active {
            self.series.idle.dec();
            self.series.active.inc();
        } else {
            self.series.idle.inc();
            self.series.active.dec();
        }
    }
}

impl Drop for Usage {
    fn drop(&mut self) {
        match self.active {
            true => self.series.active.dec(),
            false => self.series.idle.dec(),
        }
    }
}

impl Inner {
    /// The first stream is held, the last one was let go.
    pub(super) fn is_used(&mut self, used: bool) {
        if let Some(usage) = &mut self.usage {
            usage.set(used);
            if used && usage.owed == 0 {
                usage.owed = deadline::now();
            }
        }
    }
}

impl Mux {
    /// Counts it among an upstream's from now on, which has no stream yet.
    pub(crate) fn count(&self, series: Arc<UpstreamSeries>) {
        series.idle.inc();
        self.inner.borrow_mut().usage = Some(Usage {
            series,
            active: false,
            owed: 0,
        });
    }

    /// It is no more, whatever still holds its streams.
    pub(crate) fn uncount(&self) {
        self.inner.borrow_mut().usage = None;
    }

    /// Bytes have come.
    pub(crate) fn heard(&self) {
        if let Some(usage) = &mut self.inner.borrow_mut().usage {
            usage.owed = 0;
        }
    }

    /// Where streams are held: when the first of them was since bytes came last; 0: before that.
    pub(crate) fn owed(&self) -> Option<u64> {
        let inner = self.inner.borrow();
        let owed = inner.usage.as_ref().map_or(0, |usage| usage.owed);
        (inner.held > 0).then_some(owed)
    }
}
