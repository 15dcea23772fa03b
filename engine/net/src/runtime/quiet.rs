//! Tasks on monoio's drivers, woken only while their runtime runs.
//!
//! When `main` has ended monoio drops the tasks that could still run, outside its own world; a drop guard of one that
//! wakes another would panic there. So those of here hold their own waker, as long as they have not ended: what is left at
//! the runtime's end stays until the process ends, as tasks that wait always have on monoio. Our own ring, which ends
//! every task itself, needs none of this.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use super::DRIVER;

/// Wakes a task, unless its runtime is at its end.
struct Bell(Waker);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if DRIVER.get().is_some() {
            self.0.wake_by_ref();
        }
    }
}

/// A task whose wakers do nothing once the runtime is at its end; structurally pins `task`.
pub(super) struct Quiet<F> {
    task: F,
    /// Made at the first poll: the task's own waker stays the same.
    bell: Option<Waker>,
}

impl<F> Quiet<F> {
    pub(super) fn new(task: F) -> Quiet<F> {
        Quiet { task, bell: None }
    }
}

impl<F: Future<Output = ()>> Future for Quiet<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: `task` is never moved out of here, and is dropped in place; `bell` is not pinned.
        let this = unsafe { self.get_unchecked_mut() };
        let bell = this
            .bell
            .get_or_insert_with(|| Arc::new(Bell(cx.waker().clone())).into());
        // SAFETY: as above: it lies within what is pinned.
        let task = unsafe { Pin::new_unchecked(&mut this.task) };
        task.poll(&mut Context::from_waker(bell))
    }
}
