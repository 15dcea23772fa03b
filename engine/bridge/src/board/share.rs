//! What one worker has of the node's totals: places in use and a small surplus, so that a request takes a place and gives
//! it back without writing to shared memory. Never leaves its thread; the count that all share is `board/total.rs`'s.
//!
//! Invariant: what is held by all workers and their surplus together is what is out, and that never grows beyond the cap;
//! a surplus is used only under the cap that it was taken under, and lasts no longer than to the worker's next tick. So
//! while a reload lowers a cap, the old one holds for a tick more, as it does for workers that have not heard yet.
//!
//! What it costs in under-use. A worker's surplus is at most `cap / (16 × workers)`, and at most 64. So whoever is
//! refused is refused with less than a sixteenth of the cap unused, in the surplus of others, and for no longer than to
//! their next operation or tick (10 ms under load, 100 ms when quiet). Where no more is left than all surplus could be,
//! everyone takes one at a time and gives back at once, and so does at all times a worker that has acquired nothing
//! since its tick. Caps below `16 × workers` are exact at all times.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::total::Terms;
use super::{Board, Key, Subject, Total};

/// All surplus together is at most this part of the cap.
const PART: u64 = 16;
/// No worker needs more: between two ticks the count of what it holds seldom moves by as much.
const MOST: u64 = 64;

/// After so many ticks a worker looks for shares that nothing uses any more.
pub(super) const FORGET_EVERY: u32 = 128;

/// What one worker has of every total that it uses.
pub struct Shares {
    board: Arc<Board>,
    known: RefCell<HashMap<Key, Rc<Share>>>,
    busy: Rc<Busy>,
    ticks: Cell<u32>,
}

/// The shares that something has been acquired of since the tick, each once; room for all of them.
type Busy = RefCell<Vec<Rc<Share>>>;

impl Shares {
    /// Nothing yet.
    pub fn new(board: &Arc<Board>) -> Shares {
        Shares {
            board: Arc::clone(board),
            known: RefCell::default(),
            busy: Rc::default(),
            ticks: Cell::new(0),
        }
    }

    // Asking for a share locks: for preparing a snapshot, not for a request.

    /// Connections to an upstream.
    pub fn connections(&self, upstream: &str) -> Rc<Share> {
        self.share(Subject::UpstreamConnections, upstream)
    }

    /// Requests in flight to an upstream.
    pub fn in_flight(&self, upstream: &str) -> Rc<Share> {
        self.share(Subject::UpstreamInFlight, upstream)
    }

    /// Connections from clients on a listener.
    pub fn listener(&self, listener: &str) -> Rc<Share> {
        self.share(Subject::ListenerConnections, listener)
    }

    /// Connections from clients on all listeners.
    pub fn all_connections(&self) -> Rc<Share> {
        self.share(Subject::AllConnections, "")
    }

    /// To be called on every tick of the worker, and so whenever it has adopted a snapshot: gives all surplus back. Costs
    /// nothing for what was not used.
    pub fn tick(&self) {
        for share in self.busy.borrow_mut().drain(..) {
            share.listed.set(false);
            share.settle();
        }
        let ticks = self.ticks.get().wrapping_add(1);
        self.ticks.set(ticks);
        if ticks.is_multiple_of(FORGET_EVERY) {
            let used = |share: &Rc<Share>| Rc::strong_count(share) > 1;
            self.known.borrow_mut().retain(|_, share| used(share));
        }
    }

    /// The worker ends and will not tick again: what its tasks still hold goes to the node as it is dropped.
    pub fn finish(&self) {
        self.tick();
        for share in self.known.borrow().values() {
            share.finished.set(true);
        }
    }

    #[cfg(test)]
    pub(super) fn busy(&self) -> &Busy {
        &self.busy
    }

