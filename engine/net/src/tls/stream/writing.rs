//! Writes under TLS: sealed in place where they fit, in order, one at a time.

use std::io;

use super::super::session::Sealed;
use super::Tls;
use crate::{Buffer, ring, runtime};

/// Data that are sealed at once where the caller's buffer has no room for it.
const PART: usize = 64 * 1024;

/// A write under way. Dropped before its end it leaves records half sent: nothing can follow them.
struct Turn<'a> {
    tls: &'a Tls,
    ended: bool,
}

impl<'a> Turn<'a> {
    fn begin(tls: &'a Tls) -> Turn<'a> {
        tls.writing.set(true);
        Turn { tls, ended: false }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.tls.writing.set(false);
        if !self.ended {
            self.tls.broken.set(true);
        }
    }
}

impl Tls {
    pub(crate) async fn write(&self, mut buffer: Buffer) -> (io::Result<()>, Buffer) {
        debug_assert!(!self.writing.get(), "two writes at a time");
        if self.is_broken() || self.session.borrow().is_silent() {
            return (Err(io::ErrorKind::BrokenPipe.into()), buffer);
        }
        let mut turn = Turn::begin(self);
        while !buffer.is_empty() {
            let sent = match self.seal(&mut buffer) {
                Err(error) => Err(error),
                Ok(Sealed::Done) => {
                    let (sent, back) = self.socket.write(buffer).await;
                    buffer = back;
                    sent
                }
                Ok(Sealed::NoRoom) => self.write_apart(&mut buffer).await,
            };
            if let Err(error) = sent {
                return (Err(error), buffer);
            }
        }
        buffer.clear();
        turn.ended = true;
        drop(turn);
        // What came up meanwhile waited for us.
        self.flush();
        (Ok(()), buffer)
    }

    /// Writes what waits in front, then as much of the buffer as one of our own takes.
    async fn write_apart(&self, buffer: &mut Buffer) -> io::Result<()> {
        loop {
            let mut front = Buffer::default();
            {
                let mut session = self.session.borrow_mut();
                let waiting = session.outgoing();
                if !waiting.is_empty() {
                    front = Buffer::standard();
                    let len = waiting.len().min(front.room());
                    front.extend(waiting.get(..len).unwrap_or_default());
                    session.went_out(len);
                }
            }
            if front.is_empty() {
                break;
            }
            self.socket.write(front).await.0?;
        }
        let len = buffer.len().min(PART);
        let mut part = match len > crate::buffer::STANDARD {
            true => Buffer::large(),
            false => Buffer::standard(),
        };
        part.extend(buffer.filled().get(..len).unwrap_or_default());
        match self.seal(&mut part)? {
            Sealed::Done => {
                buffer.consume(len);
                self.socket.write(part).await.0
            }
            // A key update came up just now: it goes first.
            Sealed::NoRoom => Ok(()),
        }
    }

    pub(crate) fn post(&self, mut buffer: Buffer) -> Result<(), Buffer> {
        let busy = self.writing.get() || self.socket.is_posting() || self.is_broken();
        if !runtime::on_ring() || busy || buffer.is_empty() {
            return Err(buffer);
        }
        match self.seal(&mut buffer) {
            Ok(Sealed::Done) => {}
            Ok(Sealed::NoRoom) | Err(_) => return Err(buffer),
        }
        if ring::keep_send(self.socket.shared(), buffer).is_err() {
            // It can't be taken back: its numbers are used up.
            self.broken.set(true);
        }
        Ok(())
    }

    pub(crate) async fn posted(&self) -> io::Result<()> {
        self.socket.posted().await?;
        match self.broken.get() {
            true => Err(io::ErrorKind::BrokenPipe.into()),
            false => Ok(()),
        }
    }
}
