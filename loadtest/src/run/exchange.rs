//! One answer, from its first byte to its last, and what is to be said of it.
//!
//! No decisions on what is sent when. A steady exchange whose answer comes in one piece reads the clock once.

use std::future::Future;
use std::io;

use engine_net::{Buffer, clock};

use super::line::{Line, Read, Sending};
use crate::client::{Asked, Body, Head, Malformed};
use crate::results::ErrorKind;
use crate::scenario::{Template, Unmet};

/// How much of a body expectations are held against.
const SEEN_OF_BODY: usize = 64 * 1024;

/// An answer that is whole.
pub(super) struct Got {
    pub(super) status: u16,
    pub(super) bytes: u64,
    pub(super) first_byte: u64,
    pub(super) done: u64,
    pub(super) unmet: Option<ErrorKind>,
    /// Whether the connection may be used again.
    pub(super) reusable: bool,
}

/// An answer that never became whole.
pub(super) struct Lost {
    pub(super) kind: ErrorKind,
    /// The rule that it broke, if it is not valid.
    pub(super) rule: Option<Malformed>,
    pub(super) bytes: u64,
    pub(super) at: u64,
}

/// What of an answer is kept to be looked at; reused by the connection.
#[derive(Default)]
pub(super) struct Seen {
    head: Vec<u8>,
    body: Vec<u8>,
}

impl Seen {
    #[inline]
    pub(super) fn clear(&mut self) {
        self.head.clear();
        self.body.clear();
    }

    /// Keeps a head.
    #[inline]
    pub(super) fn head(&mut self, head: &[u8]) {
        self.head.extend_from_slice(head);
    }

    /// Keeps some of a body, as long as there is room.
    #[inline]
    pub(super) fn body(&mut self, bytes: &[u8]) {
        let room = SEEN_OF_BODY.saturating_sub(self.body.len());
        self.body
            .extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    /// What an answer of this status is like, where that is not what the template expects; without controls, and bounded.
    pub(super) fn in_words(&self, template: &Template, status: u16) -> Option<String> {
        template.expect().unmet(status, &self.head, &self.body)
    }

    /// What an answer of this status is not that the template expects of it.
    #[inline]
    pub(super) fn unmet(&self, template: &Template, status: u16) -> Option<ErrorKind> {
        let expect = template.expect();
        if expect.is_plain() {
            return (!(200..400).contains(&status)).then_some(ErrorKind::Status);
        }
        let body = expect.wants_body().then_some(self.body.as_slice());
        match expect.check(status, &self.head, body) {
            Ok(()) => None,
            Err(Unmet::Status(_)) => Some(ErrorKind::Status),
            Err(Unmet::Header) => Some(ErrorKind::Header),
            Err(Unmet::Body) => Some(ErrorKind::Body),
        }
    }
}

/// An answer that is being read.
struct Reading<'a> {
    template: &'a Template,
    seen: &'a mut Seen,
    begun: Option<(Head, Body)>,
    bytes: u64,
    first_byte: u64,
    /// When the latest bytes were there.
    now: u64,
}

/// Receives the answer to a request that has been or is being sent; what is left in the inbox belongs to the next one.
/// `now` is when the inbox, if it holds bytes already, received them.
#[inline]
pub(super) async fn receive<R, P, S>(
    line: &mut Line<'_, R, P>,
    sending: &mut Sending<'_, S>,
    template: &Template,
    seen: &mut Seen,
    now: u64,
) -> Result<Got, Lost>
where
    R: Future<Output = Read>,
    P: Fn(Buffer) -> R,
    S: Future<Output = (io::Result<()>, Vec<u8>)>,
{
    let mut reading = Reading {
        template,
        seen,
        begun: None,
        bytes: 0,
        first_byte: 0,
        now,
    };
    loop {
        if !line.inbox.is_empty() {
            match reading.take(&mut line.inbox) {
                Ok(false) => reading.make_room(&mut line.inbox),
                Ok(true) => return Ok(reading.finish(true)),
                Err(rule) => {
                    let lost = reading.lost(ErrorKind::Protocol);
                    return Err(Lost {
                        rule: Some(rule),
                        ..lost
                    });
                }
            }
        }
        let read = line.more(sending).await;
        reading.now = clock::now();
        match read {
            Ok(0) if reading.ends_with_connection() && line.why_ended() == ErrorKind::Closed => {
                return Ok(reading.finish(false));
            }
            Ok(0) => return Err(reading.lost(line.why_ended())),
            Ok(_) if reading.first_byte == 0 => reading.first_byte = reading.now,
            Ok(_) => {}
            Err(kind) => return Err(reading.lost(kind)),
        }
    }
}

impl Reading<'_> {
    /// Takes what the inbox holds; whether the answer is whole.
    #[inline]
    fn take(&mut self, inbox: &mut Buffer) -> Result<bool, Malformed> {
        if self.first_byte == 0 {
            self.first_byte = self.now;
        }
        while self.begun.is_none() {
            let asked = match self.template.method_is_head() {
                true => Asked::Head,
                false => Asked::Other,
            };
            let Some(head) = Head::read(inbox.filled(), asked)? else {
                return Ok(false);
            };
            self.begin(inbox.filled(), head);
            self.bytes += head.len as u64;
            inbox.consume(head.len);
        }
        let Some((_, body)) = &mut self.begun else {
            return Ok(false);
        };
        let taken = match self.template.expect().wants_body() {
            false => body.take(inbox.filled(), |_| {})?,
            true => {
                let seen = &mut self.seen;
                body.take(inbox.filled(), |bytes| seen.body(bytes))?
            }
        };
        self.bytes += taken as u64;
        inbox.consume(taken);
        Ok(body.is_whole())
    }

    #[inline]
    fn begin(&mut self, bytes: &[u8], head: Head) {
        if head.is_interim() {
            return;
        }
        if !self.template.expect().is_plain() {
            self.seen.clear();
            self.seen.head(bytes.get(..head.len).unwrap_or(bytes));
        }
        self.begun = Some((head, Body::new(head.length)));
    }

    /// Before more is read: a long body is read in large pieces, and a head or a chunk's line needs room behind it.
    fn make_room(&self, inbox: &mut Buffer) {
        let to_come = self.begun.as_ref().map_or(0, |(_, body)| body.at_least());
        let wants_large = to_come > engine_net::buffer::STANDARD as u64;
        if inbox.is_empty() && wants_large != inbox.is_large() {
            *inbox = match wants_large {
                true => Buffer::large(),
                false => Buffer::standard(),
            };
        }
        inbox.compact();
    }

    fn ends_with_connection(&self) -> bool {
        self.begun
            .as_ref()
            .is_some_and(|(_, body)| body.ends_with_connection())
    }

    #[inline]
    fn finish(self, connected: bool) -> Got {
        let (status, reusable) = match &self.begun {
            Some((head, _)) => (head.status, head.reusable && connected),
            None => (0, false),
        };
        Got {
            status,
            bytes: self.bytes,
            first_byte: self.first_byte,
            done: self.now,
            unmet: self.seen.unmet(self.template, status),
            reusable,
        }
    }

    fn lost(&self, kind: ErrorKind) -> Lost {
        Lost {
            kind,
            rule: None,
            bytes: self.bytes,
            at: self.now,
        }
    }
}
