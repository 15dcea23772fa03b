//! What the generator itself costs: CPU time of its threads, and how long they waited for a core.

use rustix::time::{ClockId, clock_gettime};

/// What a thread has had by now.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usage {
    /// Time it ran.
    pub(super) busy_ns: u64,
    /// Time it could have run, had its core been free.
    pub(super) waited_ns: u64,
}

impl Usage {
    /// Of the calling thread.
    pub(super) fn of_thread() -> Usage {
        // The second figure of schedstat; a kernel without it leaves us not knowing.
        let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        let waited = stat
            .split_whitespace()
            .nth(1)
            .and_then(|it| it.parse().ok());
        Usage {
            busy_ns: read(ClockId::ThreadCPUTime),
            waited_ns: waited.unwrap_or(0),
        }
    }

    /// What has been added since.
    pub(super) fn since(self, before: Usage) -> Usage {
        Usage {
            busy_ns: self.busy_ns.saturating_sub(before.busy_ns),
            waited_ns: self.waited_ns.saturating_sub(before.waited_ns),
        }
    }
}

/// CPU time of the whole process, with the kernel's threads that work for it.
pub(super) fn of_process() -> u64 {
    read(ClockId::ProcessCPUTime)
}

fn read(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
