//! A listening socket of one worker: bound with SO_REUSEPORT, accepted from without blocking.
//!
//! No TLS, no limits on connections: its caller decides. Invariants: the socket is non-blocking on every driver (monoio's
//! epoll driver would else block the whole thread in accept); dropping a `Listener` closes the socket at once, since what
//! waits for it waits on an epoll instance beside it and holds no reference to it.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::pin::pin;
use std::task::{Poll, Waker};

use socket2::{Domain, SockAddr, Socket, Type};

use crate::{Address, Conn, runtime};

mod poller;

pub(crate) use poller::forget as forget_pollers;

/// Connections accepted without a rest, so that a flood of them cannot starve those that are there.
const STREAK: u8 = 16;

/// A listening socket. It may be bound on one thread and moved to the worker that accepts from it, where it must be
/// dropped.
pub struct Listener {
    socket: Socket,
    local: Address,
    stopped: Cell<bool>,
    /// Connections accepted since the last rest.
    streak: Cell<u8>,
    /// The task that waits in `accept`.
    waiting: Cell<Option<Waker>>,
}

/// Binds the address once without SO_REUSEPORT and closes it again: an error if someone listens there already, be it
/// another instance of ourselves.
pub fn probe(address: &Address) -> io::Result<()> {
    match address {
        Address::Tcp(_) => {
            let socket = open(address)?;
            socket.bind(&target(address)?)
        }
        Address::Unix(path) => match std::os::unix::net::UnixStream::connect(path) {
            Ok(_) => Err(io::ErrorKind::AddrInUse.into()),
            Err(error) if is_stale(&error) => Ok(()),
            Err(error) => Err(error),
        },
    }
}

impl Listener {
    /// Binds and listens. TCP sockets share their address with other workers' (SO_REUSEPORT) and give accepted
    /// connections TCP_NODELAY; an IPv6 one takes no IPv4 connections. A Unix socket that nobody listens on any more is
    /// replaced; for several workers bind it once and [`Listener::share`] it.
    pub fn bind(address: &Address, backlog: u32) -> io::Result<Listener> {
        let socket = open(address)?;
        match address {
            Address::Tcp(_) => {
                socket.set_reuse_port(true)?;
                socket.set_tcp_nodelay(true)?;
            }
            Address::Unix(path) => clear_stale(path)?,
        }
        socket.bind(&target(address)?)?;
        socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
        let local = match socket.local_addr()?.as_socket() {
            Some(local) => Address::Tcp(local),
            None => address.clone(),
        };
        Ok(Listener::over(socket, local))
    }

    fn over(socket: Socket, local: Address) -> Listener {
        Listener {
            socket,
            local,
            stopped: Cell::new(false),
            streak: Cell::new(0),
            waiting: Cell::new(None),
        }
    }

    /// Another listener on the same socket and queue, for another worker.
    pub fn share(&self) -> io::Result<Listener> {
        Ok(Listener::over(self.socket.try_clone()?, self.local.clone()))
    }

    /// Another descriptor of the socket, to be handed to another worker.
    pub fn duplicate(&self) -> io::Result<OwnedFd> {
        Ok(self.socket.try_clone()?.into())
    }

    /// A listener on a socket that [`Listener::duplicate`] gave, or a duplicate of it.
    pub fn from_fd(socket: OwnedFd) -> io::Result<Listener> {
        let socket = Socket::from(socket);
        let bound = socket.local_addr()?;
        let local = match (bound.as_socket(), bound.as_pathname()) {
            (Some(local), _) => Address::Tcp(local),
            (None, Some(path)) => Address::Unix(path.to_owned()),
            (None, None) => return Err(io::ErrorKind::AddrNotAvailable.into()),
        };
        Ok(Listener::over(socket, local))
    }

    /// The address it is bound to, with the port the kernel chose if none was given.
    pub fn local(&self) -> Address {
        self.local.clone()
    }

