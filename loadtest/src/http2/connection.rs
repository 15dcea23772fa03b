//! One connection as a client drives it: requests in, bytes out; bytes in, events out.
//!
//! Who uses it keeps what it wants to know of a request at the place that [`Connection::start`] gives. Received bytes are
//! read where they lie; DATA as it comes, other frames when they are whole. Windows are as large as they may be, so that
//! a server's sending is bounded by nothing of ours. Invariant: a place is in use from `start` until the event that ends
//! it, or [`Connection::cancel`].

use super::blocks::Blocks;
use super::frame::{self, Header};
use super::hpack::{Decoder, Indexed};
use super::{Broken, CANCEL, PROTOCOL_ERROR};

mod answers;
mod control;
mod sending;
mod streams;

use streams::Streams;

/// Bytes that a server may send without being told to go on, by stream and by connection: half of what there could be.
const WINDOW: u32 = (1 << 30) - 1;
/// The window that everything begins with (RFC 9113 section 6.9.2).
const FIRST_WINDOW: u32 = 65_535;

/// What a server has said it takes (RFC 9113 section 6.5.2).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    pub(crate) max_streams: u32,
    initial_window: u32,
    table: u32,
}

/// A request, encoded.
pub(crate) struct Request<'a> {
    /// Its header block, written by way of [`Connection::indexed`].
    pub(crate) block: &'a [u8],
    pub(crate) body: &'a [u8],
    /// Whether the answer has no body whatever it says: HEAD.
    pub(crate) head: bool,
    /// Whether the answer's headers are wanted.
    pub(crate) wants_headers: bool,
}

/// What became of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    /// The head of the answer, of so many bytes, and its lines as HTTP/1.1 would write them if they are wanted.
    Head {
        place: usize,
        status: u16,
        bytes: usize,
        headers: &'a [u8],
    },
    /// Some of its body.
    Data { place: usize, bytes: &'a [u8] },
    /// It is whole; of gRPC, with this status.
    Whole { place: usize, grpc: Option<u8> },
    /// It breaks a rule.
    Malformed { place: usize, rule: &'static str },
    /// The server gave the request up.
    Reset { place: usize },
    /// The server has not looked at the request, which may be sent again (RFC 9113 section 8.7).
    Unprocessed { place: usize },
}

/// What of a DATA frame is still to come.
#[derive(Clone, Copy, Debug)]
struct Data {
    stream: u32,
    left: usize,
    padding: usize,
    ends: bool,
}

/// The client's side of a connection.
pub(crate) struct Connection {
    /// What is to be written.
    out: Vec<u8>,
    pub(crate) indexed: Indexed,
    fields: usize,
    decoder: Decoder,
    peer: Option<Peer>,
    streams: Streams,
    /// What may be sent on all streams together.
    window: i64,
    /// What has been received since the server was last told to go on.
    received: u32,
    data: Option<Data>,
    blocks: Blocks,
    /// The lines of a head.
    lines: Vec<u8>,
    /// The server takes no more requests.
    leaving: bool,
}

impl Connection {
    /// A connection to a server that nothing is known of; `fields` is how many constant fields requests may have.
    pub(crate) fn new(fields: usize) -> Connection {
        let mut out = Vec::with_capacity(1024);
        out.extend_from_slice(frame::PREFACE);
        frame::settings(
            &[
                (frame::ENABLE_PUSH, 0),
                (frame::INITIAL_WINDOW_SIZE, WINDOW),
            ],
            &mut out,
        );
        frame::number(frame::WINDOW_UPDATE, 0, WINDOW - FIRST_WINDOW, &mut out);
        Connection {
            out,
            indexed: Indexed::new(fields, frame_table()),
            fields,
            decoder: Decoder::new(),
            peer: None,
            streams: Streams::default(),
            window: i64::from(FIRST_WINDOW),
            received: 0,
            data: None,
            blocks: Blocks::default(),
            lines: Vec::new(),
            leaving: false,
        }
    }

    /// What the server has said it takes; none before its first word.
    pub(crate) fn peer(&self) -> Option<Peer> {
        self.peer
    }

    /// Requests under way.
    pub(crate) fn under_way(&self) -> usize {
        self.streams.count()
    }

    /// How many more requests may be started.
    #[inline]
    pub(crate) fn room(&self) -> usize {
        match self.peer {
            Some(peer) if !self.leaving => {
                (peer.max_streams as usize).saturating_sub(self.streams.count())
            }
            _ => 0,
        }
    }

    /// Whether the server takes no more requests on this connection.
    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving
    }

    /// What is to be written; taken bytes are to be dropped with [`Connection::written`].
    pub(crate) fn output(&self) -> &[u8] {
        &self.out
    }

    /// So many bytes of the output have been taken; bodies that waited for room go on.
    pub(crate) fn written(&mut self, bytes: usize) {
        match bytes >= self.out.len() {
            true => self.out.clear(),
            false => drop(self.out.drain(..bytes)),
        }
        self.pump();
    }

    /// Gives a request up: its answer is not awaited any more.
    pub(crate) fn cancel(&mut self, place: usize) {
        self.reset(place, CANCEL);
    }

    fn reset(&mut self, place: usize, code: u32) {
        if let Some(stream) = self.streams.remove(place) {
            frame::number(frame::RST_STREAM, stream.id, code, &mut self.out);
        }
    }

    /// Says that it is over, and why if that is the server's fault.
    pub(crate) fn part(&mut self, broken: Option<Broken>) {
        // Nothing that the server began was taken, since it begins nothing.
        frame::goaway(0, broken.map_or(0, |it| it.code), &mut self.out);
    }

    /// Takes received bytes from the front and says how many; the rest is needed again with more behind it.
    ///
    /// # Errors
    /// The rule that the server broke; nothing more can be received.
    pub(crate) fn receive(
        &mut self,
        bytes: &[u8],
        on: &mut impl FnMut(Event<'_>),
    ) -> Result<usize, Broken> {
        let mut rest = bytes;
        loop {
            if self.data.is_some() {
                self.data(&mut rest, on)?;
                if self.data.is_some() {
                    break;
                }
            }
            let Some(header) = Header::read(rest) else {
                break;
            };
            self.blocks.check(header, self.peer.is_some())?;
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
        self.pump();
        Ok(bytes.len() - rest.len())
    }

    /// Whether a stream can have been begun by us: those that have ended are passed over in silence.
    fn check_begun(&self, stream: u32) -> Result<(), Broken> {
        match stream % 2 == 1 && stream < self.streams.next_id() {
            true => Ok(()),
            false => Err(Broken::protocol("a frame is of a stream that nobody began")),
        }
    }

    /// An answer that breaks a rule ends alone.
    fn malformed(&mut self, place: usize, rule: &'static str, on: &mut impl FnMut(Event<'_>)) {
        self.reset(place, PROTOCOL_ERROR);
        on(Event::Malformed { place, rule });
    }
}

fn frame_table() -> u32 {
    super::hpack::TABLE as u32
}

#[cfg(test)]
mod tests;
