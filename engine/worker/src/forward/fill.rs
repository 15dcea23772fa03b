//! Reading more of a body: how long it may take, how slow it may be, and who may give it up meanwhile.

use std::future::Future;

use engine_net::buffer::Buffer;
use engine_net::deadline::{self, Strike};

use super::{Incoming, Pump, PumpError};
use crate::link::{Link, watching};

/// A body slower than the least rate is given up only after this long.
const MIN_RATE_GRACE: u64 = 5_000_000_000;

impl Pump<'_> {
    /// Reads more of the body; false at the sender's end of stream.
    pub(super) async fn fill(
        &self,
        body: &mut Incoming,
        buf: &mut Buffer,
        started: u64,
    ) -> Result<bool, PumpError> {
        if buf.room() == 0 {
            buf.compact();
            if buf.room() == 0 {
                return Err(PumpError::SourceMalformed("trailer_section_too_large"));
            }
        }
        let (result, back) = match self.source.link {
            Link::Conn(conn) if self.source.answerable => {
                self.source.arm(Strike::CancelRead);
                conn.read_cancelable(std::mem::take(buf)).await
            }
            Link::Conn(conn) => {
                self.source.arm(Strike::BothShut);
                self.unless_gone(conn.read(std::mem::take(buf))).await?
            }
            Link::Stream(stream) => {
                let mut start = deadline::now();
                loop {
                    self.source.arm_from(start, Strike::Wake);
                    let read = stream.read(std::mem::take(buf), self.source.deadline);
                    let (result, back) = match self.source.answerable {
                        true => read.await,
                        false => self.unless_gone(read).await?,
                    };
                    if result.is_ok() || !self.source.deadline.struck() {
                        break (result, back);
                    }
                    match self.source.moved_meanwhile() {
                        Some(moved) => start = moved,
                        None => break (result, back),
                    }
                    *buf = back;
                }
            }
        };
        *buf = back;
        let n = match result {
            _ if self.source.deadline.struck() => return Err(PumpError::SourceTimeout),
            Ok(n) => n,
            Err(_) => return Err(PumpError::SourceClosed),
        };
        self.source.deadline.clear();
        if let Some(moved) = self.source.moved {
            moved.set(deadline::now());
        }
        if self.bounds.min_rate > 0 {
            let elapsed = deadline::now().saturating_sub(started);
            let due = u128::from(self.bounds.min_rate) * u128::from(elapsed) / 1_000_000_000;
            if elapsed > MIN_RATE_GRACE && u128::from(body.payload) + (n as u128) < due {
                return Err(PumpError::SourceTooSlow);
            }
        }
        if let Link::Stream(stream) = self.source.link
            && stream.is_over()
        {
            body.over(stream.take_trailers());
            return Ok(true);
        }
        Ok(n > 0)
    }

    /// Waits for what an upstream sends, unless the client gives it up: no byte may come for long by which to learn of it.
    async fn unless_gone<T>(&self, read: impl Future<Output = T>) -> Result<T, PumpError> {
        // A stream tells at once and for little; a connection is asked where the answer may be quiet for long.
        if !self.sink.link.is_stream() && self.source.moved.is_none() {
            return Ok(read.await);
        }
        match watching(self.sink.link, self.source.link, read).await {
            (_, true) => Err(PumpError::SinkClosed),
            (done, false) => Ok(done),
        }
    }
}
