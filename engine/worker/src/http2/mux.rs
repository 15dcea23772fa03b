//! One connection: what was read is shared out among its streams, what they have to say is gathered to be written.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use engine_net::buffer::Buffer;
use engine_net::{Conn, Shutdown, deadline};
use protocol::http1::encode;
use protocol::http2::head::HeadError;
use protocol::http2::{By, Connection, ConnectionError, ErrorCode, Event, Role, StreamId};
use protocol::message::{RequestHead, ResponseHead};

use super::stream::{Broken, Stream};

/// So much waits to be written at most before bodies wait; heads and control frames are never held back by it.
const ROOM: usize = 96 * 1024;
/// With so much waiting, nothing more is read.
const MOST: usize = 512 * 1024;
/// A body takes at least this much of the room, if there is any.
const SHARE: usize = 4 * 1024;
/// What a stream leaves behind for the next one is no more than this.
const KEPT: usize = 16 * 1024;
/// Answer heads (1xx) of one stream that wait to be taken; no window bounds them.
const HEADS: usize = 16;

/// Whoever was heard so shortly before it was asked is not suspected yet.
const JUST_NOW: u64 = 250_000_000;
/// What PINGs of ours carry.
const PING: [u8; 8] = *b"are you?";

/// One HTTP/2 connection.
pub(crate) struct Mux {
    pub(crate) conn: Conn,
    pub(super) inner: RefCell<Inner>,
}

/// What its streams and its two tasks share.
pub(super) struct Inner {
    pub(super) h2: Connection,
    /// Frames that are to be written.
    pub(super) out: Vec<u8>,
    /// The other vector of the two that take turns.
    pub(super) spare: Option<Vec<u8>>,
    /// The task that writes, while it has nothing to.
    pub(super) writer: Option<Waker>,
    /// The task that reads, while too much waits to be written or the last of it goes out.
    pub(super) reader: Option<Waker>,
    /// All that was to be written has been, or can't be.
    pub(super) written_out: bool,
    /// Who waits for the peer's first SETTINGS.
    greeted: Option<Waker>,
    /// When bytes of the peer's came last.
    heard: u64,
    /// Part of a message has come since it was asked for that.
    spoken: bool,
    slots: Vec<Slot>,
    free: Vec<usize>,
    /// Streams that somebody holds.
    held: usize,
    /// Slots that wait for room or for a window.
    waiting: VecDeque<usize>,
    /// Nothing more is read; once `out` is empty nothing more is written.
    pub(super) over: bool,
    /// Streams that are held and have not been opened.
    reserved: usize,
    /// Answer heads that have been taken, for their memory.
    pub(super) heads: Vec<(ResponseHead, Vec<u8>)>,
    /// The text of the head that was taken last.
    arena: Vec<u8>,
}

/// What is kept of one stream.
#[derive(Default)]
pub(super) struct Slot {
    /// An exchange holds it.
    held: bool,
    /// None before its head has gone out.
    pub(super) id: Option<StreamId>,
    /// Bytes of its body that have come; those before `taken` have been taken.
    pub(super) inbound: Vec<u8>,
    pub(super) taken: usize,
    /// The peer has said all.
    pub(super) ended: bool,
    /// We have said all.
    pub(super) said: bool,
    pub(super) broken: Option<Broken>,
    pub(super) trailers: Vec<u8>,
    /// Answer heads that have come and were not taken, oldest first.
    pub(super) heads: VecDeque<(ResponseHead, Vec<u8>)>,
    pub(super) waker: Option<Waker>,
}

/// What came first in the bytes that were read.
pub(crate) enum Came {
    /// Nothing whole any more: read on.
    More,
    /// Something that has been dealt with.
    Done,
    /// A request, whose head [`Mux::take_request`] hands out.
    Request(Stream),
    /// A request whose head is refused.
    Refused { stream: Stream, error: HeadError },
}

