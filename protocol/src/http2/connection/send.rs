//! What the owner sends: heads, bodies, trailers, resets, PING, and the end of the connection.

use super::control::DRAIN_PING;
use super::event::{OpenError, SendError};
use super::{Connection, Going, Role};
use crate::http2::abuse::Budget;
use crate::http2::frame::code::ErrorCode;
use crate::http2::frame::{control, data, headers};
use crate::http2::head::Encoder;
use crate::http2::streams::{Half, Stream, StreamId};
use crate::message::Method;

/// The last stream that a drain's first GOAWAY names: all that could ever be (RFC 9113 section 6.8).
const EVERY_STREAM: u32 = 0x7fff_ffff;

impl Connection {
    /// Opens a stream and sends a request's head on it; clients only. `text` is the head as HTTP/1.1 has it, `GET
    /// /path HTTP/1.1`, fields, empty line; what HTTP/2 says otherwise or forbids is translated or left out. `scheme`
    /// is `http` or `https`. With `end`, no body and no trailers follow.
    pub fn send_request(
        &mut self,
        text: &[u8],
        scheme: &[u8],
        token: u64,
        end: bool,
        out: &mut Vec<u8>,
    ) -> Result<StreamId, OpenError> {
        let method = text.split(|byte| *byte == b' ').next().unwrap_or_default();
        let method = Method::parse(method);
        self.open_stream(method, token, end, out, |encoder, out| {
            encoder.request(text, scheme, out);
        })
    }

    /// The same for an extended CONNECT (RFC 8441) that is to speak `protocol`, such as `websocket`; `text` is the head
    /// of the HTTP/1.1 request that asks for the upgrade. Only where `peer_takes_connect_protocol`.
    pub fn send_tunnel(
        &mut self,
        text: &[u8],
        scheme: &[u8],
        protocol: &[u8],
        token: u64,
        out: &mut Vec<u8>,
    ) -> Result<StreamId, OpenError> {
        self.open_stream(Method::Connect, token, false, out, |encoder, out| {
            encoder.tunnel(text, scheme, protocol, out);
        })
    }

    #[inline]
    fn open_stream(
        &mut self,
        method: Method,
        token: u64,
        end: bool,
        out: &mut Vec<u8>,
        encode: impl FnOnce(&mut Encoder, &mut Vec<u8>),
    ) -> Result<StreamId, OpenError> {
        debug_assert_eq!(self.role, Role::Client);
        self.room()?;
        let number = if self.last == 0 { 1 } else { self.last + 2 };
        self.last = number;
        let mut stream = Stream::new(number, self.peer.initial_window, self.stream_window());
        stream.method = method;
        stream.token = token;
        stream.sent = if end { Half::Done } else { Half::Body };
        let id = self.streams.insert(stream);
        let max = self.peer.max_frame_size;
        headers::write_block(number, end, max, out, |out| encode(&mut self.encoder, out));
        Ok(id)
    }

    /// Sends an answer's final head, `HTTP/1.1 200 OK`, fields, empty line; servers only. With `end`, no body and no
    /// trailers follow.
    pub fn send_response(
        &mut self,
        stream: StreamId,
        text: &[u8],
        end: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), SendError> {
        self.before_head(stream)?;
        let next = if end { Half::Done } else { Half::Body };
        self.send_block(stream, next, end, out, |encoder, out| {
            encoder.response(text, out);
        })
    }

