//! Room for what waits to be written, and who waits for it: bodies take turns, and the peer is not read while too much
//! waits.

use std::future::poll_fn;
use std::task::Poll;

use engine_net::buffer::Buffer;

use super::{Inner, Mux, wake};

/// So much waits to be written at most before bodies wait; heads and control frames are never held back by it.
const ROOM: usize = 96 * 1024;
/// With so much waiting, nothing more is read.
const MOST: usize = 512 * 1024;
/// A body takes at least this much of the room, if there is any.
const SHARE: usize = 4 * 1024;
/// Part of a body that is shorter is copied twice rather than end a run of frames.
const SMALL: usize = 256;
/// The vector of frames keeps no more room than this.
const KEPT: usize = 16 * 1024;

impl Mux {
    /// Waits until what is to be written is not too much, or the connection is over.
    pub(crate) async fn has_room(&self) {
        poll_fn(|cx| {
            let mut inner = self.inner.borrow_mut();
            if inner.pending() < MOST || inner.over {
                return Poll::Ready(());
            }
            inner.reader = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl Inner {
    /// How many bytes wait to be written.
    pub(in crate::http2) fn pending(&self) -> usize {
        self.ready.len() + self.out.len()
    }

    /// Puts part of a body behind its frame's header, which is the last that waits: copied once, into what it will be
    /// written from. Frames of all streams that are ready can so leave together.
    pub(in crate::http2) fn gather(&mut self, payload: &[u8]) {
        if payload.len() < SMALL {
            return self.out.extend_from_slice(payload);
        }
        self.pour();
        self.ready.push(payload);
    }

    /// What is to be written next.
    pub(in crate::http2) fn next(&mut self) -> Option<Buffer> {
        if self.ready.buffers() < 2 {
            self.pour();
        }
        self.ready.pop()
    }

    fn pour(&mut self) {
        self.ready.push(&self.out);
        self.out.clear();
        if self.out.capacity() > KEPT {
            self.out = Vec::new();
        }
    }

    /// How many bytes of a body may be added to what waits to be written.
    pub(in crate::http2) fn share(&self) -> usize {
        let room = ROOM.saturating_sub(self.pending());
        room.min((ROOM / (self.waiting.len() + 1)).max(SHARE))
    }

    /// The stream waits for room or for a window.
    pub(in crate::http2) fn wait(&mut self, at: usize) {
        if !self.waiting.contains(&at) {
            self.waiting.push_back(at);
        }
    }

    /// The stream has had its turn; should it have to wait again, it does so behind all others.
    pub(in crate::http2) fn served(&mut self, at: usize) {
        if !self.waiting.is_empty() {
            self.waiting.retain(|it| *it != at);
        }
    }

    /// Room or a window may have opened: whoever waits looks again, first come, first served. Who finds that those before
    /// it have left nothing keeps its place.
    pub(in crate::http2) fn wake_waiting(&mut self) {
        for at in &self.waiting {
            wake(self.slots.get_mut(*at).and_then(|slot| slot.waker.take()));
        }
    }

    /// There is something to be written.
    pub(in crate::http2) fn wake_writer(&mut self) {
        if self.pending() > 0 {
            wake(self.writer.take());
        }
    }
}
