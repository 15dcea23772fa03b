//! The bytes of answers: heads, the pattern that bodies are made of, and whole answers kept ready to be copied.
//!
//! Invariant: a kept answer differs from one written anew by nothing but its date, which is at most a second old.

use std::io::Write;

use engine_net::{Buffer, buffer};

use super::ask::What;

/// The largest body that is kept with its head; with it, it fits an empty buffer.
const MAX_KEPT: u64 = (buffer::STANDARD - HEAD_ROOM) as u64;
/// Answers kept at most, by thread: half a MiB or so.
const KEPT: usize = 32;
/// Room that a head of ours, and whatever stands around a chunk, always fits in.
pub(super) const HEAD_ROOM: usize = 512;

/// Bodies by size are this, again and again: 64 characters a line.
static PATTERN: [u8; 64 * 1024] = {
    let line = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.\n";
    let mut pattern = [0; 64 * 1024];
    let mut at = 0;
    while at < pattern.len() {
        pattern[at] = line[at % line.len()];
        at += 1;
    }
    pattern
};

const OK: &[u8] = b"ok\n";
const HELP: &[u8] = b"\
The test origin of portcullis-load. A request asks for its own answer:

  /1k  /512  /16k  /1m        a body of this size
  /bytes/1048576              the same
  /echo                       the request as JSON
  /sse?events=10&every=100ms  server-sent events
  /ws                         a WebSocket that sends every message back (HTTP/1.1)
  /package.Service/Method     a call of gRPC: messages are sent back as they come
  /                           this text; any other path: ok

To each, in any combination:

  size=4k       the body's size
  status=503    the status
  delay=50ms    wait before the answer (to the millisecond)
  chunks=10     send the body in so many pieces, in the chunked coding
  every=100ms   wait between pieces or events
  reset=1       reset the connection instead of answering; reset=body: amid the body
  rate=0.1      do all this to one request in ten, and answer the others well

To a call of gRPC, behind its method or in the header x-answer: status=14 (of gRPC; nothing is
answered before it unless count says so), count=3 (answers to each message), once=1 (answer the last
message alone, when the client has sent all), size=4k, delay, every, reset and rate as above.
grpc.health.v1.Health/Check answers SERVING.
";

/// What an answer's body is made of.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    Pattern,
    Text(&'a [u8]),
}

impl Source<'_> {
    /// What stands at `at`, at most `max` bytes; empty only at the end of a text.
    pub(super) fn piece(&self, at: u64, max: usize) -> &[u8] {
        let (bytes, at) = match self {
            Source::Pattern => (PATTERN.as_slice(), at % PATTERN.len() as u64),
            Source::Text(text) => (*text, at),
        };
        let rest = usize::try_from(at).ok().and_then(|at| bytes.get(at..));
        let rest = rest.unwrap_or_default();
        rest.get(..max).unwrap_or(rest)
    }
}

/// How the client learns how long the body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// The status has no body.
    None,
    Known(u64),
    Chunked,
    /// By the end of the connection: HTTP/1.0 has no chunks.
    Close,
}

/// The head of an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) length: Length,
    pub(super) connection: Connection,
}

/// What the answer says of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Connection {
    /// Nothing: it stays open, as is usual.
    Stays,
    /// That it stays open, which HTTP/1.0 must be told.
    KeepAlive,
    Close,
}

/// Text, as most answers are.
pub(super) const TEXT: &str = "text/plain";

/// Whole answers of a thread, and the date that heads tell.
pub(super) struct Answers {
    kept: Vec<Kept>,
    /// Which one gives way to the next new one.
    next: usize,
    date: [u8; 29],
    /// Seconds since the epoch, of `date`.
    second: u64,
}

struct Kept {
    what: What,
    bytes: Box<[u8]>,
    /// Bytes of its head.
    head: usize,
    /// The second that its date tells.
    second: u64,
}

/// Where the date stands in every answer: behind the status line, whose length depends on its reason alone.
const DATE: &[u8] = b"Date: ";

impl Answers {
    /// None kept yet; the time must be set before the first head.
    pub(super) fn new() -> Answers {
        Answers {
            kept: Vec::new(),
            next: 0,
            date: *b"Thu, 01 Jan 1970 00:00:00 GMT",
            second: 0,
        }
    }

    /// Sets the time that heads tell, in milliseconds since the epoch.
    pub(super) fn set_time(&mut self, unix_millis: u64) {
        self.second = unix_millis / 1000;
        self.date = date(self.second);
    }

    /// The date that heads tell.
    pub(super) fn date(&self) -> &[u8] {
        &self.date
    }

    /// Whether the body is small enough to be kept.
    pub(super) fn keeps(what: What) -> bool {
        match what {
            What::Ok | What::Help => true,
            What::Bytes(size) => size <= MAX_KEPT,
            What::Echo | What::Events(_) | What::WebSocket => false,
        }
    }

