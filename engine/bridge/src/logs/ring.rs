//! One log's two rings: full batches on their way to the writer, empty ones on their way back.
//! Invariant: at most `batches` wait at a time; a batch holds whole lines only.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crossbeam_queue::ArrayQueue;

use super::LogSettings;

/// One log: many sinks, one writer.
pub struct Log {
    settings: LogSettings,
    full: ArrayQueue<Vec<u8>>,
    /// What sinks still held when they ended and the ring was full: one batch each, at a reload or the end.
    last: Mutex<Vec<Vec<u8>>>,
    empty: ArrayQueue<Vec<u8>>,
    sinks: AtomicUsize,
    retired: AtomicBool,
}

impl Log {
    pub(super) fn new(settings: LogSettings, workers: usize) -> Log {
        let batches = (WAITING / settings.batch.max(1)).clamp(2 * workers.max(1), MOST_BATCHES);
        Log {
            settings,
            full: ArrayQueue::new(batches),
            last: Mutex::default(),
            // Each worker and the writer may hold one more than waits.
            empty: ArrayQueue::new(batches + workers + 1),
            sinks: AtomicUsize::new(0),
            retired: AtomicBool::new(false),
        }
    }

    /// What the log is called, where it goes and how much may wait.
    pub fn settings(&self) -> &LogSettings {
        &self.settings
    }

    /// The writer's side: the oldest batch that waits.
    pub fn take(&self) -> Option<Vec<u8>> {
        self.full.pop().or_else(|| self.last().pop())
    }

    /// The writer's side: a batch that was written goes back to be filled again.
    pub fn give_back(&self, mut batch: Vec<u8>) {
        batch.clear();
        // One that a very long line made grow is not kept.
        if batch.capacity() <= 2 * self.room() {
            // When the ring is full the batch is simply freed.
            let _ = self.empty.push(batch);
        }
    }

    /// True once no sink feeds the log and none will: the writer empties it and ends.
    pub fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    /// True if more than half of what may wait does.
    pub fn is_crowded(&self) -> bool {
        self.full.len() > self.full.capacity() / 2
    }

    pub(super) fn has_room(&self) -> bool {
        !self.full.is_full()
    }

    /// Gives the batch back when there is no room.
    pub(super) fn put(&self, batch: Vec<u8>) -> Result<(), Vec<u8>> {
        self.full.push(batch)
    }

    /// Takes what a sink held at its end, whatever waits already: bounded by the sinks that end.
    pub(super) fn put_last(&self, batch: Vec<u8>) {
        self.last().push(batch);
    }

    fn last(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        // Every critical section leaves the list whole.
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn blank(&self) -> Vec<u8> {
        self.empty
            .pop()
            .unwrap_or_else(|| Vec::with_capacity(self.room()))
    }

    /// Room of one batch: its last line may be long without making it grow.
    fn room(&self) -> usize {
        self.settings.batch + LAST_LINE
    }

    pub(super) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }

    pub(super) fn is_fed(&self) -> bool {
        self.sinks.load(Ordering::Acquire) > 0
    }

    pub(super) fn feed(&self) {
        self.sinks.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn unfeed(&self) {
        self.sinks.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Bytes that may wait for a writer, as long as that gives each worker two batches.
const WAITING: usize = 4 << 20;
const MOST_BATCHES: usize = 1 << 10;
const LAST_LINE: usize = 8 << 10;
