//! One side of an exchange as its bytes go: a connection of its own (HTTP/1.1), or one stream of an HTTP/2 connection.
//!
//! The life of a request and the body pump are the same for both; where they differ, it says so here or there by a match.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use engine_net::deadline::{Deadline, sleep_until};
use engine_net::tls::Info;
use engine_net::{Conn, Peek, Shutdown, deadline};

use crate::http2::Stream;

/// A client that has waited this long is looked at, in case it has gone away.
const WATCH_AFTER: u64 = 250_000_000;

/// Where the bytes of one side come from and go to.
#[derive(Clone, Copy)]
pub(crate) enum Link<'a> {
    /// All of a connection.
    Conn(&'a Conn),
    /// One stream among others.
    Stream(&'a Stream),
}

impl<'a> Link<'a> {
    /// The connection, when all of it belongs to this exchange.
    pub(crate) fn conn(self) -> Option<&'a Conn> {
        match self {
            Link::Conn(conn) => Some(conn),
            Link::Stream(_) => None,
        }
    }

    /// The connection that it is, or that it shares.
    pub(crate) fn socket(self) -> &'a Conn {
        match self {
            Link::Conn(conn) => conn,
            Link::Stream(stream) => stream.conn(),
        }
    }

    /// What its TLS handshake came to, if it had one.
    pub(crate) fn tls(self) -> Option<&'a Info> {
        self.socket().tls()
    }

    /// Heads and bodies are frames on this side.
    pub(crate) fn is_stream(self) -> bool {
        matches!(self, Link::Stream(_))
    }

    /// One more deadline that acts on this side.
    pub(crate) fn deadline(self) -> Deadline {
        match self {
            Link::Conn(conn) => Deadline::new(conn),
            Link::Stream(_) => Deadline::alone(),
        }
    }

    /// Ends this side at once: what is pending on it ends too.
    pub(crate) fn cut(self) {
        match self {
            Link::Conn(conn) => conn.shutdown(Shutdown::Both),
            Link::Stream(stream) => stream.abandon(),
        }
    }

    /// Ends when the peer has gone away; never while it has bytes that wait to be read.
    pub(crate) async fn closed(self) {
        let conn = match self {
            Link::Conn(conn) => conn,
            Link::Stream(stream) => return stream.broken().await,
        };
        sleep_until(deadline::now().saturating_add(WATCH_AFTER)).await;
        loop {
            let _ = conn.readable().await;
            match conn.peek() {
                Peek::Closed => return,
                // A body on its way upstream, or the next request: look again later.
                Peek::Data => sleep_until(deadline::now().saturating_add(WATCH_AFTER)).await,
                Peek::Quiet => {}
            }
        }
    }
}

/// Waits for `read` on the upstream's side; should the client go away meanwhile, the upstream's side is cut and the read
/// ends: (result, client gone).
pub(crate) async fn watching<F: Future>(
    client: Link<'_>,
    up: Link<'_>,
    read: F,
) -> (F::Output, bool) {
    let mut gone = false;
    let mut read = pin!(read);
    let mut closed = pin!(client.closed());
    let result = poll_fn(|cx| {
        if let Poll::Ready(done) = read.as_mut().poll(cx) {
            return Poll::Ready(done);
        }
        if !gone && closed.as_mut().poll(cx).is_ready() {
            gone = true;
            up.cut();
            // A stream's read sees it at once and nobody would wake it.
            return read.as_mut().poll(cx);
        }
        Poll::Pending
    })
    .await;
    (result, gone)
}