    /// Appends a whole answer of status 200, or its head alone; false, and nothing changed, when the room is too small.
    pub(super) fn append(&mut self, what: What, head_only: bool, out: &mut Buffer) -> bool {
        let at = match self.kept.iter().position(|it| it.what == what) {
            Some(at) => at,
            None => self.keep(what),
        };
        let Some(kept) = self.kept.get_mut(at) else {
            return false;
        };
        if kept.second != self.second {
            kept.second = self.second;
            let from = memchr::memmem::find(&kept.bytes, DATE).map_or(0, |at| at + DATE.len());
            if let Some(place) = kept.bytes.get_mut(from..from + self.date.len()) {
                place.copy_from_slice(&self.date);
            }
        }
        let len = if head_only {
            kept.head
        } else {
            kept.bytes.len()
        };
        out.extend(kept.bytes.get(..len).unwrap_or_default())
    }

    /// Makes and keeps an answer, and says where.
    fn keep(&mut self, what: What) -> usize {
        let (source, size) = body(what);
        let head = Head {
            status: 200,
            kind: TEXT,
            length: Length::Known(size),
            connection: Connection::Stays,
        };
        let mut buffer = Buffer::standard();
        self.head(head, &mut buffer);
        let head = buffer.len();
        let mut bytes = buffer.filled().to_vec();
        while (bytes.len() - head) < size as usize {
            let at = bytes.len() - head;
            bytes.extend_from_slice(source.piece(at as u64, size as usize - at));
        }
        let kept = Kept {
            what,
            bytes: bytes.into_boxed_slice(),
            head,
            second: self.second,
        };
        if self.kept.len() < KEPT {
            self.kept.push(kept);
            return self.kept.len() - 1;
        }
        let at = self.next;
        self.next = (at + 1) % KEPT;
        if let Some(place) = self.kept.get_mut(at) {
            *place = kept;
        }
        at
    }

    /// Appends a head. There must be room for [`HEAD_ROOM`].
    pub(super) fn head(&self, head: Head, out: &mut Buffer) {
        let mut digits = itoa::Buffer::new();
        out.extend(b"HTTP/1.1 ");
        out.extend(digits.format(head.status).as_bytes());
        out.extend(b" ");
        out.extend(reason(head.status).as_bytes());
        out.extend(b"\r\n");
        out.extend(DATE);
        out.extend(&self.date);
        if head.length != Length::None {
            out.extend(b"\r\nContent-Type: ");
            out.extend(head.kind.as_bytes());
        }
        match head.length {
            Length::None | Length::Close => {}
            Length::Known(length) => {
                out.extend(b"\r\nContent-Length: ");
                out.extend(digits.format(length).as_bytes());
            }
            Length::Chunked => {
                out.extend(b"\r\nTransfer-Encoding: chunked");
            }
        }
        match head.connection {
            Connection::Stays => {}
            Connection::KeepAlive => {
                out.extend(b"\r\nConnection: keep-alive");
            }
            Connection::Close => {
                out.extend(b"\r\nConnection: close");
            }
        }
        if head.status == 426 {
            // It must be said to what (RFC 9110 section 15.5.22), and which version of it (RFC 6455 section 4.4).
            out.extend(b"\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13");
        }
        out.extend(b"\r\n\r\n");
    }
}

/// The body of what is not made for one request.
pub(super) fn body(what: What) -> (Source<'static>, u64) {
    match what {
        What::Ok => (Source::Text(OK), OK.len() as u64),
        What::Help => (Source::Text(HELP), HELP.len() as u64),
        What::Bytes(size) => (Source::Pattern, size),
        What::Echo | What::Events(_) | What::WebSocket => (Source::Text(b""), 0),
    }
}

/// Whether answers of this status have no body (RFC 9110 section 6.4.1).
pub(super) fn is_bodiless(status: u16) -> bool {
    matches!(status, 204 | 304)
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        409 => "Conflict",
        417 => "Expectation Failed",
        418 => "I'm a teapot",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "As Asked",
    }
}

/// The date of a second since the epoch, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7).
fn date(unix: u64) -> [u8; 29] {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (days, second) = (unix / 86_400, unix % 86_400);
    let (mut year, mut rest) = (1970, days);
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    while rest >= 365 + u64::from(leap(year)) {
        rest -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [
        31,
        28 + u64::from(leap(year)),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let mut month = 0;
    for length in lengths {
        if rest < length {
            break;
        }
        rest -= length;
        month += 1;
    }
    let mut text = *b"Thu, 01 Jan 1970 00:00:00 GMT";
    // A year of more than four digits is cut off.
    let _ = write!(
        text.as_mut_slice(),
        "{}, {:02} {} {year:04} {:02}:{:02}:{:02} GMT",
        DAYS.get((days % 7) as usize).unwrap_or(&"Thu"),
        rest + 1,
        MONTHS.get(month).unwrap_or(&"Jan"),
        second / 3600,
        second / 60 % 60,
        second % 60
    );
    text
}

#[cfg(test)]
mod tests;
