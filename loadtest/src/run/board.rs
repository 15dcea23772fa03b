//! What the threads of a run share: when it begins, whether it is to end, and what each worker has done so far.
//!
//! Nothing here is touched for a request: workers look at it a few times a second.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::reasons::Reasons;
use crate::results::SecondPart;

#[derive(Debug)]
pub(super) struct Board {
    /// Workers that have opened their first connections, or tried to.
    ready: AtomicUsize,
    /// When the run begins, on the monotonic clock; 0 while that is not known.
    start: AtomicU64,
    stop: AtomicBool,
    abort: AtomicBool,
    desks: Vec<Mutex<Desk>>,
}

/// What one worker lays out for others to see.
#[derive(Debug, Default)]
pub(super) struct Desk {
    /// Its whole seconds.
    pub(super) seconds: Vec<SecondPart>,
    /// Connections it has open.
    pub(super) connections: usize,
    pub(super) reasons: Reasons,
    /// What its first TLS handshake came to.
    pub(super) tls: Option<String>,
}

impl Board {
    pub(super) fn new(workers: usize) -> Board {
        Board {
            ready: AtomicUsize::new(0),
            start: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            abort: AtomicBool::new(false),
            desks: (0..workers).map(|_| Mutex::default()).collect(),
        }
    }

    /// A worker can begin.
    pub(super) fn be_ready(&self) {
        self.ready.fetch_add(1, Ordering::Release);
    }

    pub(super) fn all_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire) >= self.desks.len()
    }

    /// The run begins at this time.
    pub(super) fn begin(&self, start: u64) {
        self.start.store(start, Ordering::Release);
    }

    /// When the run begins, once that is known.
    pub(super) fn start(&self) -> Option<u64> {
        let start = self.start.load(Ordering::Acquire);
        (start > 0).then_some(start)
    }

    /// Nothing more is sent; answers are awaited.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Answers are not awaited either.
    pub(super) fn abort(&self) {
        self.abort.store(true, Ordering::Relaxed);
        self.stop();
    }

    pub(super) fn is_aborted(&self) -> bool {
        self.abort.load(Ordering::Relaxed)
    }

    pub(super) fn workers(&self) -> usize {
        self.desks.len()
    }

    /// A worker's desk; whoever panicked at it has left it in order.
    pub(super) fn desk(&self, worker: usize) -> Option<MutexGuard<'_, Desk>> {
        let desk = self.desks.get(worker)?;
        Some(desk.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
