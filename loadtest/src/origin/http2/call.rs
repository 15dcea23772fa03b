//! One request of HTTP/2 and its answer, as far as it has come: what [`Ask`] says, carried out a frame at a time.
//!
//! Nothing waits in here: [`Call::advance`] does what can be done and says what it waits for. gRPC's calls are in
//! `grpc`.

use super::fields::{Constant, Fields};
use crate::http2::server::Request;
use crate::http2::{INTERNAL_ERROR, Server};
use crate::origin::answer::{self, Source};
use crate::origin::ask::{Ask, Reset, What};
use crate::origin::echo::Echo;
use crate::origin::grpc;
use crate::origin::worker::Worker;

mod messages;

use messages::Messages;

/// What became of a turn.
pub(super) enum Turn {
    /// There is more to send, which another turn may.
    More,
    /// The same, and what was sent has made room for more to come in.
    Taken,
    /// It goes on at this time.
    At(u64),
    /// It can't go on until something comes, or has nothing more to say.
    Done,
}

/// Which part of the answer comes next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// Nobody has asked anything.
    #[default]
    Free,
    /// The request is still coming.
    Asking,
    Head,
    Body,
}

/// A request and its answer; its memory is used again.
#[derive(Default)]
pub(super) struct Call {
    stage: Stage,
    /// None: what was asked is not understood, and `text` says why.
    ask: Option<Ask>,
    head_only: bool,
    /// Whether the request is shown as JSON.
    echo: Option<Box<Echo>>,
    /// A call of gRPC, which goes its own way.
    grpc: Option<Box<Messages>>,
    /// Not before this time; 0: at once.
    wake: u64,
    /// What was made for this answer.
    text: Vec<u8>,
    /// The part of the body that is being sent, and how far it has come in it.
    part: u64,
    at: u64,
    to: u64,
}

impl Call {
    /// Takes a head.
    pub(super) fn begin(&mut self, request: &Request<'_>, worker: &Worker) {
        self.over();
        self.stage = Stage::Asking;
        self.text.clear();
        (self.wake, self.part, self.at, self.to) = (0, 0, 0, 0);
        self.head_only = request.method == b"HEAD";
        if grpc::is_call(request) {
            let call = grpc::Asked::of(request, |share| worker.chance(share));
            self.grpc = Some(Box::new(Messages::new(call)));
            self.stage = Stage::Head;
            return;
        }
        self.ask = match Ask::of(request.path) {
            Ok(Ask {
                what: What::WebSocket,
                ..
            }) => {
                self.text
                    .extend_from_slice(b"WebSockets are served over HTTP/1.1\n");
                None
            }
            Ok(ask) if ask.rate < 1.0 && !worker.chance(ask.rate) => Some(ask.spared()),
            Ok(ask) => Some(ask),
            Err((what, wanted)) => {
                self.text.extend_from_slice(what);
                self.text.extend_from_slice(b": must be ");
                self.text.extend_from_slice(wanted.as_bytes());
                self.text.push(b'\n');
                None
            }
        };
        if self.ask.is_some_and(|ask| ask.what == What::Echo) {
            let mut echo = Box::<Echo>::default();
            echo.begin(request.method, request.path, b"HTTP/2", request.lines);
            self.echo = Some(echo);
        }
    }

    /// Takes some of the request's body.
    pub(super) fn more(&mut self, bytes: &[u8]) {
        if let Some(messages) = &mut self.grpc {
            messages.more(bytes);
        } else if let Some(echo) = &mut self.echo {
            echo.more(bytes);
        }
    }

    /// The request is whole.
    pub(super) fn whole(&mut self) {
        if let Some(messages) = &mut self.grpc {
            messages.end();
        } else if self.stage == Stage::Asking {
            self.stage = Stage::Head;
        }
        if let Some(mut echo) = self.echo.take() {
            self.text.extend_from_slice(echo.finish());
        }
    }

    /// Whether more of the request's body can be taken.
    pub(super) fn takes_more(&self) -> bool {
        self.stage != Stage::Free && self.grpc.as_ref().is_none_or(|it| it.has_room())
    }

    /// Nothing more is to be said.
    pub(super) fn over(&mut self) {
        self.stage = Stage::Free;
        self.grpc = None;
        self.echo = None;
    }

    /// Sends what may be sent now, at most one frame of a body.
    pub(super) fn advance(
        &mut self,
        place: usize,
        now: u64,
        server: &mut Server,
        fields: &mut Fields,
        worker: &Worker,
    ) -> Turn {
        if matches!(self.stage, Stage::Free | Stage::Asking) {
            return Turn::Done;
        }
        if let Some(messages) = &mut self.grpc {
            let turn = messages.advance(place, now, server, fields);
            if messages.is_over() {
                self.over();
            }
            return turn;
        }
        if self.stage == Stage::Head {
            let delay = self.ask.map_or(0, |ask| ask.faults.delay);
            if delay > 0 && self.wake == 0 {
                self.wake = now + delay;
            }
            if self.wake > now {
                return Turn::At(self.wake);
            }
            self.head(place, server, fields, worker);
        }
        match self.stage {
            Stage::Body => self.body(place, now, server),
            _ => Turn::Done,
        }
    }

