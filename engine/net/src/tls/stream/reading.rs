//! Reads under TLS, and looks at what waits.

use std::io;

use super::super::records::MAX_WIRE;
use super::{Tls, ended};
use crate::Buffer;
use crate::conn::Peek;

/// What has been received and not been handed out.
#[derive(Default)]
pub(super) struct Inbox {
    /// Plaintext; no block while there is none.
    pub(super) ready: Buffer,
    /// The beginning of a record. `0 <= held.len() < MAX_WIRE`
    held: Vec<u8>,
    /// The caller's buffer while a read fills another.
    theirs: Buffer,
    /// A kept read's result.
    pub(super) stood: Option<(io::Result<usize>, Buffer)>,
    /// What the kept read's buffer held before.
    pub(super) stood_base: usize,
}

impl Inbox {
    pub(super) fn has_data(&self) -> bool {
        !self.ready.is_empty()
    }

    pub(super) fn has_held(&self) -> bool {
        !self.held.is_empty()
    }

    /// The connection may be idle for long: it keeps what it must.
    pub(super) fn shrink(&mut self) {
        self.held.shrink_to_fit();
        // Left by a read that was dropped.
        self.theirs = Buffer::default();
    }

    /// Hands plaintext over.
    fn take(&mut self, buffer: &mut Buffer) -> usize {
        let ready = &mut self.ready;
        if buffer.is_empty() && buffer.is_large() == ready.is_large() {
            *buffer = std::mem::take(ready);
            return buffer.len();
        }
        let len = ready.len().min(buffer.room());
        buffer.extend(ready.filled().get(..len).unwrap_or_default());
        match len == ready.len() {
            true => *ready = Buffer::default(),
            false => ready.consume(len),
        }
        len
    }
}

impl Tls {
    /// As [`crate::Conn::read`] or [`crate::Conn::read_cancelable`].
    pub(crate) async fn read(
        &self,
        mut buffer: Buffer,
        cancelable: bool,
    ) -> (io::Result<usize>, Buffer) {
        let out = loop {
            if let Some(served) = self.serve(&mut buffer) {
                break served;
            }
            self.flush();
            let (apart, base) = self.lend(&mut buffer);
            let (received, back) = match cancelable {
                true => self.socket.receive_cancelable(buffer).await,
                false => self.socket.read(buffer).await,
            };
            let (received, back) = self.received(received, back, base);
            buffer = match apart {
                true => self.take_back(back),
                false => back,
            };
            match received {
                Ok(1..) if !apart => break received,
                Ok(_) => {}
                Err(_) => break received,
            }
            // The caller heard nothing of this read: a strike that it outran is not lost.
            if cancelable && !self.is_ready() && self.socket.shared().take_cancelled() {
                break Err(crate::cancelled());
            }
        };
        if cancelable {
            self.socket.shared().end_cancelable();
        }
        (out, buffer)
    }

    /// Makes a buffer ready to receive any record behind the data in it: if it has no room for that, another takes its
    /// place meanwhile. Whether it does, and how much data comes first.
    fn lend(&self, buffer: &mut Buffer) -> (bool, usize) {
        let apart = buffer.room() < MAX_WIRE;
        if apart {
            let theirs = std::mem::replace(buffer, Buffer::standard());
            self.inbox.borrow_mut().theirs = theirs;
        }
        let base = buffer.len();
        *buffer = self.with_held(std::mem::take(buffer));
        (apart, base)
    }

    /// What was received in another buffer is for later; the caller's own.
    fn take_back(&self, received: Buffer) -> Buffer {
        let mut inbox = self.inbox.borrow_mut();
        if !received.is_empty() {
            inbox.ready = received;
        }
        std::mem::take(&mut inbox.theirs)
    }

    /// What can be had without the socket: data, or the end.
    pub(super) fn serve(&self, buffer: &mut Buffer) -> Option<io::Result<usize>> {
        let mut inbox = self.inbox.borrow_mut();
        match inbox.has_data() {
            true => Some(Ok(inbox.take(buffer))),
            false => self.session.borrow().end().map(ended),
        }
    }

    /// The beginning of a record is copied in front of what will be received, and kept until something has been: a read
    /// that is cancelled or dropped takes nothing with it.
    pub(super) fn with_held(&self, mut into: Buffer) -> Buffer {
        into.extend(&self.inbox.borrow().held);
        into
    }

    /// A read of ciphertext has ended: how much plaintext lies behind the first `base` bytes. None is not the end.
    pub(super) fn received(
        &self,
        received: io::Result<usize>,
        mut into: Buffer,
        base: usize,
    ) -> (io::Result<usize>, Buffer) {
        match received {
            Ok(0) => {
                into.truncate(base);
                self.session.borrow_mut().cut();
                (Ok(0), into)
            }
            Ok(_) => {
                let plain = self.open(&mut into, base);
                (Ok(plain), into)
            }
            Err(error) => {
                into.truncate(base);
                (Err(error), into)
            }
        }
    }

    /// Opens the records behind the first `base` bytes, in place; the beginning of the next one is held.
    fn open(&self, into: &mut Buffer, base: usize) -> usize {
        let failed = {
            let (mut session, mut inbox) = (self.session.borrow_mut(), self.inbox.borrow_mut());
            let data = into.filled_mut().get_mut(base..).unwrap_or_default();
            let opened = session.open(data);
            inbox.held.clear();
            let rest = data.get(opened.used..).unwrap_or_default();
            inbox.held.extend_from_slice(rest);
            let plain = opened.plain;
            match (base, plain.start == plain.end) {
                (_, true) => into.truncate(base),
                (0, false) => into.narrow(plain.start, plain.end),
                (_, false) => {
                    let len = plain.len();
                    data.copy_within(plain, 0);
                    into.truncate(base + len);
                }
            }
            session.end().is_some()
        };
        if failed {
            self.flush();
        }
        into.len() - base
    }

    /// Takes what waits at the socket, which nobody reads from now, and says what it is.
    pub(super) fn look(&self) -> Peek {
        loop {
            let mut into = self.with_held(Buffer::standard());
            match self.socket.receive_now(&mut into) {
                Ok(received) => {
                    let (_, into) = self.received(Ok(received), into, 0);
                    if !into.is_empty() {
                        self.inbox.borrow_mut().ready = into;
                        return Peek::Data;
                    }
                    if self.session.borrow().end().is_some() {
                        return Peek::Closed;
                    }
                }
                Err(error) => {
                    return match error.kind() {
                        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => {
                            match self.inbox.borrow().has_held() {
                                true => Peek::Data,
                                false => Peek::Quiet,
                            }
                        }
                        _ => Peek::Closed,
                    };
                }
            }
        }
    }
}