impl Mux {
    /// Takes over a connection; the first frames are ready to be written.
    pub(crate) fn new(conn: Conn, mut h2: Connection) -> Rc<Mux> {
        let mut out = Vec::with_capacity(1024);
        h2.start(&mut out);
        Rc::new(Mux {
            conn,
            inner: RefCell::new(Inner {
                h2,
                out,
                spare: Some(Vec::new()),
                writer: None,
                reader: None,
                written_out: false,
                greeted: None,
                heard: 0,
                spoken: false,
                slots: Vec::new(),
                free: Vec::new(),
                held: 0,
                waiting: VecDeque::new(),
                over: false,
                reserved: 0,
                heads: Vec::new(),
                arena: Vec::new(),
            }),
        })
    }

    /// Takes the first thing from `bytes`: how many of them it used up, and what it was.
    ///
    /// # Errors
    /// When the connection can't go on; what the peer is told stands in `out` already.
    pub(crate) fn take(self: &Rc<Self>, bytes: &[u8]) -> Result<(usize, Came), ConnectionError> {
        let mut inner = self.inner.borrow_mut();
        let inner = &mut *inner;
        let now = deadline::now();
        if !bytes.is_empty() {
            inner.heard = now;
        }
        let (used, event) = inner.h2.receive(bytes, now, &mut inner.out)?;
        let came = match event {
            Event::More => Came::More,
            Event::Head { stream, end, .. } if inner.h2.role() == Role::Server => {
                Came::Request(self.opened(inner, Some(stream), end))
            }
            Event::Refused { stream, error, end } => Came::Refused {
                stream: self.opened(inner, Some(stream), end),
                error,
            },
            other => {
                inner.spoken |= matches!(
                    other,
                    Event::Data { .. } | Event::Head { .. } | Event::Trailers { .. }
                );
                inner.deal_with(other, bytes);
                Came::Done
            }
        };
        inner.wake_writer();
        Ok((used, came))
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

    /// Waits for the peer's first SETTINGS, which say how many streams it takes, or for the connection's end.
    pub(crate) async fn greeted(&self) {
        poll_fn(|cx| {
            let mut inner = self.inner.borrow_mut();
            if inner.over || inner.h2.is_peer_known() {
                return Poll::Ready(());
            }
            inner.greeted = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Nothing more is read from it.
    pub(crate) fn is_over(&self) -> bool {
        self.inner.borrow().over
    }

    /// Nothing has come from the peer since `asked` though it should have: no more streams for it.
    pub(crate) fn suspect(&self, asked: u64) {
        if self.inner.borrow().heard.saturating_add(JUST_NOW) < asked {
            self.retire();
        }
    }

    /// Asks the peer whether it is there (RFC 9113 section 6.7): whatever comes is an answer.
    pub(crate) fn ping(&self) {
        let mut inner = self.inner.borrow_mut();
        let inner = &mut *inner;
        inner.h2.ping(PING, &mut inner.out);
        inner.wake_writer();
    }

    /// Whether part of a message has come since this was last asked.
    pub(crate) fn has_spoken(&self) -> bool {
        std::mem::take(&mut self.inner.borrow_mut().spoken)
    }

    /// Waits until what is to be written is not too much, or the connection is over.
    pub(crate) async fn has_room(&self) {
        poll_fn(|cx| {
            let mut inner = self.inner.borrow_mut();
            if inner.out.len() < MOST || inner.over {
                return Poll::Ready(());
            }
            inner.reader = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// The head of the request that came last: into `head`, its text into `text`. False: it does not fit.
    pub(crate) fn take_request(&self, head: &mut RequestHead, text: &mut Buffer) -> bool {
        let mut inner = self.inner.borrow_mut();
        let inner = &mut *inner;
        inner.h2.take_request(head, &mut inner.arena);
        fill(text, &inner.arena)
    }

    /// A stream for a request, which is opened by its head (client role); none when there is no room for one now.
    pub(crate) fn reserve(self: &Rc<Self>) -> Option<Stream> {
        let mut inner = self.inner.borrow_mut();
        let inner = &mut *inner;
        if inner.over || inner.h2.room().ok()? <= inner.reserved {
            return None;
        }
        Some(self.opened(inner, None, false))
    }

    fn opened(self: &Rc<Self>, inner: &mut Inner, id: Option<StreamId>, end: bool) -> Stream {
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
        Stream::new(Rc::clone(self), at)
    }

    /// Streams that exchanges hold.
    pub(crate) fn held(&self) -> usize {
        self.inner.borrow().held
    }

    /// What `:scheme` says of requests over it.
    pub(super) fn scheme(&self) -> &'static [u8] {
        match self.conn.tls() {
            Some(_) => b"https",
            None => b"http",
        }
    }

    /// Nothing has come for a while: without streams it holds little, since most connections rest most of the time.
    pub(crate) fn rest(&self) {
        let mut inner = self.inner.borrow_mut();
        if inner.held == 0 {
            inner.slots = Vec::new();
            inner.free = Vec::new();
            inner.heads = Vec::new();
            inner.arena = Vec::new();
            inner.spare = None;
            inner.out.shrink_to_fit();
        }
    }

    /// A header block has begun and not ended.
    pub(crate) fn is_in_block(&self) -> bool {
        self.inner.borrow().h2.is_in_block()
    }

    /// SETTINGS have gone and been confirmed both ways.
    pub(crate) fn is_settled(&self) -> bool {
        self.inner.borrow().h2.is_settled()
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
        self.inner.borrow_mut().out.clear();
        self.end();
        self.conn.shutdown(Shutdown::Both);
    }
}

impl Inner {
    /// The state of a stream that is held.
    pub(super) fn slot(&mut self, at: usize) -> Option<&mut Slot> {
        self.slots.get_mut(at)
    }

    /// The stream is known by this place from now on.
    pub(super) fn bind(&mut self, at: usize, id: StreamId) {
        self.h2.set_token(id, at as u64 + 1);
        self.reserved = self.reserved.saturating_sub(1);
        if let Some(slot) = self.slots.get_mut(at) {
            slot.id = Some(id);
        }
    }

    fn slot_of(&mut self, id: StreamId, token: u64) -> Option<&mut Slot> {
        let at = usize::try_from(token.checked_sub(1)?).ok()?;
        self.slots.get_mut(at).filter(|slot| slot.id == Some(id))
    }

    fn deal_with(&mut self, event: Event, bytes: &[u8]) {
        match event {
            Event::Data {
                stream,
                token,
                payload,
                end,
            } => {
                let payload = bytes.get(payload).unwrap_or_default();
                match self.slot_of(stream, token) {
                    Some(slot) => {
                        slot.inbound.extend_from_slice(payload);
                        slot.ended |= end;
                        wake(slot.waker.take());
                    }
                    // Nobody holds it any more; the connection's window is still to be given back.
                    None => self.h2.consumed(stream, payload.len(), &mut self.out),
                }
            }
            Event::Head { stream, token, end } => self.answer_came(stream, token, end),
            Event::Interim { stream, token } => self.answer_came(stream, token, false),
            Event::Trailers { stream, token } => {
                let (mut fields, mut text) = (Vec::new(), Vec::new());
                self.h2.take_trailers(&mut fields, &mut text);
                let mut lines = Vec::with_capacity(text.len());
                for field in fields.iter().filter(|field| !field.hop_by_hop) {
                    encode::field(&mut lines, field.name.of(&text), field.value.of(&text));
                }
                if let Some(slot) = self.slot_of(stream, token) {
                    slot.trailers = lines;
                    slot.ended = true;
                    wake(slot.waker.take());
                }
            }
            Event::Reset {
                stream,
                token,
                code,
                by,
                cause,
            } => {
                let why = match by {
                    By::Goaway => Broken::Refused,
                    By::Peer if code == ErrorCode::REFUSED_STREAM => Broken::Refused,
                    By::Peer => Broken::Reset(code),
                    By::Us => Broken::Malformed(cause),
                };
                if let Some(slot) = self.slot_of(stream, token) {
                    slot.broken.get_or_insert(why);
                    wake(slot.waker.take());
                }
            }
            Event::Writable { stream, token } => {
                if let Some(slot) = self.slot_of(stream, token) {
                    wake(slot.waker.take());
                }
            }
            Event::WritableAll => self.wake_waiting(),
            Event::Settings => {
                self.wake_waiting();
                wake(self.greeted.take());
            }
            Event::Goaway { .. }
            | Event::Pong { .. }
            | Event::More
            | Event::Refused { .. }
            | Event::Rejected { .. } => {}
        }
    }

    fn answer_came(&mut self, id: StreamId, token: u64, end: bool) {
        let (mut head, mut text) = self.heads.pop().unwrap_or_default();
        self.h2.take_response(&mut head, &mut text);
        let Some(slot) = self.slot_of(id, token) else {
            return self.keep_head(head, text);
        };
        slot.heads.push_back((head, text));
        slot.ended |= end;
        wake(slot.waker.take());
        if slot.heads.len() > HEADS {
            slot.broken = Some(Broken::Malformed("too_many_interim_responses"));
            self.h2
                .reset(id, ErrorCode::ENHANCE_YOUR_CALM, &mut self.out);
        }
    }

    /// A head that has been taken leaves its memory to the next one.
    pub(super) fn keep_head(&mut self, head: ResponseHead, text: Vec<u8>) {
        if self.heads.len() < HEADS && text.capacity() <= KEPT {
            self.heads.push((head, text));
        }
    }

    /// How many bytes of a body may be added to what waits to be written.
    pub(super) fn share(&self) -> usize {
        let room = ROOM.saturating_sub(self.out.len());
        room.min((ROOM / (self.waiting.len() + 1)).max(SHARE))
    }

    /// The stream waits for room or for a window.
    pub(super) fn wait(&mut self, at: usize) {
        if !self.waiting.contains(&at) {
            self.waiting.push_back(at);
        }
    }

    /// The stream has had its turn; should it have to wait again, it does so behind all others.
    pub(super) fn served(&mut self, at: usize) {
        if !self.waiting.is_empty() {
            self.waiting.retain(|it| *it != at);
        }
    }

    /// Room or a window may have opened: whoever waits looks again, first come, first served. Who finds that those before
    /// it have left nothing keeps its place.
    pub(super) fn wake_waiting(&mut self) {
        for at in &self.waiting {
            wake(self.slots.get_mut(*at).and_then(|slot| slot.waker.take()));
        }
    }

    /// There is something to be written.
    pub(super) fn wake_writer(&mut self) {
        if !self.out.is_empty() {
            wake(self.writer.take());
        }
    }

    /// Nobody holds the stream any more.
    pub(super) fn let_go(&mut self, at: usize) {
        let Some(slot) = self.slots.get_mut(at) else {
            return;
        };
        let mut gone = std::mem::take(slot);
        gone.heads.clear();
        slot.heads = gone.heads;
        let mut inbound = gone.inbound;
        // What nobody takes any more counts no longer against the connection's window.
        let left = inbound.len().saturating_sub(gone.taken);
        inbound.clear();
        if inbound.capacity() <= KEPT {
            slot.inbound = inbound;
        }
        if let Some(id) = gone.id.filter(|_| left > 0) {
            self.h2.consumed(id, left, &mut self.out);
            self.wake_writer();
        }
        self.served(at);
        self.free.push(at);
        self.held = self.held.saturating_sub(1);
        if self.held == 0 && self.h2.role() == Role::Client && self.h2.is_drained() {
            // Nothing more comes of it: the writing side is shut, and the peer closes.
            self.over = true;
            wake(self.writer.take());
        }
    }
}

/// Puts `text` alone into `buf`; false when it does not fit into the largest.
pub(super) fn fill(buf: &mut Buffer, text: &[u8]) -> bool {
    buf.clear();
    if buf.room() < text.len() {
        *buf = if text.len() > engine_net::buffer::STANDARD {
            Buffer::large()
        } else {
            Buffer::standard()
        };
    }
    buf.extend(text)
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
