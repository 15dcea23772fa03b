//! Waiting for the first of two things. What loses stays pinned with the caller, who may go on with it.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// Which of two futures ended first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Either<A, B> {
    /// The first one.
    First(A),
    /// The second one.
    Second(B),
}

/// Ends with the first of two pinned futures, the first one when both are ready. The loser is untouched: a posted read
/// may be awaited again (never drop one whose data matter).
pub async fn race<A: Future, B: Future>(
    mut first: Pin<&mut A>,
    mut second: Pin<&mut B>,
) -> Either<A::Output, B::Output> {
    poll_fn(|cx| {
        if let Poll::Ready(out) = first.as_mut().poll(cx) {
            return Poll::Ready(Either::First(out));
        }
        second.as_mut().poll(cx).map(Either::Second)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::{Context, Waker};

    #[test]
    fn the_loser_may_go_on() {
        let mut slow = pin!(poll_fn({
            let mut polls = 0;
            move |_| {
                polls += 1;
                if polls < 3 {
                    Poll::Pending
                } else {
                    Poll::Ready(polls)
                }
            }
        }));
        let mut cx = Context::from_waker(Waker::noop());
        let quick = pin!(std::future::ready("quick"));
        let won = pin!(race(slow.as_mut(), quick)).poll(&mut cx);
        assert_eq!(won, Poll::Ready(Either::Second("quick")));
        assert_eq!(slow.as_mut().poll(&mut cx), Poll::Pending);
        let never = pin!(std::future::pending::<()>());
        let won = pin!(race(slow.as_mut(), never)).poll(&mut cx);
        assert_eq!(won, Poll::Ready(Either::First(3)));
    }
}
