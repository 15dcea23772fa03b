//! The future of an operation that the kernel may be working on.
//!
//! Invariant: if it is dropped before it ended, its connection knows, and keeps the descriptor until the operation is over.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::Shared;

/// An operation on a connection; structurally pins `operation`.
pub(super) struct Posted<'a, F> {
    operation: F,
    conn: &'a Shared,
    kind: Kind,
    ended: bool,
}

/// What the connection must know of an operation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It takes data from the socket.
    Read,
    Other,
}

impl<'a, F> Posted<'a, F> {
    pub(super) fn new(conn: &'a Shared, kind: Kind, operation: F) -> Posted<'a, F> {
        Posted {
            operation,
            conn,
            kind,
            ended: false,
        }
    }
}

impl<F: Future> Future for Posted<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: `operation` is never moved out of `self`: it is pinned here and nowhere touched otherwise.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: as above; `this` came from a pinned reference.
        let operation = unsafe { Pin::new_unchecked(&mut this.operation) };
        let polled = operation.poll(cx);
        this.ended = polled.is_ready();
        match (this.kind, this.ended) {
            (Kind::Read, true) => this.conn.read_ends(),
            (Kind::Read, false) => this.conn.read_begins(),
            (Kind::Other, _) => {}
        }
        polled
    }
}

impl<F> Drop for Posted<'_, F> {
    fn drop(&mut self) {
        if !self.ended {
            self.conn.abandon();
            if self.kind == Kind::Read {
                self.conn.read_ends();
            }
        }
    }
}
