//! The loops of clients' connections, one file per protocol, and what comes before them: who it is, and what it speaks.

use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;

use engine_net::Conn;
use engine_net::buffer::Buffer;
use engine_net::tls::Alpn;

use crate::core::Core;
use crate::listener::Listening;

mod entry;
mod http1;
mod http2;
mod passthrough;

pub(crate) use http2::Downstream;

/// Serves a connection that has been accepted, to its end.
pub(crate) async fn serve(core: Rc<Core>, conn: Conn, listening: Rc<Listening>) {
    let plain = listening.settings(&core, entry::is_plain);
    // Under the terms of now: what changes while it enters holds for it too.
    let seat = listening.seat(&core);
    let entered = match plain {
        true => Some(entry::Entered::plain(conn)),
        // Boxed: what only the beginning needs is not to stay with a connection at rest.
        false => Box::pin(entry::enter(&core, conn, &listening)).await,
    };
    let Some(entered) = entered else { return };
    let (conn, mut read) = (entered.conn, entered.read);
    let from = address_of(&conn, entered.peer);
    if let Some(upstream) = entered.passed_to {
        return passthrough::serve(&core, conn, read, from, &seat, upstream).await;
    }
    if conn.tls().and_then(|tls| tls.alpn) != Some(Alpn::H2) {
        let found = http1::serve(Rc::clone(&core), conn, read, from, &seat).await;
        match found {
            Some(found) => return http2::serve(core, found.0, found.1, from, seat).await,
            None => return,
        }
    }
    if read.is_empty() && read.room() == 0 {
        read = Buffer::standard();
    }
    http2::serve(core, conn, read, from, seat).await;
}

/// The client's address: what a PROXY header said, else the socket's; over Unix sockets, this machine.
fn address_of(conn: &Conn, named: Option<SocketAddr>) -> SocketAddr {
    let peer = named.or_else(|| conn.peer());
    let peer = peer.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 0).into());
    SocketAddr::new(peer.ip().to_canonical(), peer.port())
}
