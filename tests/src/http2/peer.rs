//! One HTTP/2 connection in either role, frame by frame: it files what comes, and sends what it is told.
//!
//! Every wait is a read with the harness's bound. [`Manners`] say what it does by itself.

use std::collections::{BTreeMap, VecDeque};
use std::io;

use super::frame::{Frame, PREFACE, USUAL_MOST, flag, kind, setting};
use super::hpack::{self, Decoder};
use super::stream::Coming;
use crate::wire::{Field, Wire};

/// What a peer does without being told.
#[derive(Clone, Copy, Debug)]
pub struct Manners {
    /// Acknowledges SETTINGS and PING.
    pub acknowledges: bool,
    /// Gives back by WINDOW_UPDATE, at once, what DATA takes of the windows.
    pub credits: bool,
}

impl Manners {
    /// All that a peer should do.
    pub const GOOD: Manners = Manners {
        acknowledges: true,
        credits: true,
    };

    /// Takes what comes, and gives no window back.
    pub const STINGY: Manners = Manners {
        acknowledges: true,
        credits: false,
    };

    /// Only what it is told.
    pub const NONE: Manners = Manners {
        acknowledges: false,
        credits: false,
    };
}

/// A GOAWAY that has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Goaway {
    /// The last stream that was or might be processed.
    pub last: u32,
    /// Why.
    pub code: u32,
    /// The debug data, as text.
    pub words: String,
}

/// One connection.
pub struct Http2 {
    /// The bytes.
    pub wire: Wire,
    /// What it does by itself.
    pub manners: Manners,
    /// The peer's SETTINGS, all that have come.
    pub settings: Vec<(u16, u32)>,
    /// How many SETTINGS of ours were acknowledged.
    pub acknowledged: usize,
    /// PINGs that came.
    pub pings: Vec<[u8; 8]>,
    /// Answers to PING.
    pub pongs: Vec<[u8; 8]>,
    /// GOAWAYs, oldest first.
    pub goaways: Vec<Goaway>,
    /// WINDOW_UPDATEs: stream and increment.
    pub updates: Vec<(u32, u32)>,
    pub(super) streams: BTreeMap<u32, Coming>,
    begun: VecDeque<u32>,
    decoder: Decoder,
    block: Option<(u32, bool, Vec<u8>)>,
    /// What we may send on the connection, and on each stream beyond what it began with.
    window: i64,
    windows: BTreeMap<u32, i64>,
}

impl Http2 {
    /// A connection that nothing was said on.
    pub fn new(wire: Wire, manners: Manners) -> Http2 {
        Http2 {
            wire,
            manners,
            settings: Vec::new(),
            acknowledged: 0,
            pings: Vec::new(),
            pongs: Vec::new(),
            goaways: Vec::new(),
            updates: Vec::new(),
            streams: BTreeMap::new(),
            begun: VecDeque::new(),
            decoder: Decoder::default(),
            block: None,
            window: 65_535,
            windows: BTreeMap::new(),
        }
    }

    /// Takes a client's connection over as the server, with SETTINGS of its own.
    pub fn accept(wire: Wire, settings: &[(u16, u32)], manners: Manners) -> io::Result<Http2> {
        let mut http2 = Http2::new(wire, manners);
        let preface = http2.wire.take(PREFACE.len())?;
        assert_eq!(preface, PREFACE, "the gateway begins like this");
        http2.send(&Frame::settings(settings))?;
        Ok(http2)
    }

    /// Sends a frame.
    pub fn send(&mut self, frame: &Frame) -> io::Result<()> {
        self.wire.write(&frame.bytes())
    }

    /// Sends several in one write.
    pub fn send_all(&mut self, frames: &[Frame]) -> io::Result<()> {
        let bytes: Vec<u8> = frames.iter().flat_map(Frame::bytes).collect();
        self.wire.write(&bytes)
    }

