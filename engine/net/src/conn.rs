//! One connection, TCP or Unix: reads and writes of owned buffers, full duplex, through `&self`.
//!
//! No framing, no time-outs of its own: a [`crate::Deadline`] acts on it from outside. Invariants: the descriptor stays
//! open while a `Conn` exists; one read and one write at a time; a future that is dropped before it ended
//! leaves its operation to the kernel, so the descriptor is then closed only after that operation is over.

use std::cell::UnsafeCell;
use std::future::{Future, poll_fn};
use std::io;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use monoio::io::{AsyncReadRent, AsyncWriteRent, CancelableAsyncReadRent};
use monoio::net::UnixStream;
use socket2::SockRef;

use crate::{Buffer, ring, runtime};

mod either;
mod posted;
mod shared;

pub(crate) use either::By;
use posted::{Kind, Posted};
pub(crate) use shared::Shared;
pub use std::net::Shutdown;

/// A connection.
#[derive(Debug)]
pub enum Conn {
    /// Over TCP, with `TCP_NODELAY` set.
    Tcp(Socket),
    /// Over a Unix socket.
    Unix(Socket),
}

/// What waits on a quiet connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peek {
    /// Nothing: the connection can be used.
    Quiet,
    /// Bytes that no one asked for.
    Data,
    /// The end of the stream, or an error.
    Closed,
}

/// The socket under a [`Conn`].
pub struct Socket {
    driver: By<Stream, ManuallyDrop<OwnedFd>>,
    shared: Rc<Shared>,
    peer: Option<SocketAddr>,
}

// monoio's Unix stream serves TCP too: its operations are plain recv and send, and unlike its TCP stream it keeps no
// copies of addresses (one pointer instead of eighty bytes).
type Stream = ManuallyDrop<UnsafeCell<UnixStream>>;

impl Conn {
    /// Takes over a connected TCP socket from the standard library. Needs the runtime.
    pub fn from_tcp(stream: std::net::TcpStream) -> io::Result<Conn> {
        stream.set_nodelay(true)?;
        stream.set_nonblocking(runtime::wants_nonblocking())?;
        let peer = stream.peer_addr().ok();
        Socket::over(stream.into(), peer).map(Conn::Tcp)
    }

    /// Takes over a connected Unix socket from the standard library. Needs the runtime.
    pub fn from_unix(stream: std::os::unix::net::UnixStream) -> io::Result<Conn> {
        stream.set_nonblocking(runtime::wants_nonblocking())?;
        Socket::over(stream.into(), None).map(Conn::Unix)
    }

    pub(crate) fn socket(&self) -> &Socket {
        match self {
            Conn::Tcp(socket) | Conn::Unix(socket) => socket,
        }
    }

    pub(crate) fn shared(&self) -> &Rc<Shared> {
        &self.socket().shared
    }