    /// Sends an interim answer's head (1xx except 101), before the final one; servers only.
    pub fn send_interim(
        &mut self,
        stream: StreamId,
        text: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SendError> {
        self.before_head(stream)?;
        self.send_block(stream, Half::Head, false, out, |encoder, out| {
            encoder.response(text, out);
        })
    }

    /// Sends a trailer section, `name: value` lines, which ends the stream in this direction.
    pub fn send_trailers(
        &mut self,
        stream: StreamId,
        text: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SendError> {
        self.before_body(stream)?;
        self.send_block(stream, Half::Done, true, out, |encoder, out| {
            encoder.trailers(text, out);
        })
    }

    /// How many bytes the windows let the stream send now. At 0 an [`Event::Writable`](super::Event::Writable) (or
    /// `WritableAll`, or `Settings`) will come when there are more.
    #[inline]
    pub fn sendable(&mut self, stream: StreamId) -> usize {
        let connection = self.send_window.available();
        let Some(state) = self.streams.get_mut(stream) else {
            return 0;
        };
        let both = connection.min(state.send_window.available());
        if both == 0 && state.sent == Half::Body {
            state.blocked = true;
            self.blocked |= connection == 0;
            if state.stalled_since == 0 {
                state.stalled_since = self.now.max(1);
            }
        }
        both
    }

    /// Sends as much of `payload` as the windows allow, in frames that the peer takes. How many bytes went; for the
    /// rest, [`Event::Writable`](super::Event::Writable) comes. `end` counts only if all of it went, and may come with
    /// no payload at all.
    pub fn send_data(
        &mut self,
        stream: StreamId,
        payload: &[u8],
        end: bool,
        out: &mut Vec<u8>,
    ) -> Result<usize, SendError> {
        let mut rest = payload;
        loop {
            let len = self.begin_data(stream, rest.len(), end, out)?;
            let Some((now, later)) = rest.split_at_checked(len) else {
                return Ok(payload.len());
            };
            out.extend_from_slice(now);
            if len == 0 || later.is_empty() {
                return Ok(payload.len() - later.len());
            }
            rest = later;
        }
    }

    /// Appends the header of one DATA frame, for a payload of up to `len` bytes that the owner has elsewhere. How many
    /// bytes of it, at most `len`, must come right behind that header; the rest needs headers of its own. 0 when the
    /// windows allow nothing, and then no header was written, unless `len` is 0 and `end` is set. `end` counts only if
    /// all `len` bytes go.
    #[inline]
    pub fn begin_data(
        &mut self,
        stream: StreamId,
        len: usize,
        end: bool,
        out: &mut Vec<u8>,
    ) -> Result<usize, SendError> {
        self.before_body(stream)?;
        if len == 0 {
            if end {
                data::write_header(stream.number(), 0, true, out);
                self.sent(stream, Half::Done);
            }
            return Ok(0);
        }
        let frame = len
            .min(self.send_window.available())
            .min(self.peer.max_frame_size as usize);
        let Some(state) = self.streams.get_mut(stream) else {
            return Err(SendError::Closed);
        };
        let frame = frame.min(state.send_window.available());
        if frame == 0 {
            self.sendable(stream);
            return Ok(0);
        }
        let short = frame < len;
        state.send_window.take(frame as u32);
        state.blocked = false;
        state.stalled_since = 0;
        self.send_window.take(frame as u32);
        self.abuse.work();
        let end = end && frame == len;
        data::write_header(stream.number(), frame as u32, end, out);
        if end {
            self.sent(stream, Half::Done);
        } else if short {
            self.sendable(stream);
        }
        Ok(frame)
    }

    /// Ends the stream at once by RST_STREAM; nothing if it has closed. Codes that blame the peer are counted against
    /// it. After a whole answer NO_ERROR says that the rest of the request is not wanted (section 8.1).
    pub fn reset(&mut self, stream: StreamId, code: ErrorCode, out: &mut Vec<u8>) {
        if !self.is_open(stream) {
            return;
        }
        control::write_reset(stream.number(), code, out);
        if code.blames_peer() {
            self.abuse.charge_later(Budget::ForcedResets, self.now);
        }
        self.cut(stream);
    }

    /// Sends a PING; its answer is [`Event::Pong`](super::Event::Pong).
    pub fn ping(&mut self, payload: [u8; 8], out: &mut Vec<u8>) {
        control::write_ping(false, payload, out);
    }

    /// Begins to end the connection without losing a request (section 6.8). A server says that it is going and sends a
    /// PING; until that is answered it takes streams as before, and then says which was the last by itself. If the
    /// answer is long in coming, `goaway` does not wait for it. A client only stops opening streams. The end is
    /// `is_drained`.
    pub fn drain(&mut self, out: &mut Vec<u8>) {
        match (self.going, self.role) {
            (Going::Not, Role::Server) => {
                self.going = Going::Announced;
                control::write_goaway(EVERY_STREAM, ErrorCode::NO_ERROR, b"", out);
                control::write_ping(false, DRAIN_PING, out);
            }
            (Going::Not, Role::Client) => self.going = Going::Last(self.last),
            _ => {}
        }
    }

    /// Says which stream is the last that is taken on, and takes none above it; those up to it may go on. With another
    /// code than NO_ERROR the owner closes after it.
    pub fn goaway(&mut self, code: ErrorCode, out: &mut Vec<u8>) {
        let last = self.last_processed();
        control::write_goaway(last, code, b"", out);
        self.going = match (self.role, self.going) {
            (Role::Client, Going::Not | Going::Announced) => Going::Last(self.last),
            (Role::Client, going) => going,
            (Role::Server, _) => Going::Last(last),
        };
    }

    #[inline]
    fn before_head(&self, stream: StreamId) -> Result<(), SendError> {
        match self.streams.get(stream).map(|stream| stream.sent) {
            Some(Half::Head) => Ok(()),
            Some(Half::Body) => Err(SendError::Order),
            Some(Half::Done) | None => Err(SendError::Closed),
        }
    }

    #[inline]
    fn before_body(&self, stream: StreamId) -> Result<(), SendError> {
        match self.streams.get(stream).map(|stream| stream.sent) {
            Some(Half::Body) => Ok(()),
            Some(Half::Head) => Err(SendError::Order),
            Some(Half::Done) | None => Err(SendError::Closed),
        }
    }

    #[inline]
    fn send_block(
        &mut self,
        stream: StreamId,
        next: Half,
        end: bool,
        out: &mut Vec<u8>,
        encode: impl FnOnce(&mut Encoder, &mut Vec<u8>),
    ) -> Result<(), SendError> {
        let max = self.peer.max_frame_size;
        headers::write_block(stream.number(), end, max, out, |out| {
            encode(&mut self.encoder, out)
        });
        self.sent(stream, next);
        Ok(())
    }

    /// Moves our side of the stream on.
    #[inline]
    fn sent(&mut self, stream: StreamId, next: Half) {
        if let Some(state) = self.streams.get_mut(stream) {
            state.sent = next;
        }
        if next == Half::Done {
            self.close_if_done(stream);
        }
        #[cfg(debug_assertions)]
        self.check_invariants();
    }
}
