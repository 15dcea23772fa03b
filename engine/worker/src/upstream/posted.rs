//! The read that stays posted on a pooled connection, so that a FIN or stray bytes evict it at once.
//!
//! Nothing that the worker has seen come before the request may pass for its answer. The read that watches the connection
//! in the pool is the very one that then receives the answer's first bytes: no operation is added to a
//! request. It belongs to a small task that lives as long as the connection, since only a task can own
//! an operation over that time; task and exchange meet in this cell. Invariant: while a read is posted
//! nobody else reads from the connection.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use engine_net::{Buffer, runtime};

use super::{Endpoint, UpstreamConn};

/// The meeting place of a connection's reading task and the exchange that uses the connection.
#[derive(Default)]
pub(crate) struct Posted {
    state: RefCell<State>,
    /// Whoever waits for the state to change: the task for work, or the exchange for the result.
    waker: Cell<Option<Waker>>,
    /// The connection is done with: the task is to end.
    closed: Cell<bool>,
    bell: RefCell<Option<Arc<Bell>>>,
}

/// Rings when the posted read completes, before the task has had its turn: of what one turn of the
/// worker's loop brings, the exchange that takes the connection may run first. `Wake` asks for an
/// atomic; no other thread ever sees it.
struct Bell {
    rung: AtomicBool,
    task: Waker,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::Relaxed);
        self.task.wake_by_ref();
    }
}

#[derive(Default)]
enum State {
    /// There is no task yet.
    #[default]
    Unborn,
    /// The task waits for the connection to come back to the pool.
    Resting,
    /// The task is to post a read.
    Wanted,
    /// A read is posted.
    Reading,
    /// It has ended, and its exchange has not fetched it yet.
    Ended(io::Result<usize>, Buffer),
}

impl Posted {
    /// The connection comes to the pool: a read is posted, by a task that is made at the first time.
    pub(super) fn post(&self, endpoint: &Rc<Endpoint>, conn: &Rc<UpstreamConn>) {
        let before = self.state.replace(State::Wanted);
        match before {
            State::Unborn => runtime::spawn(read_in_pool(Rc::clone(endpoint), Rc::clone(conn))),
            _ => self.wake(),
        }
    }

    /// The posted read has completed: in the pool that means the connection is of no use.
    pub(super) fn has_ended(&self) -> bool {
        self.bell
            .borrow()
            .as_ref()
            .is_some_and(|bell| bell.rung.load(Ordering::Relaxed))
    }

    /// Polls the task's read with the bell in place of the task's own waker.
    fn poll_read<F: Future>(&self, read: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let bell = Arc::clone(self.bell.borrow_mut().get_or_insert_with(|| {
            Arc::new(Bell {
                rung: AtomicBool::new(false),
                task: cx.waker().clone(),
            })
        }));
        bell.rung.store(false, Ordering::Relaxed);
        read.poll(&mut Context::from_waker(&Waker::from(bell)))
    }

    /// A read is in flight or about to be: only its result may be waited for.
    pub(super) fn is_posted(&self) -> bool {
        matches!(
            *self.state.borrow(),
            State::Wanted | State::Reading | State::Ended(..)
        )
    }

    /// Waits for the posted read.
    pub(super) async fn result(&self) -> (io::Result<usize>, Buffer) {
        poll_fn(|cx| {
            let mut state = self.state.borrow_mut();
            if !matches!(*state, State::Ended(..)) {
                self.waker.set(Some(cx.waker().clone()));
                return Poll::Pending;
            }
            match std::mem::replace(&mut *state, State::Resting) {
                State::Ended(result, buf) => Poll::Ready((result, buf)),
                _ => Poll::Pending,
            }
        })
        .await
    }

    /// The connection is done with: the task ends once its read has.
    pub(super) fn close(&self) {
        self.closed.set(true);
        self.wake();
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// The task's side: ready with true when a read is wanted, with false at the end.
    fn poll_wanted(&self, cx: &mut Context<'_>) -> Poll<bool> {
        if self.closed.get() {
            return Poll::Ready(false);
        }
        let mut state = self.state.borrow_mut();
        if matches!(*state, State::Wanted) {
            *state = State::Reading;
            return Poll::Ready(true);
        }
        self.waker.set(Some(cx.waker().clone()));
        Poll::Pending
    }
}

/// The task of one connection: posts a read each time the connection comes to the pool.
async fn read_in_pool(endpoint: Rc<Endpoint>, conn: Rc<UpstreamConn>) {
    while poll_fn(|cx| conn.posted.poll_wanted(cx)).await {
        let mut read = pin!(conn.conn.read(Buffer::standard()));
        let (result, buf) = poll_fn(|cx| conn.posted.poll_read(read.as_mut(), cx)).await;
        if conn.is_pooled() {
            // Nothing was asked: whatever this is, the connection is of no more use.
            conn.set_pooled(false);
            endpoint.evict(&conn);
            return conn.close();
        }
        conn.posted.state.replace(State::Ended(result, buf));
        conn.posted.wake();
    }
}
