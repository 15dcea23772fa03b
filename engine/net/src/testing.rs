//! For tests, this crate's and others': a counting allocator, and running a test on each driver. Never in the product.
//!
//! Use of the allocator: `#[global_allocator] static A: engine_net::testing::CountingAllocator = engine_net::testing::CountingAllocator;`
//! in the test binary, then [`count`] around the code. Counts are per thread.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::future::Future;

use crate::runtime::{self, Driver};
use crate::{clock, deadline};

thread_local! {
    // Constant and without drop: touching it never allocates, so the allocator may.
    static COUNTS: Cell<Counts> = const { Cell::new(Counts { allocations: 0, frees: 0, live: 0 }) };
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

/// Runs the test on io_uring as workers use it and on epoll; it fails if it has not ended within 20 seconds.
pub fn on_each_driver<F: Future<Output = ()>>(test: impl Fn() -> F) {
    for driver in [Driver::UringDefer, Driver::Epoll] {
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
}
