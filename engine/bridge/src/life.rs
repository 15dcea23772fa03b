//! Whether the process runs, drains or stops, and how each worker fares. When to drain and how long is control's to
//! decide; draining itself is the worker's.
//! Invariant: the phase only moves forward; each worker writes its own cell alone.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crossbeam_utils::CachePadded;

/// What the workers are to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Accept and serve.
    Running,
    /// Accept until the queue is empty, close the listeners, finish what is in flight, then report `drained`.
    Draining {
        /// On the workers' clock, to within a tick: the newest heartbeat when draining began.
        since: u64,
    },
    /// Cut what is left, report `drained` with its count, and end.
    Stop,
}

/// How one worker fares.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WorkerState {
    /// Not serving yet.
    Starting,
    /// Serving.
    Ready,
    /// It could not start, or its thread died: why.
    Failed(String),
    /// It has nothing in flight any more and its listeners are closed.
    Drained {
        /// Exchanges that were cut short.
        cut: u64,
    },
}

/// The life of the process and of its workers.
pub struct Life {
    phase: AtomicU8,
    since: AtomicU64,
    /// Set when draining is announced but not begun: not ready for new clients, still accepting.
    leaving: AtomicBool,
    workers: Box<[CachePadded<Worker>]>,
}

#[derive(Default)]
struct Worker {
    /// Monotonic nanoseconds of the worker's last tick; 0 before the first.
    beat: AtomicU64,
    state: AtomicU8,
    cut: AtomicU64,
    in_flight: AtomicU64,
    why: Mutex<String>,
}

const RUNNING: u8 = 0;
const DRAINING: u8 = 1;
const STOP: u8 = 2;

const STARTING: u8 = 0;
const READY: u8 = 1;
const FAILED: u8 = 2;
const DRAINED: u8 = 3;

impl Life {
    pub(crate) fn new(workers: usize) -> Life {
        Life {
            phase: AtomicU8::new(RUNNING),
            since: AtomicU64::new(0),
            leaving: AtomicBool::new(false),
            workers: (0..workers).map(|_| CachePadded::default()).collect(),
        }
    }

    /// How many workers there are.
    pub fn workers(&self) -> usize {
        self.workers.len()
    }

    // The worker's side.

    /// What to do now; looked at on each tick.
    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            RUNNING => Phase::Running,
            DRAINING => Phase::Draining {
                since: self.since.load(Ordering::Relaxed),
            },
            _ => Phase::Stop,
        }
    }

    /// The worker's loop turns: called on each tick with the worker's clock. One plain store.
    pub fn beat(&self, worker: usize, now: u64) {
        if let Some(it) = self.workers.get(worker) {
            it.beat.store(now, Ordering::Relaxed);
        }
    }

    /// How many exchanges the worker has in flight, for the drain's report. One plain store.
    pub fn in_flight(&self, worker: usize, count: u64) {
        if let Some(it) = self.workers.get(worker) {
            it.in_flight.store(count, Ordering::Relaxed);
        }
    }

    /// The worker accepts.
    pub fn ready(&self, worker: usize) {
        self.set(worker, READY);
    }

    /// The worker could not start, or died.
    pub fn failed(&self, worker: usize, why: impl Into<String>) {
        if let Some(it) = self.workers.get(worker) {
            *it.why.lock().unwrap_or_else(PoisonError::into_inner) = why.into();
            self.set(worker, FAILED);
        }
    }

    /// The worker has drained, after cutting `cut` exchanges short.
    pub fn drained(&self, worker: usize, cut: u64) {
        if let Some(it) = self.workers.get(worker) {
            it.cut.store(cut, Ordering::Relaxed);
            it.in_flight.store(0, Ordering::Relaxed);
            self.set(worker, DRAINED);
        }
    }

    /// Held by a worker's thread as long as it lives: if it is dropped before the worker has drained or failed of its
    /// own accord (a panic, an early return), the worker counts as failed.
    pub fn guard(&self, worker: usize) -> Guard<'_> {
        Guard { life: self, worker }
    }

    // The control side.

    /// Not ready for new clients any more, though still accepting.
    pub fn leave(&self) {
        self.leaving.store(true, Ordering::Release);
    }

    /// True from the moment draining was announced.
    pub fn leaving(&self) -> bool {
        self.leaving.load(Ordering::Acquire)
    }

    /// Tells the workers to drain. Does nothing once they drain or stop.
    pub fn drain(&self) {
        self.leave();
        if self.phase.load(Ordering::Relaxed) == RUNNING {
            self.since.store(self.newest_beat(), Ordering::Relaxed);
            self.phase.store(DRAINING, Ordering::Release);
        }
    }

    /// Tells the workers to cut what is left and end.
    pub fn stop(&self) {
        self.leave();
        self.phase.store(STOP, Ordering::Release);
    }

    /// Monotonic nanoseconds of the worker's last tick, on its own clock; 0 before the first.
    pub fn last_beat(&self, worker: usize) -> u64 {
        self.workers
            .get(worker)
            .map_or(0, |it| it.beat.load(Ordering::Relaxed))
    }

    /// The newest tick of any worker: the workers' clock, for those that have none of their own, to within a tick.
    pub fn newest_beat(&self) -> u64 {
        let beats = self
            .workers
            .iter()
            .map(|it| it.beat.load(Ordering::Relaxed));
        beats.max().unwrap_or(0)
    }

    /// How the worker fares.
    pub fn worker(&self, worker: usize) -> WorkerState {
        let Some(it) = self.workers.get(worker) else {
            return WorkerState::Starting;
        };
        match it.state.load(Ordering::Acquire) {
            STARTING => WorkerState::Starting,
            READY => WorkerState::Ready,
            DRAINED => WorkerState::Drained {
                cut: it.cut.load(Ordering::Relaxed),
            },
            _ => WorkerState::Failed(
                it.why
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clone(),
            ),
        }
    }

    /// How every worker fares, by number.
    pub fn states(&self) -> Vec<WorkerState> {
        (0..self.workers())
            .map(|worker| self.worker(worker))
            .collect()
    }

    /// Exchanges in flight over all workers, as last reported.
    pub fn in_flight_total(&self) -> u64 {
        self.workers
            .iter()
            .map(|it| it.in_flight.load(Ordering::Relaxed))
            .sum()
    }

    fn set(&self, worker: usize, state: u8) {
        if let Some(it) = self.workers.get(worker) {
            it.state.store(state, Ordering::Release);
        }
    }
}

/// See [`Life::guard`].
pub struct Guard<'a> {
    life: &'a Life,
    worker: usize,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        match self.life.worker(self.worker) {
            WorkerState::Drained { .. } | WorkerState::Failed(_) => {}
            WorkerState::Starting | WorkerState::Ready => {
                self.life.failed(self.worker, "its thread ended");
            }
        }
    }
}

#[cfg(test)]
mod tests;
