//! What is kept of each stream, where it stands, and what it leaves behind for the next one.

use std::collections::VecDeque;
use std::rc::Rc;
use std::task::Waker;

use protocol::http2::{Role, StreamId};
use protocol::message::ResponseHead;

use super::{Inner, Mux, wake};
use crate::http2::chain::Chain;
use crate::http2::stream::{Broken, Stream};

/// What a stream leaves behind for the next one is no more than this.
const KEPT: usize = 16 * 1024;
/// Answer heads (1xx) of one stream that wait to be taken; no window bounds them.
pub(super) const HEADS: usize = 16;

/// What is kept of one stream.
#[derive(Default)]
pub(in crate::http2) struct Slot {
    /// An exchange holds it.
    pub(super) held: bool,
    /// None before its head has gone out.
    pub(in crate::http2) id: Option<StreamId>,
    /// Bytes of its body that have come and were not taken.
    pub(in crate::http2) inbound: Chain,
    /// The peer has said all.
    pub(in crate::http2) ended: bool,
    /// We have said all.
    pub(in crate::http2) said: bool,
    pub(in crate::http2) broken: Option<Broken>,
    pub(in crate::http2) trailers: Vec<u8>,
    /// Answer heads that have come and were not taken, oldest first.
    pub(in crate::http2) heads: VecDeque<(ResponseHead, Vec<u8>)>,
    pub(in crate::http2) waker: Option<Waker>,
}

impl Mux {
    /// A stream for a request, which is opened by its head (client role); none when there is no room for one now.
    pub(crate) fn reserve(self: &Rc<Self>) -> Option<Stream> {
        let mut inner = self.inner.borrow_mut();
        let inner = &mut *inner;
        if inner.over || inner.h2.room().ok()? <= inner.reserved {
            return None;
        }
        Some(self.opened(inner, None, false))
    }

    /// A place for a stream that an exchange holds from now on; `end`: the peer has said all.
    pub(super) fn opened(
        self: &Rc<Self>,
        inner: &mut Inner,
        id: Option<StreamId>,
        end: bool,
    ) -> Stream {
        let at = inner.free.pop().unwrap_or_else(|| {
            inner.slots.push(Slot::default());
            inner.slots.len() - 1
        });
        if let Some(slot) = inner.slots.get_mut(at) {
            slot.held = true;
            slot.ended = end;
        }
        inner.reserved += 1;
        if let Some(id) = id {
            inner.bind(at, id);
        }
        inner.held += 1;
        if inner.held == 1 {
            inner.is_used(true);
        }
        Stream::new(Rc::clone(self), at)
    }

    /// Streams that exchanges hold.
    pub(crate) fn held(&self) -> usize {
        self.inner.borrow().held
    }
}

impl Inner {
    /// The state of a stream that is held.
    pub(in crate::http2) fn slot(&mut self, at: usize) -> Option<&mut Slot> {
        self.slots.get_mut(at)
    }

    /// The stream is known by this place from now on.
    pub(in crate::http2) fn bind(&mut self, at: usize, id: StreamId) {
        self.h2.set_token(id, at as u64 + 1);
        self.reserved = self.reserved.saturating_sub(1);
        if let Some(slot) = self.slots.get_mut(at) {
            slot.id = Some(id);
        }
    }

    /// The state of the stream that an event is about, unless nobody holds it any more.
    pub(super) fn slot_of(&mut self, id: StreamId, token: u64) -> Option<&mut Slot> {
        let at = usize::try_from(token.checked_sub(1)?).ok()?;
        self.slots.get_mut(at).filter(|slot| slot.id == Some(id))
    }

    /// A head that has been taken leaves its memory to the next one.
    pub(in crate::http2) fn keep_head(&mut self, head: ResponseHead, text: Vec<u8>) {
        if self.heads.len() < HEADS && text.capacity() <= KEPT {
            self.heads.push((head, text));
        }
    }

    /// Nobody holds the stream any more.
    pub(in crate::http2) fn let_go(&mut self, at: usize) {
        let Some(slot) = self.slots.get_mut(at) else {
            return;
        };
        let mut gone = std::mem::take(slot);
        gone.heads.clear();
        slot.heads = gone.heads;
        // What nobody takes any more counts no longer against the connection's window.
        let left = gone.inbound.len();
        if left == 0 {
            slot.inbound = gone.inbound;
        }
        if let Some(id) = gone.id.filter(|_| left > 0) {
            self.h2.consumed(id, left, &mut self.out);
            self.wake_writer();
        }
        self.served(at);
        self.free.push(at);
        self.held = self.held.saturating_sub(1);
        if self.held == 0 {
            self.is_used(false);
        }
        if self.held == 0 && self.h2.role() == Role::Client && self.h2.is_drained() {
            // Nothing more comes of it: once all is written it closes.
            self.over = true;
            wake(self.writer.take());
        }
    }
}
