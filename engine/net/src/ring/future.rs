//! The operations that a future waits for: a receive, a send, a wait for readiness.
//!
//! Invariant: a future that is dropped before its end hands its buffer to the driver, and says so to its connection.

use std::future::Future;
use std::io;
use std::os::fd::RawFd;
use std::pin::Pin;
use std::task::{Context, Poll};

use io_uring::types::Fd;
use io_uring::{opcode, squeue};

use super::flow::Flow;
use super::operation::Name;
use super::shot::Shot;
use crate::Buffer;

/// `IORING_RECVSEND_POLL_FIRST`: wait first, since there is nothing yet.
const POLL_FIRST: u16 = 1;
/// `IORING_CQE_F_SOCK_NONEMPTY`: the socket has more.
const NONEMPTY: u32 = 1 << 2;

/// A receive into the room of a buffer: `Ok(0)` is the end of the stream.
pub(crate) struct Receive<'a> {
    fd: RawFd,
    buffer: Buffer,
    shot: Shot,
    socket: &'a Flow,
    cancelable: bool,
}

/// Receives once; a cancelable receive is ended by [`Flow::cancel`].
pub(crate) fn receive(fd: RawFd, buffer: Buffer, socket: &Flow, cancelable: bool) -> Receive<'_> {
    Receive {
        fd,
        buffer,
        shot: Shot::default(),
        socket,
        cancelable,
    }
}

impl Future for Receive<'_> {
    type Output = (io::Result<usize>, Buffer);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let begins = !this.shot.is_pending();
        let (fd, more) = (this.fd, this.socket.more.get());
        let entry = || receive_entry(fd, &mut this.buffer, more);
        // SAFETY: the buffer's block stays where it is when the buffer moves; it is this future's until the operation is
        // over, and its drop hands it to `abandon`.
        let polled = unsafe { this.shot.poll(entry, cx) };
        let Poll::Ready((result, flags)) = polled else {
            if begins && this.cancelable {
                this.socket.receiving.set(this.shot.name());
            }
            return Poll::Pending;
        };
        if this.cancelable {
            this.socket.receiving.set(Name::NOBODY);
        }
        this.socket.more.set(has_more(flags));
        let result = length(result);
        if let Ok(n) = result {
            this.buffer.received(n);
        }
        Poll::Ready((result, std::mem::take(&mut this.buffer)))
    }
}

impl Drop for Receive<'_> {
    fn drop(&mut self) {
        if self.shot.is_pending() {
            if self.cancelable {
                self.socket.receiving.set(Name::NOBODY);
            }
            self.socket.abandoned.set(true);
            self.shot.abandon(Some(std::mem::take(&mut self.buffer)));
        }
    }
}

/// A send of what a buffer holds.
pub(crate) struct Transmit<'a> {
    fd: RawFd,
    buffer: Buffer,
    shot: Shot,
    socket: &'a Flow,
}

/// Sends all of it; fewer bytes are said to be sent only when the connection broke.
pub(crate) fn send(fd: RawFd, buffer: Buffer, socket: &Flow) -> Transmit<'_> {
    Transmit {
        fd,
        buffer,
        shot: Shot::default(),
        socket,
    }
}

impl Future for Transmit<'_> {
    type Output = (io::Result<usize>, Buffer);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let fd = this.fd;
        let entry = || send_entry(fd, &this.buffer);
        // SAFETY: as in `Receive`.
        match unsafe { this.shot.poll(entry, cx) } {
            Poll::Pending => Poll::Pending,
            Poll::Ready((result, _)) => {
                Poll::Ready((length(result), std::mem::take(&mut this.buffer)))
            }
        }
    }
}

impl Drop for Transmit<'_> {
    fn drop(&mut self) {
        if self.shot.is_pending() {
            self.socket.abandoned.set(true);
            self.shot.abandon(Some(std::mem::take(&mut self.buffer)));
        }
    }
}

/// A wait for readiness.
pub(crate) struct FilePoll<'a> {
    fd: RawFd,
    events: u32,
    shot: Shot,
    socket: Option<&'a Flow>,
}

/// Waits until the descriptor is ready for one of the events of poll(2), or broken.
pub(crate) fn file_poll(fd: RawFd, events: libc::c_short, socket: Option<&Flow>) -> FilePoll<'_> {
    FilePoll {
        fd,
        events: events as u32,
        shot: Shot::default(),
        socket,
    }
}

impl Future for FilePoll<'_> {
    type Output = io::Result<()>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let (fd, events) = (this.fd, this.events);
        let entry = || opcode::PollAdd::new(Fd(fd), events).build();
        // SAFETY: a poll points to no memory.
        let polled = unsafe { this.shot.poll(entry, cx) };
        polled.map(|(result, _)| length(result).map(|_| ()))
    }
}

impl Drop for FilePoll<'_> {
    fn drop(&mut self) {
        if self.shot.is_pending() {
            if let Some(socket) = self.socket {
                socket.abandoned.set(true);
            }
            self.shot.abandon(None);
        }
    }
}

/// A receive into the buffer's room; armed without a try unless the socket has more.
pub(super) fn receive_entry(fd: RawFd, buffer: &mut Buffer, more: bool) -> squeue::Entry {
    let room = buffer.room_mut();
    let mut entry = opcode::Recv::new(Fd(fd), room.as_mut_ptr(), room.len() as u32).build();
    if !more {
        // SAFETY: an entry is the kernel's `io_uring_sqe`: opcode and flags, a byte each, then `ioprio`.
        unsafe { *(&raw mut entry).cast::<u16>().add(1) |= POLL_FIRST };
    }
    entry
}

/// A send of all that the buffer holds.
pub(super) fn send_entry(fd: RawFd, buffer: &Buffer) -> squeue::Entry {
    let data = buffer.filled();
    opcode::Send::new(Fd(fd), data.as_ptr(), data.len() as u32)
        .flags(libc::MSG_NOSIGNAL | libc::MSG_WAITALL)
        .build()
}

/// A send that is tried once, when it is submitted: no completion comes when all of it went out, else one at once.
pub(super) fn silent_entry(fd: RawFd, buffer: &Buffer) -> squeue::Entry {
    let data = buffer.filled();
    opcode::Send::new(Fd(fd), data.as_ptr(), data.len() as u32)
        .flags(libc::MSG_NOSIGNAL | libc::MSG_WAITALL | libc::MSG_DONTWAIT)
        .build()
        .flags(squeue::Flags::SKIP_SUCCESS)
}

/// Whether a receive's completion says that the socket has more.
pub(super) fn has_more(flags: u32) -> bool {
    flags & NONEMPTY != 0
}

/// The count that a result stands for, or its error.
pub(super) fn length(result: i32) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::from_raw_os_error(-result))
}
