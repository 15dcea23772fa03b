//! What a connection's operations leave for each other, and the operations that the connection itself keeps.
//!
//! A kept receive needs no task: it lies with the kernel while a connection is idle, and whoever wants its result fetches
//! it. A kept send is handed over and not waited for. Invariants: one kept receive and one kept send at a time; the
//! connection's end cancels them.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::future::{has_more, length, receive_entry, send_entry, silent_entry};
use super::operation::{self, Kept, Name};
use crate::Buffer;
use crate::conn::Shared;

/// One connection's part of the driver.
#[derive(Default)]
pub(crate) struct Flow {
    /// The socket had more than the last receive took.
    pub(super) more: Cell<bool>,
    /// An operation was dropped before its end.
    pub(super) abandoned: Cell<bool>,
    /// A kept send has failed.
    broken: Cell<bool>,
    /// It is the kept send that `waiter` waits for. Whoever waits for a kept receive is not woken by a send's end.
    awaits_send: Cell<bool>,
    /// What the pending cancelable receive is known by.
    pub(super) receiving: Cell<Name>,
    /// What the pending kept send is known by.
    sending: Cell<Name>,
    standing: Cell<Standing>,
    /// Who waits for a kept operation.
    waiter: Cell<Option<Waker>>,
}

/// A kept receive.
#[derive(Default)]
enum Standing {
    #[default]
    None,
    Pending(Name),
    Ended(i32, Buffer),
}

impl Flow {
    /// Whether the socket had more than the last receive took, as far as was told.
    pub(crate) fn has_more(&self) -> bool {
        self.more.get()
    }

    /// Somebody has looked whether the socket has more.
    pub(crate) fn note_more(&self, more: bool) {
        self.more.set(more);
    }

    /// Cancels the pending cancelable receive.
    pub(crate) fn cancel(&self) {
        operation::cancel(self.receiving.get());
    }

    /// The connection ends: what it keeps is cancelled. Whether the kernel may still hold an operation of it.
    pub(crate) fn end(&self) -> bool {
        let mut held = self.abandoned.get();
        let standing = self.standing.take();
        let standing = match standing {
            Standing::Pending(name) => name,
            Standing::None | Standing::Ended(..) => Name::NOBODY,
        };
        for name in [self.sending.take(), standing] {
            operation::cancel(name);
            held |= name != Name::NOBODY;
        }
        held
    }

    /// A kept receive was posted and its result has not been fetched.
    pub(crate) fn is_standing(&self) -> bool {
        let standing = self.standing.take();
        let is = !matches!(standing, Standing::None);
        self.standing.set(standing);
        is
    }

    /// The kept receive has ended.
    pub(crate) fn has_ended(&self) -> bool {
        let standing = self.standing.take();
        let is = matches!(standing, Standing::Ended(..));
        self.standing.set(standing);
        is
    }

    /// Waits for the kept receive and fetches its result.
    pub(crate) async fn standing(&self) -> (io::Result<usize>, Buffer) {
        poll_fn(|cx| match self.standing.take() {
            Standing::Ended(result, buffer) => Poll::Ready((length(result), buffer)),
            Standing::None => Poll::Ready((Err(crate::cancelled()), Buffer::default())),
            pending => {
                self.standing.set(pending);
                self.wait(cx)
            }
        })
        .await
    }

    /// Waits until the kept receive has ended, if there is one, and leaves its result.
    pub(crate) async fn stood(&self) {
        poll_fn(|cx| match self.is_standing() && !self.has_ended() {
            true => self.wait(cx),
            false => Poll::Ready(()),
        })
        .await
    }

    /// Fetches the result of the kept receive, if it has ended.
    pub(crate) fn take_stood(&self) -> Option<(io::Result<usize>, Buffer)> {
        match self.standing.take() {
            Standing::Ended(result, buffer) => Some((length(result), buffer)),
            standing => {
                self.standing.set(standing);
                None
            }
        }
    }

    /// Waits until no kept send is pending; an error if one has failed.
    pub(crate) async fn sent(&self) -> io::Result<()> {
        poll_fn(|cx| match (self.is_sending(), self.broken.get()) {
            (true, _) => {
                operation::hurry();
                self.awaits_send.set(true);
                self.wait(cx)
            }
            (false, true) => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            (false, false) => Poll::Ready(Ok(())),
        })
        .await
    }

