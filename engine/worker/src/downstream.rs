//! The loops of clients' connections, one file per protocol, and what comes before them: who it is, and what it speaks.

use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;

use engine_config::snapshot::Protocol;
use engine_net::Conn;
use engine_net::buffer::Buffer;
use engine_net::tls::Alpn;

use crate::core::Core;
use crate::listener::Listening;

mod entry;
mod http1;
mod http2;
mod passthrough;

pub(crate) use http1::linger;
pub(crate) use http2::Downstream;

/// Serves a connection that has been accepted, to its end.
pub(crate) async fn serve(core: Rc<Core>, conn: Conn, listening: Rc<Listening>) {
    let (plain, http1) = listening.settings(&core, |listener| {
        let http1 = listener.protocols.contains(&Protocol::Http1);
        (entry::is_plain(listener), http1)
    });
    // Under the terms of now: what changes while it enters holds for it too.
    let seat = listening.seat(&core);
    let entered = match plain {
        true => Some(entry::Entered::plain(conn)),
        // Boxed: what only the beginning needs is not to stay with a connection at rest.
        false => Box::pin(entry::enter(&core, conn, &listening)).await,
    };
    let Some(entry::Entered {
        mut conn,
        mut read,
        peer,
        passed_to,
    }) = entered
    else {
        return;
    };
    let from = address_of(&conn, peer);
    if let Some(to) = passed_to {
        return Box::pin(passthrough::serve(&core, conn, read, from, &seat, *to)).await;
    }
    if http1 && conn.tls().and_then(|tls| tls.alpn) != Some(Alpn::H2) {
        match http1::serve(Rc::clone(&core), conn, read, from, &seat).await {
            Some(found) => (conn, read) = found,
            None => return,
        }
    }
    if read.is_empty() && read.room() == 0 {
        read = Buffer::standard();
    }
    // Boxed, or each connection of HTTP/1.1 would have room for it.
    Box::pin(http2::serve(core, conn, read, from, seat)).await;
}

/// The client's address: what a PROXY header said, else the socket's; over Unix sockets, this machine.
fn address_of(conn: &Conn, named: Option<SocketAddr>) -> SocketAddr {
    let peer = named.or_else(|| conn.peer());
    let peer = peer.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 0).into());
    SocketAddr::new(peer.ip().to_canonical(), peer.port())
}

#[cfg(test)]
mod tests {
    /// The size of the future that a function of three arguments makes.
    fn made_by<A, B, C, F>(_: impl Fn(A, B, C) -> F) -> usize {
        size_of::<F>()
    }

    /// All that a connection at rest has is its task; what it costs in all, `tests/tests/budgets.rs` measures.
    #[test]
    fn the_task_of_a_connection_is_small() {
        let size = made_by(super::serve);
        assert!(size <= 1280, "{size} bytes");
    }
}