    /// Sends the head, and with it the answer if that has no body.
    fn head(&mut self, place: usize, server: &mut Server, fields: &mut Fields, worker: &Worker) {
        if self.reset() == Reset::Head {
            server.reset(place, INTERNAL_ERROR);
            return self.over();
        }
        let (status, kind) = match self.ask {
            None => (400, Constant::Text),
            Some(ask) => match ask.what {
                What::Echo => (ask.faults.status, Constant::Json),
                What::Events(_) => (ask.faults.status, Constant::Events),
                _ => (ask.faults.status, Constant::Text),
            },
        };
        let bodiless = answer::is_bodiless(status);
        fields.head(server, status);
        fields.field("date", worker.answers.borrow().date());
        if !bodiless {
            fields.constant(server, kind);
        }
        let size = self.size();
        if let Some(size) = size.filter(|_| !bodiless && !self.in_pieces()) {
            fields.number("content-length", size);
        }
        let empty = size == Some(0) || self.parts() == 0;
        // What has no body can't be reset amid it, but what has an empty one can.
        let ends = bodiless || self.head_only || (empty && self.reset() == Reset::Never);
        server.head(place, fields.block(), ends);
        if ends {
            return self.over();
        }
        self.stage = Stage::Body;
        self.open_part();
    }

    /// Sends a frame of the body.
    fn body(&mut self, place: usize, now: u64, server: &mut Server) -> Turn {
        if self.wake > now {
            return Turn::At(self.wake);
        }
        let (end, resets) = self.end();
        if self.part >= end {
            // Only a reset leaves this to be said: else the last frame has said it.
            server.reset(place, INTERNAL_ERROR);
            self.over();
            return Turn::Done;
        }
        let allowed = server.allowed(place);
        if allowed == 0 && self.at < self.to {
            return Turn::Done;
        }
        let most = usize::try_from(self.to - self.at).unwrap_or(usize::MAX);
        let source = self.source();
        let piece = source.piece(self.at, most.min(allowed));
        let at = self.at + piece.len() as u64;
        let whole = at >= self.to || piece.is_empty();
        let ends = whole && self.part + 1 == end && !resets;
        server.data(place, piece, ends);
        self.at = at;
        if ends {
            self.over();
            return Turn::Done;
        }
        if whole {
            self.part += 1;
            self.open_part();
            let every = self.ask.map_or(0, |ask| ask.faults.every);
            if self.part < end && every > 0 {
                self.wake = now + every;
            }
        }
        Turn::More
    }

    /// Up to which part it is sent, and whether a reset follows then.
    fn end(&self) -> (u64, bool) {
        let parts = self.parts();
        match self.reset() {
            // The body of one part is cut within it.
            Reset::Body => (if parts > 1 { parts / 2 } else { parts }, true),
            _ => (parts, false),
        }
    }

    fn reset(&self) -> Reset {
        self.ask.map_or(Reset::Never, |ask| ask.faults.reset)
    }

    fn in_pieces(&self) -> bool {
        self.ask.is_some_and(|ask| ask.faults.chunks > 0)
    }

    /// How many parts the body has: pieces, or events.
    fn parts(&self) -> u64 {
        let Some(ask) = self.ask else {
            return 1;
        };
        match (ask.what, ask.faults.chunks) {
            (What::Events(events), _) => events,
            (_, 0) => 1,
            (_, chunks) => chunks.min(self.size().unwrap_or(1).max(1)),
        }
    }

    /// The body's size, if it is known.
    fn size(&self) -> Option<u64> {
        match self.ask.map(|ask| ask.what) {
            Some(What::Events(_)) => None,
            Some(what) if what != What::Echo => Some(answer::body(what).1),
            _ => Some(self.text.len() as u64),
        }
    }

    fn source(&self) -> Source<'_> {
        match self.ask.map(|ask| ask.what) {
            Some(What::Echo | What::Events(_)) | None => Source::Text(&self.text),
            Some(what) => answer::body(what).0,
        }
    }

    /// Comes to the beginning of a part.
    fn open_part(&mut self) {
        if let Some(What::Events(events)) = self.ask.map(|ask| ask.what) {
            let event = self.part + 1;
            self.text.clear();
            let text = format!("id: {event}\ndata: {{\"event\":{event},\"of\":{events}}}\n\n");
            self.text.extend_from_slice(text.as_bytes());
            (self.at, self.to) = (0, self.text.len() as u64);
            return;
        }
        let (size, parts) = (self.size().unwrap_or(0), self.parts().max(1));
        let border = |n: u64| (u128::from(size) * u128::from(n) / u128::from(parts)) as u64;
        self.at = border(self.part);
        self.to = border(self.part + 1);
        if parts == 1 && self.reset() == Reset::Body {
            self.to = size / 2;
        }
    }
}
