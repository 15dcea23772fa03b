//! The thread's free blocks: taken and put back without allocating, bounded, trimmed when quiet.
//!
//! Invariant: no list is ever longer than its bound, and lists are allocated at their bound once.

use std::cell::RefCell;

use super::Kind;
use crate::clock;

/// Free standard blocks kept at most, by worker: 20 MiB.
const STANDARD_BOUND: usize = 1024;
/// Free large blocks kept at most, by worker: 8 MiB.
const LARGE_BOUND: usize = 64;
/// How long a free block must have gone unused before it is freed.
const QUIET: u64 = 1_000_000_000;
/// Blocks freed by one trim at most, so that a tick stays short.
const TRIM_STEP: usize = 16;

thread_local! {
    static POOL: RefCell<Pool> = const {
        RefCell::new(Pool { standard: Shelf::new(Kind::Standard), large: Shelf::new(Kind::Large), window: 0 })
    };
}

/// What this worker's buffers amount to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Buffers handed out and not yet dropped.
    pub in_use: usize,
    /// Free blocks waiting in the pool.
    pub pooled: usize,
    /// Bytes of both together.
    pub bytes: usize,
}

struct Pool {
    standard: Shelf,
    large: Shelf,
    /// When the current window of observation began.
    window: u64,
}

struct Shelf {
    kind: Kind,
    free: Vec<Box<[u8]>>,
    in_use: usize,
    /// The fewest free blocks since the window began: that many were not needed.
    least: usize,
}

impl Shelf {
    const fn new(kind: Kind) -> Shelf {
        Shelf {
            kind,
            free: Vec::new(),
            in_use: 0,
            least: 0,
        }
    }

    const fn bound(&self) -> usize {
        match self.kind {
            Kind::Standard => STANDARD_BOUND,
            Kind::Large => LARGE_BOUND,
        }
    }

    fn take(&mut self) -> Option<Box<[u8]>> {
        self.in_use += 1;
        let block = self.free.pop();
        self.least = self.least.min(self.free.len());
        block
    }

    /// Gives the block back to the caller, who frees it outside the borrow, when the shelf is full.
    fn put(&mut self, block: Box<[u8]>) -> Option<Box<[u8]>> {
        self.in_use = self.in_use.saturating_sub(1);
        if self.free.len() >= self.bound() {
            return Some(block);
        }
        if self.free.capacity() == 0 {
            self.free.reserve_exact(self.bound());
        }
        self.free.push(block);
        None
    }

    fn trim(&mut self) {
        let surplus = self.least.min(TRIM_STEP).min(self.free.len());
        self.free.truncate(self.free.len() - surplus);
        self.least -= surplus;
    }

    fn add_to(&self, stats: &mut Stats) {
        stats.in_use += self.in_use;
        stats.pooled += self.free.len();
        stats.bytes += (self.in_use + self.free.len()) * self.kind.bytes();
    }
}

impl Pool {
    fn shelf(&mut self, kind: Kind) -> &mut Shelf {
        match kind {
            Kind::Standard => &mut self.standard,
            Kind::Large => &mut self.large,
        }
    }

    fn trim(&mut self, now: u64) {
        // Before the window has passed nothing is known to be unused; surplus found at its end goes step by step.
        if now.saturating_sub(self.window) < QUIET {
            return;
        }
        self.standard.trim();
        self.large.trim();
        if self.standard.least == 0 && self.large.least == 0 {
            self.window = now;
            self.standard.least = self.standard.free.len();
            self.large.least = self.large.free.len();
        }
    }
}

/// A block of the kind: a free one, else a new one. Its bytes are initialised but arbitrary.
pub(super) fn take(kind: Kind) -> Box<[u8]> {
    let pooled = POOL.try_with(|pool| pool.borrow_mut().shelf(kind).take());
    match pooled.ok().flatten() {
        Some(block) => block,
        None => vec![0; kind.bytes()].into_boxed_slice(),
    }
}

/// Takes a block back, or frees it when enough are held.
pub(super) fn put(kind: Kind, block: Box<[u8]>) {
    // While the thread ends the pool is gone and the block is simply freed.
    let surplus = POOL.try_with(|pool| pool.borrow_mut().shelf(kind).put(block));
    drop(surplus);
}

/// Frees blocks that no one has needed for a second, a few at a time. Called on each tick of the worker.
pub fn trim() {
    trim_at(clock::coarse());
}

pub(super) fn trim_at(now: u64) {
    let _ = POOL.try_with(|pool| pool.borrow_mut().trim(now));
}

/// What this worker's buffers amount to, for its gauges.
pub fn stats() -> Stats {
    let mut stats = Stats::default();
    let _ = POOL.try_with(|pool| {
        let pool = pool.borrow();
        pool.standard.add_to(&mut stats);
        pool.large.add_to(&mut stats);
    });
    stats
}
