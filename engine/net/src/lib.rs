//! Sockets, buffers, deadlines and the pinned runtime of one worker.
//!
//! The only crate that names monoio, io-uring, libc, socket2 and rustls, and the only one with `unsafe`: the rest of the
//! gateway sees [`Conn`], [`listener::Listener`], [`Buffer`] and [`Deadline`], so that the driver below can be replaced
//! without touching the data path. What never lives here: HTTP, policy, anything two threads share.
//!
//! Invariant: everything made on a worker stays on that worker; the steady path (read, write, set a deadline) allocates
//! nothing and makes no system call of its own on io_uring.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

mod address;
pub mod buffer;
pub mod clock;
mod conn;
mod connect;
pub mod deadline;
pub mod listener;
mod race;
mod ring;
pub mod runtime;
mod splice;
#[cfg(any(test, feature = "test-support"))]
pub mod testing;
pub mod tls;

pub use address::Address;
pub use buffer::Buffer;
pub use conn::{Conn, Peek, Shutdown, Socket};
pub use connect::connect;
pub use deadline::{Deadline, Strike};
pub use listener::Listener;
pub use race::{Either, race};
pub use splice::Splice;

/// Whether an operation ended because it was cancelled (a struck [`Strike::CancelRead`], a stopped listener).
pub fn is_cancelled(error: &std::io::Error) -> bool {
    error.raw_os_error() == Some(libc::ECANCELED)
}

/// The error of a cancelled operation, the same on every driver.
pub(crate) fn cancelled() -> std::io::Error {
    std::io::Error::from_raw_os_error(libc::ECANCELED)
}

// The allocation budgets below are measured with it.
#[cfg(test)]
#[global_allocator]
static ALLOCATOR: testing::CountingAllocator = testing::CountingAllocator;
