//! Coarse deadlines: one wheel per worker, one task that drives it, what happens when a deadline strikes.
//!
//! No kernel timer per connection: setting a later time is a store. A deadline never strikes early, and at most two grains
//! (about 8 ms) and one turn of the worker's loop late. Invariant: whatever is armed, the driving task rests no longer than
//! until the next occupied slot.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::net::Shutdown;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use crate::{Conn, clock};

mod wheel;

use wheel::{Fired, Id, Wheel};

thread_local! {
    static WHEEL: RefCell<Wheel> = const { RefCell::new(Wheel::new()) };
}

/// What a deadline does to its connection when it strikes; in each case [`Deadline::struck`] says so and
/// [`Deadline::expired`] ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strike {
    /// Shuts the reading side: a pending read ends with what has come, then with 0.
    ReadShut,
    /// Shuts both sides: pending reads end, pending writes fail.
    BothShut,
    /// Shuts both sides, at its time or as soon as [`end_resting`] is called: for connections between two requests.
    Rest,
    /// Cancels the pending `read_cancelable` or `readable`; the connection stays as it is.
    CancelRead,
    /// Only wakes whoever awaits [`Deadline::expired`].
    Wake,
}

/// One deadline, of a connection or of nothing. A connection may have several; dropping one takes it back.
pub struct Deadline {
    id: Id,
}

impl Deadline {
    /// A deadline that will act on the connection. It does not keep it open: when it is gone, strikes do nothing.
    pub fn new(conn: &Conn) -> Deadline {
        Deadline {
            id: WHEEL.with_borrow_mut(|wheel| wheel.insert(Some(conn.shared().clone()))),
        }
    }

    /// A deadline that acts on nothing: for [`Strike::Wake`].
    pub fn alone() -> Deadline {
        Deadline {
            id: WHEEL.with_borrow_mut(|wheel| wheel.insert(None)),
        }
    }

    /// Strikes at `at` (monotonic nanoseconds), instead of when it would have.
    pub fn set(&self, at: u64, strike: Strike) {
        let driver = WHEEL.with_borrow_mut(|wheel| wheel.set(self.id, at, strike));
        if let Some(driver) = driver {
            driver.wake();
        }
    }

    /// Does not strike.
    pub fn clear(&self) {
        WHEEL.with_borrow_mut(|wheel| wheel.clear(self.id));
    }

    /// Whether it has struck since it was last set.
    pub fn struck(&self) -> bool {
        WHEEL.with_borrow(|wheel| wheel.struck(self.id))
    }

    /// Waits until it has struck. May be dropped at any time; one task at a time.
    pub async fn expired(&self) {
        poll_fn(|cx| self.poll_expired(cx)).await;
    }

    /// As [`Deadline::expired`], for futures that are written by hand.
    pub fn poll_expired(&self, cx: &mut Context<'_>) -> Poll<()> {
        let (polled, old) = WHEEL.with_borrow_mut(|wheel| wheel.poll_struck(self.id, cx));
        drop(old);
        polled
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        // What was registered is dropped outside the borrow; the wheel is gone only while the thread ends.
        let registered = WHEEL.try_with(|wheel| wheel.borrow_mut().remove(self.id));
        drop(registered);
    }
}

/// The coarse clock (see [`clock::coarse`]): what deadlines may be computed from.
pub fn now() -> u64 {
    clock::coarse()
}

/// How many deadlines are armed, or were and have not been swept up yet; for a gauge.
pub fn armed() -> usize {
    WHEEL.with_borrow(|wheel| wheel.armed())
}

/// Runs the future until `at`; `None` if it had not ended by then, and it is dropped. For rare things, such as connecting.
pub fn within<F: Future>(at: u64, future: F) -> impl Future<Output = Option<F::Output>> {
    let deadline = Deadline::alone();
    deadline.set(at, Strike::Wake);
    Within { deadline, future }
}

/// Waits until `at`, coarsely.
pub async fn sleep_until(at: u64) {
    let deadline = Deadline::alone();
    deadline.set(at, Strike::Wake);
    deadline.expired().await;
}

/// The future of [`within`]; structurally pins `future`.
struct Within<F> {
    deadline: Deadline,
    future: F,
}

impl<F: Future> Future for Within<F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<F::Output>> {
        // SAFETY: `future` is never moved: it is pinned here and nowhere touched otherwise.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: as above; `this` came from a pinned reference.
        let future = unsafe { Pin::new_unchecked(&mut this.future) };
        match future.poll(cx) {
            Poll::Ready(out) => Poll::Ready(Some(out)),
            Poll::Pending => this.deadline.poll_expired(cx).map(|()| None),
        }
    }
}

/// The task that drives this worker's wheel, started by `runtime::run`.
pub(crate) async fn drive() {
    let mut fired = Vec::new();
    loop {
        WHEEL.with_borrow_mut(|wheel| wheel.expire(clock::now(), &mut fired));
        // Outside the borrow: a strike may drop what has deadlines of its own.
        fired.drain(..).for_each(Fired::strike);
        rest().await;
    }
}

/// Rests until the next occupied slot is due, or until something earlier is armed.
async fn rest() {
    let due = WHEEL.with_borrow_mut(Wheel::rest);
    let Some(due) = due else {
        return poll_fn(|cx| WHEEL.with_borrow_mut(|wheel| wheel.poll_disturbed(cx))).await;
    };
    let left = due.saturating_sub(clock::now()).max(1);
    let mut timer = pin!(crate::runtime::sleep(Duration::from_nanos(left)));
    poll_fn(|cx| {
        let disturbed = WHEEL.with_borrow_mut(|wheel| wheel.poll_disturbed(cx));
        if disturbed.is_ready() {
            return disturbed;
        }
        timer.as_mut().poll(cx)
    })
    .await
}

impl Fired {
    fn strike(self) {
        if let Some(conn) = &self.conn {
            match self.strike {
                Strike::ReadShut => conn.shutdown(Shutdown::Read),
                Strike::BothShut | Strike::Rest => conn.shutdown(Shutdown::Both),
                Strike::CancelRead => conn.cancel_read(),
                Strike::Wake => {}
            }
        }
        if let Some(waker) = self.waker {
            waker.wake();
        }
    }
}

/// Strikes every deadline that is set to [`Strike::Rest`], now: the worker drains.
pub fn end_resting() {
    let mut fired = Vec::new();
    WHEEL.with_borrow_mut(|wheel| wheel.strike_resting(&mut fired));
    fired.drain(..).for_each(Fired::strike);
}

/// Disarms everything: the runtime whose tasks were waiting is gone.
pub(crate) fn forget_waiting() {
    let forgotten = WHEEL.try_with(|wheel| wheel.borrow_mut().disarm());
    drop(forgotten);
}

#[cfg(test)]
mod tests;