    /// One for a worker and name, however many snapshots use it: surplus is bounded by the worker.
    fn share(&self, subject: Subject, name: &str) -> Rc<Share> {
        let key = (subject, name.into());
        let mut known = self.known.borrow_mut();
        if let Some(share) = known.get(&key) {
            return Rc::clone(share);
        }
        let share = Rc::new(Share {
            total: self.board.total(&key),
            workers: self.board.workers,
            surplus: Cell::new(0),
            most: Cell::new(0),
            terms: Cell::new(None),
            finished: Cell::new(false),
            busy: Rc::clone(&self.busy),
            listed: Cell::new(false),
        });
        known.insert(key, Rc::clone(&share));
        let mut busy = self.busy.borrow_mut();
        let room = known.len().saturating_sub(busy.len());
        busy.reserve(room);
        share
    }
}

impl Drop for Shares {
    fn drop(&mut self) {
        self.finish();
    }
}

/// What one worker has of a total.
pub struct Share {
    total: Arc<Total>,
    workers: u64,
    /// Taken from the total and not held; 0 after a tick.
    surplus: Cell<u64>,
    /// No more is kept; 0 while there are no terms.
    most: Cell<u64>,
    /// What the surplus was taken under; none until something has been acquired since the tick or the last refusal.
    terms: Cell<Option<Terms>>,
    /// Nothing is kept any more.
    finished: Cell<bool>,
    busy: Rc<Busy>,
    /// Whether it is among the busy.
    listed: Cell<bool>,
}

impl Share {
    /// One more, unless the node holds `cap` already. Without a cap say `u64::MAX`.
    #[inline]
    pub fn acquire(self: &Rc<Self>, cap: u64) -> Option<Held> {
        let terms = match self.terms.get() {
            Some(terms) if terms.cap == cap => terms,
            _ => self.go_by(cap),
        };
        let tight = self.total.is_tight();
        match self.surplus.get().checked_sub(1) {
            Some(rest) => {
                self.surplus.set(rest);
                if tight {
                    self.keep(0);
                }
            }
            None => {
                let more = if tight { 0 } else { self.most.get() / 2 };
                let Some(rest) = self.total.take(more, terms) else {
                    // More may be out than this cap allows: what comes back here is not this worker's to use again.
                    self.settle();
                    return None;
                };
                self.surplus.set(rest);
            }
        }
        Some(Held(Rc::clone(self)))
    }

    /// The first since a tick, or another cap than last time: for a request that goes by the snapshot before.
    #[cold]
    fn go_by(self: &Rc<Self>, cap: u64) -> Terms {
        self.settle();
        let most = (cap / PART / self.workers).min(MOST);
        let reserve = most * self.workers;
        let terms = Terms { cap, reserve };
        if !self.finished.get() {
            self.most.set(most);
            self.terms.set(Some(terms));
            if !self.listed.replace(true) {
                self.busy.borrow_mut().push(Rc::clone(self));
            }
        }
        terms
    }

    /// Keeps nothing, until something is acquired.
    fn settle(&self) {
        self.keep(0);
        self.most.set(0);
        self.terms.set(None);
    }

    #[inline]
    fn release(&self) {
        let surplus = self.surplus.get() + 1;
        self.surplus.set(surplus);
        if self.total.is_tight() {
            self.keep(0);
        } else if surplus > self.most.get() {
            // Half of it, so that neither the next release nor the next acquire has to go to the node.
            self.keep(self.most.get().div_ceil(2));
        }
    }

    /// Gives the surplus beyond so many back.
    fn keep(&self, most: u64) {
        let surplus = self.surplus.get();
        if surplus > most {
            self.surplus.set(most);
            self.total.give_back(surplus - most, self.terms.get());
        }
    }

    #[cfg(test)]
    pub(super) fn surplus(&self) -> u64 {
        self.surplus.get()
    }

    #[cfg(test)]
    pub(super) fn total(&self) -> &Total {
        &self.total
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.keep(0);
    }
}

/// One of a total's; dropping it gives it back. Keeps its share alive, so that it may outlive the worker's [`Shares`].
#[must_use = "dropping it gives the place back"]
pub struct Held(Rc<Share>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.release();
    }
}
