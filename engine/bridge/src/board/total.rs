//! How many of something the whole node holds: the count that all workers write. When a worker comes here rather than
//! to what it keeps for itself is `board/share.rs`'s.
//! Invariant: what is out never grows beyond the cap that it is asked for under.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crossbeam_utils::CachePadded;

/// How many of something the whole node holds.
#[derive(Default)]
pub struct Total {
    /// Held, or in a worker's surplus.
    out: CachePadded<AtomicU64>,
    /// Whether the cap is near, so that nobody shall keep a surplus. Read by every operation, written when it changes.
    /// A hint: a stale one costs a little time or holds a surplus back until the tick, never the cap.
    tight: CachePadded<AtomicBool>,
}

/// What a share asks for under.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    pub(super) cap: u64,
    /// The cap is near when fewer are left. Surplus is taken only of what is left beyond.
    pub(super) reserve: u64,
}

impl Total {
    /// One more, unless `cap` are out already. One locked instruction on a line that all workers write: for what doesn't
    /// come with every request.
    pub fn acquire(total: &Arc<Total>, cap: u64) -> Option<Counted> {
        let terms = Terms { cap, reserve: 0 };
        total.take(0, terms).map(|_| Counted(Arc::clone(total)))
    }

    /// How many are out now: exactly what is held where nobody has a [`Share`](super::Share) of it, else with the
    /// workers' surplus.
    pub fn held(&self) -> u64 {
        self.out.load(Ordering::Relaxed)
    }

    pub(super) fn is_tight(&self) -> bool {
        self.tight.load(Ordering::Relaxed)
    }

    /// One, and `more` or what the reserve leaves of them: returns how many beyond the one; `None` at the cap.
    pub(super) fn take(&self, more: u64, terms: Terms) -> Option<u64> {
        let beyond = |out: u64| more.min((terms.cap - out - 1).saturating_sub(terms.reserve));
        let taken = |out| (out < terms.cap).then(|| out + 1 + beyond(out));
        match self
            .out
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken)
        {
            Ok(out) => {
                let beyond = beyond(out);
                self.judge(out + 1 + beyond, terms);
                Some(beyond)
            }
            Err(out) => {
                self.judge(out, terms);
                None
            }
        }
    }

    /// Without terms, whether the cap is near is left to those who acquire.
    pub(super) fn give_back(&self, count: u64, terms: Option<Terms>) {
        let before = self.out.fetch_sub(count, Ordering::Relaxed);
        debug_assert!(before >= count, "more came back than was out");
        if let Some(terms) = terms {
            self.judge(before.saturating_sub(count), terms);
        }
    }

    /// Says that the cap is near, or that it is far again: between the reserve and twice that, what was said stays, so
    /// that the word isn't changed at each step. Without a reserve nobody asks.
    fn judge(&self, out: u64, terms: Terms) {
        let left = terms.cap.saturating_sub(out);
        let tight = match () {
            () if terms.reserve == 0 => return,
            () if left < terms.reserve => true,
            () if left >= terms.reserve.saturating_mul(2) => false,
            () => return,
        };
        if self.is_tight() != tight {
            self.tight.store(tight, Ordering::Relaxed);
        }
    }

    #[cfg(test)]
    pub(super) fn lines(&self) -> (&CachePadded<AtomicU64>, &CachePadded<AtomicBool>) {
        (&self.out, &self.tight)
    }
}

/// One of a total's that is counted one by one; dropping it gives it back.
#[must_use = "dropping it gives the place back"]
pub struct Counted(Arc<Total>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.out.fetch_sub(1, Ordering::Relaxed);
    }
}
