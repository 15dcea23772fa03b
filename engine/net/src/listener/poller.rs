//! What a worker waits on for a listening socket: an epoll instance that watches it.
//!
//! A wait posted on the socket itself would hold a reference to it until the kernel has cancelled the wait; a socket that is
//! closed but not yet released stays in its SO_REUSEPORT group, and connections queued on it are lost. These live with the
//! thread, not in the `Listener`, which can so be moved between threads until it is used.

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::rc::Rc;

use monoio::net::UnixStream;

use crate::conn::By;
use crate::{ring, runtime};

/// What is waited on, by either driver. monoio's stream is only the door to its readiness operation: nothing is read from
/// it.
pub(super) struct Poller(By<UnixStream, OwnedFd>);

thread_local! {
    static POLLERS: RefCell<Vec<(RawFd, Rc<Poller>)>> = const { RefCell::new(Vec::new()) };
}

impl Poller {
    /// Waits until a connection is queued.
    pub(super) async fn ready(&self) -> io::Result<()> {
        match &self.0 {
            By::Monoio(stream) => stream.readable(false).await,
            By::Ring(fd) => ring::file_poll(fd.as_raw_fd(), libc::POLLIN, None).await,
        }
    }
}

/// The poller of a listening socket on this thread, made at its first use.
pub(super) fn of(socket: &socket2::Socket) -> io::Result<Rc<Poller>> {
    let fd = socket.as_raw_fd();
    let known = POLLERS.with_borrow(|pollers| {
        let mut pollers = pollers.iter();
        pollers.find(|(of, _)| *of == fd).map(|(_, it)| it.clone())
    });
    if let Some(poller) = known {
        return Ok(poller);
    }
    let poller = watch(fd)?;
    let poller = Rc::new(Poller(match runtime::on_ring() {
        true => By::Ring(poller),
        false => By::Monoio(UnixStream::from_std(poller.into())?),
    }));
    POLLERS.with_borrow_mut(|pollers| pollers.push((fd, poller.clone())));
    Ok(poller)
}

/// Lets go of a listening socket's poller, before the socket is closed.
pub(super) fn drop_of(fd: RawFd) {
    let poller = POLLERS.try_with(|pollers| {
        let mut pollers = pollers.borrow_mut();
        let at = pollers.iter().position(|(of, _)| *of == fd)?;
        Some(pollers.swap_remove(at).1)
    });
    // A wait whose future was just dropped may still be the kernel's.
    if let Ok(Some(poller)) = poller
        && let Some(poller) = Rc::into_inner(poller)
    {
        match poller.0 {
            By::Monoio(poller) => runtime::bury(poller),
            By::Ring(poller) => ring::close(poller),
        }
    }
}

/// Lets go of all of this thread's: the runtime they belong to is gone.
pub(crate) fn forget() {
    let pollers = POLLERS.try_with(|pollers| std::mem::take(&mut *pollers.borrow_mut()));
    drop(pollers);
}

/// An epoll instance that is readable while the socket is.
fn watch(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: no pointers are passed.
    let epoll = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
    if epoll < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call above has just given us this descriptor, and nobody else owns it.
    let epoll = unsafe { OwnedFd::from_raw_fd(epoll) };
    let mut event = libc::epoll_event {
        events: libc::EPOLLIN as u32,
        u64: 0,
    };
    // SAFETY: both descriptors are open and `event` is valid for the call, which copies it.
    let added = unsafe { libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd, &mut event) };
    if added < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(epoll)
}
