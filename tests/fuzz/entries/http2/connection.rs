//! Connections with an owner that reads, answers and lets windows pause it, fed with any frames.

use std::collections::VecDeque;

use protocol::http2::{
    Budgets, Connection, ConnectionError, ErrorCode, Event, PREFACE, Role, Settings, StreamId,
};
use protocol::limits::BlockLimits;
use protocol::message::{RequestHead, ResponseHead};

use crate::entries::arrival::{WAYS, pieces};
use crate::entries::outcome;

/// What a peer sends before anything else: SETTINGS without parameters.
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

const NOW: u64 = 1_000_000_000;

/// Frames that a client sends, after its preface and SETTINGS.
pub(in crate::entries) fn server(bytes: &[u8]) -> u64 {
    check(Role::Server, &[PREFACE, SETTINGS, bytes].concat())
}

/// Frames that a server sends to a client with requests on streams 1 to 7, after its SETTINGS.
pub(in crate::entries) fn client(bytes: &[u8]) -> u64 {
    check(Role::Client, &[SETTINGS, bytes].concat())
}

fn check(role: Role, bytes: &[u8]) -> u64 {
    let whole = run(role, Settings::DEFAULT, bytes, &[usize::MAX]);
    for way in WAYS {
        assert_eq!(run(role, Settings::DEFAULT, bytes, way), whole);
    }
    // Small windows and tables; how far they are used up depends on how DATA came.
    let small = Settings {
        max_concurrent_streams: 2,
        initial_window: 40,
        header_table: 64,
        head: BlockLimits {
            max_list_bytes: 256,
            ..BlockLimits::DEFAULT
        },
        ..Settings::DEFAULT
    };
    run(role, small, bytes, &[7, 64]);
    outcome((
        whole.error.map(|error| (error.code.0, error.cause)),
        whole.events.iter().map(Seen::kind).collect::<Vec<_>>(),
    ))
}

/// What became of a connection.
#[derive(PartialEq, Debug)]
struct Ran {
    events: Vec<Seen>,
    error: Option<ConnectionError>,
}

/// An event without what depends on how bytes came.
#[derive(PartialEq, Debug)]
enum Seen {
    /// The number of the stream, what came, and how much of it.
    Head(u32, Vec<u8>, bool),
    Data(u32, usize, bool),
    Trailers(u32, Vec<u8>),
    Reset(u32, ErrorCode, &'static str),
    Other(String),
}

impl Seen {
    fn kind(&self) -> (u8, usize) {
        match self {
            Seen::Head(_, arena, end) => (u8::from(*end), arena.len().min(9)),
            Seen::Data(_, len, end) => (2 + u8::from(*end), (*len).min(9)),
            Seen::Trailers(_, arena) => (4, arena.len().min(9)),
            Seen::Reset(_, code, _) => (5, code.0.min(20) as usize),
            Seen::Other(text) => (6, text.len()),
        }
    }
}

/// The owner of a connection, and what it has still to send.
struct Owner {
    connection: Connection,
    out: Vec<u8>,
    waiting: VecDeque<(StreamId, usize)>,
    events: Vec<Seen>,
}

fn run(role: Role, settings: Settings, bytes: &[u8], way: &[usize]) -> Ran {
    let mut owner = Owner {
        connection: Connection::new(role, settings, Budgets::CLIENTS),
        out: Vec::new(),
        waiting: VecDeque::new(),
        events: Vec::new(),
    };
    owner.start(role);
    let mut held = Vec::new();
    let mut error = None;
    'pieces: for piece in pieces(bytes, way) {
        held.extend_from_slice(piece);
        loop {
            let received = owner.connection.receive(&held, NOW, &mut owner.out);
            let (used, event) = match received {
                Ok(taken) => taken,
                Err(failed) => {
                    error = Some(failed);
                    break 'pieces;
                }
            };
            assert!(used <= held.len());
            let is_more = event == Event::More;
            owner.take(role, event, &held);
            held.drain(..used);
            if is_more {
                break;
            }
        }
        assert!(held.len() <= 23, "{} bytes are not understood", held.len());
    }
    if let Some(failed) = error {
        let again = owner.connection.receive(b"", NOW, &mut owner.out);
        assert_eq!(again, Err(failed));
    }
    owner.connection.drain(&mut owner.out);
    sound_frames(owner.out.strip_prefix(PREFACE).unwrap_or(&owner.out));
    Ran {
        events: owner.events,
        error,
    }
}

