//! The task that writes: all frames that its connection's streams have ready leave together.
//!
//! It stands behind the tasks that were woken with it, so that answers which came in one turn of the worker go out in one
//! write.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use engine_net::Shutdown;
use engine_net::buffer::Buffer;
use engine_net::deadline::{self, Deadline, Strike};
use protocol::http2::Role;

use super::Mux;

/// No more than this is handed to the driver without waiting for it.
const POSTED: usize = 16 * 1024;

/// Says that nothing more is written, however the task ends.
struct WrittenOut<'a>(&'a Mux);

impl Drop for WrittenOut<'_> {
    fn drop(&mut self) {
        let reader = {
            let mut inner = self.0.inner.borrow_mut();
            inner.written_out = true;
            inner.reader.take()
        };
        reader.into_iter().for_each(std::task::Waker::wake);
    }
}

impl Mux {
    /// Writes what there is until the connection is over. `timeout`: nanoseconds that the peer may take for one write.
    pub(crate) async fn write_all(self: Rc<Self>, timeout: u64) {
        let _end = WrittenOut(&self);
        let deadline = Deadline::new(&self.conn);
        while let Some(buf) = self.ready().await {
            let written = self.write(buf, &deadline, timeout).await;
            self.written();
            if !written {
                return self.cut();
            }
        }
        deadline.set(deadline::now().saturating_add(timeout), Strike::BothShut);
        if self.conn.is_posting() {
            // An error means that the peer has gone, and nobody else is to be told.
            let _ = self.conn.posted().await;
        }
        self.conn.shutdown(Shutdown::Write);
        if self.inner.borrow().h2.role() == Role::Client {
            // Whatever a service still says is for nobody: its reader need not wait until it closes too, and with it those
            // who wait for a place at the cap.
            self.conn.shutdown(Shutdown::Read);
        }
    }

    /// What is to be written next; none when the connection is over.
    async fn ready(&self) -> Option<Buffer> {
        poll_fn(|cx| {
            let mut inner = self.inner.borrow_mut();
            if let Some(next) = inner.next() {
                return Poll::Ready(Some(next));
            }
            if inner.over {
                return Poll::Ready(None);
            }
            match &inner.writer {
                Some(waker) if waker.will_wake(cx.waker()) => {}
                _ => inner.writer = Some(cx.waker().clone()),
            }
            Poll::Pending
        })
        .await
    }

    /// Bytes have gone: bodies that waited for room go on.
    fn written(&self) {
        let mut inner = self.inner.borrow_mut();
        inner.wake_waiting();
        if let Some(reader) = inner.reader.take() {
            reader.wake();
        }
    }

    async fn write(&self, mut buf: Buffer, deadline: &Deadline, timeout: u64) -> bool {
        if buf.len() <= POSTED {
            match self.conn.post(buf) {
                Ok(()) => return true,
                Err(back) => buf = back,
            }
        }
        deadline.set(deadline::now().saturating_add(timeout), Strike::BothShut);
        let (result, _) = self.conn.write(buf).await;
        if result.is_err() || deadline.struck() {
            return false;
        }
        deadline.clear();
        true
    }
}
