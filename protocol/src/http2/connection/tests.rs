//! One side driven by hand-made frames of the other; both sides driven against each other in `pair`.

mod budgets;
mod ending;
mod exchanges;
mod flow;
mod frames;
mod pair;
mod properties;
mod states;

use super::*;
use crate::http2::abuse::{Budget, Rate};
use crate::http2::frame::code::ErrorCode;
use crate::http2::frame::{HEADER_LEN, Header, Kind, flag, stream_of};

const END_STREAM: u8 = flag::END_STREAM;
const END_HEADERS: u8 = flag::END_HEADERS;
const WHOLE: u8 = END_STREAM | END_HEADERS;

/// `GET http://a/`, without the table.
const GET: &[u8] = b"\x82\x86\x84\x01\x01a";
/// `POST http://a/`.
const POST: &[u8] = b"\x83\x86\x84\x01\x01a";
/// 200.
const OK: &[u8] = b"\x88";
/// A trailer, `a: b`.
const TRAILER: &[u8] = b"\0\x01a\x01b";

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, l0, l1, l2] = (payload.len() as u32).to_be_bytes();
    let mut bytes = vec![l0, l1, l2, kind, flags];
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

fn data(stream: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    frame(0, flags, stream, payload)
}

fn headers(stream: u32, flags: u8, block: &[u8]) -> Vec<u8> {
    frame(1, flags, stream, block)
}

fn reset(stream: u32, code: ErrorCode) -> Vec<u8> {
    frame(3, 0, stream, &code.0.to_be_bytes())
}

fn settings(entries: &[(u16, u32)]) -> Vec<u8> {
    let mut payload = Vec::new();
    for (parameter, value) in entries {
        payload.extend_from_slice(&parameter.to_be_bytes());
        payload.extend_from_slice(&value.to_be_bytes());
    }
    frame(4, 0, 0, &payload)
}

fn settings_ack() -> Vec<u8> {
    frame(4, flag::ACK, 0, b"")
}

fn window_update(stream: u32, increment: u32) -> Vec<u8> {
    frame(8, 0, stream, &increment.to_be_bytes())
}

/// `content-length: n`.
fn content_length(n: &str) -> Vec<u8> {
    [&[0x0f, 0x0d, n.len() as u8][..], n.as_bytes()].concat()
}

/// A connection, what it has sent, and what it was shown and has not consumed.
struct Side {
    connection: Connection,
    out: Vec<u8>,
    shown: Vec<u8>,
    now: u64,
    error: Option<ConnectionError>,
}

impl Side {
    fn new(role: Role, settings: Settings, budgets: Budgets) -> Side {
        let mut connection = Connection::new(role, settings, budgets);
        let mut out = Vec::new();
        connection.start(&mut out);
        Side {
            connection,
            out,
            shown: Vec::new(),
            now: 1,
            error: None,
        }
    }

    /// A server whose client has said hello, and has acknowledged its SETTINGS.
    fn server() -> Side {
        Side::server_with(Settings::DEFAULT)
    }

    fn server_with(ours: Settings) -> Side {
        let mut side = Side::new(Role::Server, ours, Budgets::CLIENTS);
        let hello = [&PREFACE[..], &settings(&[]), &settings_ack()].concat();
        assert_eq!(side.show(&hello), [Event::Settings]);
        side.out.clear();
        side
    }

    /// A client whose server has said hello, and has acknowledged its SETTINGS.
    fn client() -> Side {
        let mut side = Side::new(Role::Client, Settings::DEFAULT, Budgets::SERVICES);
        let hello = [settings(&[]), settings_ack()].concat();
        assert_eq!(side.show(&hello), [Event::Settings]);
        side.out.clear();
        side
    }

    /// Shows it bytes; all events up to `More` or an error, which is kept.
    fn show(&mut self, bytes: &[u8]) -> Vec<Event> {
        self.shown.extend_from_slice(bytes);
        let mut events = Vec::new();
        loop {
            match self
                .connection
                .receive(&self.shown, self.now, &mut self.out)
            {
                Ok((used, event)) => {
                    if event == Event::More {
                        self.shown.drain(..used);
                        assert!(self.shown.len() < 24, "leaves too much");
                        return events;
                    }
                    // The test sees ranges of what it showed in one go.
                    self.shown.drain(..used);
                    events.push(event);
                }
                Err(error) => {
                    self.error = Some(error);
                    return events;
                }
            }
        }
    }

    /// Shows it bytes that must be wrong: the error's code and cause.
    fn fail(&mut self, bytes: &[u8]) -> (ErrorCode, &'static str) {
        let events = self.show(bytes);
        let error = self.error.expect("an error");
        let last = self.sent().pop();
        let goaway = format!("GOAWAY {} {}", self.connection.last_processed(), error.code);
        assert_eq!(last.as_deref(), Some(&goaway[..]), "after {events:?}");
        (error.code, error.cause)
    }

    /// What it has sent since the last time, a line for each frame.
    fn sent(&mut self) -> Vec<String> {
        let lines = dump(&self.out);
        self.out.clear();
        lines
    }

    /// The stream that the only event names.
    fn only(&mut self, bytes: &[u8]) -> StreamId {
        let mut events = self.show(bytes);
        assert_eq!(events.len(), 1, "{events:?}");
        match events.pop() {
            Some(
                Event::Head { stream, .. }
                | Event::Refused { stream, .. }
                | Event::Data { stream, .. },
            ) => stream,
            other => panic!("{other:?}"),
        }
    }

    /// Opens a stream as the server's client, with a body to come.
    fn post(&mut self, number: u32) -> StreamId {
        self.only(&headers(number, END_HEADERS, POST))
    }

    /// Opens a stream as the server's client, without a body.
    fn get(&mut self, number: u32) -> StreamId {
        self.only(&headers(number, WHOLE, GET))
    }
}

/// A line for each frame.
fn dump(mut bytes: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    while !bytes.is_empty() {
        let header = Header::parse(bytes).expect("a frame's header");
        let end = HEADER_LEN + header.len as usize;
        let payload = &bytes[HEADER_LEN..end];
        bytes = &bytes[end..];
        let number = |at: usize| u32::from_be_bytes(payload[at..at + 4].try_into().unwrap());
        let stream = header.stream;
        let mut line = match header.kind {
            Kind::Data => format!("DATA {stream} {}", payload.len()),
            Kind::Headers => format!("HEADERS {stream}"),
            Kind::Continuation => format!("CONTINUATION {stream}"),
            Kind::ResetStream => format!("RST_STREAM {stream} {}", ErrorCode(number(0))),
            Kind::Settings if header.has(flag::ACK) => "SETTINGS ack".to_owned(),
            Kind::Settings => {
                let entries = payload.chunks(6).map(|entry| {
                    let value = u32::from_be_bytes(entry[2..].try_into().unwrap());
                    format!(" {}={value}", entry[1])
                });
                format!("SETTINGS{}", entries.collect::<String>())
            }
            Kind::Ping if header.has(flag::ACK) => format!("PING ack {}", payload.escape_ascii()),
            Kind::Ping => format!("PING {}", payload.escape_ascii()),
            Kind::Goaway => format!(
                "GOAWAY {} {}",
                stream_of(payload[..4].try_into().unwrap()),
                ErrorCode(number(4))
            ),
            Kind::WindowUpdate => format!("WINDOW_UPDATE {stream} {}", number(0)),
            other => format!("{other:?}"),
        };
        if matches!(header.kind, Kind::Data | Kind::Headers) && header.has(END_STREAM) {
            line.push_str(" end");
        }
        lines.push(line);
    }
    lines
}