impl Owner {
    fn start(&mut self, role: Role) {
        self.connection.start(&mut self.out);
        if role == Role::Client {
            for token in 0..4 {
                let (text, end) = match token % 2 {
                    0 => (b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n".as_slice(), true),
                    _ => (b"POST /b HTTP/1.1\r\nHost: a\r\n\r\n".as_slice(), false),
                };
                let opened = self
                    .connection
                    .send_request(text, b"http", token, end, &mut self.out);
                if let (Ok(stream), false) = (opened, end) {
                    self.waiting.push_back((stream, 3000));
                }
            }
        }
    }

    fn take(&mut self, role: Role, event: Event, held: &[u8]) {
        let (connection, out) = (&mut self.connection, &mut self.out);
        match event {
            Event::More => {}
            Event::Head { stream, end, .. } => {
                let mut arena = Vec::new();
                match role {
                    Role::Server => {
                        connection.take_request(&mut RequestHead::new(), &mut arena);
                        connection.set_token(stream, u64::from(stream.number()));
                        let text = b"HTTP/1.1 200 OK\r\nx: y\r\n\r\n";
                        let _ = connection.send_response(stream, text, false, out);
                        self.waiting.push_back((stream, 3000));
                    }
                    Role::Client => {
                        connection.take_response(&mut ResponseHead::new(), &mut arena);
                    }
                }
                self.events.push(Seen::Head(stream.number(), arena, end));
            }
            Event::Interim { .. } => {
                connection.take_response(&mut ResponseHead::new(), &mut Vec::new());
                self.events.push(Seen::Other("interim".to_owned()));
            }
            Event::Data {
                stream,
                payload,
                end,
                ..
            } => {
                let len = held[payload].len();
                connection.consumed(stream, len, out);
                self.data(stream.number(), len, end);
            }
            Event::Trailers { stream, .. } => {
                let mut arena = Vec::new();
                connection.take_trailers(&mut Vec::new(), &mut arena);
                self.events.push(Seen::Trailers(stream.number(), arena));
            }
            Event::Refused { stream, error, .. } => {
                assert!(!error.ends_connection());
                if error.status() == 400 {
                    connection.reset(stream, ErrorCode::PROTOCOL_ERROR, out);
                } else {
                    let text = b"HTTP/1.1 431 Too Large\r\n\r\n";
                    let _ = connection.send_response(stream, text, true, out);
                }
                self.events.push(Seen::Other(error.cause().to_owned()));
            }
            Event::Reset {
                stream,
                code,
                cause,
                ..
            } => {
                self.events.push(Seen::Reset(stream.number(), code, cause));
            }
            event => {
                let text = format!("{event:?}");
                let kind = text.split([' ', '{']).next().unwrap_or_default();
                self.events.push(Seen::Other(kind.to_owned()));
            }
        }
        self.send();
    }

    /// Notes DATA, joined with what came before it on the same stream.
    fn data(&mut self, stream: u32, len: usize, end: bool) {
        if let Some(Seen::Data(before, total, ended)) = self.events.last_mut()
            && *before == stream
            && !*ended
        {
            *total += len;
            *ended = end;
        } else {
            self.events.push(Seen::Data(stream, len, end));
        }
    }

    /// Sends what the windows allow, then trailers.
    fn send(&mut self) {
        for _ in 0..self.waiting.len() {
            let Some((stream, left)) = self.waiting.pop_front() else {
                break;
            };
            if !self.connection.is_open(stream) {
                continue;
            }
            let body = vec![b'x'; left];
            let sent = self
                .connection
                .send_data(stream, &body, false, &mut self.out);
            let Ok(sent) = sent else { continue };
            assert!(sent <= left);
            match left - sent {
                0 => {
                    let _ = self
                        .connection
                        .send_trailers(stream, b"t: u\r\n", &mut self.out);
                }
                left => self.waiting.push_back((stream, left)),
            }
        }
    }
}

/// What was sent is whole frames.
fn sound_frames(mut out: &[u8]) {
    while !out.is_empty() {
        let len = u32::from_be_bytes([0, out[0], out[1], out[2]]) as usize;
        assert!(out[3] <= 9, "a frame of type {}", out[3]);
        out = &out[9 + len..];
    }
}
