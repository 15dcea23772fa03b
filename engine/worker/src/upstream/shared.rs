//! Connections to one endpoint that many requests share: HTTP/2, one stream for each.
//!
//! Requests go over the oldest connection that has room, so that as few as are needed stay in use and the others grow old
//! and close. While one is being made (`making`), the requests of this worker wait for it rather than make one each.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use engine_bridge::board::{Held, Total};
use engine_bridge::metrics::UpstreamSeries;
use engine_config::snapshot::{self as config, ProxyHeader, UpstreamProtocol};
use engine_net::deadline::{self, Deadline, Strike, within};
use engine_net::{Buffer, Conn, runtime};
use protocol::http2::{Budgets, Connection, Role, Settings};

use super::dial::Call;
use super::pool::{self, Lease, Waiting};
use super::{Carrier, Endpoint, Upstream, UpstreamStream};
use crate::http2::{Came, Mux, Stream};
use crate::nanos;
use crate::reply::Fault;

mod making;
mod pulse;

use making::{Made, Making};
use pulse::{Due, Pulse};

/// How often a request looks again for a stream while there is room for neither stream nor connection.
const FULL_RETRY: u64 = 5_000_000;

/// How often it is looked whether a connection is still used, at most; and how long a new one waits to be, at least.
const LOOK: u64 = 1_000_000_000;

/// What may come of one answer's body before it has been taken.
const STREAM_WINDOW: u32 = 256 * 1024;

/// The shared connections of one endpoint on this worker.
#[derive(Default)]
pub(super) struct Connections {
    open: RefCell<Vec<Rc<Mux>>>,
    /// The one that is being made.
    making: RefCell<Option<Rc<Making>>>,
}

impl Connections {
    /// A stream on one that has room.
    fn stream(&self) -> Option<Stream> {
        self.open.borrow().iter().find_map(|mux| mux.reserve())
    }

    /// Ends them after what they are doing.
    pub(super) fn retire(&self) {
        // One that has just been made may have no stream yet for the request that waits for it.
        let expected = self.making.borrow().is_some();
        self.open.borrow_mut().retain(|mux| {
            if mux.held() == 0 && expected {
                return true;
            }
            mux.retire();
            if mux.held() == 0 {
                mux.end();
            }
            false
        });
    }

    /// Ends one that nobody uses, nor is about to; false when there is none.
    pub(super) fn close_one(&self) -> bool {
        let mut open = self.open.borrow_mut();
        let unused = open.iter().position(|mux| mux.held() == 0);
        let Some(at) = unused.filter(|_| self.making.borrow().is_none()) else {
            return false;
        };
        let mux = open.remove(at);
        mux.retire();
        mux.end();
        true
    }

    fn forget(&self, mux: &Rc<Mux>) {
        self.open.borrow_mut().retain(|it| !Rc::ptr_eq(it, mux));
    }
}

/// What goes for a connection, whichever request it is made for.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    protocol: UpstreamProtocol,
    proxy_protocol: ProxyHeader,
    streams: u32,
    read_timeout: u64,
    keepalive: u64,
    ping_after: u64,
    ping_timeout: u64,
}

impl Terms {
    pub(super) fn of(settings: &config::Upstream) -> Terms {
        Terms {
            protocol: settings.protocol,
            proxy_protocol: settings.proxy_protocol,
            streams: settings.max_concurrent_streams,
            read_timeout: nanos(settings.read_timeout),
            keepalive: nanos(settings.keepalive),
            ping_after: nanos(settings.ping_after),
            ping_timeout: nanos(settings.ping_timeout),
        }
    }
}

