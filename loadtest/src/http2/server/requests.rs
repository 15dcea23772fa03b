//! Requests: their heads, bodies and trailers, held against RFC 9113 section 8.1 to 8.3.

use super::streams::Stream;
use super::{Asked, Data, MOST_STREAMS, Request, STREAM_WINDOW, Server, WINDOW};
use crate::http2::blocks::Block;
use crate::http2::frame::{self, Header};
use crate::http2::hpack::{Field, Known};
use crate::http2::payload::length;
use crate::http2::{Broken, REFUSED_STREAM};

/// What a header block says; its memory is used again.
#[derive(Default)]
pub(super) struct Head {
    method: Vec<u8>,
    path: Vec<u8>,
    lines: Vec<u8>,
    scheme: bool,
    length: Option<u64>,
    /// Fields that are no pseudo-headers.
    others: bool,
    faulty: bool,
}

impl Head {
    fn clear(&mut self) {
        self.method.clear();
        self.path.clear();
        self.lines.clear();
        (self.scheme, self.others, self.faulty) = (false, false, false);
        self.length = None;
    }

    #[inline]
    fn field(&mut self, field: Field<'_>) {
        let ends_line = |byte: &u8| matches!(byte, 0 | b'\r' | b'\n');
        self.faulty |= field.value.iter().any(ends_line);
        match field.known {
            Known::Pseudo => return self.pseudo(field.name, field.value),
            // An answer's, in a request.
            Known::Status | Known::Forbidden => self.faulty = true,
            Known::ContentLength => match (length(field.value), self.length) {
                (Some(length), None) => self.length = Some(length),
                (Some(length), Some(other)) if length == other => {}
                _ => self.faulty = true,
            },
            Known::Other | Known::GrpcStatus => {}
        }
        self.others = true;
        self.line(field.name, field.value);
    }

    fn pseudo(&mut self, name: &[u8], value: &[u8]) {
        self.faulty |= self.others;
        match name {
            b":method" if self.method.is_empty() => self.method.extend_from_slice(value),
            b":path" if self.path.is_empty() => self.path.extend_from_slice(value),
            b":scheme" if !self.scheme => self.scheme = true,
            b":authority" if self.lines.is_empty() => self.line(b"host", value),
            _ => self.faulty = true,
        }
    }

    fn line(&mut self, name: &[u8], value: &[u8]) {
        for piece in [name, b": ", value, b"\r\n"] {
            self.lines.extend_from_slice(piece);
        }
    }

    /// Whether it can be a request's (RFC 9113 section 8.3.1); CONNECT is not served.
    fn is_request(&self) -> bool {
        let target = self.path.starts_with(b"/") || self.path == b"*";
        !self.faulty && self.scheme && target && !matches!(&*self.method, b"" | b"CONNECT")
    }

    /// Whether it can be trailers.
    fn is_trailers(&self) -> bool {
        !self.faulty && self.method.is_empty() && self.path.is_empty() && !self.scheme
    }
}

