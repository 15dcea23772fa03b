//! Taking frames off the front of what was read: the loop, and which frame may come when. What each does to the
//! connection is in `blocks`, `body` and `control`.

use super::event::{By, ConnectionError, Event};
use super::{Connection, Role};
use crate::http2::abuse::Budget;
use crate::http2::frame::code::ErrorCode;
use crate::http2::frame::{HEADER_LEN, Header, Kind, PREFACE, flag};
use crate::http2::streams::{How, StreamId};

/// What comes next on the wire. Frames whose payload can be long are taken in pieces, so that an owner's buffer need
/// not hold a whole one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reading {
    /// The client's preface.
    Preface,
    /// The header of a frame.
    Frame,
    /// So many bytes of a header block, then so many of padding.
    Block { left: u32, padding: u32 },
    /// Data of a body.
    Data(Body),
    /// So many bytes of SETTINGS parameters.
    Settings { left: u32 },
    /// So many bytes that mean nothing.
    Skip { left: u32 },
}

impl Reading {
    #[inline]
    pub(super) fn skip(left: u32) -> Reading {
        match left {
            0 => Reading::Frame,
            left => Reading::Skip { left },
        }
    }
}

/// The rest of a DATA frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body {
    pub(super) stream: StreamId,
    pub(super) left: u32,
    pub(super) padding: u32,
    /// END_STREAM was set.
    pub(super) end: bool,
}

/// What a step did.
pub(super) enum Step {
    /// Nothing: it needs more bytes.
    More,
    /// Used so many bytes.
    Taken(usize),
    /// Used so many bytes, and has something to say.
    Event(usize, Event),
}

