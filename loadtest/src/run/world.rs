//! One worker's world: what all of its connections share, and which request is the next.
//!
//! No I/O. Invariant: a request is taken once; who takes it sends it or records that it failed.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use engine_net::Address;

use super::link::{Secure, Took};
use super::reasons::Reasons;
use super::schedule::Schedule;
use crate::results::{Answer, ErrorKind, Part};
use crate::scenario::{Generator, Scenario};

/// What all tasks of one worker share.
pub(super) struct World {
    pub(super) scenario: Arc<Scenario>,
    pub(super) address: Address,
    /// What connections need for TLS, if it is spoken.
    pub(super) secure: Option<Secure>,
    /// Tasks that have had a connection, each at a place of its own.
    pub(super) places: Cell<usize>,
    pub(super) generator: RefCell<Generator>,
    /// Where requests are made, before they are put into a buffer.
    pub(super) text: RefCell<Vec<u8>>,
    pub(super) part: RefCell<Part>,
    pub(super) pace: Pace,
    /// Nanoseconds that an answer may take.
    pub(super) timeout: u64,
    /// Requests sent together on one connection.
    pub(super) pipeline: usize,
    /// What begins before is not counted; known once the run begins.
    pub(super) counted_from: Cell<u64>,
    /// Nothing is due from here on; known once the run begins.
    pub(super) end: Cell<u64>,
    /// Nothing is sent from here on: what an open loop has due and has not sent by then is given up.
    pub(super) cut: Cell<u64>,
    /// When a request was last taken.
    pub(super) taken: Cell<u64>,
    /// When the last request ended.
    pub(super) last: Cell<u64>,
    /// Connections, open or being opened.
    pub(super) live: Cell<usize>,
    /// What the connections took to open that the run began with.
    pub(super) first: RefCell<Vec<Took>>,
    pub(super) reasons: RefCell<Reasons>,
    pub(super) gate: Gate,
    pub(super) all_gone: Gate,
}

/// How requests come.
pub(super) enum Pace {
    /// When a connection is free; `left` are still to be sent, if they are counted.
    Closed { left: Option<Cell<u64>> },
    /// When they are due.
    Open(Open),
}

/// The state of an open loop.
pub(super) struct Open {
    pub(super) schedule: RefCell<Schedule>,
    /// When the schedule begins, on the clock.
    pub(super) origin: Cell<u64>,
    /// Connections that wait for a request, the longest-waiting first: each gets its turn, so that the load spreads over
    /// all of them and with them over the server's threads. Some may wait no more.
    idle: RefCell<VecDeque<Rc<Slot>>>,
    /// Connections being opened.
    pub(super) opening: Cell<usize>,
    /// The most connections of this worker.
    pub(super) most: usize,
}

/// A request that has been taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    /// When it was due.
    pub(super) due: u64,
    /// Since when a connection was free for it.
    pub(super) free: u64,
    /// It has been sent before, and the server has not looked at it.
    pub(super) again: bool,
}

/// What a connection is to do.
#[derive(Debug)]
pub(super) enum Next {
    Send(Order),
    /// Nothing is due.
    Wait,
    /// Nothing will be due any more.
    End,
}

impl World {
    /// What a connection that is free since `now` is to do.
    #[inline]
    pub(super) fn next(&self, now: u64) -> Next {
        if now >= self.cut.get() {
            return Next::End;
        }
        self.taken.set(now);
        let order = Order {
            due: now,
            free: now,
            again: false,
        };
        match &self.pace {
            Pace::Closed { left: None } => Next::Send(order),
            // What warms up is not of those that are counted.
            Pace::Closed { left: Some(_) } if now < self.counted_from.get() => Next::Send(order),
            Pace::Closed { left: Some(left) } => match left.get().checked_sub(1) {
                Some(rest) => {
                    left.set(rest);
                    Next::Send(order)
                }
                None => Next::End,
            },
            Pace::Open(open) => open.take(now),
        }
    }

    /// Ends the run at this time, or when it would have ended if that is earlier.
    pub(super) fn end_by(&self, now: u64) {
        self.end.set(self.end.get().min(now));
        self.cut.set(self.cut.get().min(now));
        if let Pace::Open(open) = &self.pace {
            open.wake_all();
        }
    }

    /// Whether a request is one of those that are counted.
    #[inline]
    pub(super) fn counts(&self, order: Order) -> bool {
        order.due >= self.counted_from.get()
    }

    /// Records an answer.
    #[inline]
    pub(super) fn answered(&self, order: Order, answer: Answer) {
        self.last.set(answer.done);
        if self.counts(order) {
            self.part.borrow_mut().answered(answer);
        }
    }

    /// Records that a request failed without an answer.
    pub(super) fn failed(
        &self,
        order: Order,
        template: usize,
        kind: ErrorKind,
        bytes: u64,
        now: u64,
    ) {
        self.last.set(now);
        if self.counts(order) {
            self.part.borrow_mut().failed(template, kind, bytes, now);
        }
    }

    /// A place for a task that has connections.
    pub(super) fn place(&self) -> usize {
        self.places.replace(self.places.get() + 1)
    }

    /// A connection is gone.
    pub(super) fn leave(&self) {
        self.live.set(self.live.get() - 1);
        if self.live.get() == 0 {
            self.all_gone.open();
        }
    }
}

impl Open {
    pub(super) fn new(schedule: Schedule, most: usize) -> Open {
        Open {
            schedule: RefCell::new(schedule),
            origin: Cell::new(0),
            idle: RefCell::default(),
            opening: Cell::new(0),
            most,
        }
    }

