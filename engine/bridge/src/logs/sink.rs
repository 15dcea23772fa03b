//! A worker's end of a log: lines gather in one buffer, which is handed over when full or on the tick.
//! Invariant: a line is either wholly in the buffer or not at all; at most one batch and one line are held.

use std::sync::Arc;

use super::OnFull;
use super::ring::Log;
use crate::metrics::WorkerSeries;

/// What became of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "a line that met a full log must be waited for"]
pub enum Line {
    /// It will be written.
    Written,
    /// There was no room: it is gone, and counted.
    Dropped,
    /// There was no room in a log that does not drop: wait for `has_room` and offer it again.
    Full,
}

/// A worker's end of one log.
pub struct LineSink {
    log: Arc<Log>,
    series: Arc<WorkerSeries>,
    /// Whole lines not handed over yet; no capacity until the first line.
    batch: Vec<u8>,
    /// The batch is handed over when it is this long. Here too, so that a line touches nothing that is shared.
    hand_over_at: usize,
}

impl LineSink {
    pub(super) fn new(log: Arc<Log>, series: Arc<WorkerSeries>) -> LineSink {
        log.feed();
        LineSink {
            hand_over_at: log.settings().batch,
            log,
            series,
            batch: Vec::new(),
        }
    }

    /// Appends a line: `write` puts its bytes and the newline at the end of the buffer. It is not called when there is no
    /// room.
    pub fn line(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Line {
        if !self.has_room() {
            return match self.log.settings().on_full {
                OnFull::Wait => Line::Full,
                OnFull::Drop => {
                    self.series.access_log_dropped.inc();
                    Line::Dropped
                }
            };
        }
        if self.batch.capacity() == 0 {
            self.batch = self.log.blank();
        }
        write(&mut self.batch);
        debug_assert_eq!(
            self.batch.last(),
            Some(&b'\n'),
            "a line ends with a newline"
        );
        if self.batch.len() >= self.hand_over_at {
            self.hand_over();
        }
        Line::Written
    }

    /// True if a line would be taken now.
    pub fn has_room(&mut self) -> bool {
        self.batch.len() < self.hand_over_at || self.hand_over()
    }

    /// Hands over what has gathered; called on each tick.
    pub fn tick(&mut self) {
        // A slow writer gets few large batches rather than many small ones: places are what is bounded.
        let few = self.batch.len() < self.hand_over_at / 2;
        if self.batch.is_empty() || (few && self.log.is_crowded()) {
            return;
        }
        self.hand_over();
    }

    /// Hands over what has gathered, even past the ring's bound: the worker ends.
    pub fn finish(&mut self) {
        if !self.batch.is_empty() && !self.hand_over() {
            self.log.put_last(std::mem::take(&mut self.batch));
        }
    }

    /// True if the buffer is free for lines again.
    fn hand_over(&mut self) -> bool {
        if !self.log.has_room() {
            return false;
        }
        match self.log.put(std::mem::take(&mut self.batch)) {
            Ok(()) => true,
            Err(batch) => {
                // Another worker took the last place.
                self.batch = batch;
                false
            }
        }
    }
}

impl Drop for LineSink {
    fn drop(&mut self) {
        self.finish();
        self.log.unfeed();
    }
}