impl Connection {
    #[inline]
    pub(super) fn take(
        &mut self,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(usize, Event), ConnectionError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if let Some(budget) = self.abuse.overdrawn() {
            return Err(budget.into());
        }
        if self.unprocessed
            && let Some(event) = self.next_unprocessed()
        {
            return Ok((0, event));
        }
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let step = match self.reading {
                Reading::Frame => self.frame(at, rest, out)?,
                Reading::Data(body) => self.body(body, at, 0, rest, out),
                Reading::Block { left, padding } => self.fragment(left, padding, rest, out)?,
                Reading::Settings { left } => self.parameters(left, rest, out)?,
                Reading::Skip { left } => self.skip(left, rest),
                Reading::Preface => self.preface(rest)?,
            };
            match step {
                Step::More => return Ok((at, Event::More)),
                Step::Taken(used) => at += used,
                Step::Event(used, event) => return Ok((at + used, event)),
            }
        }
    }

    /// Takes a frame's header and as much of the rest as its own function will. `at` is where `rest` stands in the
    /// bytes shown.
    #[inline]
    fn frame(
        &mut self,
        at: usize,
        rest: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Step, ConnectionError> {
        let Some(header) = Header::parse(rest) else {
            return Ok(Step::More);
        };
        header.check(self.settings.max_frame_size)?;
        self.check_order(header)?;
        match header.kind {
            Kind::Data => self.data(header, at, rest, out),
            Kind::Headers => self.headers(header, rest, out),
            Kind::Continuation => self.continuation(header),
            Kind::WindowUpdate
            | Kind::ResetStream
            | Kind::Ping
            | Kind::Priority
            | Kind::Settings
            | Kind::Goaway => self.control(header, rest, out),
            Kind::PriorityUpdate | Kind::Unknown | Kind::PushPromise => {
                self.abuse.charge(Budget::Ignored, self.now)?;
                self.reading = Reading::skip(header.len);
                Ok(Step::Taken(HEADER_LEN))
            }
        }
    }

    /// Which frames may not come now (RFC 9113 sections 3.4, 4.3 and 6.10).
    #[inline]
    fn check_order(&self, header: Header) -> Result<(), ConnectionError> {
        let settings = header.kind == Kind::Settings && !header.has(flag::ACK);
        let cause = if !self.peer.known && !settings {
            "settings_not_first"
        } else if let Some(stream) = self.block.stream() {
            if header.kind == Kind::Continuation && header.stream == stream {
                return Ok(());
            }
            "header_block_interrupted"
        } else if header.kind == Kind::Continuation {
            "continuation_without_headers"
        } else {
            return Ok(());
        };
        Err((ErrorCode::PROTOCOL_ERROR, cause).into())
    }

    /// Takes the client's preface, whole.
    #[cold]
    fn preface(&mut self, rest: &[u8]) -> Result<Step, ConnectionError> {
        let shown = rest.len().min(PREFACE.len());
        if rest.get(..shown) != PREFACE.get(..shown) {
            return Err((ErrorCode::PROTOCOL_ERROR, "bad_preface").into());
        }
        if shown < PREFACE.len() {
            return Ok(Step::More);
        }
        self.reading = Reading::Frame;
        Ok(Step::Taken(shown))
    }

    /// Passes over bytes that mean nothing.
    fn skip(&mut self, left: u32, rest: &[u8]) -> Step {
        let used = (left as usize).min(rest.len());
        if used == 0 {
            return Step::More;
        }
        self.reading = Reading::skip(left - used as u32);
        Step::Taken(used)
    }

    /// A stream of ours that the peer's GOAWAY left out, as an event of its own; `None` when there are no more.
    fn next_unprocessed(&mut self) -> Option<Event> {
        let Some(stream) = self.streams.above(self.peer_last?) else {
            self.unprocessed = false;
            return None;
        };
        let token = self.streams.remove(stream, How::ByUs)?.token;
        Some(Event::Reset {
            stream,
            token,
            code: ErrorCode::REFUSED_STREAM,
            by: By::Goaway,
            cause: "goaway",
        })
    }

    /// Ends a stream because of what the peer sent on it (section 5.4.2).
    #[cold]
    pub(super) fn stream_error(
        &mut self,
        stream: StreamId,
        code: ErrorCode,
        cause: &'static str,
        out: &mut Vec<u8>,
    ) -> Result<Event, ConnectionError> {
        self.abuse.charge(Budget::ForcedResets, self.now)?;
        crate::http2::frame::control::write_reset(stream.number(), code, out);
        let token = self.cut(stream);
        Ok(Event::Reset {
            stream,
            token,
            code,
            by: By::Us,
            cause,
        })
    }

    /// Takes a stream out that we have reset, and remembers what the peer may still have under way for it. Its token.
    pub(super) fn cut(&mut self, stream: StreamId) -> u64 {
        let Some(was) = self.streams.remove(stream, How::ByUs) else {
            return 0;
        };
        if was.received != crate::http2::streams::Half::Done {
            self.expect_late(was.receive_window.available());
        }
        was.token
    }

    /// Up to `bytes` of DATA, and a head or two, may come for a stream that is closed for us.
    pub(super) fn expect_late(&mut self, bytes: u32) {
        self.late_bytes = self.late_bytes.saturating_add(bytes.into());
        self.abuse.cut();
    }

    /// Takes a stream out if both sides have ended it.
    #[inline]
    pub(super) fn close_if_done(&mut self, stream: StreamId) {
        if self.streams.get(stream).is_some_and(|s| s.is_closed()) {
            self.streams.remove(stream, How::Ended);
            self.abuse.ended();
        }
    }

    /// What a frame for a stream that is not open any more means: an error (section 5.1, "closed"), or nothing because
    /// the peer may not have known.
    pub(super) fn check_late(&mut self, number: u32) -> Result<(), ConnectionError> {
        let cause = match self.streams.closed.how(number) {
            How::ByUs | How::Forgotten => return Ok(()),
            How::Ended => "frame_after_end",
            How::ByPeer => "frame_after_reset",
            How::Skipped => "frame_on_skipped_stream",
        };
        Err((ErrorCode::STREAM_CLOSED, cause).into())
    }

    /// Whether streams of this number and above are not accepted any more.
    pub(super) fn is_beyond(&self, number: u32) -> bool {
        match (self.role, self.going) {
            (Role::Server, super::Going::Last(last)) => number > last,
            _ => false,
        }
    }
}
