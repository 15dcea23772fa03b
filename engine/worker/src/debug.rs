//! What is told at `gateway.log_level = "debug"`: each handshake with a client that failed, one line for people, written
//! by the log's writer beside the lines of control. Counting them is `listener`'s.
//!
//! Invariant: at most [`MOST`] lines in [`SPAN`], and one with the number of the others; nothing waits for the log, and
//! no byte that a peer chose gets into it unless it is printable ASCII.

use std::cell::RefCell;
use std::io::Write;
use std::net::SocketAddr;

use engine_bridge::logs::{LineSink, LogSettings, Logs};
use engine_net::clock;
use engine_net::tls::Reason;

use crate::time;

/// Lines of one worker in each span.
const MOST: u32 = 10;
const SPAN: u64 = 1_000_000_000;
/// Characters of a detail.
const MOST_DETAIL: usize = 200;

/// One worker's end of what is told.
pub(crate) struct DebugLog {
    worker: usize,
    told: RefCell<Told>,
}

struct Told {
    sink: LineSink,
    /// When the span began, and the lines since.
    begun: u64,
    lines: u32,
    /// Failures that got no line, and are still to be told as a number.
    more: u64,
}

impl DebugLog {
    pub(crate) fn new(worker: usize, logs: &Logs) -> DebugLog {
        DebugLog {
            worker,
            told: RefCell::new(Told {
                sink: logs.sink(worker, LogSettings::debug()),
                begun: 0,
                lines: 0,
                more: 0,
            }),
        }
    }

    /// Tells of a handshake that failed.
    pub(crate) fn handshake_failed(
        &self,
        now: u64,
        listener: &str,
        from: &SocketAddr,
        (reason, detail): (Reason, &str),
    ) {
        let told = &mut *self.told.borrow_mut();
        told.turn(self.worker, now);
        if told.lines >= MOST || !told.sink.has_room() {
            told.more = told.more.saturating_add(1);
            return;
        }
        told.lines += 1;
        let reason = reason.as_str();
        told.say(|out| {
            // A vector takes all there is.
            let _ = write!(
                out,
                "listener {listener}: TLS handshake with {from} failed: {reason}: "
            );
            let printable = |byte: u8| match byte {
                b' '..=b'~' => byte,
                _ => b'?',
            };
            out.extend(detail.bytes().take(MOST_DETAIL).map(printable));
        });
    }

    /// Each tick: what was left out is told when its span is over, and all is handed over.
    pub(crate) fn tick(&self, now: u64) {
        let told = &mut *self.told.borrow_mut();
        if told.more > 0 {
            told.turn(self.worker, now);
        }
        told.sink.tick();
    }

    /// Hands over everything: the worker ends.
    pub(crate) fn finish(&self) {
        let told = &mut *self.told.borrow_mut();
        told.say_more(self.worker);
        told.sink.finish();
    }
}

impl Drop for DebugLog {
    fn drop(&mut self) {
        // A reload has replaced it in the middle of a span.
        self.told.get_mut().say_more(self.worker);
    }
}

impl Told {
    /// Begins another span if one is over.
    fn turn(&mut self, worker: usize, now: u64) {
        if self.lines > 0 && now.saturating_sub(self.begun) < SPAN {
            return;
        }
        self.say_more(worker);
        (self.begun, self.lines) = (now, 0);
    }

    fn say_more(&mut self, worker: usize) {
        if self.more == 0 || !self.sink.has_room() {
            return;
        }
        let more = std::mem::take(&mut self.more);
        self.say(|out| {
            let _ = write!(out, "worker {worker}: {more} more TLS handshakes failed");
        });
    }

    /// A line with its time and level; the caller has asked for room.
    fn say(&mut self, what: impl FnOnce(&mut Vec<u8>)) {
        // Without room it would be dropped, which is all right.
        let _ = self.sink.line(|out| {
            time::rfc3339_millis(clock::unix_millis(), out);
            out.extend_from_slice(b" debug: ");
            what(out);
            out.push(b'\n');
        });
    }
}

#[cfg(test)]
mod tests;
