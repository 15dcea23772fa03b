//! DATA coming in: windows, content-length, and the pieces handed out. And what the owner gives back of the windows.

use super::Connection;
use super::event::{ConnectionError, Event};
use super::receive::{Body, Reading, Step};
use crate::http2::abuse::Budget;
use crate::http2::frame::code::ErrorCode;
use crate::http2::frame::data::{Parts, parts};
use crate::http2::frame::{Header, control, flag};
use crate::http2::streams::{Half, StreamId};

impl Connection {
    /// Reports that `len` bytes of what [`Event::Data`] handed out for the stream are held no longer, so that the
    /// peer may send as many more; to be called for each byte sooner or later, also after the stream has closed. The
    /// frames that say so are put off until half a window has come together.
    pub fn consumed(&mut self, stream: StreamId, len: usize, out: &mut Vec<u8>) {
        self.release(Some(stream), u32::try_from(len).unwrap_or(u32::MAX), out);
    }

    /// Gives `len` bytes back to the connection's window and, if it is still needed, the stream's.
    #[inline]
    fn release(&mut self, stream: Option<StreamId>, len: u32, out: &mut Vec<u8>) {
        if let Some(increment) = self.receive_window.release(len) {
            control::write_window_update(0, increment, out);
        }
        if let Some(stream) = stream.and_then(|stream| self.streams.get_mut(stream))
            && let Some(increment) = stream.receive_window.release(len)
            && stream.received != Half::Done
        {
            control::write_window_update(stream.number, increment, out);
        }
    }

    /// Takes the header of a DATA frame (section 6.1) and the data that has come with it. The whole frame counts
    /// against the windows at once, and its padding is given back at once.
    #[inline]
    pub(super) fn data(
        &mut self,
        header: Header,
        at: usize,
        rest: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Step, ConnectionError> {
        let Some(parts) = parts(header, rest)? else {
            return Ok(Step::More);
        };
        if self.receive_window.take(header.len).is_err() {
            return Err((ErrorCode::FLOW_CONTROL_ERROR, "connection_window_exceeded").into());
        }
        let Some(id) = self.streams.find(header.stream) else {
            return self.late_data(header, parts, out);
        };
        let end = header.has(flag::END_STREAM);
        if let Some(stream) = self.streams.get_mut(id) {
            let fault = if stream.received == Half::Done {
                Some((ErrorCode::STREAM_CLOSED, "data_after_end"))
            } else if stream.received == Half::Head {
                Some((ErrorCode::PROTOCOL_ERROR, "data_before_head"))
            } else if stream.receive_window.take(header.len).is_err() {
                Some((ErrorCode::FLOW_CONTROL_ERROR, "stream_window_exceeded"))
            } else if !stream.expect(parts.data, end) {
                Some((ErrorCode::PROTOCOL_ERROR, "content_length_mismatch"))
            } else {
                None
            };
            if let Some((code, cause)) = fault {
                self.release(None, header.len, out);
                self.reading = Reading::skip(parts.data + parts.padding);
                let event = self.stream_error(id, code, cause, out)?;
                return Ok(Step::Event(parts.start, event));
            }
        }
        if parts.data > 0 {
            self.abuse.work();
        } else if !end {
            self.abuse.charge(Budget::EmptyData, self.now)?;
        }
        if header.len > parts.data {
            self.release(Some(id), header.len - parts.data, out);
        }
        let body = Body {
            stream: id,
            left: parts.data,
            padding: parts.padding,
            end,
        };
        Ok(self.body(body, at, parts.start, rest, out))
    }

    /// Hands out what has come of a DATA frame's data. `rest` stands `at` in the bytes shown, and the data begins at
    /// `start` in it.
    #[inline]
    pub(super) fn body(
        &mut self,
        mut body: Body,
        at: usize,
        start: usize,
        rest: &[u8],
        out: &mut Vec<u8>,
    ) -> Step {
        let here = rest.len().saturating_sub(start).min(body.left as usize);
        let used = start + here;
        body.left -= here as u32;
        let end = body.end && body.left == 0;
        if body.left > 0 {
            self.reading = Reading::Data(body);
            if here == 0 {
                return if used == 0 {
                    Step::More
                } else {
                    Step::Taken(used)
                };
            }
        } else {
            self.reading = Reading::skip(body.padding);
            if here == 0 && !end {
                return Step::Taken(used);
            }
        }
        let Some(stream) = self.streams.get_mut(body.stream) else {
            // The owner has reset it while the frame was coming.
            self.release(None, here as u32, out);
            return Step::Taken(used);
        };
        let token = stream.token;
        if end {
            stream.received = Half::Done;
            self.close_if_done(body.stream);
        }
        let event = Event::Data {
            stream: body.stream,
            token,
            payload: at + start..at + used,
            end,
        };
        Step::Event(used, event)
    }

    /// DATA for a stream that is not open: counted for the connection, and dropped or refused.
    #[cold]
    fn late_data(
        &mut self,
        header: Header,
        parts: Parts,
        out: &mut Vec<u8>,
    ) -> Result<Step, ConnectionError> {
        if self.is_idle(header.stream) {
            return Err((ErrorCode::PROTOCOL_ERROR, "data_on_idle_stream").into());
        }
        self.check_late(header.stream)?;
        match self.late_bytes.checked_sub(header.len.into()) {
            Some(left) if header.len > 0 => self.late_bytes = left,
            _ => self.abuse.charge(Budget::LateFrames, self.now)?,
        }
        self.release(None, header.len, out);
        self.reading = Reading::skip(parts.data + parts.padding);
        Ok(Step::Taken(parts.start))
    }
}
