//! One HTTP/2 connection, either side of it, sans-I/O: bytes in, events and bytes out.
//!
//! The owner reads from the socket and shows what it has read to [`Connection::receive`], again and again until that
//! says [`Event::More`]; then it keeps what was not consumed at the front of its buffer and reads on. Whatever is to be
//! sent, by `receive` itself or by the calls in `send`, is appended to an `out` that the owner passes along and writes
//! when it has nothing better to do: one write for all that a read has brought about. Order in `out` is the order on
//! the wire (header compression depends on it), so a connection has one. An owner whose `out` has grown beyond its
//! bound stops calling `receive` until it has been written: that bounds answers to PING as well.
//!
//! The connection holds no body and no clock. DATA is handed out as ranges of the bytes shown, in pieces as they come;
//! the windows (`Settings::initial_window` for each stream, `Settings::connection_window` for all) bound what an owner
//! can be made to hold, since the peer gets to send more only as the owner reports by [`Connection::consumed`].
//!
//! A server's owner, in short: `start`; at `Head`, `take_request` and `set_token`; then `send_response`, `send_data`
//! (what it doesn't take, again at `Writable`), `send_trailers`; at `Data`, pass on and `consumed`; at `Reset`, give up.
//! Once an answer has ended while the request has not, and nobody wants the rest, `reset` with NO_ERROR (RFC 9113
//! section 8.1). A client's owner: `start`; `send_request` while `room` allows; `take_response` at `Interim` and `Head`.
//! Time-outs are the owner's: for the preface and SETTINGS (`is_settled`), for header blocks that trickle in
//! (`is_in_block`), for peers that let a stream stall (`stalled_since`), and for the PING of a drain.

mod blocks;
mod body;
mod control;
mod event;
mod receive;
mod send;
mod settings;

pub use event::{By, ConnectionError, Event, OpenError, SendError};
pub use settings::{Role, Settings, is_preface};

use blocks::Block;
use receive::Reading;
use settings::{FIRST_WINDOW, Peer};

use super::abuse::{Abuse, Budgets};
use super::frame::settings::Parameter;
use super::frame::{self, PREFACE};
use super::head::{Decoder, Encoder};
use super::streams::{ReceiveWindow, SendWindow, StreamId, Streams};
use crate::message::{Field, RequestHead, ResponseHead};

/// One connection.
#[derive(Debug)]
pub struct Connection {
    role: Role,
    settings: Settings,
    /// The peer has acknowledged our SETTINGS.
    acknowledged: bool,
    peer: Peer,
    streams: Streams,
    reading: Reading,
    block: Block,
    send_window: SendWindow,
    receive_window: ReceiveWindow,
    /// Sending was cut short by the connection's window since the last `WritableAll`.
    blocked: bool,
    decoder: Decoder,
    encoder: Encoder,
    request: RequestHead,
    response: ResponseHead,
    trailers: Vec<Field>,
    arena: Vec<u8>,
    /// The highest stream that was ever opened, by whichever side is the client.
    last: u32,
    going: Going,
    /// The last stream that the peer's GOAWAY names.
    peer_last: Option<u32>,
    /// There may be streams of ours above it, to be given back to the owner.
    unprocessed: bool,
    /// Bytes that the peer may have sent in good faith on streams that we have reset.
    late_bytes: u64,
    abuse: Abuse,
    /// As of the last `receive`.
    now: u64,
    failed: Option<ConnectionError>,
}

/// How far the end of the connection has come on our side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Going {
    Not,
    /// The first GOAWAY of a drain is out, with its PING: streams are still accepted.
    Announced,
    /// No stream above this one is accepted, or (clients) opened.
    Last(u32),
}

