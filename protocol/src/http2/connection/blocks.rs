//! Header blocks coming in (RFC 9113 sections 4.3, 6.2, 6.10, 8.1): gathered from HEADERS and CONTINUATION, decoded,
//! and given their meaning by the stream's state.
//!
//! A block that has come whole, which is nearly every one, is decoded where it stands; only others are gathered. Every
//! block is decoded, wanted or not, since the peer's table changes with it.

use super::event::{ConnectionError, Event};
use super::receive::{Reading, Step};
use super::{Connection, Role};
use crate::http2::abuse::Budget;
use crate::http2::frame::code::ErrorCode;
use crate::http2::frame::{Fault, HEADER_LEN, Header, control, data, flag, headers};
use crate::http2::head::HeadError;
use crate::http2::streams::{Half, How, Stream, StreamId};
use crate::message::{BodyLength, Method};

/// A block's memory beyond this is given back.
const KEPT_BYTES: usize = 4096;

/// The block that is being gathered, if any.
#[derive(Debug, Default)]
pub(super) struct Block {
    open: Option<Gathering>,
    bytes: Vec<u8>,
}

/// What is known of a block before it has ended.
#[derive(Clone, Copy, Debug)]
struct Gathering {
    flags: Flags,
    /// CONTINUATION frames so far.
    frames: u32,
    /// The frame that is being read is the last.
    last: bool,
}

/// What HEADERS says of its block.
#[derive(Clone, Copy, Debug)]
struct Flags {
    number: u32,
    /// END_STREAM.
    end: bool,
    /// Its priority fields name its own stream.
    depends_on_itself: bool,
}

impl Block {
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// The stream that CONTINUATION must follow for.
    #[inline]
    pub(super) fn stream(&self) -> Option<u32> {
        self.open.map(|block| block.flags.number)
    }
}

