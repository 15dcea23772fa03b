//! A task that may panic without ending its worker: monoio itself does not catch.

use std::any::Any;
use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

thread_local! {
    static HOOK: Cell<Option<fn(String)>> = const { Cell::new(None) };
}

/// Sets what is called, with the panic's message, when a task of this thread has panicked. Set it on the worker's own
/// thread; the standard panic hook has run before.
pub fn on_panic(hook: fn(String)) {
    HOOK.set(Some(hook));
}

/// A future whose panic counts as its end; structurally pins `future`.
pub(super) struct Contained<F> {
    future: Option<F>,
}

impl<F> Contained<F> {
    pub(super) fn new(future: F) -> Contained<F> {
        Contained {
            future: Some(future),
        }
    }
}

impl<F: Future<Output = ()>> Future for Contained<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: the future is never moved: it is polled in place and dropped in place by `Pin::set`.
        let mut future = unsafe { self.map_unchecked_mut(|this| &mut this.future) };
        // What is unwound through is either dropped below or, like thread-locals, consistent between statements.
        let polled = catch_unwind(AssertUnwindSafe(|| match future.as_mut().as_pin_mut() {
            Some(future) => future.poll(cx),
            None => Poll::Ready(()),
        }));
        if let Ok(Poll::Pending) = polled {
            return Poll::Pending;
        }
        // Dropped here, not by monoio, which would not survive a panic in it.
        let dropped = catch_unwind(AssertUnwindSafe(|| future.set(None)));
        for panic in [polled.map(|_| ()), dropped]
            .into_iter()
            .filter_map(Result::err)
        {
            report(panic);
        }
        Poll::Ready(())
    }
}

fn report(panic: Box<dyn Any + Send>) {
    let message = match panic.downcast_ref::<&str>() {
        Some(text) => (*text).to_owned(),
        None => match panic.downcast::<String>() {
            Ok(text) => *text,
            Err(_) => "a panic without a message".to_owned(),
        },
    };
    if let Some(hook) = HOOK.get() {
        // A hook that panics must not do what the task could not.
        let _ = catch_unwind(AssertUnwindSafe(|| hook(message)));
    }
}