    /// The next connection. Needs the runtime. Errors such as EMFILE are the caller's, who should wait a little before
    /// the next call; after [`Listener::stop`] it is an error for which [`crate::is_cancelled`]. May be dropped at any
    /// time.
    pub async fn accept(&self) -> io::Result<Conn> {
        loop {
            if self.stopped.get() {
                return Err(crate::cancelled());
            }
            if self.streak.get() < STREAK
                && let Some(conn) = self.take()?
            {
                self.streak.set(self.streak.get() + 1);
                return Ok(conn);
            }
            if self.streak.replace(0) == STREAK && runtime::wants_nonblocking() {
                // On epoll the wait below ends at once while connections are queued; on io_uring it is a rest by itself.
                runtime::yield_now().await;
            }
            self.ready().await?;
        }
    }

    /// Ends the pending accept and every later one. The socket stays open and its queue with it: empty it with
    /// [`Listener::accept_queued`] before dropping.
    pub fn stop(&self) {
        self.stopped.set(true);
        if let Some(waiting) = self.waiting.take() {
            waiting.wake();
        }
    }

    /// A connection that is queued already, if there is one. Needs the runtime.
    pub fn accept_queued(&self) -> Option<Conn> {
        // An error here (no descriptors left) leaves the queue as it is; draining has nobody to tell.
        self.take().ok().flatten()
    }

    /// Takes a connection from the queue; none if it is empty.
    fn take(&self) -> io::Result<Option<Conn>> {
        let mode = match runtime::wants_nonblocking() {
            true => libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK,
            false => libc::SOCK_CLOEXEC,
        };
        let (socket, peer) = loop {
            match self.socket.accept4(mode) {
                Ok(accepted) => break accepted,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                // The connection was gone before it was taken, or the error is one of its own: on to the next.
                Err(error) if is_of_the_connection(&error) => {}
                Err(error) => return Err(error),
            }
        };
        let peer = peer.as_socket();
        let socket = crate::Socket::over(OwnedFd::from(socket), peer)?;
        Ok(Some(match self.local {
            Address::Tcp(_) => Conn::Tcp(socket),
            Address::Unix(_) => Conn::Unix(socket),
        }))
    }

    /// Waits until a connection is queued or the listener is stopped.
    async fn ready(&self) -> io::Result<()> {
        let poller = poller::of(&self.socket)?;
        let mut ready = pin!(poller.ready());
        poll_fn(|cx| {
            if self.stopped.get() {
                return Poll::Ready(Ok(()));
            }
            self.waiting.set(Some(cx.waker().clone()));
            ready.as_mut().poll(cx)
        })
        .await
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        poller::drop_of(self.socket.as_raw_fd());
    }
}

fn open(address: &Address) -> io::Result<Socket> {
    let kind = Type::STREAM.nonblocking();
    let Address::Tcp(address) = address else {
        return Socket::new(Domain::UNIX, kind, None);
    };
    let socket = Socket::new(Domain::for_address(*address), kind, None)?;
    // Else connections of a former instance in TIME_WAIT would keep the address for a minute.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // Client addresses then have one form each, which address rules rely on.
        socket.set_only_v6(true)?;
    }
    Ok(socket)
}

fn target(address: &Address) -> io::Result<SockAddr> {
    match address {
        Address::Tcp(address) => Ok(SockAddr::from(*address)),
        Address::Unix(path) => SockAddr::unix(path),
    }
}

/// Removes a socket file that nobody listens on.
fn clear_stale(path: &Path) -> io::Result<()> {
    match std::os::unix::net::UnixStream::connect(path) {
        Ok(_) => Err(io::ErrorKind::AddrInUse.into()),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            // A plain file gives the same error: only a socket is ours to remove.
            use std::os::unix::fs::FileTypeExt;
            if std::fs::symlink_metadata(path)?.file_type().is_socket() {
                std::fs::remove_file(path)?;
            }
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn is_stale(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound
    )
}

/// Errors of accept(2) that speak of the one connection and say nothing of the listener.
fn is_of_the_connection(error: &io::Error) -> bool {
    let own = [
        libc::EINTR,
        libc::ECONNABORTED,
        libc::EPROTO,
        libc::ENETDOWN,
        libc::ENETUNREACH,
        libc::EHOSTDOWN,
        libc::EHOSTUNREACH,
        libc::ENONET,
        libc::ENOPROTOOPT,
        libc::EPERM,
    ];
    error.raw_os_error().is_some_and(|code| own.contains(&code))
}

#[cfg(test)]
mod tests;