impl Connection {
    /// Takes HEADERS (section 6.2), and the block if it has come whole.
    #[inline]
    pub(super) fn headers(
        &mut self,
        header: Header,
        rest: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Step, ConnectionError> {
        let Some(parts) = data::parts(header, rest)? else {
            return Ok(Step::More);
        };
        let flags = Flags {
            number: header.stream,
            end: header.has(flag::END_STREAM),
            depends_on_itself: headers::dependency(header, rest, parts) == Some(header.stream),
        };
        let last = header.has(flag::END_HEADERS);
        let used = parts.start + parts.data as usize;
        if last && let Some(block) = rest.get(parts.start..used) {
            self.reading = Reading::skip(parts.padding);
            return Ok(match self.block(flags, block, out)? {
                Some(event) => Step::Event(used, event),
                None => Step::Taken(used),
            });
        }
        self.abuse.block(0, parts.data as usize)?;
        self.block.open = Some(Gathering {
            flags,
            frames: 0,
            last,
        });
        self.reading = Reading::Block {
            left: parts.data,
            padding: parts.padding,
        };
        Ok(Step::Taken(parts.start))
    }

    /// Takes the header of a CONTINUATION (section 6.10) that may come here.
    pub(super) fn continuation(&mut self, header: Header) -> Result<Step, ConnectionError> {
        if let Some(block) = &mut self.block.open {
            block.frames += 1;
            block.last = header.has(flag::END_HEADERS);
            let bytes = self.block.bytes.len() + header.len as usize;
            self.abuse.block(block.frames, bytes)?;
        }
        self.reading = Reading::Block {
            left: header.len,
            padding: 0,
        };
        Ok(Step::Taken(HEADER_LEN))
    }

    /// Gathers what has come of a frame's part of a block, and ends the block with its last.
    pub(super) fn fragment(
        &mut self,
        left: u32,
        padding: u32,
        rest: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Step, ConnectionError> {
        let used = (left as usize).min(rest.len());
        self.block
            .bytes
            .extend_from_slice(rest.get(..used).unwrap_or_default());
        let left = left - used as u32;
        if left > 0 {
            self.reading = Reading::Block { left, padding };
            return Ok(if used == 0 {
                Step::More
            } else {
                Step::Taken(used)
            });
        }
        self.reading = Reading::skip(padding);
        let Some(Gathering {
            flags, last: true, ..
        }) = self.block.open
        else {
            return Ok(Step::Taken(used));
        };
        self.block.open = None;
        let mut bytes = std::mem::take(&mut self.block.bytes);
        let event = self.block(flags, &bytes, out);
        bytes.clear();
        bytes.shrink_to(KEPT_BYTES);
        self.block.bytes = bytes;
        Ok(match event? {
            Some(event) => Step::Event(used, event),
            None => Step::Taken(used),
        })
    }

    /// Gives a whole block its meaning.
    #[inline]
    fn block(
        &mut self,
        flags: Flags,
        block: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Option<Event>, ConnectionError> {
        if flags.number > self.last {
            return match self.role {
                Role::Server if !flags.number.is_multiple_of(2) => self.open(flags, block, out),
                _ => Err((ErrorCode::PROTOCOL_ERROR, "headers_on_idle_stream").into()),
            };
        }
        let Some(stream) = self.streams.find(flags.number) else {
            return self.late_block(flags, block);
        };
        let (received, method) = match self.streams.get(stream) {
            Some(state) => (state.received, state.method),
            None => (Half::Done, Method::Other),
        };
        let event = match (received, self.role) {
            (Half::Head, Role::Client) => self.answer(stream, method, flags.end, block)?,
            (Half::Head | Half::Body, _) => self.section(stream, flags.end, block)?,
            (Half::Done, _) => {
                self.discard(block)?;
                Err((ErrorCode::STREAM_CLOSED, "headers_after_end"))
            }
        };
        match event {
            Ok(event) => Ok(Some(event)),
            Err((code, cause)) => self.stream_error(stream, code, cause, out).map(Some),
        }
    }

    /// A client opens a stream (section 5.1.1).
    #[inline]
    fn open(
        &mut self,
        flags: Flags,
        block: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Option<Event>, ConnectionError> {
        self.last = flags.number;
        let limits = &self.settings.head;
        let decoded =
            self.decoder
                .request(block, flags.end, limits, &mut self.request, &mut self.arena);
        if let Err(error) = decoded
            && error.ends_connection()
        {
            return Err(connection_error(error));
        }
        if self.is_beyond(flags.number) {
            // We have said that we would not take it; the client sends it elsewhere.
            self.streams.closed.push(flags.number, How::ByUs);
            self.expect_late(self.stream_window());
            return Ok(None);
        }
        if self.streams.active() >= self.settings.max_concurrent_streams as usize {
            return self.reject(flags, ErrorCode::REFUSED_STREAM, "too_many_streams", out);
        }
        if flags.depends_on_itself {
            return self.reject(flags, ErrorCode::PROTOCOL_ERROR, "depends_on_itself", out);
        }
        let mut stream = Stream::new(flags.number, self.peer.initial_window, self.stream_window());
        stream.method = self.request.method;
        let end = flags.end;
        match decoded {
            Ok(()) => {
                self.abuse.work();
                stream.receive_head(self.request.body, end);
                let stream = self.streams.insert(stream);
                let token = 0;
                Ok(Some(Event::Head { stream, token, end }))
            }
            Err(error) => {
                stream.receive_head(BodyLength::Frames, end);
                let stream = self.streams.insert(stream);
                Ok(Some(Event::Refused { stream, error, end }))
            }
        }
    }

    /// Resets a stream that never was.
    #[cold]
    fn reject(
        &mut self,
        flags: Flags,
        code: ErrorCode,
        cause: &'static str,
        out: &mut Vec<u8>,
    ) -> Result<Option<Event>, ConnectionError> {
        let number = flags.number;
        self.abuse.charge(Budget::ForcedResets, self.now)?;
        control::write_reset(number, code, out);
        self.streams.closed.push(number, How::ByUs);
        if !flags.end {
            self.expect_late(self.stream_window());
        }
        Ok(Some(Event::Rejected {
            number,
            code,
            cause,
        }))
    }

    /// The head of an answer. The outer error is the connection's, the inner the stream's.
    #[inline]
    fn answer(
        &mut self,
        stream: StreamId,
        method: Method,
        end: bool,
        block: &[u8],
    ) -> Result<Result<Event, Fault>, ConnectionError> {
        let limits = &self.settings.head;
        let decoded = self.decoder.response(
            block,
            method,
            end,
            limits,
            &mut self.response,
            &mut self.arena,
        );
        if let Err(error) = decoded {
            return stream_fault(error);
        }
        let interim = self.response.status < 200;
        if interim && end {
            return Ok(Err((
                ErrorCode::PROTOCOL_ERROR,
                "interim_answer_ends_stream",
            )));
        }
        let Some(state) = self.streams.get_mut(stream) else {
            return Ok(Err((ErrorCode::STREAM_CLOSED, "stream_closed")));
        };
        let token = state.token;
        if interim {
            return Ok(Ok(Event::Interim { stream, token }));
        }
        self.abuse.work();
        state.receive_head(self.response.body, end);
        self.close_if_done(stream);
        Ok(Ok(Event::Head { stream, token, end }))
    }

    /// The trailer section (section 8.1). The outer error is the connection's, the inner the stream's.
    fn section(
        &mut self,
        stream: StreamId,
        end: bool,
        block: &[u8],
    ) -> Result<Result<Event, Fault>, ConnectionError> {
        let limits = &self.settings.head;
        let decoded = self
            .decoder
            .trailers(block, limits, &mut self.trailers, &mut self.arena);
        if let Err(error) = decoded {
            return stream_fault(error);
        }
        if !end {
            return Ok(Err((ErrorCode::PROTOCOL_ERROR, "second_head")));
        }
        let Some(state) = self.streams.get_mut(stream) else {
            return Ok(Err((ErrorCode::STREAM_CLOSED, "stream_closed")));
        };
        if !state.expect(0, true) {
            return Ok(Err((ErrorCode::PROTOCOL_ERROR, "content_length_mismatch")));
        }
        let token = state.token;
        state.received = Half::Done;
        self.close_if_done(stream);
        Ok(Ok(Event::Trailers { stream, token }))
    }

    /// HEADERS for a stream that is not open any more.
    #[cold]
    fn late_block(&mut self, flags: Flags, block: &[u8]) -> Result<Option<Event>, ConnectionError> {
        if self.is_idle(flags.number) {
            return Err((ErrorCode::PROTOCOL_ERROR, "headers_on_idle_stream").into());
        }
        self.discard(block)?;
        if self.streams.closed.how(flags.number) == How::Skipped {
            return Err((ErrorCode::PROTOCOL_ERROR, "stream_number_goes_back").into());
        }
        self.check_late(flags.number)?;
        self.abuse.charge(Budget::LateFrames, self.now)?;
        Ok(None)
    }

    /// Decodes a block for the table's sake alone.
    fn discard(&mut self, block: &[u8]) -> Result<(), ConnectionError> {
        let limits = &self.settings.head;
        let decoded = self
            .decoder
            .trailers(block, limits, &mut self.trailers, &mut self.arena);
        match decoded {
            Err(error) if error.ends_connection() => Err(connection_error(error)),
            _ => Ok(()),
        }
    }

    /// What a new stream's peer may send before it hears more: our window, or the larger one that it has to assume
    /// until it knows ours.
    pub(super) fn stream_window(&self) -> u32 {
        match self.acknowledged {
            true => self.settings.initial_window,
            false => self
                .settings
                .initial_window
                .max(super::settings::FIRST_WINDOW),
        }
    }
}

/// A block's fault as one of its stream, or of the connection when it is that.
fn stream_fault<T>(error: HeadError) -> Result<Result<T, Fault>, ConnectionError> {
    if error.ends_connection() {
        return Err(connection_error(error));
    }
    Ok(Err((ErrorCode::PROTOCOL_ERROR, error.cause())))
}

#[cold]
fn connection_error(error: HeadError) -> ConnectionError {
    match error {
        HeadError::Bomb => Budget::Bombs.into(),
        _ => (ErrorCode::COMPRESSION_ERROR, error.cause()).into(),
    }
}
