//! One stream's state (RFC 9113 section 5.1), kept as two halves, one for each direction.
//!
//! ```text
//!                    sent
//!                    Head or Body          Done
//!  received
//!  Head or Body      open                  half-closed (local)
//!  Done              half-closed (remote)  closed: no longer in the slab
//! ```
//!
//! Idle streams have no state: their numbers are higher than any that was opened. Reserved ones don't exist, since
//! nobody may push. `Head` says that the final head has not gone by yet, which section 8.1 cares about: heads of
//! interim answers may repeat, what follows `Body` is DATA and at most one trailer section.

use super::window::{ReceiveWindow, SendWindow};
use crate::message::{BodyLength, Method};

/// How far one direction is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Half {
    /// Before the (final) head.
    Head,
    /// After the head, before END_STREAM.
    Body,
    /// END_STREAM has gone by.
    Done,
}

/// No content-length to hold the body against.
pub(crate) const UNBOUNDED: u64 = u64::MAX;

/// A stream that is not closed.
#[derive(Debug)]
pub(crate) struct Stream {
    /// Its identifier; 0 in a free slot.
    pub(crate) number: u32,
    pub(crate) sent: Half,
    pub(crate) received: Half,
    /// The request's: what an answer's body may be depends on it.
    pub(crate) method: Method,
    /// Sending was cut short by a window since the last time the owner was told that it may go on.
    pub(crate) blocked: bool,
    pub(crate) send_window: SendWindow,
    pub(crate) receive_window: ReceiveWindow,
    /// What the content-length leaves to come, or [`UNBOUNDED`].
    pub(crate) expected: u64,
    /// When sending was first cut short with nothing sent since; 0 when it wasn't.
    pub(crate) stalled_since: u64,
    /// The owner's own.
    pub(crate) token: u64,
}

impl Stream {
    /// A free slot.
    pub(crate) const VACANT: Stream = Stream {
        number: 0,
        sent: Half::Done,
        received: Half::Done,
        method: Method::Other,
        blocked: false,
        send_window: SendWindow::new(0),
        receive_window: ReceiveWindow::new(0),
        expected: 0,
        stalled_since: 0,
        token: 0,
    };

    /// A stream that nothing was sent or received on.
    pub(crate) fn new(number: u32, send_window: u32, receive_window: u32) -> Self {
        Stream {
            number,
            sent: Half::Head,
            received: Half::Head,
            send_window: SendWindow::new(send_window),
            receive_window: ReceiveWindow::new(receive_window),
            expected: UNBOUNDED,
            ..Stream::VACANT
        }
    }

    /// The head has come: what may follow.
    pub(crate) fn receive_head(&mut self, body: BodyLength, end: bool) {
        self.received = if end { Half::Done } else { Half::Body };
        self.expected = match body {
            BodyLength::None => 0,
            BodyLength::Exact(length) => length,
            BodyLength::Chunked | BodyLength::UntilClose | BodyLength::Frames => UNBOUNDED,
        };
    }

    /// Counts `len` bytes of a body against its content-length; `end` says that nothing follows. False when they
    /// disagree (section 8.1.1).
    #[inline]
    pub(crate) fn expect(&mut self, len: u32, end: bool) -> bool {
        if self.expected == UNBOUNDED {
            return true;
        }
        match self.expected.checked_sub(len.into()) {
            Some(left) => {
                self.expected = left;
                !end || left == 0
            }
            None => false,
        }
    }

    /// Both sides have ended it.
    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.sent == Half::Done && self.received == Half::Done
    }

    #[cfg(debug_assertions)]
    pub(crate) fn check_invariants(&self) {
        debug_assert!(!self.is_closed(), "{self:?} is closed but in the slab");
        debug_assert!(self.stalled_since == 0 || self.blocked || self.sent != Half::Done);
        self.receive_window.check_invariants();
    }
}