    /// When the next request is due, on the clock.
    fn due(&self) -> Option<u64> {
        let due = self.schedule.borrow().due()?;
        Some(self.origin.get() + due)
    }

    #[inline]
    fn take(&self, now: u64) -> Next {
        match self.due() {
            None => Next::End,
            Some(due) if due > now => Next::Wait,
            Some(due) => {
                self.schedule.borrow_mut().advance();
                Next::Send(Order {
                    due,
                    free: now,
                    again: false,
                })
            }
        }
    }

    /// Gives what is due to connections that wait; says how many are due for which there is no connection, and when the
    /// next one is that is not due yet.
    pub(super) fn dispatch(&self, now: u64) -> (u64, Option<u64>) {
        loop {
            let Some(due) = self.due() else {
                // Who still waits will get nothing.
                self.wake_all();
                return (0, None);
            };
            if due > now {
                return (0, Some(due));
            }
            let Some(slot) = self.next_idle() else {
                let waiting = self.waiting(now).max(1);
                let after = self.schedule.borrow_mut().due_after(waiting);
                return (waiting, after.map(|due| self.origin.get() + due));
            };
            if slot.waits.get() {
                self.schedule.borrow_mut().advance();
                slot.give(Order {
                    due,
                    free: slot.since.get(),
                    again: false,
                });
                if slot.waits.get() {
                    self.idle.borrow_mut().push_back(slot);
                }
            }
        }
    }

    /// Connections, open or being opened; the pacer is not one.
    pub(super) fn connections(&self, world: &World) -> usize {
        world.live.get().saturating_sub(1)
    }

    /// Requests that are due and have not been taken.
    pub(super) fn waiting(&self, now: u64) -> u64 {
        let since = now.saturating_sub(self.origin.get());
        self.schedule.borrow_mut().waiting(since)
    }

    fn wake_all(&self) {
        while let Some(slot) = self.next_idle() {
            if slot.waits.get() {
                slot.end();
            }
        }
    }

    fn next_idle(&self) -> Option<Rc<Slot>> {
        self.idle.borrow_mut().pop_front()
    }

    /// Makes a connection wait for at most so many requests, since `now`.
    pub(super) fn wait(&self, slot: &Rc<Slot>, now: u64, room: usize) {
        slot.since.set(now);
        slot.room.set(room);
        if !slot.waits.replace(true) {
            self.idle.borrow_mut().push_back(slot.clone());
        }
    }
}

/// Where a connection waits: in an open loop for its next requests, in a closed one for streams that pause.
#[derive(Default)]
pub(super) struct Slot {
    /// Whether it waits for requests; an entry in the queue without is a late one.
    waits: Cell<bool>,
    /// For how many; above zero while it waits.
    room: Cell<usize>,
    since: Cell<u64>,
    given: RefCell<VecDeque<Order>>,
    /// Nothing more will be given.
    over: Cell<bool>,
    /// Pauses that have ended.
    rested: Cell<usize>,
    waker: Cell<Option<Waker>>,
}

impl Slot {
    fn give(&self, order: Order) {
        self.given.borrow_mut().push_back(order);
        self.room.set(self.room.get().saturating_sub(1));
        if self.room.get() == 0 {
            self.waits.set(false);
        }
        self.wake();
    }

    fn end(&self) {
        self.waits.set(false);
        self.over.set(true);
        self.wake();
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// What was given; none when nothing more will be. For a connection that waits for one.
    pub(super) fn poll_given(&self, cx: &mut Context<'_>) -> Poll<Option<Order>> {
        if let Some(order) = self.given.borrow_mut().pop_front() {
            return Poll::Ready(Some(order));
        }
        if !self.waits.get() {
            return Poll::Ready(None);
        }
        self.listen(cx);
        Poll::Pending
    }

    /// Ready when something was given or a pause has ended, and when nothing more will be given: then it says so.
    pub(super) fn poll_any(&self, cx: &mut Context<'_>) -> Poll<bool> {
        let over = self.over.replace(false);
        if over || self.rested.get() > 0 || !self.given.borrow().is_empty() {
            return Poll::Ready(over);
        }
        self.listen(cx);
        Poll::Pending
    }

    fn listen(&self, cx: &mut Context<'_>) {
        let waker = match self.waker.take() {
            Some(waker) if waker.will_wake(cx.waker()) => waker,
            _ => cx.waker().clone(),
        };
        self.waker.set(Some(waker));
    }

    /// What was given and has not been taken.
    pub(super) fn take_given(&self, into: &mut VecDeque<Order>) {
        into.extend(self.given.borrow_mut().drain(..));
    }

    /// A pause has ended.
    pub(super) fn rest_over(&self) {
        self.rested.set(self.rested.get() + 1);
        self.wake();
    }

    /// How many pauses have ended since this was last asked.
    pub(super) fn rested(&self) -> usize {
        self.rested.take()
    }

    /// Waits no more: the connection is gone, or has no room.
    pub(super) fn leave(&self) {
        self.waits.set(false);
    }
}

/// Something that happens once and is awaited by many.
#[derive(Default)]
pub(super) struct Gate {
    open: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
}

impl Gate {
    pub(super) fn open(&self) {
        self.open.set(true);
        for waker in self.waiting.take() {
            waker.wake();
        }
    }

    pub(super) async fn opened(&self) {
        std::future::poll_fn(|cx| {
            if self.open.get() {
                return Poll::Ready(());
            }
            self.waiting.borrow_mut().push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
