//! Pooled connections to one endpoint, and the lease by which one exchange holds one of them.
//!
//! Last in, first out: under light load the surplus grows old and closes. A lease that is dropped
//! without `release` closes its connection; the socket is shut down first, so that an operation still
//! in flight ends before the descriptor does.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use engine_bridge::board::{Held, Total};
use engine_bridge::metrics::UpstreamSeries;
use engine_config::snapshot::{self as config, ProxyHeader};
use engine_net::deadline::{self, Deadline, Strike};
use engine_net::{Buffer, Conn, Peek, Shutdown, runtime};

use super::dial::{Call, Failure, dial, speaks_http2};
use super::posted::Posted;
use super::shared::Terms;
use super::{Carrier, Endpoint, Upstream, UpstreamStream, shared};
use crate::nanos;
use crate::reply::Fault;

/// How often an exchange looks again for a connection while the pool is at its cap.
const FULL_RETRY: u64 = 5_000_000;

/// One connection to an endpoint, in the pool or in use.
pub(crate) struct UpstreamConn {
    pub(crate) conn: Conn,
    pub(crate) deadline: Deadline,
    pooled: Cell<bool>,
    /// The read that is posted while the connection lies in the pool.
    pub(super) posted: Posted,
    series: Arc<UpstreamSeries>,
    _open: Held,
}

impl UpstreamConn {
    /// Reads the first bytes of an answer: by the read that was posted in the pool, if there is one.
    pub(crate) async fn read_first(&self, buf: Buffer) -> (std::io::Result<usize>, Buffer) {
        if self.conn.is_standing() {
            drop(buf);
            return self.conn.standing().await;
        }
        if self.posted.is_posted() {
            drop(buf);
            return self.posted.result().await;
        }
        self.conn.read(buf).await
    }

    /// Nothing uses it any more: pending operations end, and with them whoever waits for them.
    pub(super) fn close(&self) {
        self.posted.close();
        self.conn.shutdown(Shutdown::Both);
    }

    /// Posts the read that watches it in the pool: kept by the driver where that can, else by a task.
    fn post(self: &Rc<Self>, endpoint: &Rc<Endpoint>) {
        if self.conn.stand(Buffer::standard()).is_err() {
            self.posted.post(endpoint, self);
        }
    }

    /// The read that watches it has ended: in the pool that means it is of no use.
    fn has_ended(&self) -> bool {
        self.conn.has_stood() || self.posted.has_ended()
    }

    /// Whether it lies in the pool.
    pub(super) fn is_pooled(&self) -> bool {
        self.pooled.get()
    }

    /// It enters or leaves the pool.
    pub(super) fn set_pooled(&self, pooled: bool) {
        if self.pooled.replace(pooled) == pooled {
            return;
        }
        if pooled {
            self.series.idle.inc();
            self.series.active.dec();
        } else {
            self.series.idle.dec();
            self.series.active.inc();
        }
    }
}

impl Drop for UpstreamConn {
    fn drop(&mut self) {
        if self.pooled.get() {
            self.series.idle.dec()
        } else {
            self.series.active.dec()
        }
    }
}

/// Counts a connection as being made for as long as it is.
pub(super) struct Connecting<'a>(&'a UpstreamSeries);

impl<'a> Connecting<'a> {
    pub(super) fn new(series: &'a UpstreamSeries) -> Connecting<'a> {
        series.connecting.inc();
        Connecting(series)
    }
}

impl Drop for Connecting<'_> {
    fn drop(&mut self) {
        self.0.connecting.dec();
    }
}

/// Counts a request that waits for a connection for as long as it does.
pub(super) struct Waiting<'a>(&'a Cell<u32>);

