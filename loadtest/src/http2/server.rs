//! One connection as a server drives it: bytes in, requests out; heads and bodies in, bytes out (RFC 9113).
//!
//! It serves the test origin, and shares frames and header compression with the client beside it. Who uses it keeps what
//! it wants to know of a request at the place that [`Asked::Head`] names. Bodies are handed in as far as
//! [`Server::allowed`] says; nothing waits in here but bytes that are to be written. Invariant: a place is in use from
//! `Asked::Head` until a head or a body of ours ends the answer, [`Server::reset`], or [`Asked::Gone`].

use super::blocks::Blocks;
use super::frame::{self, Header, LONGEST};
use super::hpack::{Decoder, Indexed, TABLE};
use super::{Broken, NO_ERROR};

mod control;
mod requests;
mod streams;

use streams::Streams;

/// Bytes that clients may send without being told to go on, on all streams together.
const WINDOW: u32 = (1 << 30) - 1;
/// The same on one stream.
const STREAM_WINDOW: u32 = 1 << 20;
/// The window that everything begins with (RFC 9113 section 6.9.2).
const FIRST_WINDOW: u32 = 65_535;
/// Requests that a client may have under way.
const MOST_STREAMS: u32 = 1024;
/// Bodies wait while so much is to be written already.
const FULL: usize = 128 * 1024;

/// A request's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a [u8],
    pub(crate) path: &'a [u8],
    /// The other fields in lines, as HTTP/1.1 would write them; `:authority` is among them as `host`.
    pub(crate) lines: &'a [u8],
}

impl<'a> Request<'a> {
    /// The first field of this name, which is in lower case.
    pub(crate) fn field(&self, name: &str) -> Option<&'a [u8]> {
        let mut lines = self.lines.split(|byte| *byte == b'\n');
        lines.find_map(|line| {
            let value = line.strip_prefix(name.as_bytes())?.strip_prefix(b":")?;
            Some(value.trim_ascii())
        })
    }
}