impl Server {
    /// HEADERS or CONTINUATION, whole.
    pub(super) fn headers(
        &mut self,
        header: Header,
        payload: &[u8],
        on: &mut impl FnMut(Asked<'_>),
    ) -> Result<(), Broken> {
        if self.blocks.is_first() && header.stream.is_multiple_of(2) {
            return Err(Broken::protocol("a client's stream has an odd number"));
        }
        let Some((block, text)) = self.blocks.take(header, payload)? else {
            return Ok(());
        };
        let done = self.whole_head(block, &text, on);
        self.blocks.keep(text);
        done
    }

    /// A whole header block: also one that nobody waits for must be read, since it changes the table.
    fn whole_head(
        &mut self,
        block: Block,
        fragment: &[u8],
        on: &mut impl FnMut(Asked<'_>),
    ) -> Result<(), Broken> {
        let head = &mut self.head;
        head.clear();
        self.decoder.decode(fragment, |field| head.field(field))?;
        if block.stream <= self.streams.last() {
            if let Some(place) = self.streams.place(block.stream) {
                match block.ends && self.head.is_trailers() {
                    true => self.end(place, on),
                    false => self.malformed(place, on),
                }
            }
            return Ok(());
        }
        self.streams.used(block.stream);
        if self.leaving || self.streams.count() >= MOST_STREAMS as usize {
            let code = REFUSED_STREAM;
            frame::number(frame::RST_STREAM, block.stream, code, &mut self.out);
            return Ok(());
        }
        if !self.head.is_request() {
            let code = crate::http2::PROTOCOL_ERROR;
            frame::number(frame::RST_STREAM, block.stream, code, &mut self.out);
            return Ok(());
        }
        let place = self.streams.insert(Stream {
            id: block.stream,
            window: i64::from(self.initial_window),
            length: self.head.length,
            ..Stream::default()
        });
        let request = Request {
            method: &self.head.method,
            path: &self.head.path,
            lines: &self.head.lines,
        };
        on(Asked::Head { place, request });
        if block.ends {
            self.end(place, on);
        }
        Ok(())
    }

    /// Begins a DATA frame; says how many bytes behind its header were used, none when more are needed.
    #[inline]
    pub(super) fn begin_data(
        &mut self,
        header: Header,
        behind: &[u8],
    ) -> Result<Option<usize>, Broken> {
        self.check_begun(header.stream)?;
        let (padding, used) = match header.has(frame::PADDED) {
            false => (0, 0),
            true => match behind.first() {
                None => return Ok(None),
                Some(padding) => (usize::from(*padding), 1),
            },
        };
        let left = header.len.checked_sub(padding + used);
        let left = left.ok_or(Broken::protocol(
            "a frame's padding is longer than the frame",
        ))?;
        self.received += header.len as u32;
        if self.received > WINDOW {
            return Err(Broken::flow("more was sent than the connection's window"));
        }
        if self.received > WINDOW / 2 {
            frame::number(frame::WINDOW_UPDATE, 0, self.received, &mut self.out);
            self.received = 0;
        }
        if let Some(place) = self.streams.place(header.stream)
            && let Some(stream) = self.streams.get(place)
        {
            stream.received += header.len as u32;
            if stream.received > STREAM_WINDOW {
                return Err(Broken::flow("more was sent than a stream's window"));
            }
        }
        self.data = Some(Data {
            stream: header.stream,
            left,
            padding,
            ends: header.has(frame::END_STREAM),
        });
        Ok(Some(used))
    }

    /// Takes what there is of a DATA frame.
    #[inline]
    pub(super) fn take_data(
        &mut self,
        rest: &mut &[u8],
        on: &mut impl FnMut(Asked<'_>),
    ) -> Result<(), Broken> {
        let Some(mut data) = self.data else {
            return Ok(());
        };
        let (bytes, behind) = rest.split_at(data.left.min(rest.len()));
        let (padding, behind) = behind.split_at(match bytes.len() == data.left {
            true => data.padding.min(behind.len()),
            false => 0,
        });
        *rest = behind;
        data.left -= bytes.len();
        data.padding -= padding.len();
        let whole = data.left == 0 && data.padding == 0;
        self.data = (!whole).then_some(data);
        let Some(place) = self.streams.place(data.stream) else {
            return Ok(());
        };
        let Some(stream) = self.streams.get(place) else {
            return Ok(());
        };
        stream.got += bytes.len() as u64;
        if stream.ended || stream.length.is_some_and(|length| stream.got > length) {
            self.malformed(place, on);
            return Ok(());
        }
        if !bytes.is_empty() {
            on(Asked::Data { place, bytes });
        }
        if whole && data.ends {
            self.end(place, on);
        }
        Ok(())
    }

    /// The request has ended.
    #[inline]
    fn end(&mut self, place: usize, on: &mut impl FnMut(Asked<'_>)) {
        let Some(stream) = self.streams.get(place) else {
            return;
        };
        let short = stream.length.is_some_and(|length| length != stream.got);
        match short || std::mem::replace(&mut stream.ended, true) {
            true => self.malformed(place, on),
            false => on(Asked::End { place }),
        }
    }
}
