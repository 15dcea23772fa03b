//! Connections to one endpoint that many requests share: HTTP/2, one stream for each.
//!
//! Requests go over the oldest connection that has room, so that as few as are needed stay in use and the others grow old
//! and close. While one is being made, the requests of this worker wait for it rather than make one each.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use engine_bridge::board::Held;
use engine_config::snapshot::{self as config, UpstreamProtocol};
use engine_net::deadline::{self, Deadline, Strike, within};
use engine_net::{Buffer, Conn, runtime};
use protocol::http2::{Budgets, Connection, Role, Settings};

use super::dial::{Call, dial, no_http2, speaks_http2};
use super::pool::{self, Lease};
use super::{Carrier, Endpoint, Upstream, UpstreamStream};
use crate::http2::{Came, Mux, Stream};
use crate::nanos;
use crate::reply::Fault;

/// How often a request looks again for a stream while there is room for neither stream nor connection.
const FULL_RETRY: u64 = 5_000_000;

/// What may come of one answer's body before it has been taken.
const STREAM_WINDOW: u32 = 256 * 1024;
/// How long a new connection waits for the first SETTINGS before requests go out all the same.
const GREETING: u64 = 200_000_000;

/// The shared connections of one endpoint on this worker.
#[derive(Default)]
pub(super) struct Connections {
    open: RefCell<Vec<Rc<Mux>>>,
    /// One is being made.
    connecting: Cell<bool>,
    /// Who waits for that.
    waiting: RefCell<Vec<Waker>>,
}

impl Connections {
    /// A stream on one that has room.
    fn stream(&self) -> Option<Stream> {
        self.open.borrow().iter().find_map(|mux| mux.reserve())
    }

    /// Ends them after what they are doing.
    pub(super) fn retire(&self) {
        for mux in self.open.borrow_mut().drain(..) {
            mux.retire();
            if mux.held() == 0 {
                mux.end();
            }
        }
    }

    fn forget(&self, mux: &Rc<Mux>) {
        self.open.borrow_mut().retain(|it| !Rc::ptr_eq(it, mux));
    }

    fn wake(&self) {
        self.waiting.take().into_iter().for_each(Waker::wake);
    }
}

/// Marks that a connection is being made, for as long as it is.
struct Connecting<'a>(&'a Connections);

impl<'a> Connecting<'a> {
    fn begin(connections: &'a Connections) -> Option<Connecting<'a>> {
        (!connections.connecting.replace(true)).then_some(Connecting(connections))
    }
}

impl Drop for Connecting<'_> {
    fn drop(&mut self) {
        self.0.connecting.set(false);
        self.0.wake();
    }
}

/// A stream to the endpoint, over a new connection if none has room.
pub(super) async fn lease(
    upstream: &Upstream,
    endpoint: &Rc<Endpoint>,
    index: usize,
    settings: &config::Upstream,
    call: &Call,
) -> Result<Lease, Fault> {
    let connections = &endpoint.shared;
    let held = |stream, reused| {
        let stream = UpstreamStream {
            stream,
            deadline: Deadline::alone(),
        };
        Lease::new(endpoint, Carrier::Stream(Rc::new(stream)), index, reused)
    };
    if let Some(stream) = connections.stream() {
        return Ok(held(stream, true));
    }
    let give_up = deadline::now()
        .saturating_add(nanos(settings.connect_timeout))
        .min(call.whole);
    let late = || match deadline::now() {
        now if now >= call.whole => Fault::WholeTimeout,
        _ => Fault::PoolExhausted,
    };
    loop {
        if let Some(making) = Connecting::begin(connections) {
            let most = settings.pool_max_connections as u64;
            if let Some(open) = upstream.connections.acquire(most) {
                let conn = dial(endpoint, settings.proxy_protocol, call, give_up).await?;
                if !speaks_http2(&conn) {
                    if settings.protocol != UpstreamProtocol::Auto {
                        return Err(no_http2());
                    }
                    endpoint.speaks_http1.set(true);
                    let conn = pool::adopt(&upstream.series, conn, open);
                    return Ok(Lease::new(endpoint, Carrier::Conn(conn), index, false));
                }
                let mux = adopt(upstream, endpoint, settings, conn, open);
                // How many streams the endpoint takes is known then: all of them at once might be too many.
                within(deadline::now().saturating_add(GREETING), mux.greeted()).await;
                drop(making);
                if let Some(stream) = mux.reserve() {
                    return Ok(held(stream, false));
                }
                if mux.is_over() {
                    // It speaks something else, or nothing.
                    return Err(Fault::ConnectFailed);
                }
                deadline::sleep_until(deadline::now() + FULL_RETRY).await;
            } else {
                drop(making);
                deadline::sleep_until(deadline::now() + FULL_RETRY).await;
            }
        } else {
            // Another endpoint may be asked, should this one not answer.
            let made = within(give_up, made(connections)).await;
            made.ok_or_else(|| match deadline::now() >= call.whole {
                true => Fault::WholeTimeout,
                false => Fault::ConnectTimeout,
            })?;
            if settings.protocol == UpstreamProtocol::Auto && endpoint.speaks_http1.get() {
                return Box::pin(pool::lease(
                    upstream, endpoint, index, settings, false, call,
                ))
                .await;
            }
        }
        if let Some(stream) = connections.stream() {
            return Ok(held(stream, true));
        }
        if deadline::now() >= give_up {
            return Err(late());
        }
    }
}

