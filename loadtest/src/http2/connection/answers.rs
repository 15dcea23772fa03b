//! Answers: their heads, bodies and trailers, held against RFC 9113 section 8.1 and 8.2.

use super::{Connection, Data, Event, WINDOW};
use crate::http2::blocks::Block;
use crate::http2::frame::{self, Header};
use crate::http2::hpack::{Field, Known};
use crate::http2::payload::length;
use crate::http2::{Broken, CANCEL};

/// What a header block says.
#[derive(Default)]
struct Head {
    status: Option<u16>,
    length: Option<u64>,
    grpc: Option<u8>,
    /// Fields that are no pseudo-headers.
    others: bool,
    fault: Option<&'static str>,
}

impl Head {
    #[inline]
    fn field(&mut self, field: Field<'_>, lines: Option<&mut Vec<u8>>) {
        match field.known {
            Known::Status => {
                if self.others || self.status.is_some() {
                    self.fault = Some("`:status` is there twice, or behind other fields");
                }
                match status(field.value) {
                    Some(status) => self.status = Some(status),
                    None => self.fault = Some("`:status` is not a status"),
                }
                return;
            }
            Known::Pseudo => self.fault = Some("a pseudo-header is there that no answer has"),
            Known::Forbidden => {
                self.fault = Some("a header's name is not one that HTTP/2 has");
            }
            Known::ContentLength => match (length(field.value), self.length) {
                (Some(length), None) => self.length = Some(length),
                (Some(length), Some(other)) if length == other => {}
                _ => self.fault = Some("content-length is not one number"),
            },
            // What is no number is UNKNOWN, as gRPC's clients take it.
            Known::GrpcStatus => {
                self.grpc = Some(length(field.value).map_or(2, |it| it.min(99) as u8))
            }
            Known::Other => {}
        }
        if field
            .value
            .iter()
            .any(|byte| matches!(byte, 0 | b'\r' | b'\n'))
        {
            self.fault = Some("a header's value has line ends in it");
        }
        self.others = true;
        if let Some(lines) = lines {
            lines.extend_from_slice(field.name);
            lines.extend_from_slice(b": ");
            lines.extend_from_slice(field.value);
            lines.extend_from_slice(b"\r\n");
        }
    }
}

fn status(value: &[u8]) -> Option<u16> {
    let [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9'] = value else {
        return None;
    };
    let digit = |byte: &u8| u16::from(byte - b'0');
    Some(digit(a) * 100 + digit(b) * 10 + digit(c))
}

impl Connection {
    /// HEADERS or CONTINUATION, whole.
    pub(super) fn headers(
        &mut self,
        header: Header,
        payload: &[u8],
        on: &mut impl FnMut(Event<'_>),
    ) -> Result<(), Broken> {
        if self.blocks.is_first() {
            self.check_begun(header.stream)?;
        }
        let Some((block, text)) = self.blocks.take(header, payload)? else {
            return Ok(());
        };
        let done = self.head(block, &text, on);
        self.blocks.keep(text);
        done
    }

    /// A whole header block: also one of a stream that has ended must be read, since it changes the table.
    fn head(
        &mut self,
        block: Block,
        fragment: &[u8],
        on: &mut impl FnMut(Event<'_>),
    ) -> Result<(), Broken> {
        let place = self.streams.place(block.stream);
        let wants = place
            .and_then(|place| self.streams.get(place))
            .is_some_and(|stream| stream.wants_headers);
        let mut head = Head::default();
        self.lines.clear();
        let lines = &mut self.lines;
        self.decoder.decode(fragment, |field| {
            head.field(field, wants.then_some(&mut *lines));
        })?;
        let Some(place) = place else {
            return Ok(());
        };
        let Some(stream) = self.streams.get(place) else {
            return Ok(());
        };
        let trailers = stream.answered;
        let rule = match (head.fault, head.status) {
            (Some(fault), _) => Some(fault),
            (None, Some(_)) if trailers => Some("`:status` is among the trailers"),
            (None, None) if !trailers => Some("the answer has no `:status`"),
            (None, None) if !block.ends => Some("trailers do not end the answer"),
            (None, Some(101)) => Some("101 has no place in HTTP/2"),
            (None, Some(100..200)) if block.ends => Some("an interim answer ends the stream"),
            _ => None,
        };
        if let Some(rule) = rule {
            self.malformed(place, rule, on);
            return Ok(());
        }
        stream.grpc = head.grpc.or(stream.grpc);
        if let Some(status @ 200..) = head.status {
            stream.answered = true;
            let bodiless = stream.head || matches!(status, 204 | 304);
            stream.length = match bodiless {
                true => Some(0),
                false => head.length,
            };
            on(Event::Head {
                place,
                status,
                bytes: fragment.len() + frame::HEADER,
                headers: &self.lines,
            });
        }
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
        let left = header
            .len
            .checked_sub(padding + used)
            .ok_or(Broken::protocol(
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
        let ends = header.has(frame::END_STREAM);
        if let Some(place) = self.streams.place(header.stream)
            && let Some(stream) = self.streams.get(place)
        {
            stream.received += header.len as u32;
            if stream.received > WINDOW {
                return Err(Broken::flow("more was sent than a stream's window"));
            }
            if stream.received > WINDOW / 2 && !ends {
                let id = stream.id;
                frame::number(frame::WINDOW_UPDATE, id, stream.received, &mut self.out);
                stream.received = 0;
            }
        }
        self.data = Some(Data {
            stream: header.stream,
            left,
            padding,
            ends,
        });
        Ok(Some(used))
    }

    /// Takes what there is of a DATA frame.
    #[inline]
    pub(super) fn data(
        &mut self,
        rest: &mut &[u8],
        on: &mut impl FnMut(Event<'_>),
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
        let rule = match stream.length {
            _ if !stream.answered => Some("a body comes before its head"),
            Some(length) if stream.got > length => Some("the body is longer than it should be"),
            _ => None,
        };
        if let Some(rule) = rule {
            self.malformed(place, rule, on);
            return Ok(());
        }
        if !bytes.is_empty() {
            on(Event::Data { place, bytes });
        }
        if whole && data.ends {
            self.end(place, on);
        }
        Ok(())
    }

    /// The answer has ended.
    #[inline]
    fn end(&mut self, place: usize, on: &mut impl FnMut(Event<'_>)) {
        let Some(stream) = self.streams.remove(place) else {
            return;
        };
        if !stream.unsent.is_empty() {
            // What is answered need not be sent (RFC 9113 section 8.1).
            frame::number(frame::RST_STREAM, stream.id, CANCEL, &mut self.out);
        }
        match stream.length {
            Some(length) if length != stream.got => on(Event::Malformed {
                place,
                rule: "the body is shorter than it should be",
            }),
            _ => on(Event::Whole {
                place,
                grpc: stream.grpc,
            }),
        }
    }
}
