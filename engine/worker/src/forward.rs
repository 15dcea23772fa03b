//! THE body pump: moves one message body from the connection that sends it to the one that takes it.
//!
//! There is one pump for both directions and every pair of framings. Bytes are read into a pooled
//! buffer and sent from that same buffer; framing that stays the same is checked and passed through
//! verbatim. Memory is bounded: one buffer per direction, read again only when it has been taken.
//!
//! `incoming` is the body on the side that sends it, as bytes and framing; `fill` reads, `write` and `frames` send, to a
//! connection and to a stream; `splice` and `translated` are the two other ways a body may take. Here is the loop.

use std::cell::Cell;

use engine_net::Splice;
use engine_net::buffer::Buffer;
use engine_net::deadline::{self, Deadline, Strike};
use policy::identity::HeaderNames;
use protocol::http1::{LAST_CHUNK, chunk_line};

use crate::link::Link;

mod fill;
mod frames;
mod incoming;
mod splice;
mod translated;
mod write;

pub(crate) use frames::{write_interim, write_message};
pub(crate) use incoming::Incoming;
pub(crate) use translated::break_off;
pub(crate) use write::{write, write_bytes};

use incoming::{Framing, Step};
use write::post;

/// How the body is framed for the side that takes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outgoing {
    /// Length known from the head, or delimited by the close of the connection: bytes as they are.
    Plain,
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// DATA frames of a stream, the last one marked.
    Frames,
    /// Read and thrown away: the taker has gone, the framing of the sender must still be kept.
    Discard,
}

/// One end of the pump.
#[derive(Clone, Copy)]
pub(crate) struct Side<'a> {
    pub(crate) link: Link<'a>,
    pub(crate) deadline: &'a Deadline,
    /// Nanoseconds allowed between two bytes (reading) or for one write.
    pub(crate) timeout: u64,
    /// Monotonic instant at which the whole exchange is over; `u64::MAX` when unset.
    pub(crate) whole: u64,
    /// While this is `u64::MAX` a pause is no fault: the other direction is still at work.
    pub(crate) patient: Option<&'a Cell<u64>>,
    /// A read that is late is cancelled, not shut: this side can still be answered (a client), where
    /// the other kind is only given up (an upstream).
    pub(crate) answerable: bool,
    /// When either direction last moved: while one does, the other may be quiet. Streams only.
    pub(crate) moved: Option<&'a Cell<u64>>,
}

impl Side<'_> {
    pub(crate) fn arm(&self, strike: Strike) {
        self.arm_from(deadline::now(), strike);
    }

    fn arm_from(&self, start: u64, strike: Strike) {
        let patient = self.patient.is_some_and(|until| until.get() == u64::MAX);
        let timeout = if patient { u64::MAX } else { self.timeout };
        let at = start.saturating_add(timeout).min(self.whole);
        self.deadline.set(at, strike);
    }

    /// When the exchange last moved, if that was in the other direction and after this one fell quiet.
    fn moved_meanwhile(&self) -> Option<u64> {
        let now = deadline::now();
        // `u64::MAX`: it is over, and nothing that moved counts any more.
        let moved = self.moved?.get();
        if moved == u64::MAX {
            return None;
        }
        (now < self.whole && now < moved.saturating_add(self.timeout)).then_some(moved)
    }
}

/// Bounds on the body that passes.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    /// Payload bytes at most.
    pub(crate) max_bytes: u64,
    /// Payload bytes per second at least, once five seconds have passed; 0 for no such rule.
    pub(crate) min_rate: u64,
}

impl Bounds {
    pub(crate) const NONE: Bounds = Bounds {
        max_bytes: u64::MAX,
        min_rate: 0,
    };
}

/// Why a body stopped before its end; who is to blame follows from the variant.
#[derive(Debug)]
pub(crate) enum PumpError {
    /// The sender closed or reset in the middle of the body.
    SourceClosed,
    /// The sender was silent for too long.
    SourceTimeout,
    /// The sender is alive but slower than the least rate.
    SourceTooSlow,
    /// The sender's chunked framing is broken.
    SourceMalformed(&'static str),
    /// More payload than allowed.
    TooLarge,
    /// The taker closed or reset.
    SinkClosed,
    /// The taker did not take bytes in time.
    SinkTimeout,
}

impl PumpError {
    /// The side that sends the body is the one that failed.
    pub(crate) fn is_source(&self) -> bool {
        !matches!(self, PumpError::SinkClosed | PumpError::SinkTimeout)
    }
}

/// One run of the pump: where from, where to, in which framing, and under which bounds.
pub(crate) struct Pump<'a> {
    pub(crate) source: Side<'a>,
    pub(crate) sink: Side<'a>,
    pub(crate) out: Outgoing,
    pub(crate) bounds: Bounds,
    /// Bytes that go out before the first byte of the body: the encoded head.
    pub(crate) lead: &'a [u8],
    /// Names that must not pass in trailers, beside the fixed ones.
    pub(crate) strip: Option<&'a HeaderNames>,
    /// The last bytes are handed over to the driver, if that can and they are few: nobody waits for them, and who uses
    /// the sink's connection next sees to it that they go out.
    pub(crate) post: bool,
    /// A long body may go from socket to socket: nothing else reads from the source or writes to the sink meanwhile.
    pub(crate) splice: bool,
}