/// Waits until no connection is being made.
async fn made(connections: &Connections) {
    poll_fn(|cx| {
        if !connections.connecting.get() {
            return Poll::Ready(());
        }
        connections.waiting.borrow_mut().push(cx.waker().clone());
        Poll::Pending
    })
    .await;
}

/// Shares a new connection among the requests of this worker.
pub(super) fn adopt(
    upstream: &Upstream,
    endpoint: &Rc<Endpoint>,
    settings: &config::Upstream,
    conn: Conn,
    open: Held,
) -> Rc<Mux> {
    let series = std::sync::Arc::clone(&upstream.series);
    let mux = Mux::new(conn, connection(settings));
    series.active.inc();
    endpoint.shared.open.borrow_mut().push(Rc::clone(&mux));
    runtime::spawn(Rc::clone(&mux).write_all(nanos(settings.read_timeout)));
    let (reader, at, keepalive) = (
        Rc::clone(&mux),
        Rc::clone(endpoint),
        nanos(settings.keepalive),
    );
    runtime::spawn(async move {
        let _open = open;
        read(&reader, keepalive).await;
        reader.end();
        at.shared.forget(&reader);
        series.active.dec();
    });
    mux
}

fn connection(settings: &config::Upstream) -> Connection {
    let streams = settings.max_concurrent_streams;
    let ours = Settings {
        max_concurrent_streams: streams,
        initial_window: STREAM_WINDOW,
        // Some clients that don't take their answers must not hold up the others: streams are bounded, the whole is not.
        connection_window: streams.saturating_mul(STREAM_WINDOW),
        ..Settings::DEFAULT
    };
    Connection::new(Role::Client, ours, Budgets::SERVICES)
}

/// Reads until the connection is over, or has been without a stream for longer than it is kept.
async fn read(mux: &Rc<Mux>, keepalive: u64) {
    let deadline = Deadline::new(&mux.conn);
    let mut inbound = Buffer::standard();
    loop {
        loop {
            mux.has_room().await;
            let Ok((used, came)) = mux.take(inbound.filled()) else {
                return;
            };
            inbound.consume(used);
            if matches!(came, Came::More) {
                break;
            }
        }
        if mux.is_retired() {
            return;
        }
        inbound.compact();
        deadline.set(
            deadline::now().saturating_add(keepalive),
            Strike::CancelRead,
        );
        let (result, back) = mux.conn.read_cancelable(std::mem::take(&mut inbound)).await;
        inbound = back;
        let struck = deadline.struck();
        deadline.clear();
        match result {
            Ok(n) if n > 0 => {}
            Err(_) if struck && mux.held() > 0 => {}
            Err(_) if struck => return mux.retire(),
            _ => return,
        }
    }
}
