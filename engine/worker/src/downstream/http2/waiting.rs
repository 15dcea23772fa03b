//! Waiting for what belongs to no stream: more bytes, and for how long.
//!
//! A connection at rest, with no stream open, holds no buffer. What has begun must go on, a header block as the preface; a
//! client that asks for nothing is idle whatever frames it sends.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use engine_config::snapshot::Listener;
use engine_net::buffer::Buffer;
use engine_net::deadline::{self, Deadline, Strike};
use engine_net::{Conn, is_cancelled};
use protocol::http2::ConnectionError;

use crate::http2::{Came, Mux};
use crate::nanos;

/// A connection that has been quiet for this long gives its buffer back.
const QUIET: u64 = 20_000_000;
/// How long, and how much, a client that is told of its fault is listened to.
const HEAR_OUT: u64 = 1_000_000_000;
const HEAR_OUT_BYTES: usize = 1 << 20;

/// What holds for a connection as long as it lives; spans in nanoseconds.
pub(super) struct Terms {
    header_timeout: u64,
    idle_timeout: u64,
    pub(super) write_timeout: u64,
    pub(super) max_requests: Option<u64>,
}

impl Terms {
    pub(super) fn of(listener: &Listener) -> Terms {
        Terms {
            header_timeout: nanos(listener.header_timeout),
            idle_timeout: nanos(listener.idle_timeout),
            write_timeout: nanos(listener.write_timeout),
            max_requests: listener.max_requests_per_connection,
        }
    }
}

/// After a fault: what still comes is read and thrown away for a moment, or the close would be a reset and overtake the
/// GOAWAY that says why.
pub(super) async fn hear_out(mux: &Mux, mut inbound: Buffer) {
    // Of its own: the tick ends what waits for the connection's.
    let deadline = Deadline::new(&mux.conn);
    let end = deadline::now().saturating_add(HEAR_OUT);
    let mut discarded = 0;
    while discarded < HEAR_OUT_BYTES {
        inbound.clear();
        if inbound.room() == 0 {
            inbound = Buffer::standard();
        }
        deadline.set(end, Strike::BothShut);
        let (result, back) = mux.conn.read(inbound).await;
        inbound = back;
        match result {
            Ok(n) if n > 0 && !deadline.struck() => discarded += n,
            _ => return,
        }
    }
}

/// Deals with what has been read, up to the first request: none if there is none.
///
/// # Errors
/// When the connection can't go on.
pub(super) async fn share_out(
    mux: &Rc<Mux>,
    inbound: &mut Buffer,
) -> Result<Option<Came>, ConnectionError> {
    loop {
        // Each frame may have an answer: one that takes none gets no further.
        mux.has_room().await;
        let (used, came) = mux.take(inbound.filled())?;
        inbound.consume(used);
        match came {
            Came::More => return Ok(None),
            Came::Done => {}
            came => return Ok(Some(came)),
        }
    }
}

/// What waiting for more came to.
pub(super) enum More {
    Bytes,
    /// There has been no stream for as long as an idle connection is kept.
    Idle,
    /// What has begun does not go on.
    Late,
    Over,
}

pub(super) async fn more(
    mux: &Mux,
    deadline: &Deadline,
    settings: &Terms,
    since: &mut Since,
    inbound: &mut Buffer,
    quiet: impl Fn(),
) -> More {
    inbound.compact();
    // What has begun must go on; and the first SETTINGS, with their answer to ours, belong to the beginning.
    let partial = !inbound.is_empty() || mux.is_in_block() || !mux.is_settled();
    since.note(partial, mux.held() > 0);
    loop {
        let at = match partial {
            true => since.begun.saturating_add(settings.header_timeout),
            false => deadline::now().saturating_add(QUIET),
        };
        if inbound.is_empty() && inbound.room() == 0 {
            *inbound = Buffer::standard();
        }
        deadline.set(at, Strike::CancelRead);
        let (result, back) = mux.conn.read_cancelable(std::mem::take(inbound)).await;
        *inbound = back;
        let struck = deadline.struck();
        deadline.clear();
        match result {
            Ok(n) if n > 0 => return More::Bytes,
            _ if mux.is_retired() => return More::Over,
            Err(error) if is_cancelled(&error) && !partial => {}
            _ if struck && partial => return More::Late,
            _ => return More::Over,
        }
        // Quiet: the buffer is given back while nothing comes.
        *inbound = Buffer::default();
        quiet();
        since.note(false, mux.held() > 0);
        let idle = since.used.saturating_add(settings.idle_timeout);
        deadline.set(idle.max(deadline::now() + QUIET), Strike::CancelRead);
        let ready = readable(&mux.conn, deadline).await;
        let struck = deadline.struck();
        deadline.clear();
        match ready {
            Ok(()) => {}
            Err(_) if mux.is_retired() => return More::Over,
            Err(_) if struck && mux.held() == 0 => return More::Idle,
            Err(_) if struck => {}
            Err(error) if is_cancelled(&error) => {}
            Err(_) => return More::Over,
        }
    }
}

/// Waits for bytes or for the deadline. Another deadline of this connection may take its strike back, so that it is asked
/// as well.
async fn readable(conn: &Conn, deadline: &Deadline) -> std::io::Result<()> {
    let mut readable = pin!(conn.readable());
    poll_fn(|cx| {
        if let Poll::Ready(ready) = readable.as_mut().poll(cx) {
            return Poll::Ready(ready);
        }
        let struck = deadline.poll_expired(cx);
        struck.map(|()| Err(std::io::ErrorKind::TimedOut.into()))
    })
    .await
}

/// When what is waited for began.
pub(super) struct Since {
    /// A frame, a header block or the connection itself, whichever is not whole.
    begun: u64,
    is_partial: bool,
    /// The connection last had a stream.
    used: u64,
}

impl Since {
    pub(super) fn now() -> Since {
        Since {
            begun: deadline::now(),
            is_partial: true,
            used: deadline::now(),
        }
    }

    pub(super) fn note(&mut self, partial: bool, used: bool) {
        if partial && !self.is_partial {
            self.begun = deadline::now();
        }
        self.is_partial = partial;
        if used {
            self.used = deadline::now();
        }
    }
}
