//! Connections that are passed on unopened, by the host that a ClientHello asks for.
//!
//! There is no request: no route, no policy and no line in the access log. The address rules and caps of the listener and
//! the caps of the upstream hold as for others. What happens to the bytes after the first ones is `tunnel`'s.

use std::net::SocketAddr;
use std::rc::Rc;

use engine_config::snapshot::{Passthrough, ProxyHeader};
use engine_net::Conn;
use engine_net::buffer::Buffer;
use engine_net::tls::{SniPeek, sni};

use super::entry::{self, Entered, PassedTo};
use crate::core::Core;
use crate::link::Link;
use crate::listener::Seat;
use crate::nanos;
use crate::reply::Fault;
use crate::tunnel::{End, Speaks, Tunnel};
use crate::upstream::{Call, Tried};

/// Where a connection belongs.
pub(super) enum Look {
    /// To this upstream, or to nobody.
    Found(Option<u16>),
    /// It ended, or was given up, before that could be told.
    Gone,
}

/// Reads until it is known where the connection belongs.
pub(super) async fn look(entered: &mut Entered, table: &Passthrough) -> Look {
    if table.takes_any() {
        // Nobody has to speak first.
        return Look::Found(table.find(None));
    }
    loop {
        match sni(entered.read.filled()) {
            SniPeek::Name(name) => return Look::Found(table.find(Some(&name))),
            SniPeek::None | SniPeek::NotTls => return Look::Found(table.find(None)),
            SniPeek::More => {}
        }
        if !entry::more(entered).await {
            return Look::Gone;
        }
    }
}

/// Passes a connection on to its end. `read`: what has been read of it.
pub(super) async fn serve(
    core: &Rc<Core>,
    conn: Conn,
    read: Buffer,
    from: SocketAddr,
    seat: &Seat,
    to: PassedTo,
) {
    let live = to.live;
    let (Some(upstream), Some(settings), Some(listener)) = (
        live.upstreams.get(usize::from(to.upstream)),
        live.snapshot.upstreams.get(usize::from(to.upstream)),
        live.snapshot.listeners.get(to.listener),
    ) else {
        return;
    };
    let call = Call {
        from,
        to: match settings.proxy_protocol {
            ProxyHeader::Off => None,
            _ => conn.local(),
        },
        whole: u64::MAX,
        unopened: true,
        http1: false,
    };
    let leased = Box::pin(upstream.lease(core, settings, &mut Tried::default(), true, &call)).await;
    let lease = match leased {
        Ok(lease) => lease,
        Err(fault) => {
            // Those of single endpoints have been counted.
            if !matches!(fault, Fault::ConnectFailed | Fault::ConnectTimeout) {
                upstream.series.errors.inc(fault.row().cause);
            }
            return conn.reset_at_close();
        }
    };
    let Some(up) = lease.carrier() else { return };
    let tunnel = Tunnel {
        client: Link::Conn(&conn),
        upstream: up.link(),
        speaks: Speaks::Unknown {
            grace: nanos(live.snapshot.gateway.shutdown_grace),
        },
        idle: nanos(listener.stream_idle_timeout),
    };
    let passed = Box::pin(tunnel.run(core, &seat.unasked(), [read, Buffer::default()])).await;
    match passed.end {
        End::Idle => seat.listening.series.timeouts.inc("stream_idle_timeout"),
        End::UpstreamLost => {
            upstream
                .series
                .errors
                .inc(Fault::UpstreamClosed.row().cause);
        }
        End::Closed | End::Drained | End::ClientLost => {}
    }
}
