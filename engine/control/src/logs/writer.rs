//! The thread that empties one log's ring into its output.
//! Invariant: batches are written whole and in order; while the output fails the ring fills, so that what is lost is
//! lost, and counted, at the ring's entrance; no line is torn but by the output itself.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use engine_bridge::logs::Log;

use super::output::Output;
use crate::shared::Shared;

/// One log's writer.
pub(super) struct Writer {
    log: Arc<Log>,
    shared: Arc<Shared>,
    output: Option<Output>,
    /// The value of `Shared::reopen` that the output was opened under.
    opened: u64,
    looked: Instant,
    /// It has said that it can't write, and hasn't written since.
    failing: bool,
}

impl Writer {
    pub(super) fn new(log: Arc<Log>, shared: Arc<Shared>) -> Writer {
        Writer {
            opened: shared.reopen.load(Ordering::Relaxed),
            log,
            shared,
            output: None,
            looked: Instant::now(),
            failing: false,
        }
    }

    /// Runs until the log is retired and empty.
    pub(super) fn run(mut self) {
        let mut pause = BUSY;
        loop {
            // Asked before the ring is: what was put there before is then seen.
            let retired = self.log.is_retired();
            match self.log.take() {
                Some(batch) => {
                    pause = BUSY;
                    self.write(&batch);
                    self.log.give_back(batch);
                }
                None if retired => return,
                None => {
                    thread::park_timeout(pause);
                    pause = IDLE;
                }
            }
        }
    }

    /// Writes a batch, for as long as that takes; gives up only when the process ends.
    fn write(&mut self, batch: &[u8]) {
        let mut at = 0;
        while at < batch.len() {
            if self.is_stale() && self.output.take().is_some() {
                // A line that was torn goes whole into the next file.
                at = line_start(batch, at);
            }
            match self.write_some(&batch[at..]) {
                Ok(count) => at += count,
                Err(why) => {
                    self.tell_failure(&why);
                    if self.log.is_retired() {
                        let lost = batch[at..].iter().filter(|byte| **byte == b'\n').count();
                        return self.give_up(lost);
                    }
                    thread::park_timeout(RETRY);
                }
            }
        }
        if self.failing {
            self.failing = false;
            self.say("written again");
        }
    }

    fn write_some(&mut self, bytes: &[u8]) -> Result<usize, String> {
        let output = match &mut self.output {
            Some(output) => output,
            empty => empty.insert(Output::open(&self.log.settings().target)?),
        };
        match output.write(bytes) {
            Ok(0) => Err("nothing was taken".into()),
            Ok(count) => Ok(count),
            Err(why) if why.kind() == std::io::ErrorKind::Interrupted => Ok(0),
            Err(why) => Err(why.to_string()),
        }
    }

    /// True if the output should be opened anew. Looks at the file at most once a second, at the counter each time.
    fn is_stale(&mut self) -> bool {
        let wanted = self.shared.reopen.load(Ordering::Relaxed);
        if std::mem::replace(&mut self.opened, wanted) != wanted {
            return true;
        }
        if self.looked.elapsed() < LOOK && !self.failing {
            return false;
        }
        self.looked = Instant::now();
        self.output.as_ref().is_some_and(Output::is_rotated)
    }

    fn tell_failure(&mut self, why: &str) {
        if !std::mem::replace(&mut self.failing, true) {
            self.say(&format!("can't be written: {why}; trying on, lines that find no room are dropped or waited for"));
        }
    }

    fn give_up(&self, mut lost: usize) {
        while let Some(batch) = self.log.take() {
            lost += batch.iter().filter(|byte| **byte == b'\n').count();
        }
        self.shared.lose_lines(lost as u64);
        self.say(&format!("{lost} lines could not be written"));
    }

    fn say(&self, what: &str) {
        self.shared
            .operator
            .say(format!("log {}: {what}", self.log.settings().name));
    }
}

/// Where the line that holds this byte starts.
pub(super) fn line_start(batch: &[u8], at: usize) -> usize {
    let before = &batch[..at];
    before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |newline| newline + 1)
}

/// How long the writer sleeps when the ring is empty: the ring must hold what comes in meanwhile.
const BUSY: Duration = Duration::from_millis(10);
const IDLE: Duration = Duration::from_millis(50);
/// Between two tries on an output that fails.
const RETRY: Duration = Duration::from_millis(100);
/// Between two looks for rotation.
const LOOK: Duration = Duration::from_secs(1);
