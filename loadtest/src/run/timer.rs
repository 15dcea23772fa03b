//! Waiting to the microsecond: what keeps an open loop on time.
//!
//! `engine-net` waits to the millisecond, which would add up to one to every latency. This is a kernel timer that a worker
//! waits for as it waits for its sockets. One task waits on a timer at a time.

use std::io;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use engine_net::Conn;
use rustix::fd::OwnedFd;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

pub(super) struct Timer {
    /// It is no socket, but all that is asked of it is to become readable, which a timer does when its time has come.
    conn: Conn,
    timer: OwnedFd,
}

impl Timer {
    /// Needs the runtime.
    pub(super) fn new() -> io::Result<Timer> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?;
        let conn = Conn::from_unix(UnixStream::from(timer.try_clone()?))?;
        Ok(Timer { conn, timer })
    }

    /// Waits until the monotonic clock has reached `at`.
    pub(super) async fn until(&self, at: u64) -> io::Result<()> {
        let at = Duration::from_nanos(at.max(1));
        let time = Itimerspec {
            it_interval: Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            },
            it_value: Timespec {
                tv_sec: at.as_secs() as i64,
                tv_nsec: i64::from(at.subsec_nanos()),
            },
        };
        // Setting it also takes back that it has expired before, so it need not be read.
        timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &time)?;
        self.conn.readable().await
    }
}
