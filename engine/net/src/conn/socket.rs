//! The socket under a connection: reads and writes of owned buffers on whichever driver the worker runs.
//!
//! Everything that touches a descriptor is here; what its operations mean for a caller, and what TLS makes of them, is
//! not. Invariants: the descriptor stays open while a `Socket` exists; a future that is dropped before it ended leaves its
//! operation to the kernel, so the descriptor is then closed only after that operation is over.

use std::cell::UnsafeCell;
use std::future::{Future, poll_fn};
use std::io;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use monoio::io::{AsyncReadRent, AsyncWriteRent, CancelableAsyncReadRent};
use monoio::net::UnixStream;
use socket2::SockRef;

use super::posted::{Kind, Posted};
use super::{By, Peek, Shared};
use crate::{Buffer, ring, runtime};

/// The socket under a [`crate::Conn`].
pub struct Socket {
    driver: By<Stream, ManuallyDrop<OwnedFd>>,
    shared: Rc<Shared>,
    peer: Option<SocketAddr>,
}

// monoio's Unix stream serves TCP too: its operations are plain recv and send, and unlike its TCP stream it keeps no
// copies of addresses (one pointer instead of eighty bytes).
type Stream = ManuallyDrop<UnsafeCell<UnixStream>>;

impl Socket {
    /// Takes over a connected socket. Needs the runtime; the descriptor must be blocking for io_uring (which would else
    /// answer EAGAIN instead of waiting) and non-blocking for epoll.
    pub(crate) fn over(socket: OwnedFd, peer: Option<SocketAddr>) -> io::Result<Socket> {
        let fd = socket.as_raw_fd();
        let driver = match runtime::on_ring() {
            true => By::Ring(ManuallyDrop::new(socket)),
            false => {
                let stream = UnixStream::from_std(socket.into())?;
                By::Monoio(ManuallyDrop::new(UnsafeCell::new(stream)))
            }
        };
        Ok(Socket {
            driver,
            shared: Rc::new(Shared::new(fd)),
            peer,
        })
    }

    pub(crate) fn shared(&self) -> &Rc<Shared> {
        &self.shared
    }

