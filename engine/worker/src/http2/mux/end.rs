//! How a connection ends: the farewell in two steps, after which its streams may end; or at once.

use std::future::poll_fn;
use std::task::{Poll, Waker};

use engine_net::Shutdown;
use protocol::http2::ErrorCode;

use super::Mux;
use crate::http2::stream::Broken;

impl Mux {
    /// Nothing more is read from it.
    pub(crate) fn is_over(&self) -> bool {
        self.inner.borrow().over
    }

    /// Begins to say farewell: streams that are open may end, new ones are refused (RFC 9113 section 6.8).
    pub(crate) fn retire(&self) {
        let mut inner = self.inner.borrow_mut();
        let inner = &mut *inner;
        inner.h2.drain(&mut inner.out);
        inner.wake_writer();
    }

    /// The farewell has been said in both steps and no stream is left.
    pub(crate) fn is_retired(&self) -> bool {
        let inner = self.inner.borrow();
        inner.held == 0 && inner.h2.is_drained()
    }

    /// The second step of the farewell, whatever the peer has not confirmed.
    pub(crate) fn retire_now(&self) {
        let mut inner = self.inner.borrow_mut();
        let inner = &mut *inner;
        inner.h2.goaway(ErrorCode::NO_ERROR, &mut inner.out);
        inner.wake_writer();
    }

    /// Nothing more is read: every stream breaks; what waits is still written, then the writing side is shut.
    pub(crate) fn end(&self) {
        let wakers: Vec<Waker> = {
            let mut inner = self.inner.borrow_mut();
            let inner = &mut *inner;
            inner.over = true;
            for slot in &mut inner.slots {
                if slot.held && slot.broken.is_none() && !(slot.ended && slot.said) {
                    slot.broken = Some(Broken::Gone);
                }
            }
            let streams = inner.slots.iter_mut().filter_map(|slot| slot.waker.take());
            streams
                .chain(inner.writer.take())
                .chain(inner.reader.take())
                .chain(inner.greeted.take())
                .collect()
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// As [`Mux::end`], and what waits to be written is thrown away.
    pub(crate) fn cut(&self) {
        {
            let mut inner = self.inner.borrow_mut();
            inner.ready.clear();
            inner.out.clear();
        }
        self.end();
        self.conn.shutdown(Shutdown::Both);
    }

    /// Waits until the last of what was to be written has gone out, after [`Mux::end`].
    pub(crate) async fn written_out(&self) {
        poll_fn(|cx| {
            let mut inner = self.inner.borrow_mut();
            if inner.written_out {
                return Poll::Ready(());
            }
            inner.reader = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
