//! What is still to come of a body on the side that sends it, and what the front of a buffer holds of it.
//!
//! No connections: bytes and framing alone.

use engine_net::buffer::Buffer;
use policy::identity::HeaderNames;
use protocol::grpc::Code;
use protocol::http1::{ChunkError, Chunked, LAST_CHUNK, Rules, encode};
use protocol::limits::HeadLimits;
use protocol::message::{BodyLength, Name};

use super::{Outgoing, PumpError};
use crate::grpc::{self, Translation};
use crate::heads;
use crate::link::Link;

/// How much of a body is still to come on the side that sends it.
pub(crate) struct Incoming {
    pub(super) framing: Framing,
    /// Payload bytes taken so far, without framing.
    pub(crate) payload: u64,
    /// Re-framing only: a chunk has been written whose CRLF is still owed.
    pub(super) open_chunk: bool,
    /// The sender's chunks carry extensions: from here on they are taken apart and made anew.
    reframing: bool,
    /// What goes out after the bytes of this step: the last chunk with its trailer section.
    pub(super) tail: Vec<u8>,
    /// The trailer lines of the stream that sent it; once it is done, those that may pass if they are translated.
    pub(super) trailers: Vec<u8>,
    /// How it ended as a call of gRPC, if its trailers say so.
    pub(crate) grpc: Option<Code>,
    /// It is translated on its way.
    pub(crate) translation: Option<Box<Translation>>,
}

pub(super) enum Framing {
    Done,
    Exact(u64),
    Chunked(Chunked),
    /// The last chunk has begun; its trailer section is not complete yet.
    Trailers(Chunked),
    UntilClose,
    /// DATA frames without their framing, until the stream says that it is over, then its trailer lines.
    Frames {
        over: bool,
    },
}

/// A body that has passed this many bytes and is not over goes on in large buffers.
const LARGE_AFTER: u64 = 32 * 1024;

/// With so much still to come a body goes from socket to socket; for less the copies are cheaper than the calls.
const SPLICED: u64 = 64 * 1024;

/// What the front of a buffer holds of the body.
pub(super) struct Step {
    /// Bytes to go out.
    pub(super) send: usize,
    /// Bytes that are used up; `send <= consumed` unless both are the same.
    pub(super) consumed: usize,
    /// The body ends with them.
    pub(super) done: bool,
    /// More of the buffer can be taken at once, in another framing.
    pub(super) again: bool,
    /// What goes out is payload that needs a chunk around it.
    pub(super) bare: bool,
}

impl Step {
    pub(super) fn more(send: usize, consumed: usize) -> Step {
        Step {
            send,
            consumed,
            done: false,
            again: false,
            bare: false,
        }
    }
}

impl Incoming {
    pub(crate) fn new(length: BodyLength, rules: Rules) -> Incoming {
        let framing = match length {
            BodyLength::None | BodyLength::Exact(0) => Framing::Done,
            BodyLength::Exact(n) => Framing::Exact(n),
            BodyLength::Chunked => Framing::Chunked(Chunked::new(rules)),
            // The end of the source is the end of the body.
            BodyLength::UntilClose => Framing::UntilClose,
            BodyLength::Frames => Framing::Frames { over: false },
        };
        Incoming {
            framing,
            payload: 0,
            open_chunk: false,
            reframing: false,
            tail: Vec::new(),
            trailers: Vec::new(),
            grpc: None,
            translation: None,
        }
    }

