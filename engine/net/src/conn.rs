//! One connection, TCP or Unix, plain or under TLS: reads and writes of owned buffers, full duplex, through `&self`.
//!
//! No framing, no time-outs of its own: a [`crate::Deadline`] acts on it from outside. Invariants: one read and one write at
//! a time; a future that is dropped before it ended leaves its operation to the kernel.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use socket2::SockRef;

use crate::tls::{Info, Tls};
use crate::{Buffer, runtime};

mod either;
mod layer;
mod posted;
mod shared;
mod socket;

pub(crate) use either::By;
use layer::Layer;
pub(crate) use shared::Shared;
pub use socket::Socket;
pub use std::net::Shutdown;

/// A connection.
#[derive(Debug)]
pub enum Conn {
    /// Over TCP, with `TCP_NODELAY` set.
    Tcp(Socket),
    /// Over a Unix socket.
    Unix(Socket),
    /// Under TLS, over either: see [`crate::tls`].
    Tls(Box<Tls>),
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
            Conn::Tls(tls) => tls.socket(),
        }
    }

    pub(crate) fn shared(&self) -> &Rc<Shared> {
        self.socket().shared()
    }

    /// What the handshake came to, under TLS.
    pub fn tls(&self) -> Option<&Info> {
        match self {
            Conn::Tcp(_) | Conn::Unix(_) => None,
            Conn::Tls(tls) => Some(tls.info()),
        }
    }

    /// Reads once, behind what the buffer holds, which must have room: `Ok(0)` is the end of the stream. Dropping the
    /// future loses the buffer and may lose data.
    ///
    /// Under TLS the end is the peer's close_notify (RFC 8446 section 6.1); the end of the transport without one is
    /// `UnexpectedEof`. The buffer that comes back may be another of the same size.
    pub fn read(&self, buf: Buffer) -> impl Future<Output = (io::Result<usize>, Buffer)> + use<'_> {
        match self {
            Conn::Tcp(socket) | Conn::Unix(socket) => Layer::Plain(socket.read(buf)),
            Conn::Tls(tls) => Layer::Tls(tls.read(buf, false)),
        }
    }

    /// As [`Conn::read`], but ended by [`crate::Strike::CancelRead`] with an error for which [`crate::is_cancelled`]: the
    /// buffer comes back and no data are lost. If data came first they win and the read ends well.
    pub fn read_cancelable(
        &self,
        buf: Buffer,
    ) -> impl Future<Output = (io::Result<usize>, Buffer)> + use<'_> {
        match self {
            Conn::Tcp(socket) | Conn::Unix(socket) => Layer::Plain(socket.read_cancelable(buf)),
            Conn::Tls(tls) => Layer::Tls(tls.read(buf, true)),
        }
    }

    /// Writes all that the buffer holds and gives it back cleared. On an error it holds what was not handed to the
    /// kernel; under TLS what it then holds is of no use, and a write that is dropped half done breaks the connection.
    pub fn write(&self, buf: Buffer) -> impl Future<Output = (io::Result<()>, Buffer)> + use<'_> {
        match self {
            Conn::Tcp(socket) | Conn::Unix(socket) => Layer::Plain(socket.write(buf)),
            Conn::Tls(tls) => Layer::Tls(tls.write(buf)),
        }
    }

    /// Posts a read that no task waits for: the connection keeps it, until its result is fetched with [`Conn::standing`].
    /// Only our own driver can; from the others the buffer comes back, and under TLS one whose room takes no whole record.
    pub fn stand(&self, buf: Buffer) -> Result<(), Buffer> {
        match self {
            Conn::Tcp(socket) | Conn::Unix(socket) => socket.stand(buf),
            Conn::Tls(tls) => tls.stand(buf),
        }
    }

    /// Whether a kept read was posted whose result has not been fetched.
    pub fn is_standing(&self) -> bool {
        match self {
            Conn::Tcp(_) | Conn::Unix(_) => self.shared().flow().is_standing(),
            Conn::Tls(tls) => tls.is_standing(),
        }
    }

    /// Whether the kept read has ended, as far as the worker has seen. (Under TLS a ticket or a key update does not end it.)
    pub fn has_stood(&self) -> bool {
        match self {
            Conn::Tcp(_) | Conn::Unix(_) => self.shared().flow().has_ended(),
            Conn::Tls(tls) => tls.has_stood(),
        }
    }

    /// The result of the kept read, as [`Conn::read`] would give it; may be dropped and asked for again.
    pub async fn standing(&self) -> (io::Result<usize>, Buffer) {
        match self {
            Conn::Tcp(_) | Conn::Unix(_) => self.shared().flow().standing().await,
            Conn::Tls(tls) => tls.standing().await,
        }
    }

    /// Hands all that the buffer holds to the driver without waiting for it to be written: see [`Conn::posted`]. For a few
    /// kilobytes that the socket surely takes. Only our own driver can, one write at a time; else the buffer comes back.
    pub fn post(&self, buf: Buffer) -> Result<(), Buffer> {
        match self {
            Conn::Tcp(socket) | Conn::Unix(socket) => socket.post(buf),
            Conn::Tls(tls) => tls.post(buf),
        }
    }

    /// Whether a posted write is still pending.
    pub fn is_posting(&self) -> bool {
        self.socket().is_posting()
    }

    /// Whether a posted write has failed.
    pub fn is_broken(&self) -> bool {
        match self {
            Conn::Tcp(socket) | Conn::Unix(socket) => socket.is_broken(),
            Conn::Tls(tls) => tls.is_broken(),
        }
    }

    /// Waits for the posted write; an error if any has failed.
    pub async fn posted(&self) -> io::Result<()> {
        match self {
            Conn::Tcp(socket) | Conn::Unix(socket) => socket.posted().await,
            Conn::Tls(tls) => tls.posted().await,
        }
    }

    /// Whether more than what was read waits already, as far as the driver knows without a look: what lies behind an
    /// answer must not be taken for the next one.
    pub fn has_more(&self) -> bool {
        match self {
            Conn::Tcp(socket) | Conn::Unix(socket) => socket.has_more(),
            Conn::Tls(tls) => tls.has_more(),
        }
    }

    /// Waits until bytes, the end of the stream or an error can be read, holding no buffer. May be dropped at any time;
    /// ended by [`crate::Strike::CancelRead`] as [`Conn::read_cancelable`] is. Beside a read of another task it ends when
    /// that read does, at the latest. Under TLS the bytes may turn out to be none for the caller.
    pub async fn readable(&self) -> io::Result<()> {
        match self {
            Conn::Tcp(socket) | Conn::Unix(socket) => socket.readable().await,
            Conn::Tls(tls) => tls.readable().await,
        }
    }

    /// Waits until a write would not block, the connection has ended or failed. May be dropped at any time.
    pub async fn writable(&self) -> io::Result<()> {
        self.socket().writable().await
    }

    /// Shuts one or both directions down: a plain system call. Pending reads end with 0, pending writes with an error. A
    /// connection that is already gone is no error.
    ///
    /// Under TLS the end of writing is said by a close_notify first, if no write is under way; so is it when the connection
    /// is dropped, but not after both directions were shut or a reset was asked for.
    pub fn shutdown(&self, how: Shutdown) {
        match self {
            Conn::Tcp(socket) | Conn::Unix(socket) => socket.shutdown(how),
            Conn::Tls(tls) => tls.shutdown(how),
        }
    }

    /// Makes the close a reset: what is delimited by the end of the stream must not seem complete when it is not.
    pub fn reset_at_close(&self) {
        self.shared().will_reset();
        // A connection that is already gone can't be reset and need not be.
        let _ = self.options().set_linger(Some(std::time::Duration::ZERO));
    }

    /// The peer's address; none on Unix sockets.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.socket().peer()
    }

    /// Our address (a system call); none on Unix sockets.
    pub fn local(&self) -> Option<SocketAddr> {
        self.options().local_addr().ok()?.as_socket()
    }

    /// What waits on the connection, without taking or waiting for it (a system call): pooled connections are probed so.
    /// Under TLS, while nothing else reads, it is taken as far as the session, where the next read finds it.
    pub fn peek(&self) -> Peek {
        match self {
            Conn::Tcp(socket) | Conn::Unix(socket) => socket.peek(),
            Conn::Tls(tls) => tls.peek(),
        }
    }

    /// The options of the socket, for the rest of this crate.
    pub(crate) fn options(&self) -> SockRef<'_> {
        SockRef::from(self.socket())
    }
}

#[cfg(test)]
mod tests;