impl Connection {
    /// A connection that nothing has been sent or received on.
    pub fn new(role: Role, settings: Settings, budgets: Budgets) -> Self {
        let settings = settings.sound();
        Connection {
            role,
            settings,
            acknowledged: false,
            peer: Peer::new(),
            streams: Streams::new(),
            reading: match role {
                Role::Server => Reading::Preface,
                Role::Client => Reading::Frame,
            },
            block: Block::default(),
            send_window: SendWindow::new(FIRST_WINDOW),
            receive_window: ReceiveWindow::new(settings.connection_window),
            blocked: false,
            decoder: Decoder::new(settings.header_table as usize),
            encoder: Encoder::new(),
            request: RequestHead::new(),
            response: ResponseHead::new(),
            trailers: Vec::new(),
            arena: Vec::new(),
            last: 0,
            going: Going::Not,
            peer_last: None,
            unprocessed: false,
            late_bytes: 0,
            abuse: Abuse::new(budgets),
            now: 0,
            failed: None,
        }
    }

    /// Appends what a side sends first: the preface (clients), SETTINGS, and the connection's window. Call it once,
    /// before anything else.
    pub fn start(&mut self, out: &mut Vec<u8>) {
        let ours = &self.settings;
        let mut entries = vec![
            (Parameter::InitialWindowSize, ours.initial_window),
            (
                Parameter::MaxHeaderListSize,
                u32::try_from(ours.head.max_list_bytes).unwrap_or(u32::MAX),
            ),
        ];
        match self.role {
            Role::Server => {
                entries.push((Parameter::MaxConcurrentStreams, ours.max_concurrent_streams));
                entries.push((Parameter::NoRfc7540Priorities, 1));
                if ours.head.extended_connect {
                    entries.push((Parameter::EnableConnectProtocol, 1));
                }
            }
            Role::Client => {
                out.extend_from_slice(PREFACE);
                entries.push((Parameter::EnablePush, 0));
            }
        }
        let defaults = Settings::DEFAULT;
        if ours.max_frame_size != defaults.max_frame_size {
            entries.push((Parameter::MaxFrameSize, ours.max_frame_size));
        }
        if ours.header_table != defaults.header_table {
            entries.push((Parameter::HeaderTableSize, ours.header_table));
        }
        frame::settings::write(&entries, out);
        if let Some(more) = ours.connection_window.checked_sub(FIRST_WINDOW)
            && more > 0
        {
            frame::control::write_window_update(0, more, out);
        }
    }

    /// Takes the next event from the front of `bytes`, which is what was read and not consumed yet: how many bytes are
    /// used up, and what they mean. `now` is a monotonic clock in nanoseconds. What the peer must be told is appended
    /// to `out`. After an error every further call returns it again.
    pub fn receive(
        &mut self,
        bytes: &[u8],
        now: u64,
        out: &mut Vec<u8>,
    ) -> Result<(usize, Event), ConnectionError> {
        self.now = now;
        let taken = self.take(bytes, out);
        if let Err(error) = &taken {
            self.fail(*error, out);
        }
        #[cfg(debug_assertions)]
        self.check_invariants();
        taken
    }

    /// Moves the head that [`Event::Head`] announced into `head` and `arena`, whose memory is used for the next one.
    #[inline]
    pub fn take_request(&mut self, head: &mut RequestHead, arena: &mut Vec<u8>) {
        std::mem::swap(&mut self.request, head);
        std::mem::swap(&mut self.arena, arena);
    }

    /// The same for the head of an answer, at [`Event::Head`] or [`Event::Interim`].
    #[inline]
    pub fn take_response(&mut self, head: &mut ResponseHead, arena: &mut Vec<u8>) {
        std::mem::swap(&mut self.response, head);
        std::mem::swap(&mut self.arena, arena);
    }

    /// The same for [`Event::Trailers`]. `arena` holds them as `name: value` lines.
    #[inline]
    pub fn take_trailers(&mut self, fields: &mut Vec<Field>, arena: &mut Vec<u8>) {
        std::mem::swap(&mut self.trailers, fields);
        std::mem::swap(&mut self.arena, arena);
    }

    /// Which side we are.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Gives the stream a token that comes with its events. Nothing if it has closed.
    #[inline]
    pub fn set_token(&mut self, stream: StreamId, token: u64) {
        if let Some(stream) = self.streams.get_mut(stream) {
            stream.token = token;
        }
    }

    /// The stream's token, unless it has closed.
    #[inline]
    pub fn token(&self, stream: StreamId) -> Option<u64> {
        self.streams.get(stream).map(|stream| stream.token)
    }

