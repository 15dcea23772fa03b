//! One operation that a future waits for, from its start to its result.
//!
//! Invariant: dropped early it leaves what the kernel may touch in its slot, with a cancellation on the way.

use std::task::{Context, Poll};

use io_uring::squeue;

use super::operation::{Name, State, with};
use crate::Buffer;

/// An operation somebody waits for.
#[derive(Default)]
pub(super) struct Shot {
    slot: Option<u32>,
}

impl Shot {
    /// Starts the operation at the first call; ready with its result and flags.
    ///
    /// # Safety
    /// What the entry points to stays valid until this is ready, or is handed to `abandon`.
    pub(super) unsafe fn poll(
        &mut self,
        entry: impl FnOnce() -> squeue::Entry,
        cx: &mut Context<'_>,
    ) -> Poll<(i32, u32)> {
        let gone = (-libc::ENOTCONN, 0);
        let Some(place) = self.slot else {
            // SAFETY: the caller's contract.
            return match with(|it| unsafe { it.start(entry(), cx.waker().clone()) }) {
                Some(Ok(place)) => {
                    self.slot = Some(place);
                    Poll::Pending
                }
                Some(Err(error)) => Poll::Ready((-error.raw_os_error().unwrap_or(libc::EBUSY), 0)),
                None => Poll::Ready(gone),
            };
        };
        let polled = with(|it| {
            let Some(slot) = it.slots.get_mut(place as usize) else {
                return Poll::Ready(gone);
            };
            match &mut slot.state {
                State::Done(result, flags) => {
                    let done = (*result, *flags);
                    it.free_slot(place);
                    Poll::Ready(done)
                }
                State::Waiting(waker) => {
                    match waker {
                        Some(waker) if waker.will_wake(cx.waker()) => {}
                        _ => *waker = Some(cx.waker().clone()),
                    }
                    Poll::Pending
                }
                State::Free(_) | State::Kept(_) | State::Abandoned(_) => Poll::Ready(gone),
            }
        });
        let polled = polled.unwrap_or(Poll::Ready(gone));
        if polled.is_ready() {
            self.slot = None;
        }
        polled
    }

    /// Whether the kernel works on it.
    pub(super) fn is_pending(&self) -> bool {
        self.slot.is_some()
    }

    /// What the operation is known by while it is pending.
    pub(super) fn name(&self) -> Name {
        let named = |place: u32| {
            with(|it| {
                let slot = it.slots.get(place as usize)?;
                Some(Name::new(place, slot.generation))
            })
        };
        self.slot.and_then(named).flatten().unwrap_or_default()
    }

    /// Nobody waits any more: the operation is cancelled, and the buffer kept until the kernel has let go of it.
    pub(super) fn abandon(&mut self, buffer: Option<Buffer>) {
        let Some(place) = self.slot.take() else {
            return;
        };
        let mut buffer = Some(buffer);
        let dropped = with(|it| {
            let slot = it.slots.get_mut(place as usize)?;
            if matches!(slot.state, State::Done(..)) {
                return it.free_slot(place);
            }
            let name = Name::new(place, slot.generation);
            let before =
                std::mem::replace(&mut slot.state, State::Abandoned(buffer.take().flatten()));
            it.cancel(name);
            Some(before)
        });
        if dropped.is_none() {
            // Without a ring (or its slot) nobody can say whether the kernel is done with it.
            std::mem::forget(buffer);
        }
    }
}
