//! The loop of one HTTP/2 connection: read, share out, give each request a task of its own; and its farewell.
//!
//! A connection at rest, with no stream open, holds no buffer. Streams have deadlines of their own; the connection's are
//! for what belongs to no stream: a preface or a header block that does not come, a client that takes nothing, idleness.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use engine_bridge::metrics::Gauge;
use engine_config::snapshot::Listener;
use engine_net::buffer::Buffer;
use engine_net::deadline::{self, Deadline, Strike};
use engine_net::{Conn, clock, is_cancelled, runtime};
use protocol::http2::head::HeadError;
use protocol::http2::{Budgets, Connection, ConnectionError, ErrorCode, Role, Settings};
use protocol::limits::BlockLimits;
use protocol::message::{BodyLength, RequestHead};

use crate::core::{Core, ScratchGuard};
use crate::exchange::{self, Client};
use crate::http2::{Came, Mux, Stream};
use crate::link::Link;
use crate::listener::Seat;
use crate::nanos;
use crate::reply::Fault;

/// A connection that has been quiet for this long gives its buffer back.
const QUIET: u64 = 20_000_000;
/// What may come of one request's body, and of all on one connection, before it has been taken: thirty-two that nobody
/// takes don't hold up the others, and a connection makes us hold 4 MiB at most.
const STREAM_WINDOW: u32 = 128 * 1024;
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;
/// How long, and how much, a client that is told of its fault is listened to.
const HEAR_OUT: u64 = 1_000_000_000;
const HEAR_OUT_BYTES: usize = 1 << 20;
/// How long a client may take to confirm the first step of a farewell.
const FAREWELL: u64 = 1_000_000_000;

/// One client's connection, as the worker's tick knows it.
pub(crate) struct Downstream {
    mux: Rc<Mux>,
    seat: Seat,
    /// When its farewell began; 0: not yet.
    retiring: Cell<u64>,
    /// That of what is read.
    deadline: Deadline,
}

impl Downstream {
    /// Each tick: begins or hastens the farewell where it is due.
    pub(crate) fn tick(&self, draining: bool, now: u64) {
        let due = draining || self.seat.is_over();
        match self.retiring.get() {
            0 if due => self.retire(now),
            0 => {}
            begun if now > begun.saturating_add(FAREWELL) => {
                self.retiring.set(u64::MAX);
                self.mux.retire_now();
            }
            _ => {}
        }
        if self.mux.is_retired() {
            // The loop waits for bytes that need not come.
            self.deadline.set(now, Strike::CancelRead);
        }
    }

    fn retire(&self, now: u64) {
        if self.retiring.get() == 0 {
            self.retiring.set(now.max(1));
            self.mux.retire();
        }
    }
}

/// Serves one connection to its end. `read`: what has been read of it.
pub(super) async fn serve(core: Rc<Core>, conn: Conn, read: Buffer, from: SocketAddr, seat: Seat) {
    let listening = Rc::clone(&seat.listening);
    let websockets = core.live().websockets;
    let terms = listening.settings(&core, |it| {
        Some((Terms::of(it), connection(it, websockets)))
    });
    let Some((settings, h2)) = terms else {
        return;
    };
    let mux = Mux::new(conn, h2);
    runtime::spawn(Rc::clone(&mux).write_all(settings.write_timeout));
    let downstream = Rc::new(Downstream {
        mux: Rc::clone(&mux),
        seat,
        retiring: Cell::new(0),
        deadline: Deadline::new(&mux.conn),
    });
    core.http2.borrow_mut().push(Rc::downgrade(&downstream));
    let deadline = &downstream.deadline;
    let mut inbound = read;
    let mut served = 0;
    let mut begun = clock::now();
    let mut since = Since::now();
    loop {
        match share_out(&mux, &mut inbound).await {
            Ok(None) => {}
            Ok(Some(came)) => {
                served += 1;
                since.note(false, true);
                if settings.max_requests.is_some_and(|max| served >= max) {
                    downstream.retire(deadline::now());
                }
                let stream = Requested {
                    core: Rc::clone(&core),
                    mux: Rc::clone(&mux),
                    seat: downstream.seat.clone(),
                    from,
                    begun,
                };
                stream.start(came);
                continue;
            }
            Err(error) => {
                listening.series.http2_errors.inc(error.cause);
                mux.end();
                hear_out(&mux, inbound).await;
                break;
            }
        }
        if mux.is_retired() {
            break;
        }
        match more(&mux, deadline, &settings, &mut since, &mut inbound).await {
            More::Bytes => begun = clock::now(),
            More::Idle => downstream.retire(deadline::now()),
            More::Late => {
                mux.retire_now();
                break;
            }
            More::Over => break,
        }
    }
    mux.end();
    // The connection counts as open until its last answers have gone out, or a drain would cut them off.
    mux.written_out().await;
}

/// What holds for a connection as long as it lives; spans in nanoseconds.
struct Terms {
    header_timeout: u64,
    idle_timeout: u64,
    write_timeout: u64,
    max_requests: Option<u64>,
}

