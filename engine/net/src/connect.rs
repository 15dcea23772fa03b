//! Opening a connection to an endpoint. No name resolution, no time-out (see [`crate::deadline::within`]), no pooling.
//!
//! The connect is a non-blocking system call and a wait for writability, not monoio's operation: dropping it half-way must
//! leave the descriptor with us, not with the driver's completion loop.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use socket2::{Domain, SockAddr, Type};

use crate::{Address, Conn, runtime};

/// How long to wait when a Unix listener's queue is full: the kernel gives no sign when it no longer is.
const UNIX_RETRY: Duration = Duration::from_millis(5);

/// Connects. The caller bounds the time: dropping the future gives up and closes the socket.
pub async fn connect(address: &Address) -> io::Result<Conn> {
    let (target, domain) = match address {
        Address::Tcp(address) => (SockAddr::from(*address), Domain::for_address(*address)),
        Address::Unix(path) => (SockAddr::unix(path)?, Domain::UNIX),
    };
    let socket = socket2::Socket::new(domain, Type::STREAM.nonblocking(), None)?;
    if domain != Domain::UNIX {
        socket.set_tcp_nodelay(true)?;
    }
    let waits = loop {
        match socket.connect(&target) {
            Ok(()) => break false,
            Err(error) => match error.raw_os_error() {
                Some(libc::EINPROGRESS) => break true,
                Some(libc::EINTR) => {}
                Some(libc::EAGAIN) if domain == Domain::UNIX => runtime::sleep(UNIX_RETRY).await,
                _ => return Err(error),
            },
        }
    };
    let conn = match address {
        Address::Tcp(peer) => Conn::Tcp(crate::Socket::over(OwnedFd::from(socket), Some(*peer))?),
        Address::Unix(_) => Conn::Unix(crate::Socket::over(OwnedFd::from(socket), None)?),
    };
    if waits {
        conn.writable().await?;
        if let Some(error) = conn.options().take_error()? {
            return Err(error);
        }
    }
    if !runtime::wants_nonblocking() {
        conn.options().set_nonblocking(false)?;
    }
    Ok(conn)
}
