//! A driver of our own: tasks, timers and operations of one worker over one io_uring.
//!
//! It runs what is runnable, hands everything that was asked for meanwhile to the kernel in one system call, which also
//! waits for completions, and wakes whoever they belong to. Beside monoio's driver it saves the layers in between, and can
//! keep operations that no task waits for. No sockets, no deadlines: those are above. Invariants: a turn is one system call
//! unless it asks for more than the queue holds or closes what is still in it;
//! however many tasks are runnable, completions are reaped every [`TURN`] polls.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll};

mod flow;
mod future;
mod operation;
mod shot;
mod task;
mod timer;

pub(crate) use flow::{Flow, keep_receive, keep_send};
pub(crate) use future::{FilePoll, Receive, file_poll, receive, send};
pub(crate) use operation::close;
pub(crate) use task::{spawn, yield_now};
pub(crate) use timer::sleep;

use operation::Wait;

/// Polls of tasks between two looks at the ring.
const TURN: usize = 256;

/// Runs `main` and what it spawns on this thread until it ends; what still waits is then dropped.
pub(crate) fn run<T>(main: impl Future<Output = T>) -> io::Result<T> {
    // Dropped last to first: tasks end, and with them their operations, before the ring goes.
    let _ring = operation::open()?;
    let _timers = timer::Forget;
    let tasks = task::Tasks::begin();
    let mut main = pin!(main);
    let mut fired = Vec::new();
    loop {
        for _ in 0..TURN {
            match task::next() {
                None => break,
                Some(next) if tasks.is_main(&next) => {
                    let waker = tasks.main_waker();
                    if let Poll::Ready(out) = main.as_mut().poll(&mut Context::from_waker(&waker)) {
                        return Ok(out);
                    }
                }
                Some(next) => next.run(),
            }
            if task::has_yielded() {
                break;
            }
        }
        operation::turn(match task::is_idle() {
            true => Wait::Until(timer::first()),
            false => Wait::No,
        })?;
        timer::expire(&mut fired);
    }
}
