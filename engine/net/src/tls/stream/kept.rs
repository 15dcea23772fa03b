//! The kept read under TLS: the driver keeps it, records are opened when somebody asks.

use std::io;

use super::super::records::MAX_WIRE;
use super::{Tls, ended};
use crate::conn::Peek;
use crate::{Buffer, ring, runtime};

impl Tls {
    pub(crate) fn stand(&self, mut buffer: Buffer) -> Result<(), Buffer> {
        if !runtime::on_ring() || self.is_standing() || buffer.room() < MAX_WIRE {
            return Err(buffer);
        }
        if let Some(served) = self.serve(&mut buffer) {
            self.inbox.borrow_mut().stood = Some((served, buffer));
            return Ok(());
        }
        self.flush();
        self.inbox.borrow_mut().shrink();
        self.keep(buffer)
    }

    fn keep(&self, buffer: Buffer) -> Result<(), Buffer> {
        let base = buffer.len();
        self.inbox.borrow_mut().stood_base = base;
        let into = self.with_held(buffer);
        ring::keep_receive(self.socket.shared(), into).map_err(|mut back| {
            back.truncate(base);
            back
        })
    }

    pub(crate) fn is_standing(&self) -> bool {
        self.inbox.borrow().stood.is_some() || self.socket.shared().flow().is_standing()
    }

    pub(crate) fn has_stood(&self) -> bool {
        self.settle();
        self.inbox.borrow().stood.is_some()
    }

    pub(crate) async fn standing(&self) -> (io::Result<usize>, Buffer) {
        loop {
            self.settle();
            if let Some(stood) = self.inbox.borrow_mut().stood.take() {
                return stood;
            }
            if !self.socket.shared().flow().is_standing() {
                return (Err(crate::cancelled()), Buffer::default());
            }
            self.socket.shared().flow().stood().await;
        }
    }

    /// Opens what the kept read has brought; if that is nothing for the caller the read is kept again.
    fn settle(&self) {
        let flow = self.socket.shared().flow();
        while let Some((received, buffer)) = flow.take_stood() {
            let base = self.inbox.borrow().stood_base;
            let (received, buffer) = self.received(received, buffer, base);
            let end = self.session.borrow().end();
            let stood = match (received, end) {
                (Ok(0), None) => {
                    self.flush();
                    match self.keep(buffer) {
                        Ok(()) => continue,
                        Err(back) => (Err(io::ErrorKind::ResourceBusy.into()), back),
                    }
                }
                (Ok(0), Some(end)) => (ended(end), buffer),
                (received, _) => (received, buffer),
            };
            self.inbox.borrow_mut().stood = Some(stood);
        }
    }

    /// What the kept read has brought, as [`Tls::peek`] says it.
    pub(super) fn stood_peek(&self) -> Peek {
        match &self.inbox.borrow().stood {
            Some((Ok(1..), _)) => Peek::Data,
            Some(_) => Peek::Closed,
            None => Peek::Quiet,
        }
    }
}