/// What a client has asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked<'a> {
    /// A request begins; when nothing follows, [`Asked::End`] comes at once.
    Head { place: usize, request: Request<'a> },
    /// Some of its body.
    Data { place: usize, bytes: &'a [u8] },
    /// It is whole.
    End { place: usize },
    /// It has been given up, or broke a rule: nothing more is to be said on it.
    Gone { place: usize },
}

/// What of a DATA frame is still to come.
#[derive(Clone, Copy, Debug)]
struct Data {
    stream: u32,
    left: usize,
    padding: usize,
    ends: bool,
}

/// The server's side of a connection.
pub(crate) struct Server {
    /// What is to be written.
    out: Vec<u8>,
    pub(crate) indexed: Indexed,
    fields: usize,
    decoder: Decoder,
    /// Whether the client's first words have come: the preface, and SETTINGS.
    prefaced: bool,
    settled: bool,
    initial_window: u32,
    streams: Streams,
    /// What may be sent on all streams together.
    window: i64,
    /// What has been received since the client was last told to go on.
    received: u32,
    data: Option<Data>,
    blocks: Blocks,
    head: requests::Head,
    /// Either side takes its leave.
    leaving: bool,
}

impl Server {
    /// A connection on which nothing was said; `fields` is how many constant fields answers may have.
    pub(crate) fn new(fields: usize) -> Server {
        let mut out = Vec::with_capacity(1024);
        frame::settings(
            &[
                (frame::MAX_CONCURRENT_STREAMS, MOST_STREAMS),
                (frame::INITIAL_WINDOW_SIZE, STREAM_WINDOW),
            ],
            &mut out,
        );
        frame::number(frame::WINDOW_UPDATE, 0, WINDOW - FIRST_WINDOW, &mut out);
        Server {
            out,
            indexed: Indexed::new(fields, TABLE as u32),
            fields,
            decoder: Decoder::new(),
            prefaced: false,
            settled: false,
            initial_window: FIRST_WINDOW,
            streams: Streams::default(),
            window: i64::from(FIRST_WINDOW),
            received: 0,
            data: None,
            blocks: Blocks::default(),
            head: requests::Head::default(),
            leaving: false,
        }
    }

    /// Requests under way.
    pub(crate) fn under_way(&self) -> usize {
        self.streams.count()
    }

    /// Whether either side takes its leave.
    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving
    }

    /// What is to be written; taken bytes are to be dropped with [`Server::written`].
    pub(crate) fn output(&self) -> &[u8] {
        &self.out
    }

    /// So many bytes of the output have been taken.
    pub(crate) fn written(&mut self, bytes: usize) {
        match bytes >= self.out.len() {
            true => self.out.clear(),
            false => drop(self.out.drain(..bytes)),
        }
    }

    /// Whether bodies need not wait for what is to be written already.
    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        self.out.len() < FULL
    }

    /// Sends a header block: the head of an answer, or its trailers. When it ends the answer, the place is free.
    #[inline]
    pub(crate) fn head(&mut self, place: usize, block: &[u8], ends: bool) {
        let Some(stream) = self.streams.get(place) else {
            return;
        };
        frame::block(stream.id, block, ends, &mut self.out);
        if ends {
            self.finish(place);
        }
    }

    /// How much of a body may be sent now, in one frame.
    #[inline]
    pub(crate) fn allowed(&mut self, place: usize) -> usize {
        let window = self.window;
        let of = self.streams.get(place).map_or(0, |stream| stream.window);
        usize::try_from(of.min(window)).unwrap_or(0).min(LONGEST)
    }

    /// Sends some of a body, no more than is allowed. When it ends the answer, the place is free.
    #[inline]
    pub(crate) fn data(&mut self, place: usize, bytes: &[u8], ends: bool) {
        let Some(stream) = self.streams.get(place) else {
            return;
        };
        stream.window -= bytes.len() as i64;
        self.window -= bytes.len() as i64;
        Header {
            len: bytes.len(),
            kind: frame::DATA,
            flags: if ends { frame::END_STREAM } else { 0 },
            stream: stream.id,
        }
        .write(&mut self.out);
        self.out.extend_from_slice(bytes);
        if ends {
            self.finish(place);
        }
    }

    /// The answer has ended; a client that is still sending is told that it need not (RFC 9113 section 8.1).
    #[inline]
    fn finish(&mut self, place: usize) {
        if let Some(stream) = self.streams.remove(place)
            && !stream.ended
        {
            frame::number(frame::RST_STREAM, stream.id, NO_ERROR, &mut self.out);
        }
    }

    /// Gives a request up.
    pub(crate) fn reset(&mut self, place: usize, code: u32) {
        if let Some(stream) = self.streams.remove(place) {
            frame::number(frame::RST_STREAM, stream.id, code, &mut self.out);
        }
    }

    /// The client may send as much on the stream as at its beginning: what has come was taken.
    pub(crate) fn credit(&mut self, place: usize) {
        if let Some(stream) = self.streams.get(place)
            && stream.received > STREAM_WINDOW / 2
            && !stream.ended
        {
            frame::number(
                frame::WINDOW_UPDATE,
                stream.id,
                stream.received,
                &mut self.out,
            );
            stream.received = 0;
        }
    }

    /// Says that no more requests are taken, and why if that is the client's fault.
    pub(crate) fn part(&mut self, broken: Option<Broken>) {
        if !std::mem::replace(&mut self.leaving, true) || broken.is_some() {
            let code = broken.map_or(NO_ERROR, |it| it.code);
            frame::goaway(self.streams.last(), code, &mut self.out);
        }
    }

    /// Takes received bytes from the front and says how many; the rest is needed again with more behind it.
    ///
    /// # Errors
    /// The rule that the client broke; nothing more can be received.
    pub(crate) fn receive(
        &mut self,
        bytes: &[u8],
        on: &mut impl FnMut(Asked<'_>),
    ) -> Result<usize, Broken> {
        let mut rest = bytes;
        if !self.prefaced {
            match rest.strip_prefix(frame::PREFACE) {
                Some(behind) => rest = behind,
                None if frame::PREFACE.starts_with(rest) => return Ok(0),
                None => return Err(Broken::protocol("the preface is missing")),
            }
            self.prefaced = true;
        }
        loop {
            if self.data.is_some() {
                self.take_data(&mut rest, on)?;
                if self.data.is_some() {
                    break;
                }
            }
            let Some(header) = Header::read(rest) else {
                break;
            };
            self.blocks.check(header, self.settled)?;
            let Some(behind) = rest.get(frame::HEADER..) else {
                break;
            };
            if header.kind == frame::DATA {
                let Some(used) = self.begin_data(header, behind)? else {
                    break;
                };
                rest = behind.get(used..).unwrap_or_default();
                continue;
            }
            let Some((payload, behind)) = behind.split_at_checked(header.len) else {
                break;
            };
            rest = behind;
            match header.kind {
                frame::HEADERS | frame::CONTINUATION => self.headers(header, payload, on)?,
                _ => self.control(header, payload, on)?,
            }
        }
        Ok(bytes.len() - rest.len())
    }

    /// Whether a stream has been begun: what comes on those that have ended is passed over in silence.
    fn check_begun(&self, stream: u32) -> Result<(), Broken> {
        match stream % 2 == 1 && stream <= self.streams.last() {
            true => Ok(()),
            false => Err(Broken::protocol("a frame is of a stream that nobody began")),
        }
    }

    /// A request that breaks a rule ends alone.
    fn malformed(&mut self, place: usize, on: &mut impl FnMut(Asked<'_>)) {
        self.reset(place, super::PROTOCOL_ERROR);
        on(Asked::Gone { place });
    }
}

#[cfg(test)]
mod tests;