    /// As `new`; what comes from a stream is framed by that, and its length has been held against what was announced.
    pub(crate) fn of(length: BodyLength, rules: Rules, link: Link<'_>) -> Incoming {
        match length {
            BodyLength::None | BodyLength::Exact(0) => Incoming::new(BodyLength::None, rules),
            _ if link.is_stream() => Incoming::new(BodyLength::Frames, rules),
            _ => Incoming::new(length, rules),
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        matches!(self.framing, Framing::Done)
    }

    /// Bytes of the body as the taker has them, without framing.
    pub(crate) fn passed(&self) -> u64 {
        let translated = self.translation.as_ref();
        translated.map_or(self.payload, |it| it.written())
    }

    /// The body ends when its sender closes: that sender's connection can't be used again.
    pub(crate) fn until_close(&self) -> bool {
        matches!(self.framing, Framing::UntilClose)
    }

    /// Bytes still to come when that is known.
    pub(crate) fn remaining(&self) -> Option<u64> {
        match &self.framing {
            Framing::Done => Some(0),
            Framing::Exact(n) => Some(*n),
            _ => None,
        }
    }

    /// Bytes still to come of a body that passes as it is and is long enough to be worth a pipe.
    pub(super) fn spliceable(&self) -> Option<u64> {
        match &self.framing {
            Framing::Exact(left) if *left >= SPLICED => Some(*left),
            _ => None,
        }
    }

    /// So many bytes of a body that passes as it is have been taken.
    pub(super) fn took(&mut self, n: u64) {
        self.payload += n;
        if let Framing::Exact(left) = &mut self.framing {
            *left = left.saturating_sub(n);
            if *left == 0 {
                self.framing = Framing::Done;
            }
        }
    }

    pub(super) fn is_long(&self) -> bool {
        match &self.framing {
            Framing::Exact(left) => *left > LARGE_AFTER,
            _ => self.payload > LARGE_AFTER,
        }
    }

    /// Takes this body's part of `buf`, taking framing apart in place where the taker wants none.
    pub(super) fn step(
        &mut self,
        buf: &mut Buffer,
        out: Outgoing,
        strip: Option<&HeaderNames>,
    ) -> Result<Step, PumpError> {
        let step = match &mut self.framing {
            Framing::Done => Step {
                done: true,
                ..Step::more(0, 0)
            },
            Framing::Exact(left) => {
                let n = usize::try_from(*left).unwrap_or(usize::MAX).min(buf.len());
                *left -= n as u64;
                self.payload += n as u64;
                Step {
                    done: *left == 0,
                    ..Step::more(n, n)
                }
            }
            Framing::UntilClose => {
                self.payload += buf.len() as u64;
                Step {
                    bare: out == Outgoing::Chunked,
                    ..Step::more(buf.len(), buf.len())
                }
            }
            Framing::Chunked(chunked) if out == Outgoing::Chunked && !self.reframing => {
                let scanned = chunked.scan(buf.filled()).map_err(malformed)?;
                self.payload += scanned.payload;
                // The scan stops in front of a size line with an extension: extensions end at this
                // hop (RFC 9112 section 7.1.1), so what follows is framed anew.
                self.reframing = !scanned.verbatim;
                let step = Step::more(scanned.consumed, scanned.consumed);
                if !scanned.at_last_chunk {
                    return Ok(Step {
                        again: self.reframing,
                        ..step
                    });
                }
                self.framing = Framing::Trailers(*chunked);
                self.step_trailers(buf, step, out, strip)?
            }
            Framing::Chunked(chunked) => {
                let plain = chunked.unframe(buf.filled_mut()).map_err(malformed)?;
                self.payload += plain.payload as u64;
                let bare = out == Outgoing::Chunked;
                let step = Step {
                    bare,
                    ..Step::more(plain.payload, plain.consumed)
                };
                if !plain.at_last_chunk {
                    return Ok(step);
                }
                self.framing = Framing::Trailers(*chunked);
                self.step_trailers(buf, step, out, strip)?
            }
            Framing::Frames { over } => {
                self.payload += buf.len() as u64;
                Step {
                    done: *over,
                    bare: out == Outgoing::Chunked,
                    ..Step::more(buf.len(), buf.len())
                }
            }
            Framing::Trailers(_) => self.step_trailers(buf, Step::more(0, 0), out, strip)?,
        };
        if step.done {
            if matches!(self.framing, Framing::Frames { .. }) {
                self.tail_of_frames(out, strip);
            }
            self.framing = Framing::Done;
        }
        Ok(step)
    }

    /// The stream that sends it is over: all of the body has been taken from it, and these are its trailer lines.
    pub(super) fn over(&mut self, trailers: Vec<u8>) {
        if let Framing::Frames { over } = &mut self.framing {
            *over = true;
            self.trailers = trailers;
        }
    }

    /// What follows the last byte of a body that came in frames.
    fn tail_of_frames(&mut self, out: Outgoing, strip: Option<&HeaderNames>) {
        let trailers = std::mem::take(&mut self.trailers);
        let translated = self.translation.is_some();
        if out == Outgoing::Chunked && !translated {
            self.tail.extend_from_slice(b"0\r\n");
        }
        if translated || matches!(out, Outgoing::Chunked | Outgoing::Frames) {
            for (name, value) in trailer_lines(&trailers) {
                self.grpc = grpc::code_in(name, value).or(self.grpc);
                let lines = match translated {
                    true => &mut self.trailers,
                    false => &mut self.tail,
                };
                if may_pass(Name::lookup(name), name, strip) {
                    encode::field(lines, name, value);
                }
            }
        }
        if translated {
            return;
        }
        if out == Outgoing::Chunked {
            self.tail.extend_from_slice(b"\r\n");
        }
    }

    /// Takes the last chunk and its trailer section, which stand behind what `step` has consumed.
    fn step_trailers(
        &mut self,
        buf: &Buffer,
        step: Step,
        out: Outgoing,
        strip: Option<&HeaderNames>,
    ) -> Result<Step, PumpError> {
        let Framing::Trailers(chunked) = &mut self.framing else {
            return Ok(Step { done: true, ..step });
        };
        let rest = buf.filled().get(step.consumed..).unwrap_or_default();
        let mut fields = Vec::new();
        let taken = chunked
            .trailers(rest, &mut fields, &HeadLimits::default())
            .map_err(malformed)?;
        let Some(n) = taken else { return Ok(step) };
        let end = Step {
            consumed: step.consumed + n,
            done: true,
            ..step
        };
        if !matches!(out, Outgoing::Chunked | Outgoing::Frames) {
            return Ok(end);
        }
        let framed = out == Outgoing::Chunked;
        if framed && fields.is_empty() && !self.reframing && rest.starts_with(LAST_CHUNK) {
            return Ok(Step {
                send: step.send + n,
                ..end
            });
        }
        if framed {
            self.tail.extend_from_slice(b"0\r\n");
        }
        for field in &fields {
            let name = field.name.of(rest);
            self.grpc = grpc::code_in(name, field.value.of(rest)).or(self.grpc);
            if !field.hop_by_hop && may_pass(field.known, name, strip) {
                encode::field(&mut self.tail, name, field.value.of(rest));
            }
        }
        if framed {
            self.tail.extend_from_slice(b"\r\n");
        }
        Ok(end)
    }
}

/// Whether a trailer field may pass: it frames nothing and forges no word of the gateway's.
fn may_pass(known: Name, name: &[u8], strip: Option<&HeaderNames>) -> bool {
    let framing = matches!(
        known,
        Name::ContentLength | Name::TransferEncoding | Name::Host
    );
    let forged = strip.is_some_and(|names| names.matches(name) || heads::is_forwarding(name));
    !framing && !forged
}

/// Names and values of `name: value` lines.
fn trailer_lines(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    text.split(|byte| *byte == b'\n').filter_map(|line| {
        let line = line.strip_suffix(b"\r")?;
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = line.split_at_checked(colon)?;
        Some((name, value.get(1..)?.trim_ascii()))
    })
}

fn malformed(error: ChunkError) -> PumpError {
    PumpError::SourceMalformed(error.cause())
}
