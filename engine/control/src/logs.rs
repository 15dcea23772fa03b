//! The writer threads, one per log, so that a target that blocks holds up no other.
//! Invariant: every log that lives has a writer; at the end of the process each is emptied, within a bound.

mod output;
mod writer;

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use engine_bridge::Snapshot;
use engine_bridge::logs::{Log, LogSettings};

use crate::shared::Shared;
use output::Output;
use writer::Writer;

/// Every writer of the process.
pub(crate) struct Writers {
    shared: Arc<Shared>,
    running: Vec<(Arc<Log>, JoinHandle<()>)>,
}

impl Writers {
    pub(crate) fn new(shared: Arc<Shared>) -> Writers {
        Writers {
            shared,
            running: Vec::new(),
        }
    }

    /// Gives a writer to each log that has none, and lets go of logs that nobody feeds any more.
    pub(crate) fn look(&mut self) {
        let logs = &self.shared.bridge.logs;
        self.running.retain(|(_, thread)| !thread.is_finished());
        for log in logs.all() {
            if self.running.iter().any(|(it, _)| Arc::ptr_eq(it, &log)) {
                continue;
            }
            let writer = Writer::new(Arc::clone(&log), Arc::clone(&self.shared));
            let name = format!("log {}", log.settings().name);
            match thread::Builder::new()
                .name(name)
                .spawn(move || writer.run())
            {
                Ok(thread) => self.running.push((log, thread)),
                // The next look tries again; until then the ring holds what it can.
                Err(why) => self
                    .shared
                    .operator
                    .say(format!("can't start a log writer: {why}")),
            }
        }
        // Only those that have a writer: what waits in the others would be lost.
        self.running
            .iter()
            .for_each(|(log, _)| logs.retire_unfed(log));
    }

    /// Empties every log and ends its writer; gives the names of those that did not end in time.
    pub(crate) fn finish(mut self, within: Duration) -> Vec<String> {
        let logs = &self.shared.bridge.logs;
        // Workers drop their sinks, and with them hand over what is left, just after they have reported the end.
        let unfed = Instant::now() + LAST_LINES;
        while logs.are_fed() && Instant::now() < unfed {
            thread::sleep(Duration::from_millis(1));
        }
        self.look();
        self.shared.bridge.logs.retire_all();
        let end = Instant::now() + within;
        let mut late = Vec::new();
        for (log, thread) in self.running {
            thread.thread().unpark();
            while !thread.is_finished() && Instant::now() < end {
                thread::sleep(Duration::from_millis(1));
            }
            match thread.is_finished() {
                // It only ends by itself; a panic of it has been printed.
                true => drop(thread.join()),
                false => late.push(log.settings().name.to_string()),
            }
        }
        late
    }
}

/// Says which of a snapshot's logs can't be opened.
pub(crate) fn check(snapshot: &Snapshot) -> Result<(), String> {
    for log in &snapshot.access_logs {
        let settings = LogSettings::from(log);
        Output::open(&settings.target).map_err(|why| format!("access_log.{}: {why}", log.name))?;
    }
    Ok(())
}

const LAST_LINES: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests;
