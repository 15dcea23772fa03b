//! What carries one exchange to an endpoint and its answer back: a connection, or a stream of one that it shares.

use std::rc::Rc;

use engine_net::deadline::Deadline;

use super::UpstreamConn;
use crate::http2::Stream;
use crate::link::Link;

/// The upstream's side of one try.
#[derive(Clone)]
pub(crate) enum Carrier {
    /// A connection that this exchange has to itself.
    Conn(Rc<UpstreamConn>),
    /// A stream among others.
    Stream(Rc<UpstreamStream>),
}

/// A stream towards an endpoint.
pub(crate) struct UpstreamStream {
    pub(crate) stream: Stream,
    pub(crate) deadline: Deadline,
}

impl Carrier {
    /// Where its bytes come from and go to.
    pub(crate) fn link(&self) -> Link<'_> {
        match self {
            Carrier::Conn(conn) => Link::Conn(&conn.conn),
            Carrier::Stream(up) => Link::Stream(&up.stream),
        }
    }

    /// The deadline of what is read from it.
    pub(crate) fn deadline(&self) -> &Deadline {
        match self {
            Carrier::Conn(conn) => &conn.deadline,
            Carrier::Stream(up) => &up.deadline,
        }
    }

    /// All that was posted has gone out.
    pub(crate) fn has_sent(&self) -> bool {
        match self {
            Carrier::Conn(conn) => !conn.conn.is_posting() && !conn.conn.is_broken(),
            Carrier::Stream(_) => true,
        }
    }

    /// Nothing waits behind the answer, as far as is known.
    pub(crate) fn is_quiet(&self) -> bool {
        match self {
            Carrier::Conn(conn) => !conn.conn.has_more(),
            Carrier::Stream(_) => true,
        }
    }

    /// The endpoint has said that it did not touch the request (RFC 9113 sections 6.8 and 8.7).
    pub(crate) fn was_refused(&self) -> bool {
        match self {
            Carrier::Conn(_) => false,
            Carrier::Stream(up) => up.stream.was_refused(),
        }
    }
}
