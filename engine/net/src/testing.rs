//! For tests, this crate's and others': a counting allocator, and running a test on each driver. Never in the product.
//!
//! Use of the allocator: `#[global_allocator] static A: engine_net::testing::CountingAllocator = engine_net::testing::CountingAllocator;`
//! in the test binary, then [`count`] around the code. Counts are per thread; a [`Tally`] sums those of several threads
//! and can be read from any other.

use std::alloc::{GlobalAlloc, Layout, System};
use std::backtrace::Backtrace;
use std::cell::Cell;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::runtime::{self, Driver};
use crate::{clock, deadline};

thread_local! {
    // Constant and without drop: touching it never allocates, so the allocator may.
    static COUNTS: Cell<Counts> = const { Cell::new(Counts { allocations: 0, frees: 0, live: 0 }) };
    static TALLY: Cell<Option<&'static Tally>> = const { Cell::new(None) };
}

/// The system's allocator, counting what each thread asks of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct CountingAllocator;

/// What one thread has asked of the allocator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Blocks allocated; a reallocation counts as one.
    pub allocations: u64,
    /// Blocks freed.
    pub frees: u64,
    /// Bytes allocated less bytes freed on this thread; negative when it frees what others allocated.
    pub live: i64,
}

/// The blocks allocated by every thread that has joined it.
#[derive(Debug, Default)]
pub struct Tally {
    allocations: AtomicU64,
    traced: AtomicBool,
    traces: Mutex<Vec<String>>,
}

/// Call paths that a tally keeps.
const TRACES: usize = 4;

impl Tally {
    /// Nothing allocated yet, no thread joined.
    pub const fn new() -> Tally {
        Tally {
            allocations: AtomicU64::new(0),
            traced: AtomicBool::new(false),
            traces: Mutex::new(Vec::new()),
        }
    }

    /// From now on the calling thread counts here too, and nowhere else beside its own counts.
    pub fn join(&'static self) {
        TALLY.set(Some(self));
    }

    /// Blocks allocated so far.
    pub fn allocations(&self) -> u64 {
        self.allocations.load(Ordering::Relaxed)
    }

    /// Whether the first few allocations from now on leave their call paths.
    pub fn trace(&self, on: bool) {
        self.traced.store(on, Ordering::Relaxed);
    }

    /// The call paths of what was allocated while [`Tally::trace`] was on.
    pub fn traces(&self) -> Vec<String> {
        let mut traces = self.traces.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *traces)
    }

    fn note(&'static self, allocations: u64) {
        self.allocations.fetch_add(allocations, Ordering::Relaxed);
        if allocations == 0 || !self.traced.load(Ordering::Relaxed) {
            return;
        }
        // What the trace itself allocates is not counted, or it would never end.
        TALLY.set(None);
        let mut traces = self.traces.lock().unwrap_or_else(PoisonError::into_inner);
        if traces.len() < TRACES {
            traces.push(Backtrace::force_capture().to_string());
        }
        drop(traces);
        TALLY.set(Some(self));
    }
}

/// Runs the test on io_uring as workers use it and on epoll; it fails if it has not ended within 20 seconds.
pub fn on_each_driver<F: Future<Output = ()>>(test: impl Fn() -> F) {
    for driver in [Driver::Ring, Driver::UringDefer, Driver::Epoll] {
        let ended = runtime::run(driver, || {
            deadline::within(clock::now() + 20_000_000_000, test())
        });
        assert!(
            matches!(ended, Ok(Some(()))),
            "on {driver}: {ended:?} (None: it hung)"
        );
    }
}

/// The counts of this thread so far.
pub fn counts() -> Counts {
    COUNTS.get()
}

/// Runs `work` and says what it asked of the allocator on this thread.
pub fn count<R>(work: impl FnOnce() -> R) -> (R, Counts) {
    let before = counts();
    let out = work();
    let after = counts();
    let delta = Counts {
        allocations: after.allocations - before.allocations,
        frees: after.frees - before.frees,
        live: after.live - before.live,
    };
    (out, delta)
}

fn note(allocations: u64, frees: u64, bytes: i64) {
    // Fails only while the thread ends; nobody counts then.
    let _ = COUNTS.try_with(|counts| {
        let now = counts.get();
        counts.set(Counts {
            allocations: now.allocations + allocations,
            frees: now.frees + frees,
            live: now.live + bytes,
        });
    });
    if let Ok(Some(tally)) = TALLY.try_with(Cell::get) {
        tally.note(allocations);
    }
}

// SAFETY: every call is handed to the system's allocator unchanged; counting touches only a constant thread-local.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(1, 0, layout.size() as i64);
        // SAFETY: the caller keeps `alloc`'s contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(1, 0, layout.size() as i64);
        // SAFETY: the caller keeps `alloc_zeroed`'s contract, which is the same.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        note(0, 1, -(layout.size() as i64));
        // SAFETY: `block` came from the system's allocator through this one, with this layout.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(1, 1, size as i64 - layout.size() as i64);
        // SAFETY: as for `dealloc`; the caller keeps `realloc`'s contract.
        unsafe { System.realloc(block, layout, size) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_blocks_and_bytes() {
        let (block, counts) = count(|| Box::new([0u8; 100]));
        assert_eq!((counts.allocations, counts.live), (1, 100));
        let ((), counts) = count(|| drop(block));
        assert_eq!((counts.frees, counts.live), (1, -100));
    }

    #[test]
    fn a_tally_counts_the_threads_that_joined_it() {
        static TALLY: Tally = Tally::new();
        let allocate = || drop(std::hint::black_box(Box::new([0u8; 100])));
        allocate();
        let joined = move || {
            TALLY.join();
            TALLY.trace(true);
            allocate();
            TALLY.trace(false);
            allocate();
        };
        let thread = std::thread::spawn(joined);
        assert!(thread.join().is_ok());
        assert_eq!(TALLY.allocations(), 2);
        let traces = TALLY.traces();
        assert_eq!(traces.len(), 1);
        assert!(traces[0].contains("a_tally_counts"), "{}", traces[0]);
    }
}
