//! What a connection tells its owner, and the errors that it can have.

use std::fmt;
use std::ops::Range;

use crate::http2::abuse::Budget;
use crate::http2::frame::Fault;
use crate::http2::frame::code::ErrorCode;
use crate::http2::head::HeadError;
use crate::http2::streams::StreamId;

/// What the bytes meant. `token` is what the owner gave the stream, 0 if nothing yet.
///
/// After an event with `end`, and after [`Event::Reset`], the stream may have closed: its [`StreamId`] is stale then,
/// calls with it do nothing or say so, and only `consumed` still counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// All that can be understood was. Read more, and show it after what was not consumed (at most 23 bytes).
    More,
    /// A head: a new request (then `token` is 0, and the owner sets one), or the final head of an answer. Take it at
    /// once by `take_request` or `take_response`.
    Head {
        /// The stream.
        stream: StreamId,
        /// The owner's token.
        token: u64,
        /// No body and no trailers follow.
        end: bool,
    },
    /// The head of an interim answer (1xx), to be taken by `take_response`. Clients only.
    Interim {
        /// The stream.
        stream: StreamId,
        /// The owner's token.
        token: u64,
    },
    /// A piece of a body.
    Data {
        /// The stream.
        stream: StreamId,
        /// The owner's token.
        token: u64,
        /// Where it stands in the bytes shown; empty only at the end. Each byte is to be reported by `consumed` once
        /// it has been passed on or thrown away.
        payload: Range<usize>,
        /// Nothing follows on this stream.
        end: bool,
    },
    /// The trailer section, which ends the stream in this direction. Take it by `take_trailers`.
    Trailers {
        /// The stream.
        stream: StreamId,
        /// The owner's token.
        token: u64,
    },
    /// A request whose head is refused; servers only. The stream is open as after [`Event::Head`], with no head to
    /// take: answer it (431, 501), or `reset` it with PROTOCOL_ERROR as RFC 9113 section 8.1.1 wants for what is
    /// malformed.
    Refused {
        /// The stream.
        stream: StreamId,
        /// Why.
        error: HeadError,
        /// No body and no trailers follow.
        end: bool,
    },
    /// A request that never became a stream, since there are too many or it depends on itself: it was reset. For
    /// counting only; nothing to do.
    Rejected {
        /// Its stream identifier.
        number: u32,
        /// What it was reset with.
        code: ErrorCode,
        /// Machine word for logs.
        cause: &'static str,
    },
    /// The stream has ended early, and all that is under way for it should. With REFUSED_STREAM from the peer or by
    /// its GOAWAY, a request was not processed at all and may be sent again (section 8.7).
    Reset {
        /// The stream.
        stream: StreamId,
        /// The owner's token.
        token: u64,
        /// Why.
        code: ErrorCode,
        /// Who ended it.
        by: By,
        /// Machine word for logs.
        cause: &'static str,
    },
    /// A stream that sending was cut short on may send again. It may have learnt so from [`Event::WritableAll`]
    /// already.
    Writable {
        /// The stream.
        stream: StreamId,
        /// The owner's token.
        token: u64,
    },
    /// The same for all streams.
    WritableAll,
    /// SETTINGS of the peer, the first or later: `room` may have changed, and streams may send as after
    /// [`Event::WritableAll`].
    Settings,
    /// The answer to `ping`.
    Pong {
        /// As it was sent.
        payload: [u8; 8],
    },
    /// The peer will take no more streams than up to `last`; none can be opened from here on. Streams of ours above
    /// it follow, each as an [`Event::Reset`]; those up to it go on.
    Goaway {
        /// The last stream that the peer may have processed.
        last: u32,
        /// Why.
        code: ErrorCode,
    },
}

/// Who ended a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// The peer, by RST_STREAM.
    Peer,
    /// The peer, by a GOAWAY that left it out.
    Goaway,
    /// We, because of what the peer sent.
    Us,
}

/// Why the connection can't go on (RFC 9113 section 5.4.1). The GOAWAY that says so stands in `out` already: send it,
/// and close.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConnectionError {
    /// What GOAWAY says.
    pub code: ErrorCode,
    /// Machine word for logs.
    pub cause: &'static str,
    /// Which budget the peer has overdrawn, if it was that.
    pub budget: Option<Budget>,
}

impl From<Fault> for ConnectionError {
    fn from((code, cause): Fault) -> Self {
        ConnectionError {
            code,
            cause,
            budget: None,
        }
    }
}

impl From<Budget> for ConnectionError {
    fn from(budget: Budget) -> Self {
        ConnectionError {
            code: ErrorCode::ENHANCE_YOUR_CALM,
            cause: budget.as_str(),
            budget: Some(budget),
        }
    }
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.code, self.cause)
    }
}

impl std::error::Error for ConnectionError {}

/// Why nothing was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SendError {
    /// The stream has closed, or our side of it has ended.
    Closed,
    /// Not in this order: a body before its head, a second head.
    Order,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SendError::Closed => "the stream has closed",
            SendError::Order => "a stream carries a head, then a body, then trailers",
        })
    }
}

impl std::error::Error for SendError {}

/// Why no request can be sent on this connection now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpenError {
    /// As many streams as the server (or our own settings) allow are open; others may close.
    Full,
    /// The server has sent GOAWAY, or we are draining: never again.
    GoingAway,
    /// All stream identifiers have been used: never again.
    Exhausted,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            OpenError::Full => "as many streams are open as are allowed",
            OpenError::GoingAway => "the connection is going away",
            OpenError::Exhausted => "the connection has no stream identifiers left",
        })
    }
}

impl std::error::Error for OpenError {}