    /// Sends a head whole, in frames of the usual size.
    pub fn head(&mut self, stream: u32, fields: &[Field], end: bool) -> io::Result<()> {
        let block = hpack::block(fields);
        let parts: Vec<&[u8]> = block.chunks(USUAL_MOST).collect();
        let mut frames = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            let last = at + 1 == parts.len();
            frames.push(match at {
                0 => {
                    let mut first = Frame::headers(stream, *part, end);
                    if !last {
                        first.flags &= !flag::END_HEADERS;
                    }
                    first
                }
                _ => Frame::continuation(stream, *part, last),
            });
        }
        self.send_all(&frames)
    }

    /// Sends a body as fast as the peer's windows allow.
    pub fn body(&mut self, stream: u32, mut body: &[u8], end: bool) -> io::Result<()> {
        loop {
            let room = self.room(stream).min(USUAL_MOST);
            let (now, later) = body.split_at(body.len().min(room));
            if room > 0 || body.is_empty() {
                self.spend(stream, now.len());
                self.send(&Frame::data(stream, now, end && later.is_empty()))?;
                body = later;
            }
            if body.is_empty() {
                return Ok(());
            }
            let waiting = |it: &Http2| it.room(stream) > 0 || it.coming(stream).reset.is_some();
            if self.room(stream) == 0 && !self.until(waiting)? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if self.coming(stream).reset.is_some() {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
        }
    }

    /// How many bytes of a body the peer's windows allow.
    pub fn room(&self, stream: u32) -> usize {
        let connection = usize::try_from(self.window).unwrap_or(0);
        connection.min(self.stream_room(stream))
    }

    /// How many the stream's window alone would allow.
    pub fn stream_room(&self, stream: u32) -> usize {
        let initial = self.setting(setting::INITIAL_WINDOW_SIZE);
        let moved = self.windows.get(&stream).copied().unwrap_or_default();
        usize::try_from(i64::from(initial.unwrap_or(65_535)) + moved).unwrap_or(0)
    }

    /// What the peer has set, if it has.
    pub fn setting(&self, name: u16) -> Option<u32> {
        let set = self.settings.iter().rev().find(|(it, _)| *it == name);
        set.map(|(_, value)| *value)
    }

    /// Counts bytes that were sent by hand against the peer's windows.
    pub fn spend(&mut self, stream: u32, bytes: usize) {
        self.window -= bytes as i64;
        *self.windows.entry(stream).or_default() -= bytes as i64;
    }

    /// What has come on a stream.
    pub fn coming(&self, stream: u32) -> Coming {
        self.streams.get(&stream).cloned().unwrap_or_default()
    }

    /// How many bytes of a body have come on a stream.
    pub fn got(&self, stream: u32) -> usize {
        self.streams.get(&stream).map_or(0, |it| it.body.len())
    }

    /// Forgets what has come on a stream, for long runs.
    pub fn forget(&mut self, stream: u32) {
        self.streams.remove(&stream);
        self.windows.remove(&stream);
    }

    /// The next stream whose head has come, in the order of their coming. `None`: the connection ended.
    pub fn begun(&mut self) -> io::Result<Option<u32>> {
        let any = self.until(|it| !it.begun.is_empty())?;
        Ok(self.begun.pop_front().filter(|_| any))
    }

    /// Reads until this holds (true), or the connection ends in an orderly way (false).
    pub fn until(&mut self, mut holds: impl FnMut(&Http2) -> bool) -> io::Result<bool> {
        while !holds(self) {
            if self.frame()?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads one frame and files it. `None`: the connection ended in an orderly way.
    pub fn frame(&mut self) -> io::Result<Option<Frame>> {
        if self.wire.rest().is_empty() && self.wire.fill()? == 0 {
            return Ok(None);
        }
        let header = self.wire.take(9)?;
        let length = u32::from_be_bytes([0, header[0], header[1], header[2]]) as usize;
        assert!(length <= USUAL_MOST, "a frame of {length} bytes");
        let stream = u32::from_be_bytes(header[5..9].try_into().expect("four bytes"));
        let payload = self.wire.take(length)?;
        let frame = Frame::new(header[3], header[4], stream, payload);
        self.file(&frame)?;
        Ok(Some(frame))
    }

    fn file(&mut self, frame: &Frame) -> io::Result<()> {
        if let Some((stream, ..)) = self.block {
            assert_eq!((frame.kind, frame.stream), (kind::CONTINUATION, stream));
        }
        match frame.kind {
            kind::DATA => {
                let coming = self.streams.entry(frame.stream).or_default();
                assert!(coming.head.is_some(), "DATA before a head: {frame:?}");
                assert!(!coming.ended, "DATA after the end: {frame:?}");
                coming.body.extend(&frame.payload);
                coming.frames += 1;
                coming.ended = frame.has(flag::END_STREAM);
                let open = !coming.ended;
                if self.manners.credits && !frame.payload.is_empty() {
                    // A peer that has said all and closed needs none; its end is what a read finds.
                    let _ = self.credit(frame.stream, frame.payload.len() as u32, open);
                }
            }
            kind::HEADERS => {
                assert!(
                    !frame.has(flag::PADDED) && !frame.has(flag::PRIORITY),
                    "{frame:?}"
                );
                self.block = Some((frame.stream, frame.has(flag::END_STREAM), Vec::new()));
                self.fragment(frame);
            }
            kind::CONTINUATION => self.fragment(frame),
            kind::RST_STREAM => {
                let coming = self.streams.entry(frame.stream).or_default();
                coming.reset.get_or_insert(frame.number(0));
            }
            kind::SETTINGS if frame.has(flag::ACK) => self.acknowledged += 1,
            kind::SETTINGS => {
                for entry in frame.payload.chunks(6) {
                    let value = u32::from_be_bytes(entry[2..].try_into().expect("four bytes"));
                    self.settings
                        .push((u16::from_be_bytes([entry[0], entry[1]]), value));
                }
                if self.manners.acknowledges {
                    let _ = self.send(&Frame::settings_ack());
                }
            }
            kind::PING => {
                let payload = frame.payload[..].try_into().expect("eight bytes");
                if frame.has(flag::ACK) {
                    self.pongs.push(payload);
                } else {
                    self.pings.push(payload);
                    if self.manners.acknowledges {
                        let _ = self.send(&Frame::new(kind::PING, flag::ACK, 0, payload));
                    }
                }
            }
            kind::GOAWAY => self.goaways.push(Goaway {
                last: frame.number(0),
                code: frame.number(4),
                words: crate::wire::latin(&frame.payload[8..]),
            }),
            kind::WINDOW_UPDATE => {
                let increment = frame.number(0);
                assert!(increment > 0, "a WINDOW_UPDATE by nothing");
                self.updates.push((frame.stream, increment));
                match frame.stream {
                    0 => self.window += i64::from(increment),
                    stream => *self.windows.entry(stream).or_default() += i64::from(increment),
                }
            }
            _ => panic!("the gateway sends no such frame: {frame:?}"),
        }
        Ok(())
    }

    fn fragment(&mut self, frame: &Frame) {
        let Some((stream, end, mut block)) = self.block.take() else {
            panic!("CONTINUATION behind nothing: {frame:?}");
        };
        block.extend(&frame.payload);
        if !frame.has(flag::END_HEADERS) {
            self.block = Some((stream, end, block));
            return;
        }
        let fields = self.decoder.decode(&block);
        let coming = self.streams.entry(stream).or_default();
        assert!(
            !coming.ended,
            "a head after the end of stream {stream}: {fields:?}"
        );
        if coming.head.is_none() && coming.interim.is_empty() {
            self.begun.push_back(stream);
        }
        coming.block(fields, end);
    }

    /// Gives so many bytes of both windows back.
    pub fn credit(&mut self, stream: u32, bytes: u32, open: bool) -> io::Result<()> {
        self.send(&Frame::window_update(0, bytes))?;
        match open {
            true => self.send(&Frame::window_update(stream, bytes)),
            false => Ok(()),
        }
    }
}
