//! One connection: what was read is shared out among its streams, what they have to say is gathered to be written.
//!
//! `slot` is what is kept of each stream, `events` deals out what came, `room` is who waits until more may be written,
//! `end` is the farewell, `usage` what is counted. Here is the connection itself, and whether its peer is there.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use engine_net::buffer::{Buffer, STANDARD};
use engine_net::{Conn, deadline};
use protocol::http2::head::HeadError;
use protocol::http2::{Connection, ConnectionError, Event, Role};
use protocol::message::{RequestHead, ResponseHead};

use super::chain::Chain;
use super::stream::Stream;

mod end;
mod events;
mod room;
mod slot;
mod usage;

pub(super) use slot::Slot;

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
    /// What is to be written first: bodies, and the frames between them, in the buffers that they are written from.
    pub(super) ready: Chain,
    /// Frames that are to be written behind that.
    pub(super) out: Vec<u8>,
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
    usage: Option<usage::Usage>,
    /// Slots that wait for room or for a window.
    waiting: VecDeque<usize>,
    /// Nothing more is read; once what waits has gone nothing more is written.
    pub(super) over: bool,
    /// Streams that are held and have not been opened.
    reserved: usize,
    /// Answer heads that have been taken, for their memory.
    pub(super) heads: Vec<(ResponseHead, Vec<u8>)>,
    /// The text of the head that was taken last.
    arena: Vec<u8>,
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
                ready: Chain::default(),
                out,
                writer: None,
                reader: None,
                written_out: false,
                greeted: None,
                heard: 0,
                spoken: false,
                slots: Vec::new(),
                free: Vec::new(),
                held: 0,
                usage: None,
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

    /// The head of the request that came last: into `head`, its text into `text`. False: it does not fit.
    pub(crate) fn take_request(&self, head: &mut RequestHead, text: &mut Buffer) -> bool {
        let mut inner = self.inner.borrow_mut();
        let inner = &mut *inner;
        inner.h2.take_request(head, &mut inner.arena);
        fill(text, &inner.arena)
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
            inner.out.shrink_to_fit();
            if inner.ready.is_empty() {
                inner.ready.clear();
            }
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
}

/// Puts `text` alone into `buf`; false when it does not fit into the largest.
pub(super) fn fill(buf: &mut Buffer, text: &[u8]) -> bool {
    buf.clear();
    if buf.room() < text.len() {
        *buf = if text.len() > STANDARD {
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