    /// Whether a kept send is pending.
    pub(crate) fn is_sending(&self) -> bool {
        self.sending.get() != Name::NOBODY
    }

    /// Whether a kept send has failed.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken.get()
    }

    fn wake(&self) {
        if let Some(waiter) = self.waiter.take() {
            waiter.wake();
        }
    }

    /// The kept send is over, one way or the other.
    fn send_ends(&self) {
        self.sending.set(Name::NOBODY);
        if self.awaits_send.take() {
            self.wake();
        }
    }

    fn wait<T>(&self, cx: &mut Context<'_>) -> Poll<T> {
        let waiter = match self.waiter.take() {
            Some(waiter) if waiter.will_wake(cx.waker()) => waiter,
            _ => cx.waker().clone(),
        };
        self.waiter.set(Some(waiter));
        Poll::Pending
    }
}

/// Posts a receive that the connection keeps; the buffer comes back if that can't be done.
pub(crate) fn keep_receive(conn: &Rc<Shared>, mut buffer: Buffer) -> Result<(), Buffer> {
    let flow = conn.flow();
    if flow.is_standing() {
        return Err(buffer);
    }
    let entry = receive_entry(conn.fd(), &mut buffer, flow.more.get());
    let kept = Kept {
        conn: Rc::clone(conn),
        buffer,
        receives: true,
        silent: false,
    };
    // SAFETY: the entry points into the block of the buffer that is kept.
    let name = unsafe { operation::keep(entry, kept) }?;
    flow.standing.set(Standing::Pending(name));
    Ok(())
}

/// Hands a send over to the connection; the buffer comes back if one is pending already, or it can't be done.
pub(crate) fn keep_send(conn: &Rc<Shared>, buffer: Buffer) -> Result<(), Buffer> {
    let flow = conn.flow();
    if flow.is_sending() || flow.is_broken() {
        return Err(buffer);
    }
    let entry = silent_entry(conn.fd(), &buffer);
    let kept = Kept {
        conn: Rc::clone(conn),
        buffer,
        receives: false,
        silent: true,
    };
    // SAFETY: as in `keep_receive`.
    let name = unsafe { operation::keep(entry, kept) }?;
    flow.sending.set(name);
    Ok(())
}

impl Kept {
    /// The kernel is done with it.
    pub(super) fn complete(self, result: i32, flags: u32) {
        match self.receives {
            true => self.received(result, flags),
            false => self.sent(result),
        }
    }

    fn received(mut self, result: i32, flags: u32) {
        let flow = self.conn.flow();
        flow.more.set(has_more(flags));
        if let Ok(n) = length(result) {
            self.buffer.received(n);
        }
        // After the connection's end nobody fetches it.
        if matches!(flow.standing.take(), Standing::Pending(_)) {
            flow.standing.set(Standing::Ended(result, self.buffer));
            flow.wake();
        }
    }

    fn sent(mut self, result: i32) {
        let sent = match length(result) {
            Ok(sent) => Some(sent),
            // The socket was full when it was tried.
            Err(_) if self.silent && result == -libc::EAGAIN => Some(0),
            Err(_) => None,
        };
        let flow = self.conn.flow();
        match sent {
            Some(sent) if sent == self.buffer.len() => {}
            Some(sent) if self.silent => {
                self.buffer.consume(sent);
                return self.send_the_rest();
            }
            Some(_) | None => flow.broken.set(true),
        }
        flow.send_ends();
    }

    /// The socket was full: what is left goes out as it empties, and its end is told.
    fn send_the_rest(self) {
        let conn = Rc::clone(&self.conn);
        let flow = conn.flow();
        let entry = send_entry(conn.fd(), &self.buffer);
        let kept = Kept {
            silent: false,
            ..self
        };
        // After the connection's end its descriptor may be another's.
        let kept = match conn.fd() {
            // SAFETY: as in `keep_receive`.
            0.. => unsafe { operation::keep(entry, kept) }.ok(),
            _ => None,
        };
        match kept {
            Some(name) => flow.sending.set(name),
            None => {
                flow.broken.set(true);
                flow.send_ends();
            }
        }
    }

    /// A silent send has gone out whole.
    pub(super) fn went_out(self) {
        self.conn.flow().send_ends();
    }
}