impl Pump<'_> {
    /// Moves the body to its end. `buf` holds what has been read of it so far and comes back with
    /// what was read beyond it (the next pipelined message, or stray bytes).
    pub(crate) async fn run(self, body: &mut Incoming, buf: &mut Buffer) -> Result<(), PumpError> {
        let mut lead = self.lead;
        let started = deadline::now();
        loop {
            let step = body.step(buf, self.out, self.strip)?;
            let rest = split_rest(buf, &step);
            let sent = if body.payload > self.bounds.max_bytes {
                Err(PumpError::TooLarge)
            } else if self.out == Outgoing::Discard {
                Ok(())
            } else if body.translation.is_some() {
                Box::pin(self.send_translated(body, buf, lead, &step)).await
            } else {
                self.send(body, buf, lead, &step).await
            };
            // What has been taken from the body is gone, sent or not: should the connection live on,
            // what is left in `buf` must begin where the body's framing stands.
            match rest {
                Some(rest) => *buf = rest,
                None => buf.clear(),
            }
            sent?;
            lead = &[];
            if step.done {
                return Ok(());
            }
            if step.again {
                continue;
            }
            if self.splice
                && buf.is_empty()
                && let Some(left) = body.spliceable()
                && let (Some(from), Some(to)) = (self.source.link.conn(), self.sink.link.conn())
                && let Some(splice) = Splice::open(from, to)
            {
                return self.splice((from, to), splice, left, body).await;
            }
            if buf.is_empty() && !buf.is_large() && body.is_long() {
                *buf = Buffer::large();
            }
            if !self.fill(body, buf, started).await? {
                return self.finish_at_close(body, buf).await;
            }
        }
    }

    /// Sends `lead`, what stands in `buf` and the body's tail, in one operation where they fit.
    async fn send(
        &self,
        body: &mut Incoming,
        buf: &mut Buffer,
        lead: &[u8],
        step: &Step,
    ) -> Result<(), PumpError> {
        if let Link::Stream(stream) = self.sink.link {
            let frames = frames::Part {
                lead,
                tail: &body.tail,
                ends: step.done,
            };
            let sent = frames::send(self.sink, stream, buf, frames).await;
            body.tail.clear();
            return sent;
        }
        if step.bare && !buf.is_empty() {
            let mut line = [0; 18];
            let line = chunk_line(buf.len(), &mut line);
            if !buf.prepend(line) || (body.open_chunk && !buf.prepend(b"\r\n")) {
                return Err(PumpError::SinkClosed);
            }
            body.open_chunk = true;
        }
        if !lead.is_empty() && !buf.prepend(lead) {
            write_bytes(self.sink, lead).await?;
        }
        if !body.tail.is_empty() {
            if body.open_chunk {
                body.tail.splice(0..0, *b"\r\n");
            }
            if !buf.extend(&body.tail) {
                write(self.sink, buf).await?;
                write_bytes(self.sink, &body.tail).await?;
            }
            body.tail.clear();
        }
        if step.done && self.post && post(self.sink, buf) {
            return Ok(());
        }
        write(self.sink, buf).await
    }

    /// The sender closed: the end of a body delimited so, a fault in every other.
    async fn finish_at_close(
        &self,
        body: &mut Incoming,
        buf: &mut Buffer,
    ) -> Result<(), PumpError> {
        if !body.until_close() {
            return Err(PumpError::SourceClosed);
        }
        body.framing = Framing::Done;
        if self.out == Outgoing::Chunked {
            body.tail.extend_from_slice(LAST_CHUNK);
        } else if self.out != Outgoing::Frames {
            return Ok(());
        }
        let end = Step {
            done: true,
            ..Step::more(0, 0)
        };
        self.send(body, buf, &[], &end).await
    }
}

/// Cuts `buf` down to what is to be sent; what lies beyond this step moves to a buffer of its own.
fn split_rest(buf: &mut Buffer, step: &Step) -> Option<Buffer> {
    let beyond = buf.filled().get(step.consumed..).unwrap_or_default();
    let rest = (!beyond.is_empty()).then(|| {
        let mut rest = if buf.is_large() {
            Buffer::large()
        } else {
            Buffer::standard()
        };
        rest.extend(beyond);
        rest
    });
    buf.truncate(step.send);
    rest
}