    pub(super) fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    pub(crate) fn read(
        &self,
        buf: Buffer,
    ) -> impl Future<Output = (io::Result<usize>, Buffer)> + use<'_> {
        debug_assert!(buf.room() > 0, "a read into a full buffer");
        let operation = match &self.driver {
            By::Monoio(stream) => {
                // SAFETY: `UnixStream::read` uses the reference only to clone the descriptor, before it returns: the
                // future it returns owns its operation. Nothing in this file keeps a reference to the stream, and no code
                // of ours runs during the call, so it is the only one.
                By::Monoio(unsafe { &mut *stream.get() }.read(buf))
            }
            By::Ring(_) => By::Ring(self.receive(buf, false)),
        };
        Posted::new(&self.shared, Kind::Read, operation)
    }

    pub(crate) async fn read_cancelable(&self, buf: Buffer) -> (io::Result<usize>, Buffer) {
        let out = self.receive_cancelable(buf).await;
        self.shared.end_cancelable();
        out
    }

    /// As [`Socket::read_cancelable`], but a strike that data outran stays for the caller to ask for.
    pub(crate) async fn receive_cancelable(&self, buf: Buffer) -> (io::Result<usize>, Buffer) {
        debug_assert!(buf.room() > 0, "a read into a full buffer");
        if self.shared.take_cancelled() {
            return (Err(crate::cancelled()), buf);
        }
        let operation = match &self.driver {
            By::Monoio(stream) => {
                let cancel = self.shared.cancel_handle();
                // SAFETY: as in `read`, but the descriptor is cloned at the future's first poll, which is made by the
                // `await` below before any other code runs; the reference is not used again after it.
                By::Monoio(unsafe { &mut *stream.get() }.cancelable_read(buf, cancel))
            }
            By::Ring(_) => By::Ring(self.receive(buf, true)),
        };
        Posted::new(&self.shared, Kind::Read, operation).await
    }

    pub(crate) async fn write(&self, mut buf: Buffer) -> (io::Result<()>, Buffer) {
        if (self.is_posting() || self.is_broken())
            && let Err(error) = self.posted().await
        {
            return (Err(error), buf);
        }
        while !buf.is_empty() {
            let (sent, back) = self.send(buf).await;
            buf = back;
            match sent {
                Ok(0) => return (Err(io::ErrorKind::WriteZero.into()), buf),
                Ok(n) => buf.consume(n),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return (Err(error), buf),
            }
        }
        buf.clear();
        (Ok(()), buf)
    }

    fn send(&self, buf: Buffer) -> impl Future<Output = (io::Result<usize>, Buffer)> + use<'_> {
        let operation = match &self.driver {
            By::Monoio(stream) => {
                // SAFETY: as in `read`: `UnixStream::write` clones the descriptor before it returns and keeps nothing else.
                By::Monoio(unsafe { &mut *stream.get() }.write(buf))
            }
            By::Ring(_) => By::Ring(ring::send(self.shared.fd(), buf, self.shared.flow())),
        };
        Posted::new(&self.shared, Kind::Other, operation)
    }

    /// Sends what the socket takes at once (a system call). Nothing else may be on its way.
    pub(crate) fn send_now(&self, bytes: &[u8]) -> io::Result<usize> {
        let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
        SockRef::from(self).send_with_flags(bytes, flags)
    }

    /// Receives what is there, behind what the buffer holds, without waiting (a system call). Nobody else may be reading.
    pub(crate) fn receive_now(&self, buf: &mut Buffer) -> io::Result<usize> {
        let room = buf.room_mut();
        // SAFETY: the same bytes as ones that need not be initialised: the call only writes to them.
        let room = unsafe {
            std::slice::from_raw_parts_mut(room.as_mut_ptr().cast::<MaybeUninit<u8>>(), room.len())
        };
        let received = SockRef::from(self).recv_with_flags(room, libc::MSG_DONTWAIT)?;
        buf.received(received);
        Ok(received)
    }

    pub(crate) fn stand(&self, buf: Buffer) -> Result<(), Buffer> {
        match &self.driver {
            By::Monoio(_) => Err(buf),
            By::Ring(_) => ring::keep_receive(&self.shared, buf),
        }
    }

    pub(crate) fn post(&self, buf: Buffer) -> Result<(), Buffer> {
        match &self.driver {
            By::Monoio(_) => Err(buf),
            By::Ring(_) => ring::keep_send(&self.shared, buf),
        }
    }

    pub(crate) fn is_posting(&self) -> bool {
        self.shared.flow().is_sending()
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.shared.flow().is_broken()
    }

    pub(crate) async fn posted(&self) -> io::Result<()> {
        self.shared.flow().sent().await
    }

    pub(crate) fn has_more(&self) -> bool {
        match (&self.driver, self.peer) {
            (By::Monoio(_), _) => false,
            (By::Ring(_), Some(_)) => self.shared.flow().has_more(),
            // Not every kernel tells of it on Unix sockets, which have no address.
            (By::Ring(_), None) => self.peek() != Peek::Quiet,
        }
    }

    pub(crate) async fn readable(&self) -> io::Result<()> {
        let shared = &self.shared;
        shared.take_overtaken();
        let operation = match &self.driver {
            By::Monoio(stream) => {
                // SAFETY: as in `receive_cancelable`: the descriptor is cloned at the first poll, which finds no other
                // reference alive, since those of `read` and `write` are never held across a poll; it is not used again
                // after it.
                By::Monoio(unsafe { &*stream.get() }.readable(false))
            }
            By::Ring(_) => By::Ring(self.file_poll(libc::POLLIN)),
        };
        let mut ready = pin!(Posted::new(shared, Kind::Other, operation));
        poll_fn(|cx| {
            if shared.take_cancelled() {
                return Poll::Ready(Err(crate::cancelled()));
            }
            let polled = match shared.take_overtaken() {
                true => Poll::Ready(Ok(())),
                false if shared.may_wait() => ready.as_mut().poll(cx),
                false => Poll::Pending,
            };
            shared.await_cancel(polled.is_pending().then_some(cx));
            polled
        })
        .await
    }

    pub(crate) async fn writable(&self) -> io::Result<()> {
        let operation = match &self.driver {
            // SAFETY: as in `readable`.
            By::Monoio(stream) => By::Monoio(unsafe { &*stream.get() }.writable(false)),
            By::Ring(_) => By::Ring(self.file_poll(libc::POLLOUT)),
        };
        Posted::new(&self.shared, Kind::Other, operation).await
    }

    pub(crate) fn shutdown(&self, how: Shutdown) {
        self.shared.shutdown(how);
    }

    pub(crate) fn peek(&self) -> Peek {
        let mut byte = [MaybeUninit::uninit()];
        let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
        match SockRef::from(self).recv_with_flags(&mut byte, flags) {
            Ok(0) => Peek::Closed,
            Ok(_) => Peek::Data,
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Peek::Quiet,
                _ => Peek::Closed,
            },
        }
    }

    fn receive(&self, buf: Buffer, cancelable: bool) -> ring::Receive<'_> {
        ring::receive(self.shared.fd(), buf, self.shared.flow(), cancelable)
    }

    fn file_poll(&self, events: libc::c_short) -> ring::FilePoll<'_> {
        ring::file_poll(self.shared.fd(), events, Some(self.shared.flow()))
    }
}

impl std::os::fd::AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the stream keeps the descriptor open as long as this `Socket` exists, which the
        // borrow does not outlive.
        unsafe { BorrowedFd::borrow_raw(self.shared.fd()) }
    }
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Socket")
            .field("fd", &self.shared.fd())
            .field("peer", &self.peer)
            .finish()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // An operation whose future was dropped may still hold the descriptor. If it were the last to hold it, monoio
        // would close it inside its own completion loop; so it is kept until the operation is surely over.
        let orphaned = self.shared.has_orphans();
        // Where a reset is wanted an end of the stream must not go before it.
        if orphaned && !self.shared.resets() {
            self.shared.shutdown(Shutdown::Both);
        }
        // From here on a deadline that still knows this connection does nothing.
        self.shared.close();
        match &mut self.driver {
            By::Monoio(stream) => {
                // SAFETY: the stream is taken once, here, and not touched again.
                let stream = unsafe { ManuallyDrop::take(stream) }.into_inner();
                if orphaned {
                    runtime::bury(stream);
                }
            }
            By::Ring(fd) => {
                // SAFETY: as above.
                let fd = unsafe { ManuallyDrop::take(fd) };
                if orphaned {
                    ring::close(fd);
                }
            }
        }
    }
}
