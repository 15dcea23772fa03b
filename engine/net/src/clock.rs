//! The clocks of a worker. All are read through the vDSO: no system call.
//!
//! Times are `u64` nanoseconds of the monotonic clock; policies never read a clock, they are handed these.

use std::time::{SystemTime, UNIX_EPOCH};

/// Monotonic nanoseconds, exact (about 20 ns to read).
pub fn now() -> u64 {
    read(libc::CLOCK_MONOTONIC)
}

/// Monotonic nanoseconds as of the kernel's last timer tick: cheaper to read than [`now`], 1 to 10 ms behind it at most,
/// never ahead of it.
pub fn coarse() -> u64 {
    read(libc::CLOCK_MONOTONIC_COARSE)
}

/// Milliseconds since the Unix epoch.
pub fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}

fn read(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid timespec for the call to fill; both clocks exist on every Linux.
    unsafe { libc::clock_gettime(clock, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coarse_is_behind_by_a_tick_at_most() {
        let before = coarse();
        let exact = now();
        assert!(before <= exact, "{before} > {exact}");
        assert!(exact - before < 50_000_000, "{}", exact - before);
        assert!(unix_millis() > 1_600_000_000_000);
    }
}