impl<'a> Waiting<'a> {
    pub(super) fn new(count: &'a Cell<u32>) -> Waiting<'a> {
        count.set(count.get() + 1);
        Waiting(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

/// One exchange's hold on a connection.
pub(crate) struct Lease {
    endpoint: Rc<Endpoint>,
    carrier: Option<Carrier>,
    pub(crate) index: u16,
    /// It has carried an exchange before: the other side may have closed it meanwhile.
    pub(crate) reused: bool,
    in_flight: Option<Held>,
}

pub(super) async fn lease(
    upstream: &Upstream,
    endpoint: &Rc<Endpoint>,
    index: usize,
    settings: &config::Upstream,
    fresh: bool,
    call: &Call,
) -> Result<Lease, Fault> {
    // A connection that begins with a PROXY header is one client's alone.
    let fresh = fresh || settings.proxy_protocol != ProxyHeader::Off;
    let mut waiting = None;
    let mut give_up = 0;
    loop {
        if !fresh && let Some(conn) = endpoint.take_idle() {
            return Ok(Lease::new(endpoint, Carrier::Conn(conn), index, true));
        }
        if give_up == 0 {
            give_up = deadline::now()
                .saturating_add(nanos(settings.connect_timeout))
                .min(call.whole);
        }
        let cap = settings.pool_max_connections as u64;
        let mut room = upstream.connections.acquire(cap);
        // At the node's cap, an idle connection to another endpoint of this upstream makes room.
        if room.is_none() && upstream.endpoints.iter().any(|other| other.close_one()) {
            room = upstream.connections.acquire(cap);
        }
        if let Some(open) = room {
            return connect(upstream, endpoint, index, settings, (open, call, give_up)).await;
        }
        if waiting.is_none() {
            let place = Total::acquire(&upstream.pending, settings.pool_max_pending as u64);
            waiting = Some((
                place.ok_or(Fault::PoolExhausted)?,
                Waiting::new(&upstream.waiting),
            ));
        }
        let now = deadline::now();
        if now >= give_up {
            return Err(if now >= call.whole {
                Fault::WholeTimeout
            } else {
                Fault::PoolExhausted
            });
        }
        deadline::sleep_until(now + FULL_RETRY).await;
    }
}

async fn connect(
    upstream: &Upstream,
    endpoint: &Rc<Endpoint>,
    index: usize,
    settings: &config::Upstream,
    (open, call, give_up): (Held, &Call, u64),
) -> Result<Lease, Fault> {
    let connecting = Connecting::new(&upstream.series);
    let made = dial(endpoint, settings.proxy_protocol, call, give_up).await;
    drop(connecting);
    let conn = made.map_err(|failure| match failure {
        Failure::Late if give_up == call.whole => Fault::WholeTimeout,
        failure => failure.fault(),
    })?;
    if conn.tls().is_some() && speaks_http2(&conn) {
        // It has changed its mind since the last connection.
        endpoint.speaks_http1.set(false);
        let mux = shared::adopt(&upstream.series, endpoint, Terms::of(settings), conn, open);
        let stream = mux.reserve().ok_or(Fault::UpstreamClosed)?;
        let carrier = Carrier::Stream(Rc::new(UpstreamStream {
            stream,
            deadline: Deadline::alone(),
        }));
        return Ok(Lease::new(endpoint, carrier, index, false));
    }
    let conn = adopt(&upstream.series, conn, open);
    Ok(Lease::new(endpoint, Carrier::Conn(conn), index, false))
}

/// Takes a new connection among those that carry one exchange at a time.
pub(super) fn adopt(series: &Arc<UpstreamSeries>, conn: Conn, open: Held) -> Rc<UpstreamConn> {
    series.active.inc();
    Rc::new(UpstreamConn {
        deadline: Deadline::new(&conn),
        conn,
        pooled: Cell::new(false),
        posted: Posted::default(),
        series: Arc::clone(series),
        _open: open,
    })
}

impl Lease {
    pub(super) fn new(
        endpoint: &Rc<Endpoint>,
        carrier: Carrier,
        index: usize,
        reused: bool,
    ) -> Lease {
        endpoint.in_flight.set(endpoint.in_flight.get() + 1);
        Lease {
            endpoint: Rc::clone(endpoint),
            carrier: Some(carrier),
            index: u16::try_from(index).unwrap_or(u16::MAX),
            reused,
            in_flight: None,
        }
    }

    /// Ties a node-wide in-flight slot to this lease.
    pub(super) fn hold(&mut self, slot: Option<Held>) {
        self.in_flight = slot;
    }

    /// What carries the exchange; a connection is shared with the task that reads from it while it lies in the pool.
    pub(crate) fn carrier(&self) -> Option<Carrier> {
        self.carrier.clone()
    }

    /// Whether it is a stream of a shared connection.
    pub(crate) fn is_stream(&self) -> bool {
        matches!(self.carrier, Some(Carrier::Stream(_)))
    }

    /// Gives the connection back for the next exchange.
    pub(crate) fn release(mut self, upstream: &Upstream, settings: &config::Upstream) {
        let Some(Carrier::Conn(conn)) = self.carrier.take() else {
            return;
        };
        let mut idle = self.endpoint.idle.borrow_mut();
        // While other workers wait at the node's cap, a connection kept here would be kept from them;
        // one of this worker takes it from the pool.
        let surplus = (upstream.pending.held() > 0 && upstream.waiting.get() == 0)
            || settings.proxy_protocol != ProxyHeader::Off
            || self.endpoint.retired.get();
        if surplus || idle.len() >= settings.pool_max_idle {
            return conn.close();
        }
        let now = deadline::now();
        conn.set_pooled(true);
        conn.deadline.set(
            now.saturating_add(nanos(settings.keepalive)),
            Strike::BothShut,
        );
        conn.post(&self.endpoint);
        idle.push(conn);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.endpoint
            .in_flight
            .set(self.endpoint.in_flight.get().saturating_sub(1));
        if let Some(Carrier::Conn(conn)) = self.carrier.take() {
            conn.close();
        }
    }
}

impl Endpoint {
    fn take_idle(&self) -> Option<Rc<UpstreamConn>> {
        let on_epoll = runtime::on_epoll();
        let mut idle = self.idle.borrow_mut();
        while let Some(conn) = idle.pop() {
            conn.set_pooled(false);
            let spoiled = conn.has_ended() || (on_epoll && conn.conn.peek() != Peek::Quiet);
            if !conn.deadline.struck() && !spoiled {
                conn.deadline.clear();
                return Some(conn);
            }
            conn.close();
        }
        None
    }

    /// Closes what the other side has closed, or sent bytes on that nobody asked for.
    pub(super) fn sweep(&self) {
        self.idle.borrow_mut().retain(|conn| {
            let ended = conn.has_ended();
            if ended {
                conn.set_pooled(false);
                conn.close();
            }
            !ended
        });
    }

    pub(super) fn close_idle(&self) {
        while self.close_one() {}
        self.shared.retire();
    }

    /// Closes the connection that has been idle for longest, else a shared one without requests; false when there is
    /// none.
    pub(super) fn close_one(&self) -> bool {
        let mut idle = self.idle.borrow_mut();
        if idle.is_empty() {
            return self.shared.close_one();
        }
        let conn = idle.remove(0);
        conn.set_pooled(false);
        conn.close();
        true
    }

    pub(super) fn evict(&self, conn: &Rc<UpstreamConn>) {
        self.idle
            .borrow_mut()
            .retain(|other| !Rc::ptr_eq(other, conn));
    }
}
