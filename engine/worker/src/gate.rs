//! A bound on how many do something at once; the others wait in the order they came.
//!
//! For TLS handshakes: a storm of them waits here, and the connections that are in already are served meanwhile.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// How many are inside, and who waits.
#[derive(Default)]
pub(crate) struct Gate {
    inside: Cell<usize>,
    /// The number that the next one who waits gets.
    next: Cell<u64>,
    waiting: RefCell<VecDeque<(u64, Waker)>>,
}

/// A place inside, given back on drop.
pub(crate) struct Inside(Rc<Gate>);

/// A place in the queue, given up on drop.
struct Waiting<'a> {
    gate: &'a Gate,
    number: u64,
    got_in: bool,
}

impl Gate {
    /// Waits for a place among `most`. May be dropped at any time.
    pub(crate) async fn enter(self: &Rc<Gate>, most: usize) -> Inside {
        let number = self.next.replace(self.next.get() + 1);
        let mut place = Waiting {
            gate: self,
            number,
            got_in: false,
        };
        poll_fn(|cx| {
            let mut waiting = self.waiting.borrow_mut();
            let first = waiting.front().is_none_or(|(it, _)| *it >= number);
            if first && self.inside.get() < most {
                self.inside.set(self.inside.get() + 1);
                return Poll::Ready(());
            }
            match waiting.iter_mut().find(|(it, _)| *it == number) {
                Some((_, waker)) => waker.clone_from(cx.waker()),
                None => waiting.push_back((number, cx.waker().clone())),
            }
            Poll::Pending
        })
        .await;
        place.got_in = true;
        drop(place);
        Inside(Rc::clone(self))
    }

    fn wake_first(&self) {
        if let Some((_, waker)) = self.waiting.borrow().front() {
            waker.wake_by_ref();
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.gate
            .waiting
            .borrow_mut()
            .retain(|(it, _)| *it != self.number);
        // Whether it got in or gave up: there may be room for the next one.
        self.gate.wake_first();
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.inside.set(self.0.inside.get().saturating_sub(1));
        self.0.wake_first();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::Context;

    #[test]
    fn those_who_wait_get_in_by_turns_and_one_who_leaves_holds_up_nobody() {
        let gate = Rc::new(Gate::default());
        let mut cx = Context::from_waker(Waker::noop());
        let mut enter =
            |future: std::pin::Pin<&mut dyn Future<Output = Inside>>| match future.poll(&mut cx) {
                Poll::Ready(inside) => Some(inside),
                Poll::Pending => None,
            };
        let first = enter(pin!(gate.enter(1))).expect("there is room");
        let mut second = Box::pin(gate.enter(1));
        let mut third = Box::pin(gate.enter(1));
        assert!(enter(second.as_mut()).is_none() && enter(third.as_mut()).is_none());
        assert_eq!(gate.waiting.borrow().len(), 2);
        drop(first);
        assert!(enter(third.as_mut()).is_none(), "the second comes first");
        drop(second);
        let third = enter(third.as_mut()).expect("the second has left");
        assert_eq!((gate.waiting.borrow().len(), gate.inside.get()), (0, 1));
        drop(third);
        assert_eq!(gate.inside.get(), 0);
    }
}
