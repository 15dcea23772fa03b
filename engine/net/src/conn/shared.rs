//! What a connection shares with its deadlines: the descriptor and the means to end a pending read.
//!
//! Invariant: `fd` is the connection's open descriptor, or -1 once the connection is gone, so that a late strike can never
//! reach another connection that was given the same number.

use std::cell::Cell;
use std::net::Shutdown;
use std::os::fd::{BorrowedFd, RawFd};
use std::task::{Context, Waker};

use monoio::io::{CancelHandle, Canceller};
use socket2::SockRef;

use crate::ring::Flow;
use crate::{clock, runtime};

/// How long after its future was dropped an operation may still be the kernel's: a cancellation goes with the next
/// submission, so this is generous.
const ORPHAN_AGE: u64 = 1_000_000_000;

pub(crate) struct Shared {
    fd: Cell<RawFd>,
    /// A `CancelRead` has struck and no read has reported it yet.
    cancelled: Cell<bool>,
    /// The close is to be a reset.
    resets: Cell<bool>,
    /// A read is in flight.
    reading: Cell<bool>,
    /// A read ended while a task waited in `readable`.
    overtaken: Cell<bool>,
    /// When a future was last dropped before it ended (coarse clock); 0 for never.
    abandoned: Cell<u64>,
    /// Made by the first cancelable read, used until it cancels one: steady reads allocate nothing.
    canceller: Cell<Option<Canceller>>,
    /// The task that waits in `readable`.
    waiter: Cell<Option<Waker>>,
    /// What our own driver knows of it.
    flow: Flow,
}

impl Shared {
    pub(super) fn new(fd: RawFd) -> Shared {
        Shared {
            fd: Cell::new(fd),
            cancelled: Cell::new(false),
            resets: Cell::new(false),
            reading: Cell::new(false),
            overtaken: Cell::new(false),
            abandoned: Cell::new(0),
            canceller: Cell::new(None),
            waiter: Cell::new(None),
            flow: Flow::default(),
        }
    }

    pub(crate) fn flow(&self) -> &Flow {
        &self.flow
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.fd.get()
    }

    /// Marks the connection as gone.
    pub(super) fn close(&self) {
        self.fd.set(-1);
    }

    /// At the connection's end: whether an operation of it may still be the kernel's.
    pub(super) fn has_orphans(&self) -> bool {
        if self.flow.end() {
            return true;
        }
        let abandoned = self.abandoned.get();
        abandoned != 0 && clock::coarse().saturating_sub(abandoned) < ORPHAN_AGE
    }

    /// A future of this connection was dropped before it ended.
    pub(super) fn abandon(&self) {
        // On epoll an operation is a system call made by its future: nothing is left behind. Our own ring keeps book itself.
        if !runtime::wants_nonblocking() && !runtime::on_ring() {
            self.abandoned.set(clock::coarse().max(1));
        }
    }

    /// The handle for one cancelable read by monoio.
    pub(super) fn cancel_handle(&self) -> CancelHandle {
        let canceller = self.canceller.take().unwrap_or_default();
        let handle = canceller.handle();
        self.canceller.set(Some(canceller));
        handle
    }

    /// The cancelable read has ended; if it was struck, it has said so (or data won).
    pub(crate) fn end_cancelable(&self) {
        self.cancelled.set(false);
    }

    /// Whether a strike has not been reported yet; it is now.
    pub(crate) fn take_cancelled(&self) -> bool {
        self.cancelled.replace(false)
    }

    /// The close is to be a reset.
    pub(super) fn will_reset(&self) {
        self.resets.set(true);
    }

    /// Whether the close is to be a reset.
    pub(crate) fn resets(&self) -> bool {
        self.resets.get()
    }

    /// Whether a read waits for the kernel.
    pub(crate) fn is_reading(&self) -> bool {
        self.reading.get()
    }

    /// A read waits for the kernel.
    pub(super) fn read_begins(&self) {
        self.reading.set(true);
    }

    /// A read is over, one way or the other: whoever waits in `readable` has its answer.
    pub(super) fn read_ends(&self) {
        self.reading.set(false);
        if let Some(waiter) = self.waiter.take() {
            self.overtaken.set(true);
            waiter.wake();
        }
    }

    /// Whether `readable` may wait by itself: monoio's epoll driver remembers one waiting reader only, and the one that
    /// takes the data must be it.
    pub(super) fn may_wait(&self) -> bool {
        !(self.reading.get() && runtime::wants_nonblocking())
    }

    /// Whether a read ended while `readable` waited; forgotten now.
    pub(super) fn take_overtaken(&self) -> bool {
        self.overtaken.replace(false)
    }

    /// Sets whom a strike or the end of a read wakes; `None` once the waiting is over.
    pub(super) fn await_cancel(&self, cx: Option<&mut Context<'_>>) {
        let waiter = match (self.waiter.take(), cx) {
            (_, None) => None,
            (Some(waiter), Some(cx)) if waiter.will_wake(cx.waker()) => Some(waiter),
            (_, Some(cx)) => Some(cx.waker().clone()),
        };
        self.waiter.set(waiter);
    }

    /// Ends the pending cancelable read or `readable`; with none pending, the next one ends at once.
    pub(crate) fn cancel_read(&self) {
        if self.fd.get() < 0 {
            return;
        }
        self.cancelled.set(true);
        self.flow.cancel();
        if let Some(canceller) = self.canceller.take() {
            canceller.cancel();
        }
        if let Some(waiter) = self.waiter.take() {
            waiter.wake();
        }
    }

    /// Forgets a strike that no read has reported: a deadline was set anew.
    pub(crate) fn forgive(&self) {
        self.cancelled.set(false);
    }

    pub(crate) fn shutdown(&self, how: Shutdown) {
        let fd = self.fd.get();
        if fd >= 0 {
            // SAFETY: `fd` is open: the connection sets it to -1 before it closes it.
            let socket = unsafe { BorrowedFd::borrow_raw(fd) };
            // ENOTCONN is the only error: the peer was faster.
            let _ = SockRef::from(&socket).shutdown(how);
        }
    }
}