    /// Reads once, behind what the buffer holds, which must have room: `Ok(0)` is the end of the stream. Dropping the
    /// future loses the buffer and may lose data.
    pub fn read(&self, buf: Buffer) -> impl Future<Output = (io::Result<usize>, Buffer)> + use<'_> {
        debug_assert!(buf.room() > 0, "a read into a full buffer");
        let socket = self.socket();
        let operation = match &socket.driver {
            By::Monoio(stream) => {
                // SAFETY: `UnixStream::read` uses the reference only to clone the descriptor, before it returns: the
                // future it returns owns its operation. Nothing in this file keeps a reference to the stream, and no code
                // of ours runs during the call, so it is the only one.
                By::Monoio(unsafe { &mut *stream.get() }.read(buf))
            }
            By::Ring(_) => By::Ring(socket.receive(buf, false)),
        };
        Posted::new(&socket.shared, Kind::Read, operation)
    }

    /// As [`Conn::read`], but ended by [`crate::Strike::CancelRead`] with an error for which [`crate::is_cancelled`]: the
    /// buffer comes back and no data are lost. If data came first they win and the read ends well.
    pub async fn read_cancelable(&self, buf: Buffer) -> (io::Result<usize>, Buffer) {
        debug_assert!(buf.room() > 0, "a read into a full buffer");
        let socket = self.socket();
        if socket.shared.take_cancelled() {
            return (Err(crate::cancelled()), buf);
        }
        let operation = match &socket.driver {
            By::Monoio(stream) => {
                let cancel = socket.shared.cancel_handle();
                // SAFETY: as in `read`, but the descriptor is cloned at the future's first poll, which is made by the
                // `await` below before any other code runs; the reference is not used again after it.
                By::Monoio(unsafe { &mut *stream.get() }.cancelable_read(buf, cancel))
            }
            By::Ring(_) => By::Ring(socket.receive(buf, true)),
        };
        let out = Posted::new(&socket.shared, Kind::Read, operation).await;
        socket.shared.end_cancelable();
        out
    }

    /// Writes all that the buffer holds and gives it back cleared. On an error it holds what was not handed to the
    /// kernel.
    pub async fn write(&self, mut buf: Buffer) -> (io::Result<()>, Buffer) {
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
        let socket = self.socket();
        let operation = match &socket.driver {
            By::Monoio(stream) => {
                // SAFETY: as in `read`: `UnixStream::write` clones the descriptor before it returns and keeps nothing else.
                By::Monoio(unsafe { &mut *stream.get() }.write(buf))
            }
            By::Ring(_) => By::Ring(ring::send(socket.shared.fd(), buf, socket.shared.flow())),
        };
        Posted::new(&socket.shared, Kind::Other, operation)
    }

    /// Posts a read that no task waits for: the connection keeps it, until its result is fetched with [`Conn::standing`].
    /// Only our own driver can; from the others the buffer comes back.
    pub fn stand(&self, buf: Buffer) -> Result<(), Buffer> {
        match &self.socket().driver {
            By::Monoio(_) => Err(buf),
            By::Ring(_) => ring::keep_receive(self.shared(), buf),
        }
    }

    /// Whether a kept read was posted whose result has not been fetched.
    pub fn is_standing(&self) -> bool {
        self.shared().flow().is_standing()
    }

    /// Whether the kept read has ended, as far as the worker has seen.
    pub fn has_stood(&self) -> bool {
        self.shared().flow().has_ended()
    }

    /// The result of the kept read, as [`Conn::read`] would give it; may be dropped and asked for again.
    pub async fn standing(&self) -> (io::Result<usize>, Buffer) {
        self.shared().flow().standing().await
    }

    /// Hands all that the buffer holds to the driver without waiting for it to be written: see [`Conn::posted`]. For a few
    /// kilobytes that the socket surely takes. Only our own driver can, one write at a time; else the buffer comes back.
    pub fn post(&self, buf: Buffer) -> Result<(), Buffer> {
        match &self.socket().driver {
            By::Monoio(_) => Err(buf),
            By::Ring(_) => ring::keep_send(self.shared(), buf),
        }
    }

    /// Whether a posted write is still pending.
    pub fn is_posting(&self) -> bool {
        self.shared().flow().is_sending()
    }

    /// Whether a posted write has failed.
    pub fn is_broken(&self) -> bool {
        self.shared().flow().is_broken()
    }

    /// Waits for the posted write; an error if any has failed.
    pub async fn posted(&self) -> io::Result<()> {
        self.shared().flow().sent().await
    }

    /// Whether more than what was read waits already, as far as the driver knows without a look: what lies behind an
    /// answer must not be taken for the next one.
    pub fn has_more(&self) -> bool {
        match (self, &self.socket().driver) {
            (_, By::Monoio(_)) => false,
            // Not every kernel tells of it on Unix sockets.
            (Conn::Unix(_), By::Ring(_)) => self.peek() != Peek::Quiet,
            (Conn::Tcp(_), By::Ring(_)) => self.shared().flow().has_more(),
        }
    }

    /// Waits until bytes, the end of the stream or an error can be read, holding no buffer. May be dropped at any time;
    /// ended by [`crate::Strike::CancelRead`] as [`Conn::read_cancelable`] is. Beside a read of another task it ends when
    /// that read does, at the latest.
    pub async fn readable(&self) -> io::Result<()> {
        let socket = self.socket();
        let shared = &socket.shared;
        shared.take_overtaken();
        let operation = match &socket.driver {
            By::Monoio(stream) => {
                // SAFETY: as in `read_cancelable`: the descriptor is cloned at the first poll, which finds no other
                // reference alive, since those of `read` and `write` are never held across a poll; it is not used again
                // after it.
                By::Monoio(unsafe { &*stream.get() }.readable(false))
            }
            By::Ring(_) => By::Ring(socket.file_poll(libc::POLLIN)),
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

    /// Waits until a write would not block, the connection has ended or failed. May be dropped at any time.
    pub async fn writable(&self) -> io::Result<()> {
        let socket = self.socket();
        let operation = match &socket.driver {
            // SAFETY: as in `readable`.
            By::Monoio(stream) => By::Monoio(unsafe { &*stream.get() }.writable(false)),
            By::Ring(_) => By::Ring(socket.file_poll(libc::POLLOUT)),
        };
        Posted::new(&socket.shared, Kind::Other, operation).await
    }

    /// Shuts one or both directions down: a plain system call. Pending reads end with 0, pending writes with an error. A
    /// connection that is already gone is no error.
    pub fn shutdown(&self, how: Shutdown) {
        self.shared().shutdown(how);
    }

    /// Makes the close a reset: what is delimited by the end of the stream must not seem complete when it is not.
    pub fn reset_at_close(&self) {
        self.shared().will_reset();
        // A connection that is already gone can't be reset and need not be.
        let _ = SockRef::from(self.socket()).set_linger(Some(std::time::Duration::ZERO));
    }

    /// The peer's address; none on Unix sockets.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.socket().peer
    }

    /// Our address (a system call); none on Unix sockets.
    pub fn local(&self) -> Option<SocketAddr> {
        SockRef::from(self.socket()).local_addr().ok()?.as_socket()
    }

    /// What waits on the connection, without taking or waiting for it (a system call): pooled connections are probed so.
    pub fn peek(&self) -> Peek {
        let mut byte = [MaybeUninit::uninit()];
        let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
        match SockRef::from(self.socket()).recv_with_flags(&mut byte, flags) {
            Ok(0) => Peek::Closed,
            Ok(_) => Peek::Data,
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Peek::Quiet,
                _ => Peek::Closed,
            },
        }
    }

    /// The options of the socket, for the rest of this crate.
    pub(crate) fn options(&self) -> SockRef<'_> {
        SockRef::from(self.socket())
    }
}

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

#[cfg(test)]
mod tests;
