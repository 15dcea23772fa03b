//! One operation, on the socket itself or under TLS.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future of one kind or the other; structurally pinned.
pub(super) enum Layer<P, T> {
    Plain(P),
    Tls(T),
}

impl<P: Future, T: Future<Output = P::Output>> Future for Layer<P, T> {
    type Output = P::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<P::Output> {
        // SAFETY: neither future is moved: each is pinned in place, and there is no `Drop` of our own.
        unsafe {
            match self.get_unchecked_mut() {
                Layer::Plain(plain) => Pin::new_unchecked(plain).poll(cx),
                Layer::Tls(tls) => Pin::new_unchecked(tls).poll(cx),
            }
        }
    }
}
