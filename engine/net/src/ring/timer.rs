//! Timers of one thread: few (connections have deadlines), so a heap that is looked at once a turn.
//!
//! Invariant: a timer never fires early.

use std::cell::Cell;
use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::clock;

thread_local! {
    static TIMERS: RefCell<BinaryHeap<Reverse<Entry>>> = const { RefCell::new(BinaryHeap::new()) };
}

/// Waits at least that long.
pub(crate) fn sleep(duration: Duration) -> Timer {
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    Timer {
        at: clock::now().saturating_add(nanos),
        waiter: None,
    }
}

/// A wait for an instant.
pub(crate) struct Timer {
    at: u64,
    waiter: Option<Rc<Cell<Option<Waker>>>>,
}

struct Entry {
    at: u64,
    waiter: Rc<Cell<Option<Waker>>>,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.at == other.at
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Entry) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Entry) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if clock::now() >= self.at {
            return Poll::Ready(());
        }
        let waker = cx.waker().clone();
        match &self.waiter {
            Some(waiter) => waiter.set(Some(waker)),
            None => {
                let waiter = Rc::new(Cell::new(Some(waker)));
                let entry = Entry {
                    at: self.at,
                    waiter: Rc::clone(&waiter),
                };
                self.waiter = Some(waiter);
                TIMERS.with_borrow_mut(|timers| timers.push(Reverse(entry)));
            }
        }
        Poll::Pending
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // The entry stays until its time, without anybody to wake.
        if let Some(waiter) = &self.waiter {
            drop(waiter.take());
        }
    }
}

/// When the first timer fires.
pub(super) fn first() -> Option<u64> {
    TIMERS.with_borrow(|timers| timers.peek().map(|Reverse(entry)| entry.at))
}

/// Wakes what is due; `fired` is scratch space.
pub(super) fn expire(fired: &mut Vec<Waker>) {
    TIMERS.with_borrow_mut(|timers| {
        if timers.is_empty() {
            return;
        }
        let now = clock::now();
        while let Some(Reverse(entry)) = timers.peek()
            && entry.at <= now
        {
            fired.extend(entry.waiter.take());
            timers.pop();
        }
    });
    fired.drain(..).for_each(Waker::wake);
}

/// Forgets all timers when dropped: the runtime they belong to is over.
pub(super) struct Forget;

impl Drop for Forget {
    fn drop(&mut self) {
        let timers = TIMERS.with_borrow_mut(std::mem::take);
        drop(timers);
    }
}
