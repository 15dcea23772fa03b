//! A connection under TLS: what [`crate::Conn`] can do, with records in between.
//!
//! Received bytes are opened where they were received, in the caller's buffer; written ones are sealed in the caller's
//! buffer too, if they are not too many for the headroom. An idle connection keeps no buffer: the beginning of a record
//! that has come alone is held in a block of its size. What the peer is to be told between the data (tickets, answers to
//! key updates, alerts) goes out in front of the next write, or by itself as soon as a read has to wait.
//!
//! How a stream ends: a close_notify reads as the end, `Ok(0)`. The transport's end without one is `UnexpectedEof`, once
//! the data before it have been read, since data that are delimited by the end may have been cut; for
//! [`crate::Conn::peek`] both are `Closed`. A reading side that a deadline has shut reads as cut, too.
//!
//! Invariants: bytes go to the socket in the order in which they were sealed; nobody but a pending read takes bytes from
//! the socket while one is pending; a write that was dropped half done breaks the connection for writing.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::Shutdown;

use super::session::{End, Sealed, Session};
use super::{HandshakeError, Info, Reason};
use crate::conn::{Peek, Socket};
use crate::{Buffer, Conn};

mod kept;
mod reading;
mod writing;

use reading::Inbox;

/// A connection under TLS.
pub struct Tls {
    socket: Socket,
    info: Info,
    session: RefCell<Session>,
    inbox: RefCell<Inbox>,
    /// A write is under way: what it has sealed is on its way to the socket.
    writing: Cell<bool>,
    /// A write was dropped half done, or failed.
    broken: Cell<bool>,
}

impl Tls {
    /// Takes over after the handshake, with the records that came right behind it.
    pub(super) fn over(
        conn: Conn,
        session: Session,
        info: Info,
        received: Buffer,
    ) -> Result<Tls, HandshakeError> {
        let (Conn::Tcp(socket) | Conn::Unix(socket)) = conn else {
            return Err(HandshakeError::new(Reason::Internal, "TLS within TLS"));
        };
        let tls = Tls {
            socket,
            info,
            session: RefCell::new(session),
            inbox: RefCell::default(),
            writing: Cell::new(false),
            broken: Cell::new(false),
        };
        if !received.is_empty() {
            let (_, plain) = tls.received(Ok(received.len()), received, 0);
            if !plain.is_empty() {
                tls.inbox.borrow_mut().ready = plain;
            }
        }
        Ok(tls)
    }

    /// What the handshake came to.
    pub fn info(&self) -> &Info {
        &self.info
    }

    pub(crate) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Sends what the peer is to be told, as far as the socket takes it now and nothing is under way.
    pub(super) fn flush(&self) {
        if self.writing.get() || self.broken.get() || self.socket.is_posting() {
            return;
        }
        let mut session = self.session.borrow_mut();
        if session.outgoing().is_empty() {
            return;
        }
        match self.socket.send_now(session.outgoing()) {
            Ok(sent) => session.went_out(sent),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => {
                // Reads go on: what the peer has sent may explain it.
                session.went_out(usize::MAX);
                self.broken.set(true);
            }
        }
    }

    /// Says that nothing more will be written, if the order of things allows.
    fn say_goodbye(&self) {
        if self.writing.get() || self.broken.get() || self.socket.is_posting() {
            return;
        }
        self.session.borrow_mut().close();
        self.flush();
    }

    pub(crate) fn shutdown(&self, how: Shutdown) {
        match how {
            Shutdown::Write => self.say_goodbye(),
            // Nothing will seem complete that is not.
            Shutdown::Both => self.broken.set(true),
            Shutdown::Read => {}
        }
        self.socket.shutdown(how);
    }

    /// Whether a read would not wait, as far as is known without a look at the socket.
    fn is_ready(&self) -> bool {
        let ended = self.session.borrow().end().is_some();
        ended || self.inbox.borrow().has_data() || self.has_stood()
    }

    pub(crate) fn has_more(&self) -> bool {
        let inbox = self.inbox.borrow();
        inbox.has_data() || inbox.has_held() || self.socket.has_more()
    }

    /// Looks deeper than the socket alone can: a ticket or a key update is nothing to the caller, a close_notify is the end.
    pub(crate) fn peek(&self) -> Peek {
        if self.inbox.borrow().has_data() {
            return Peek::Data;
        }
        if self.session.borrow().end().is_some() {
            return Peek::Closed;
        }
        if self.is_standing() {
            return match self.has_stood() {
                true => self.stood_peek(),
                false => self.socket.peek(),
            };
        }
        if self.socket.shared().is_reading() {
            return self.socket.peek();
        }
        self.look()
    }

    pub(crate) async fn readable(&self) -> io::Result<()> {
        if self.is_ready() {
            return Ok(());
        }
        self.flush();
        if !self.socket.shared().is_reading() {
            self.inbox.borrow_mut().shrink();
        }
        self.socket.readable().await
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.broken.get() || self.socket.is_broken()
    }

    /// Seals what the buffer holds; an error when the session takes no more.
    fn seal(&self, buffer: &mut Buffer) -> io::Result<Sealed> {
        let sealed = self.session.borrow_mut().seal(buffer);
        sealed.map_err(|_| {
            self.broken.set(true);
            io::ErrorKind::BrokenPipe.into()
        })
    }
}

/// How an ended session reads.
fn ended(end: End) -> io::Result<usize> {
    match end {
        End::Notified => Ok(0),
        End::Cut => Err(io::ErrorKind::UnexpectedEof.into()),
        End::Failed(what) => Err(io::Error::new(io::ErrorKind::InvalidData, what)),
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Tls")
            .field("socket", &self.socket)
            .field("info", &self.info)
            .finish_non_exhaustive()
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        // A task that panics has not said all it had to say, and a reset is to be one.
        if !std::thread::panicking() && !self.socket.shared().resets() {
            self.say_goodbye();
        }
    }
}

#[cfg(test)]
impl Tls {
    /// Makes records of the data, which the test sends by itself.
    pub(super) fn seal_for_test(&self, buffer: &mut Buffer) {
        assert!(matches!(self.seal(buffer), Ok(Sealed::Done)));
    }

    /// Seals any message, to go out next.
    pub(super) fn queue_for_test(&self, kind: u8, message: &[u8]) {
        let kind = rustls::ContentType::from(kind);
        let queued = self.session.borrow_mut().queue(kind, message);
        queued.expect("sealed");
    }

    /// As if the key had but `left` records left; the number of the next one.
    pub(super) fn wear_for_test(&self, left: u64) -> u64 {
        self.session.borrow_mut().sealer.wear_for_test(left)
    }

    /// As if so many records had been opened.
    pub(super) fn catch_up_for_test(&self, sequence: u64) {
        self.session.borrow_mut().opener.catch_up_for_test(sequence);
    }

    /// The number of the next record to be sealed.
    pub(super) fn sealed_for_test(&self) -> u64 {
        self.session.borrow().sealer.sealed_for_test()
    }
}