    /// Whether the stream has not closed yet.
    #[inline]
    pub fn is_open(&self, stream: StreamId) -> bool {
        self.streams.get(stream).is_some()
    }

    /// Streams that are not closed.
    #[inline]
    pub fn active_streams(&self) -> usize {
        self.streams.active()
    }

    /// How many streams were ever opened, with those whose numbers a client has passed over.
    pub fn opened_streams(&self) -> u32 {
        self.last.div_ceil(2)
    }

    /// How many requests can be sent now; clients only. It grows as streams close and at [`Event::Settings`].
    pub fn room(&self) -> Result<usize, OpenError> {
        if self.going != Going::Not || self.peer_last.is_some() || self.failed.is_some() {
            return Err(OpenError::GoingAway);
        }
        let left = (0x7fff_ffff - self.last) / 2;
        if left == 0 {
            return Err(OpenError::Exhausted);
        }
        let most = self
            .settings
            .max_concurrent_streams
            .min(self.peer.max_concurrent_streams) as usize;
        match most.saturating_sub(self.streams.active()) {
            0 => Err(OpenError::Full),
            room => Ok(room.min(left as usize)),
        }
    }

    /// Whether SETTINGS have gone both ways: the peer's have come and ours were acknowledged. Until then the owner
    /// may want a time-out (RFC 9113 section 6.5.3: SETTINGS_TIMEOUT).
    pub fn is_settled(&self) -> bool {
        self.acknowledged && self.peer.known
    }

    /// Whether the peer's first SETTINGS have come.
    pub fn is_peer_known(&self) -> bool {
        self.peer.known
    }

    /// Whether the peer takes extended CONNECT (RFC 8441).
    pub fn peer_takes_connect_protocol(&self) -> bool {
        self.peer.connect_protocol
    }

    /// The largest header list that the peer says it takes (SETTINGS_MAX_HEADER_LIST_SIZE), advisory.
    pub fn peer_max_header_list(&self) -> u32 {
        self.peer.max_header_list
    }

    /// Whether a header block has begun and not ended: the owner's time-out for heads counts.
    pub fn is_in_block(&self) -> bool {
        self.block.is_open()
    }

    /// When sending on the stream was cut short by a window with nothing sent since; the clock of the `receive` before
    /// that. A peer that asks for answers and gives no window for them is to be given up at some time.
    pub fn stalled_since(&self, stream: StreamId) -> Option<u64> {
        match self.streams.get(stream)?.stalled_since {
            0 => None,
            since => Some(since),
        }
    }

    /// Whether nothing more will come of this connection: no stream is open, and none will be, since we have said so or
    /// (clients) the server has. Close it.
    pub fn is_drained(&self) -> bool {
        let refused = self.role == Role::Client && self.peer_last.is_some();
        let gone = refused || matches!(self.going, Going::Last(_));
        gone && !self.unprocessed && self.streams.active() == 0
    }

    #[cfg(debug_assertions)]
    fn check_invariants(&self) {
        self.streams.check_invariants();
        self.receive_window.check_invariants();
        debug_assert!(self.streams.active() <= self.settings.max_concurrent_streams as usize);
    }

    /// Says GOAWAY, once, and refuses all that follows.
    #[cold]
    fn fail(&mut self, error: ConnectionError, out: &mut Vec<u8>) {
        if self.failed.is_none() {
            self.failed = Some(error);
            let last = self.last_processed();
            frame::control::write_goaway(last, error.code, error.cause.as_bytes(), out);
        }
    }

    /// The last stream of the peer's that we have taken on: what a final GOAWAY says.
    fn last_processed(&self) -> u32 {
        match (self.role, self.going) {
            (Role::Client, _) => 0,
            (Role::Server, Going::Last(last)) => last,
            (Role::Server, _) => self.last,
        }
    }

    /// Whether a stream with this number was never opened: any frame but HEADERS and PRIORITY on it is an error
    /// (RFC 9113 section 5.1, "idle").
    #[inline]
    fn is_idle(&self, number: u32) -> bool {
        number > self.last || number.is_multiple_of(2)
    }
}

#[cfg(test)]
mod tests;
