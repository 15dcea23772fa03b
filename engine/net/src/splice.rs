//! Moving bytes from one connection to another without copying them: splice(2) through a pipe.
//!
//! For long bodies that pass as they are. Only on our own driver; no framing, no time-outs (deadlines act on the
//! connections). Invariants: while it lasts both sockets are non-blocking, so that no call waits, and no read or write of
//! either is posted; afterwards they are as before. A pipe that still holds bytes is never used again.

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use socket2::SockRef;

use crate::{Conn, Peek, runtime};

/// Bytes a pipe may hold; as many pages as fit are its slots.
const CAPACITY: usize = 256 * 1024;
/// Idle pipes kept by a worker.
const KEPT: usize = 16;

thread_local! {
    static PIPES: RefCell<Vec<Pipe>> = const { RefCell::new(Vec::new()) };
}

struct Pipe {
    from: OwnedFd,
    into: OwnedFd,
}

/// A way from one connection to another.
pub struct Splice<'a> {
    source: &'a Conn,
    sink: &'a Conn,
    /// Taken at the end only.
    pipe: Option<Pipe>,
    /// Bytes in the pipe.
    inside: usize,
    /// The sink may hold back a part of what it took, since more was to follow.
    held: bool,
}

impl<'a> Splice<'a> {
    /// Opens the way, unless the driver can't, either end is under TLS or there are no descriptors left. Nothing else may be posted on either
    /// connection while it is open, waits for readiness apart.
    pub fn open(source: &'a Conn, sink: &'a Conn) -> Option<Splice<'a>> {
        let under_tls = [source, sink]
            .iter()
            .any(|conn| matches!(conn, Conn::Tls(_)));
        if !runtime::on_ring() || under_tls {
            return None;
        }
        let pipe = PIPES.with_borrow_mut(Vec::pop);
        let pipe = pipe.map_or_else(Pipe::new, Ok).ok()?;
        let splice = Splice {
            source,
            sink,
            pipe: Some(pipe),
            inside: 0,
            held: false,
        };
        // Should the second fail, dropping `splice` undoes the first.
        let set = splice.set_nonblocking(true);
        set.is_ok().then_some(splice)
    }

    /// Takes at most `most` bytes from the source: none if nothing is there now, 0 at its end.
    pub fn take(&mut self, most: usize) -> io::Result<Option<usize>> {
        let Some(pipe) = &self.pipe else {
            return Ok(Some(0));
        };
        let moved = splice(self.source.socket(), &pipe.into, most.min(CAPACITY), false)?;
        self.inside += moved.unwrap_or(0);
        Ok(moved)
    }

    /// Gives what was taken to the sink; false if it takes no more for now. `more`: something follows soon, or else
    /// [`Splice::push`] is called.
    pub fn give(&mut self, more: bool) -> io::Result<bool> {
        let Some(pipe) = &self.pipe else {
            return Ok(true);
        };
        self.held = more;
        while self.inside > 0 {
            match splice(&pipe.from, self.sink.socket(), self.inside, more)? {
                Some(0) => return Err(io::ErrorKind::WriteZero.into()),
                Some(n) => self.inside -= n,
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Nothing follows for now: what the sink held back goes out.
    pub fn push(&mut self) {
        if std::mem::take(&mut self.held)
            && let Conn::Tcp(_) = self.sink
        {
            // Setting it sends what waits, though it was set before; a connection that is gone has nothing to send.
            let _ = SockRef::from(self.sink.socket()).set_tcp_nodelay(true);
        }
    }

    fn set_nonblocking(&self, on: bool) -> io::Result<()> {
        let on = libc::c_int::from(on);
        for conn in [self.source, self.sink] {
            let fd = conn.socket().as_fd().as_raw_fd();
            // One call where fcntl(2) would take two.
            // SAFETY: the descriptor is open, and the call only reads the number.
            if unsafe { libc::ioctl(fd, libc::FIONBIO, &raw const on) } < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(())
    }
}

impl Drop for Splice<'_> {
    fn drop(&mut self) {
        // A socket that can't be made blocking again fails its next operation, and is closed for that.
        let _ = self.set_nonblocking(false);
        // Only what was asked for has been taken: whether more waits nobody has told us.
        let more = self.source.peek() != Peek::Quiet;
        self.source.shared().flow().note_more(more);
        if let Some(pipe) = self.pipe.take()
            && self.inside == 0
        {
            PIPES.with_borrow_mut(|pipes| {
                if pipes.len() < KEPT {
                    pipes.push(pipe);
                }
            });
        }
    }
}

impl Pipe {
    fn new() -> io::Result<Pipe> {
        let mut ends = [0; 2];
        // SAFETY: `ends` has room for the two descriptors that the call writes.
        if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC | libc::O_NONBLOCK) } < 0 {
            return Err(io::Error::last_os_error());
        }
        let [from, into] = ends;
        // SAFETY: the call above has just given us these descriptors, and nobody else owns them.
        let (from, into) = unsafe { (OwnedFd::from_raw_fd(from), OwnedFd::from_raw_fd(into)) };
        // A user's pages for pipes are bounded: a smaller pipe does too.
        // SAFETY: no pointers are passed.
        unsafe {
            libc::fcntl(
                into.as_raw_fd(),
                libc::F_SETPIPE_SZ,
                CAPACITY as libc::c_int,
            )
        };
        Ok(Pipe { from, into })
    }
}

/// Moves bytes: none if that would block.
fn splice(from: &impl AsFd, to: &impl AsFd, most: usize, more: bool) -> io::Result<Option<usize>> {
    let more = if more { libc::SPLICE_F_MORE } else { 0 };
    let flags = libc::SPLICE_F_MOVE | libc::SPLICE_F_NONBLOCK | more;
    let (from, to) = (from.as_fd().as_raw_fd(), to.as_fd().as_raw_fd());
    loop {
        // SAFETY: both descriptors are open; null offsets are what sockets and pipes ask for.
        let moved = unsafe {
            libc::splice(
                from,
                std::ptr::null_mut(),
                to,
                std::ptr::null_mut(),
                most,
                flags,
            )
        };
        if let Ok(moved) = usize::try_from(moved) {
            return Ok(Some(moved));
        }
        let error = io::Error::last_os_error();
        match error.kind() {
            io::ErrorKind::Interrupted => {}
            io::ErrorKind::WouldBlock => return Ok(None),
            _ => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
