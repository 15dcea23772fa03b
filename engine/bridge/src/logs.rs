//! The rings between the workers, which append lines to a buffer of their own, and the writer threads, which put whole
//! batches into files. Opening, writing and rotating files is control's.
//! Invariant: no allocation per line; what waits is bounded per log; a line that finds no room is counted (`Drop`) or
//! refused so that its exchange may wait (`Wait`), never lost silently.

mod ring;
mod sink;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine_config::snapshot::{AccessLog, Full, LogPath};

use crate::metrics::Metrics;

pub use ring::Log;
pub use sink::{Line, LineSink};

/// Where a log's lines end up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// A file, appended to.
    File(PathBuf),
}

/// What happens to a line when its log has no room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnFull {
    /// It is dropped and counted.
    Drop,
    /// It is refused: the exchange waits, up to its own deadline.
    Wait,
}

/// All that tells one log from another. Two logs with equal settings are the same log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogSettings {
    /// The name in the configuration; `audit` for the audit log.
    pub name: Arc<str>,
    /// Where its lines end up.
    pub target: Target,
    /// What happens when there is no room.
    pub on_full: OnFull,
    /// Bytes that a worker gathers before it hands them over between two ticks.
    pub batch: usize,
}

impl LogSettings {
    /// The audit log, which never drops.
    pub fn audit(target: Target) -> LogSettings {
        LogSettings {
            name: "audit".into(),
            target,
            on_full: OnFull::Wait,
            batch: DEFAULT_BATCH,
        }
    }

    /// What workers tell the people who run the gateway, on standard error beside the lines of control. What finds no
    /// room is dropped.
    pub fn debug() -> LogSettings {
        LogSettings {
            name: "debug".into(),
            target: Target::Stderr,
            on_full: OnFull::Drop,
            batch: DEFAULT_BATCH,
        }
    }
}

impl From<&AccessLog> for LogSettings {
    fn from(log: &AccessLog) -> LogSettings {
        LogSettings {
            name: Arc::clone(&log.name),
            target: match &log.path {
                LogPath::Stdout => Target::Stdout,
                LogPath::File(path) => Target::File(path.clone()),
            },
            on_full: match log.on_full {
                Full::Drop => OnFull::Drop,
                Full::Block => OnFull::Wait,
            },
            batch: log.buffer,
        }
    }
}

/// Every log that has a sink or a writer.
pub struct Logs {
    workers: usize,
    metrics: Arc<Metrics>,
    open: Mutex<Vec<Arc<Log>>>,
}

impl Logs {
    pub(crate) fn new(workers: usize, metrics: Arc<Metrics>) -> Logs {
        Logs {
            workers,
            metrics,
            open: Mutex::new(Vec::new()),
        }
    }

    /// A worker's end of a log. Locks: for preparing a snapshot, not for a request.
    pub fn sink(&self, worker: usize, settings: impl Into<LogSettings>) -> LineSink {
        let settings = settings.into();
        let mut open = self.open();
        let found = open.iter().find(|log| *log.settings() == settings);
        let log = match found {
            Some(log) => Arc::clone(log),
            None => {
                let log = Arc::new(Log::new(settings, self.workers));
                open.push(Arc::clone(&log));
                log
            }
        };
        LineSink::new(log, self.metrics.worker(worker))
    }

    /// A worker's end of the audit log on standard error.
    pub fn audit(&self, worker: usize) -> LineSink {
        self.sink(worker, LogSettings::audit(Target::Stderr))
    }

    /// Every log that lives: each needs a writer.
    pub fn all(&self) -> Vec<Arc<Log>> {
        self.open().clone()
    }

    /// Retires a log if no sink feeds it any more: its writer empties it and ends. A later sink gets a new log.
    pub fn retire_unfed(&self, log: &Arc<Log>) {
        let mut open = self.open();
        // Under the lock no sink can be made meanwhile.
        if !log.is_fed() {
            log.retire();
            open.retain(|it| !Arc::ptr_eq(it, log));
        }
    }

    /// True while any log has a sink.
    pub fn are_fed(&self) -> bool {
        self.open().iter().any(|log| log.is_fed())
    }

    /// Retires every log, at the end of the process.
    pub fn retire_all(&self) {
        self.open().drain(..).for_each(|log| log.retire());
    }

    fn open(&self) -> MutexGuard<'_, Vec<Arc<Log>>> {
        // Every critical section leaves the list whole, so a panic elsewhere while it was held does no harm.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a worker gathers for the audit log and what it tells people; the default of access logs stands in the configuration.
const DEFAULT_BATCH: usize = 64 << 10;

#[cfg(test)]
mod tests;
