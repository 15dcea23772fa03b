//! THE body pump: moves one message body from the connection that sends it to the one that takes it.
//!
//! There is one pump for both directions and every pair of framings. Bytes are read into a pooled
//! buffer and sent from that same buffer; framing that stays the same is checked and passed through
//! verbatim. Memory is bounded: one buffer per direction, read again only when it has been taken.

use std::cell::Cell;

use engine_net::Conn;
use engine_net::buffer::{Buffer, STANDARD};
use engine_net::deadline::{self, Deadline, Strike};
use policy::identity::HeaderNames;
use protocol::http1::{ChunkError, Chunked, LAST_CHUNK, Rules, chunk_line, encode};
use protocol::limits::HeadLimits;
use protocol::message::{BodyLength, Name};

use crate::heads;

/// How much of a body is still to come on the side that sends it.
pub(crate) struct Incoming {
    framing: Framing,
    /// Payload bytes taken so far, without framing.
    pub(crate) payload: u64,
    /// Re-framing only: a chunk has been written whose CRLF is still owed.
    open_chunk: bool,
    /// The sender's chunks carry extensions: from here on they are taken apart and made anew.
    reframing: bool,
    /// What goes out after the bytes of this step: the last chunk with its trailer section.
    tail: Vec<u8>,
}

enum Framing {
    Done,
    Exact(u64),
    Chunked(Chunked),
    /// The last chunk has begun; its trailer section is not complete yet.
    Trailers(Chunked),
    UntilClose,
}

/// How the body is framed for the side that takes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outgoing {
    /// Length known from the head, or delimited by the close of the connection: bytes as they are.
    Plain,
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// Read and thrown away: the taker has gone, the framing of the sender must still be kept.
    Discard,
}

/// One end of the pump.
#[derive(Clone, Copy)]
pub(crate) struct Side<'a> {
    pub(crate) conn: &'a Conn,
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
}

impl Side<'_> {
    pub(crate) fn arm(&self, strike: Strike) {
        let patient = self.patient.is_some_and(|until| until.get() == u64::MAX);
        let timeout = if patient { u64::MAX } else { self.timeout };
        let at = deadline::now().saturating_add(timeout).min(self.whole);
        self.deadline.set(at, strike);
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

/// A body slower than the least rate is given up only after this long.
const MIN_RATE_GRACE: u64 = 5_000_000_000;
/// A body that has passed this many bytes and is not over goes on in large buffers.
const LARGE_AFTER: u64 = 32 * 1024;

/// No more than this is posted without waiting for it.
const POSTED: usize = 16 * 1024;

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

    /// Reads more of the body; false at the sender's end of stream.
    async fn fill(
        &self,
        body: &Incoming,
        buf: &mut Buffer,
        started: u64,
    ) -> Result<bool, PumpError> {
        if buf.room() == 0 {
            buf.compact();
            if buf.room() == 0 {
                return Err(PumpError::SourceMalformed("trailer_section_too_large"));
            }
        }
        let (result, back) = if self.source.answerable {
            self.source.arm(Strike::CancelRead);
            self.source.conn.read_cancelable(std::mem::take(buf)).await
        } else {
            self.source.arm(Strike::BothShut);
            self.source.conn.read(std::mem::take(buf)).await
        };
        *buf = back;
        let n = match result {
            _ if self.source.deadline.struck() => return Err(PumpError::SourceTimeout),
            Ok(n) => n,
            Err(_) => return Err(PumpError::SourceClosed),
        };
        self.source.deadline.clear();
        if self.bounds.min_rate > 0 {
            let elapsed = deadline::now().saturating_sub(started);
            let due = u128::from(self.bounds.min_rate) * u128::from(elapsed) / 1_000_000_000;
            if elapsed > MIN_RATE_GRACE && u128::from(body.payload) + (n as u128) < due {
                return Err(PumpError::SourceTooSlow);
            }
        }
        Ok(n > 0)
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
            self.send(body, buf, &[], &Step::more(0, 0)).await?;
        }
        Ok(())
    }
}

/// Hands all of `buf` over to the driver without waiting; false, and nothing done, where that can't be.
fn post(sink: Side<'_>, buf: &mut Buffer) -> bool {
    if buf.is_empty() || buf.len() > POSTED {
        return false;
    }
    match sink.conn.post(std::mem::take(buf)) {
        Ok(()) => true,
        Err(back) => {
            *buf = back;
            false
        }
    }
}

/// Writes all of `buf`, bounded by the side's write time-out.
pub(crate) async fn write(sink: Side<'_>, buf: &mut Buffer) -> Result<(), PumpError> {
    if buf.is_empty() {
        return Ok(());
    }
    sink.arm(Strike::BothShut);
    let (result, back) = sink.conn.write(std::mem::take(buf)).await;
    *buf = back;
    if sink.deadline.struck() {
        return Err(PumpError::SinkTimeout);
    }
    sink.deadline.clear();
    result.map_err(|_| PumpError::SinkClosed)
}

/// Writes bytes that stand in no pooled buffer yet.
pub(crate) async fn write_bytes(sink: Side<'_>, mut bytes: &[u8]) -> Result<(), PumpError> {
    while !bytes.is_empty() {
        let mut buf = if bytes.len() > STANDARD {
            Buffer::large()
        } else {
            Buffer::standard()
        };
        let (now, later) = bytes.split_at(bytes.len().min(buf.room()));
        buf.extend(now);
        write(sink, &mut buf).await?;
        bytes = later;
    }
    Ok(())
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

/// What the front of a buffer holds of the body.
struct Step {
    /// Bytes to go out.
    send: usize,
    /// Bytes that are used up; `send <= consumed` unless both are the same.
    consumed: usize,
    /// The body ends with them.
    done: bool,
    /// More of the buffer can be taken at once, in another framing.
    again: bool,
    /// What goes out is payload that needs a chunk around it.
    bare: bool,
}

impl Step {
    fn more(send: usize, consumed: usize) -> Step {
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
            BodyLength::UntilClose => Framing::UntilClose,
        };
        Incoming {
            framing,
            payload: 0,
            open_chunk: false,
            reframing: false,
            tail: Vec::new(),
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        matches!(self.framing, Framing::Done)
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

    fn is_long(&self) -> bool {
        match &self.framing {
            Framing::Exact(left) => *left > LARGE_AFTER,
            _ => self.payload > LARGE_AFTER,
        }
    }

    /// Takes this body's part of `buf`, taking framing apart in place where the taker wants none.
    fn step(
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
            Framing::Trailers(_) => self.step_trailers(buf, Step::more(0, 0), out, strip)?,
        };
        if step.done {
            self.framing = Framing::Done;
        }
        Ok(step)
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
        if out != Outgoing::Chunked {
            return Ok(end);
        }
        if fields.is_empty() && !self.reframing && rest.starts_with(LAST_CHUNK) {
            return Ok(Step {
                send: step.send + n,
                ..end
            });
        }
        self.tail.extend_from_slice(b"0\r\n");
        for field in &fields {
            let name = field.name.of(rest);
            let framing = matches!(
                field.known,
                Name::ContentLength | Name::TransferEncoding | Name::Host
            );
            let forged =
                strip.is_some_and(|names| names.matches(name) || heads::is_forwarding(name));
            if !field.hop_by_hop && !framing && !forged {
                encode::field(&mut self.tail, name, field.value.of(rest));
            }
        }
        self.tail.extend_from_slice(b"\r\n");
        Ok(end)
    }
}

fn malformed(error: ChunkError) -> PumpError {
    PumpError::SourceMalformed(error.cause())
}