impl Terms {
    fn of(listener: &Listener) -> Terms {
        Terms {
            header_timeout: nanos(listener.header_timeout),
            idle_timeout: nanos(listener.idle_timeout),
            write_timeout: nanos(listener.write_timeout),
            max_requests: listener.max_requests_per_connection,
        }
    }
}

/// What a connection of this listener starts from.
fn connection(listener: &Listener, websockets: bool) -> Connection {
    let settings = Settings {
        max_concurrent_streams: listener.max_concurrent_streams,
        head: BlockLimits {
            max_list_bytes: listener.max_header_bytes,
            max_fields: listener.max_headers,
            extended_connect: websockets,
            ..BlockLimits::DEFAULT
        },
        initial_window: STREAM_WINDOW,
        connection_window: CONNECTION_WINDOW,
        ..Settings::DEFAULT
    };
    let budgets = Budgets::clients(listener.h2_max_resets, listener.h2_flood_factor);
    Connection::new(Role::Server, settings, budgets)
}

/// After a fault: what still comes is read and thrown away for a moment, or the close would be a reset and overtake the
/// GOAWAY that says why.
async fn hear_out(mux: &Mux, mut inbound: Buffer) {
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
async fn share_out(mux: &Rc<Mux>, inbound: &mut Buffer) -> Result<Option<Came>, ConnectionError> {
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
enum More {
    Bytes,
    /// There has been no stream for as long as an idle connection is kept.
    Idle,
    /// What has begun does not go on.
    Late,
    Over,
}

async fn more(
    mux: &Mux,
    deadline: &Deadline,
    settings: &Terms,
    since: &mut Since,
    inbound: &mut Buffer,
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
struct Since {
    /// A frame, a header block or the connection itself, whichever is not whole.
    begun: u64,
    is_partial: bool,
    /// The connection last had a stream.
    used: u64,
}

impl Since {
    fn now() -> Since {
        Since {
            begun: deadline::now(),
            is_partial: true,
            used: deadline::now(),
        }
    }

    fn note(&mut self, partial: bool, used: bool) {
        if partial && !self.is_partial {
            self.begun = deadline::now();
        }
        self.is_partial = partial;
        if used {
            self.used = deadline::now();
        }
    }
}

/// What one request is made from.
struct Requested {
    core: Rc<Core>,
    mux: Rc<Mux>,
    seat: Seat,
    from: SocketAddr,
    begun: u64,
}

impl Requested {
    /// Gives what came a task of its own.
    fn start(self, came: Came) {
        let mut scratch = self.core.take_scratch();
        let mut text = Buffer::standard();
        match came {
            Came::Request(stream) => {
                let fits = self.mux.take_request(&mut scratch.get().request, &mut text);
                let fault = (!fits).then_some(Fault::BadHead(HeadError::TooLarge));
                runtime::spawn(self.serve(stream, scratch, text, fault));
            }
            Came::Refused { stream, error } => {
                scratch.get().request = RequestHead::new();
                let fault = Fault::BadHead(error);
                runtime::spawn(self.serve(stream, scratch, text, Some(fault)));
            }
            Came::More | Came::Done => {}
        }
    }

    async fn serve(
        self,
        stream: Stream,
        mut scratch: ScratchGuard,
        mut text: Buffer,
        fault: Option<Fault>,
    ) {
        let open = &self.seat.listening.series.http2_streams;
        open.inc();
        let _open = Counted(open);
        let listener = self.seat.listening.id();
        let known = self.core.live().snapshot.listeners.get(listener).is_some();
        if !known || self.seat.is_stale() {
            // A reload has removed the listener, or asks clients for other certificates.
            return stream.reset(ErrorCode::REFUSED_STREAM);
        }
        let deadline = Deadline::alone();
        let client = Client {
            core: &self.core,
            link: Link::Stream(&stream),
            deadline: &deadline,
            listener: self.seat.listening.id(),
            seat: &self.seat,
            series: &self.seat.listening.series,
            from: self.from,
        };
        let s = scratch.get();
        if let Some(fault) = fault {
            // What is malformed is not answered but reset (RFC 9113 section 8.1.1); it is recorded all the same.
            if matches!(fault, Fault::BadHead(HeadError::Malformed(_))) {
                stream.reset(ErrorCode::PROTOCOL_ERROR);
            }
            exchange::refuse_head(client, s, &mut text, self.begun, fault).await;
            return;
        }
        // A small body mostly stands right behind its head: a request that is here whole can be sent in one piece, and
        // again.
        if !matches!(s.request.body, BodyLength::None)
            && !s.request.upgrade
            && let Some(n) = stream.take_whole(&mut text)
        {
            s.request.body = BodyLength::Exact(n as u64);
        }
        exchange::run(client, s, &mut text, self.begun, false).await;
    }
}

/// Counts a request as open for as long as it is.
struct Counted<'a>(&'a Gauge);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}
