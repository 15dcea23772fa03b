//! One thing or operation by either driver.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What monoio's driver or our own does; as a future, structurally pinned.
pub(crate) enum By<M, R> {
    Monoio(M),
    Ring(R),
}

impl<M: Future, R: Future<Output = M::Output>> Future for By<M, R> {
    type Output = M::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<M::Output> {
        // SAFETY: neither future is moved: each is pinned in place, and there is no `Drop` of our own.
        unsafe {
            match self.get_unchecked_mut() {
                By::Monoio(monoio) => Pin::new_unchecked(monoio).poll(cx),
                By::Ring(ring) => Pin::new_unchecked(ring).poll(cx),
            }
        }
    }
}
