//! The pinned single-threaded runtime of a worker: which driver, its start, tasks, rest.
//!
//! No sockets, no deadlines (it only starts their driver). Invariants: one runtime per thread at a time; a panic ends one
//! task, never the worker; no task may keep itself always runnable (with DEFER_TASKRUN io_uring would then reap nothing).

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::io;
use std::time::Duration;

use monoio::net::UnixStream;
use monoio::{IoUringDriver, LegacyDriver, RuntimeBuilder};

use crate::{deadline, listener, ring};

mod contain;
mod cores;
mod files;
mod pages;
mod probe;
mod quiet;

pub use contain::on_panic;
pub use cores::{available_cores, pin_to};
pub use files::raise_file_limit;
pub use pages::keep_pages_small;
pub use probe::{Wish, probe};

/// Entries of the submission queue; the completion queue is twice that. Large, since monoio does not see an overflow.
const ENTRIES: u32 = 4096;
/// How long a descriptor is kept, twice, whose operation may still be the kernel's.
const BURIAL: Duration = Duration::from_millis(10);

thread_local! {
    static DRIVER: Cell<Option<Driver>> = const { Cell::new(None) };
}

/// How a worker waits for its sockets, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// A driver of our own over io_uring, with SINGLE_ISSUER and DEFER_TASKRUN.
    Ring,
    /// monoio's over io_uring, with the same flags.
    UringDefer,
    /// io_uring with SINGLE_ISSUER and COOP_TASKRUN.
    UringCoop,
    /// io_uring without flags.
    Uring,
    /// epoll.
    Epoll,
}

impl fmt::Display for Driver {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Driver::Ring => "io_uring (own ring, DEFER_TASKRUN)",
            Driver::UringDefer => "io_uring (SINGLE_ISSUER, DEFER_TASKRUN)",
            Driver::UringCoop => "io_uring (SINGLE_ISSUER, COOP_TASKRUN)",
            Driver::Uring => "io_uring (no flags)",
            Driver::Epoll => "epoll",
        })
    }
}

impl Driver {
    /// The ring's flags; none for epoll.
    fn ring(self) -> Option<io_uring::Builder> {
        let mut ring = io_uring::IoUring::builder();
        match self {
            Driver::Ring | Driver::UringDefer => ring.setup_single_issuer().setup_defer_taskrun(),
            Driver::UringCoop => ring.setup_single_issuer().setup_coop_taskrun(),
            Driver::Uring => &mut ring,
            Driver::Epoll => return None,
        };
        Some(ring)
    }
}

/// Runs `main` and what it spawns on this thread until it ends; tasks that still wait are then abandoned. Pin the thread
/// first: memory and the ring belong to the core they are made on.
pub fn run<T, F: Future<Output = T>>(driver: Driver, main: impl FnOnce() -> F) -> io::Result<T> {
    if DRIVER.get().is_some() {
        return Err(io::Error::other("a runtime runs on this thread already"));
    }
    let _world = World::enter(driver);
    let main = async {
        let _end = Leave;
        spawn(deadline::drive());
        main().await
    };
    if driver == Driver::Ring {
        return ring::run(main);
    }
    match driver.ring() {
        Some(ring) => Ok(RuntimeBuilder::<IoUringDriver>::new()
            .with_entries(ENTRIES)
            .uring_builder(ring)
            .enable_timer()
            .build()?
            .block_on(main)),
        None => Ok(RuntimeBuilder::<LegacyDriver>::new()
            .with_entries(ENTRIES)
            .enable_timer()
            .build()?
            .block_on(main)),
    }
}

/// The thread's own state around a runtime, undone in any case once the runtime is gone.
struct World;

impl World {
    fn enter(driver: Driver) -> World {
        DRIVER.set(Some(driver));
        World
    }
}

impl Drop for World {
    fn drop(&mut self) {
        DRIVER.set(None);
        listener::forget_pollers();
        deadline::forget_waiting();
    }
}

/// Once `main` has ended nothing may be spawned, though tasks are still dropped.
struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        DRIVER.set(None);
    }
}

/// Whether sockets must be non-blocking here: epoll needs it, io_uring must not have it (it would not wait for them).
pub(crate) fn wants_nonblocking() -> bool {
    DRIVER.get() == Some(Driver::Epoll)
}

/// Whether this worker runs on epoll, where a read that is posted learns of bytes only when it is polled again.
pub fn on_epoll() -> bool {
    DRIVER.get() == Some(Driver::Epoll)
}

/// Whether this worker runs on the driver of our own.
pub(crate) fn on_ring() -> bool {
    DRIVER.get() == Some(Driver::Ring)
}

/// Starts a task on this thread, detached. A panic in it is caught: the future is dropped and the hook of [`on_panic`]
/// called.
pub fn spawn(future: impl Future<Output = ()> + 'static) {
    let task = contain::Contained::new(future);
    match on_ring() {
        true => ring::spawn(task),
        false => drop(monoio::spawn(quiet::Quiet::new(task))),
    }
}

/// Waits, to the millisecond. For the coarse and cheaper kind see [`deadline::sleep_until`].
pub async fn sleep(duration: Duration) {
    match on_ring() {
        true => ring::sleep(duration).await,
        false => monoio::time::sleep(duration).await,
    }
}

/// Lets every task that is runnable now run before this one goes on. Not for loops: only a task that waits for the kernel
/// lets io_uring make progress.
pub async fn yield_now() {
    if on_ring() {
        return ring::yield_now().await;
    }
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return std::task::Poll::Ready(());
        }
        // Waking ourselves would put us at the front of monoio's queue; a task that wakes us stands at its end.
        let waker = cx.waker().clone();
        drop(monoio::spawn(async move { waker.wake() }));
        std::task::Poll::Pending
    })
    .await;
}

/// Keeps a shut-down descriptor until its last operation is surely over, then closes it.
pub(crate) fn bury(stream: UnixStream) {
    // Without a runtime there is no completion loop to close it in.
    if DRIVER.get().is_some() && !on_ring() {
        drop(monoio::spawn(async move {
            // A timer fires only after a park, which submits what was pushed before it (the operation's cancellation)
            // and reaps what has completed; after two of them the operation is over, however slow the worker's turns.
            monoio::time::sleep(BURIAL).await;
            monoio::time::sleep(BURIAL).await;
            drop(stream);
        }));
    }
}

#[cfg(test)]
mod tests;