/// A stream to the endpoint, over a new connection if none has room. `fresh`: should it choose HTTP/1.1, one from the pool
/// won't do.
pub(super) async fn lease(
    upstream: &Upstream,
    endpoint: &Rc<Endpoint>,
    index: usize,
    settings: &config::Upstream,
    fresh: bool,
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
    let patience = deadline::now().saturating_add(nanos(settings.connect_timeout));
    let give_up = patience.min(call.whole);
    let late = |fault| match deadline::now() >= call.whole {
        true => Fault::WholeTimeout,
        false => fault,
    };
    let mut waiting = None;
    loop {
        let making = connections.making.borrow().clone();
        let (making, is_ours) = match making {
            Some(making) => (Some(making), false),
            None => {
                let cap = settings.pool_max_connections as u64;
                let mut room = upstream.connections.acquire(cap);
                // At the node's cap, an idle connection to another endpoint of this upstream makes room.
                if room.is_none() && upstream.endpoints.iter().any(|other| other.close_one()) {
                    room = upstream.connections.acquire(cap);
                }
                if room.is_none() && waiting.is_none() {
                    let place = Total::acquire(&upstream.pending, settings.pool_max_pending as u64);
                    waiting = Some((
                        place.ok_or(Fault::PoolExhausted)?,
                        Waiting::new(&upstream.waiting),
                    ));
                }
                let begin = |open| Making::begin(upstream, endpoint, settings, call, open);
                (room.map(begin), true)
            }
        };
        if let Some(making) = making {
            // Another endpoint may be asked, should this one not answer.
            let made = within(give_up, making.made()).await;
            match made.ok_or_else(|| late(Fault::ConnectTimeout))? {
                Made::Failed(failure) => return Err(failure.fault()),
                Made::Shared => {
                    if let Some(stream) = connections.stream() {
                        return Ok(held(stream, !is_ours));
                    }
                }
                Made::Http1 => {
                    return match making.http1.take() {
                        Some(conn) => Ok(Lease::new(endpoint, Carrier::Conn(conn), index, false)),
                        None => {
                            let lease =
                                pool::lease(upstream, endpoint, index, settings, fresh, call);
                            Box::pin(lease).await
                        }
                    };
                }
            }
        }
        // There is room for neither a stream nor a connection.
        deadline::sleep_until(deadline::now() + FULL_RETRY).await;
        if let Some(stream) = connections.stream() {
            return Ok(held(stream, true));
        }
        if deadline::now() >= give_up {
            return Err(late(Fault::PoolExhausted));
        }
    }
}

/// Shares a new connection among the requests of this worker.
pub(super) fn adopt(
    series: &Arc<UpstreamSeries>,
    endpoint: &Rc<Endpoint>,
    terms: Terms,
    conn: Conn,
    open: Held,
) -> Rc<Mux> {
    let mux = Mux::new(conn, connection(terms.streams));
    mux.count(Arc::clone(series));
    endpoint.shared.open.borrow_mut().push(Rc::clone(&mux));
    runtime::spawn(Rc::clone(&mux).write_all(terms.read_timeout));
    let (reader, at) = (Rc::clone(&mux), Rc::clone(endpoint));
    runtime::spawn(async move {
        let _open = open;
        read(&reader, &at, terms).await;
        reader.end();
        at.shared.forget(&reader);
        reader.uncount();
    });
    mux
}

fn connection(streams: u32) -> Connection {
    let ours = Settings {
        max_concurrent_streams: streams,
        initial_window: STREAM_WINDOW,
        // Some clients that don't take their answers must not hold up the others: streams are bounded, the whole is not.
        connection_window: streams.saturating_mul(STREAM_WINDOW),
        ..Settings::DEFAULT
    };
    Connection::new(Role::Client, ours, Budgets::SERVICES)
}

/// Reads until the connection is over, is dead, or has been without a stream for longer than it is kept.
async fn read(mux: &Rc<Mux>, endpoint: &Endpoint, terms: Terms) {
    let deadline = Deadline::new(&mux.conn);
    let mut inbound = Buffer::standard();
    let mut heard = deadline::now();
    let mut used = false;
    let mut pulse = Pulse::new(terms.ping_after, terms.ping_timeout, heard);
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
        if mux.has_spoken() {
            pulse.spoke();
        }
        inbound.compact();
        let now = deadline::now();
        let held = mux.held() > 0;
        used |= held;
        let keepalive = match endpoint.retired.get() {
            true => 0,
            false => terms.keepalive,
        };
        let kept = match used {
            true => heard.saturating_add(keepalive),
            // It was made for somebody, who is about to come.
            false => heard.saturating_add(keepalive.max(LOOK)),
        };
        match pulse.look(mux.owed(), now) {
            Due::Dead => return mux.cut(),
            Due::Ping => mux.ping(),
            Due::Nothing if !held && now >= kept => return mux.retire(),
            Due::Nothing => {}
        }
        // Whoever gives the last stream back does not say so here.
        let look = match held {
            true => now.saturating_add(keepalive.clamp(LOOK, 20 * LOOK)),
            false => kept,
        };
        deadline.set(pulse.next(now).min(look), Strike::CancelRead);
        let (result, back) = mux.conn.read_cancelable(std::mem::take(&mut inbound)).await;
        inbound = back;
        let struck = deadline.struck();
        deadline.clear();
        match result {
            Ok(n) if n > 0 => {
                heard = deadline::now();
                pulse.heard(heard);
                mux.heard();
            }
            Err(_) if struck => {}
            _ => return,
        }
    }
}
