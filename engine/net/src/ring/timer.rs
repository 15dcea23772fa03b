//! Timers of one thread: few (connections have deadlines), so a heap that is looked at once a turn and a list of who waits.
//!
//! Invariants: a timer never fires early; in steady state none allocates.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::clock;

thread_local! {
    static TIMERS: RefCell<Timers> = const { RefCell::new(Timers { due: BinaryHeap::new(), waiting: Vec::new(), next: 0 }) };
}

struct Timers {
    /// Instants, each with the number of its timer.
    due: BinaryHeap<Reverse<(u64, u64)>>,
    /// Who waits, by number; a timer that was dropped is no longer here.
    waiting: Vec<(u64, Waker)>,
    /// The number of the next timer.
    next: u64,
}

impl Timers {
    fn take(&mut self, number: u64) -> Option<Waker> {
        let at = self.waiting.iter().position(|(it, _)| *it == number)?;
        Some(self.waiting.swap_remove(at).1)
    }
}

/// Waits at least that long.
pub(crate) fn sleep(duration: Duration) -> Timer {
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    Timer {
        at: clock::now().saturating_add(nanos),
        number: None,
    }
}

/// A wait for an instant.
pub(crate) struct Timer {
    at: u64,
    /// Set once it waits.
    number: Option<u64>,
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if clock::now() >= self.at {
            return Poll::Ready(());
        }
        let waker = cx.waker().clone();
        let before = TIMERS.with_borrow_mut(|timers| {
            let number = match self.number {
                Some(number) => number,
                None => {
                    let number = timers.next;
                    timers.next += 1;
                    timers.due.push(Reverse((self.at, number)));
                    self.number = Some(number);
                    number
                }
            };
            let before = timers.take(number);
            timers.waiting.push((number, waker));
            before
        });
        drop(before);
        Poll::Pending
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let Some(number) = self.number else { return };
        let waker = TIMERS.with_borrow_mut(|timers| {
            let waker = timers.take(number);
            if waker.is_some() {
                // Else those that are made anew all the time would pile up until their instants.
                timers.due.retain(|Reverse((_, it))| *it != number);
            }
            waker
        });
        drop(waker);
    }
}

/// When the first timer fires.
pub(super) fn first() -> Option<u64> {
    TIMERS.with_borrow(|timers| timers.due.peek().map(|Reverse((at, _))| *at))
}

/// Wakes what is due; `fired` is scratch space.
pub(super) fn expire(fired: &mut Vec<Waker>) {
    TIMERS.with_borrow_mut(|timers| {
        if timers.due.is_empty() {
            return;
        }
        let now = clock::now();
        while let Some(&Reverse((at, number))) = timers.due.peek()
            && at <= now
        {
            timers.due.pop();
            fired.extend(timers.take(number));
        }
    });
    fired.drain(..).for_each(Waker::wake);
}

/// Forgets all timers when dropped: the runtime they belong to is over.
pub(super) struct Forget;

impl Drop for Forget {
    fn drop(&mut self) {
        let timers = TIMERS.with_borrow_mut(|timers| {
            timers.due.clear();
            std::mem::take(&mut timers.waiting)
        });
        drop(timers);
    }
}
