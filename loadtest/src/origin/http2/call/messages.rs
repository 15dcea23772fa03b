//! A call of gRPC: messages come in, answers go out as they are made, the status ends it.
//!
//! Messages are told apart by their prefix (a byte for compression, four for the length) and never looked into.

use std::collections::VecDeque;

use super::super::fields::{Constant, Fields};
use super::Turn;
use crate::http2::{INTERNAL_ERROR, Server};
use crate::origin::answer::Source;
use crate::origin::ask::Reset;
use crate::origin::grpc::{Asked, Kind, LONGEST, RESOURCE_EXHAUSTED, SERVING};

/// Bytes in front of each message.
const PREFIX: usize = 5;
/// No more is taken in while answers of this length wait.
const MANY: usize = 1 << 20;

/// A call under way.
pub(super) struct Messages {
    asked: Asked,
    /// The message that is coming, with its prefix.
    coming: Vec<u8>,
    /// Answers to be sent, each with its prefix and how often it goes out still.
    answers: VecDeque<(Vec<u8>, u64)>,
    /// Bytes of those.
    waiting: usize,
    /// What of the first one has been sent.
    sent: usize,
    /// The last message, if answers are to that alone.
    last: Option<Vec<u8>>,
    /// Not before this time; 0: at once.
    wake: u64,
    delayed: bool,
    ended: bool,
    opened: bool,
    over: bool,
}

impl Messages {
    pub(super) fn new(asked: Asked) -> Messages {
        Messages {
            asked,
            coming: Vec::new(),
            answers: VecDeque::new(),
            waiting: 0,
            sent: 0,
            last: None,
            wake: 0,
            delayed: false,
            ended: false,
            opened: false,
            over: false,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Whether more messages can be taken.
    pub(super) fn has_room(&self) -> bool {
        self.waiting < MANY
    }

    /// Takes some of what the client sends.
    pub(super) fn more(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.ended {
            let wanted = match self.coming.first_chunk::<PREFIX>() {
                None => PREFIX,
                Some([_, a, b, c, d]) => PREFIX + u32::from_be_bytes([*a, *b, *c, *d]) as usize,
            };
            let (now, rest) = bytes.split_at((wanted - self.coming.len()).min(bytes.len()));
            self.coming.extend_from_slice(now);
            bytes = rest;
            self.check();
        }
    }

    /// Whether the message is whole, or too long to become it.
    fn check(&mut self) {
        let Some([_, a, b, c, d]) = self.coming.first_chunk::<PREFIX>() else {
            return;
        };
        let length = u32::from_be_bytes([*a, *b, *c, *d]);
        if u64::from(length) > LONGEST {
            (self.asked.status, self.asked.count) = (RESOURCE_EXHAUSTED, 0);
            self.asked.message = "a message is longer than 64 MiB".to_owned();
            self.ended = true;
        } else if self.coming.len() == PREFIX + length as usize {
            let message = std::mem::take(&mut self.coming);
            match self.asked.once {
                true => self.last = Some(message),
                false => self.answer(message),
            }
        }
    }

    /// The client has sent all.
    pub(super) fn end(&mut self) {
        self.ended = true;
        if let Some(message) = self.last.take() {
            self.answer(message);
        }
    }

    /// Puts the answers to a message into line.
    fn answer(&mut self, message: Vec<u8>) {
        if self.asked.count == 0 {
            return;
        }
        let answer = match (self.asked.kind, self.asked.size) {
            (Kind::Health, _) => framed(Source::Text(SERVING), SERVING.len()),
            (Kind::Echo, Some(size)) => framed(Source::Pattern, size as usize),
            (Kind::Echo, None) => message,
        };
        self.waiting += answer.len();
        self.answers.push_back((answer, self.asked.count));
    }

    /// Sends what may be sent now, at most one frame.
    pub(super) fn advance(
        &mut self,
        place: usize,
        now: u64,
        server: &mut Server,
        fields: &mut Fields,
    ) -> Turn {
        if !std::mem::replace(&mut self.delayed, true) && self.asked.delay > 0 {
            self.wake = now + self.asked.delay;
        }
        if self.wake > now {
            return Turn::At(self.wake);
        }
        if self.answers.is_empty() && !self.ended {
            return Turn::Done;
        }
        let resets = match self.asked.reset {
            Reset::Never => false,
            Reset::Head => true,
            Reset::Body => self.answers.is_empty(),
        };
        if resets {
            server.reset(place, INTERNAL_ERROR);
            self.over = true;
            return Turn::Done;
        }
        match self.answers.is_empty() {
            true => self.finish(place, server, fields),
            false => self.send(place, now, server, fields),
        }
    }

    fn send(&mut self, place: usize, now: u64, server: &mut Server, fields: &mut Fields) -> Turn {
        if !std::mem::replace(&mut self.opened, true) {
            self.head(server, fields);
            server.head(place, fields.block(), false);
        }
        let Some((answer, left)) = self.answers.front_mut() else {
            return Turn::Done;
        };
        let rest = answer.get(self.sent..).unwrap_or_default();
        let piece = rest.get(..server.allowed(place)).unwrap_or(rest);
        if piece.is_empty() {
            return Turn::Done;
        }
        server.data(place, piece, false);
        self.sent += piece.len();
        if piece.len() < rest.len() {
            return Turn::More;
        }
        self.sent = 0;
        *left -= 1;
        let last = *left == 0;
        if last && let Some((answer, _)) = self.answers.pop_front() {
            self.waiting -= answer.len();
        }
        if self.asked.every > 0 && !(self.answers.is_empty() && self.ended) {
            self.wake = now + self.asked.every;
        }
        match last {
            true => Turn::Taken,
            false => Turn::More,
        }
    }

    /// Appends what every answer begins with.
    fn head(&self, server: &mut Server, fields: &mut Fields) {
        fields.head(server, 200);
        match &self.asked.content_type {
            None => fields.constant(server, Constant::Grpc),
            Some(own) => fields.field("content-type", own),
        };
        if let Some(encoding) = &self.asked.encoding {
            fields.field("grpc-encoding", encoding);
        }
    }

    /// Says the status: in trailers, or in the only header block there is.
    fn finish(&mut self, place: usize, server: &mut Server, fields: &mut Fields) -> Turn {
        if self.opened {
            fields.trailers(server);
        } else {
            self.head(server, fields);
        }
        match self.asked.status {
            0 => fields.constant(server, Constant::GrpcOk),
            status => fields
                .number("grpc-status", u64::from(status))
                .field("grpc-message", self.asked.message.as_bytes()),
        };
        server.head(place, fields.block(), true);
        self.over = true;
        Turn::Done
    }
}

/// A message of so many bytes, with its prefix.
fn framed(source: Source<'_>, size: usize) -> Vec<u8> {
    let mut message = Vec::with_capacity(PREFIX + size);
    message.push(0);
    message.extend_from_slice(&(size as u32).to_be_bytes());
    while message.len() < PREFIX + size {
        let at = message.len() - PREFIX;
        let piece = source.piece(at as u64, size - at);
        if piece.is_empty() {
            break;
        }
        message.extend_from_slice(piece);
    }
    message
}
