//! Tasks of one thread: one block each, counted without atomics, queued first come, first served.
//!
//! A [`Waker`] may be sent anywhere, a task may not: used on another thread, a waker of ours does nothing (and is leaked
//! when dropped there). Invariants: a block lives while something counts it (the list of all tasks, the queue, a waker); its
//! future is dropped by the thread that made it, at its end or with the runtime.

use std::cell::{Cell, RefCell, UnsafeCell};
use std::collections::VecDeque;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

thread_local! {
    static QUEUE: RefCell<VecDeque<Task>> = const { RefCell::new(VecDeque::new()) };
    static ALL: RefCell<Vec<Option<Task>>> = const { RefCell::new(Vec::new()) };
    static FREE: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
    /// A task has given way: the ring is looked at before it goes on.
    static YIELDED: Cell<bool> = const { Cell::new(false) };
    /// Its address tells threads apart.
    static HERE: u8 = const { 0 };
}

/// What every task begins with.
struct Header {
    count: Cell<u32>,
    /// Its place in the list of all tasks.
    place: Cell<u32>,
    queued: Cell<bool>,
    ended: Cell<bool>,
    thread: usize,
    kind: &'static Kind,
}

/// What depends on the type of the future.
struct Kind {
    poll: unsafe fn(NonNull<Header>, &mut Context<'_>) -> Poll<()>,
    drop_future: unsafe fn(NonNull<Header>),
    free: unsafe fn(NonNull<Header>),
}

#[repr(C)]
struct Block<F> {
    header: Header,
    future: UnsafeCell<Option<F>>,
}

impl<F: Future<Output = ()> + 'static> Block<F> {
    const KIND: Kind = Kind {
        poll: Self::poll,
        drop_future: Self::drop_future,
        free: Self::free,
    };

    /// # Safety
    /// `header` is the head of a live `Block<F>` of this thread, whose future nobody else touches now.
    unsafe fn poll(header: NonNull<Header>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: by contract the block is live and of this type; only the loop and the end of the runtime touch the
        // future, never both at once and never within each other (`ended` and `Tasks` see to that).
        let future = unsafe { &mut *header.cast::<Block<F>>().as_ref().future.get() };
        match future {
            // SAFETY: the block is on the heap and never moved; the future is dropped in place.
            Some(future) => unsafe { Pin::new_unchecked(future) }.poll(cx),
            None => Poll::Ready(()),
        }
    }

    /// # Safety
    /// As for `poll`.
    unsafe fn drop_future(header: NonNull<Header>) {
        // SAFETY: as in `poll`; assigning drops in place.
        unsafe { *header.cast::<Block<F>>().as_ref().future.get() = None };
    }

    /// # Safety
    /// `header` is the head of a `Block<F>` that nothing counts any more.
    unsafe fn free(header: NonNull<Header>) {
        // SAFETY: the block came from a `Box` in `spawn`, and by contract this is its last use.
        drop(unsafe { Box::from_raw(header.cast::<Block<F>>().as_ptr()) });
    }
}

/// One count of a task.
pub(super) struct Task(NonNull<Header>);

impl Task {
    fn header(&self) -> &Header {
        // SAFETY: what is counted is live.
        unsafe { self.0.as_ref() }
    }

    fn new<F: Future<Output = ()> + 'static>(future: F) -> Task {
        let block = Box::new(Block {
            header: Header {
                count: Cell::new(1),
                place: Cell::new(u32::MAX),
                queued: Cell::new(false),
                ended: Cell::new(false),
                thread: here(),
                kind: &Block::<F>::KIND,
            },
            future: UnsafeCell::new(Some(future)),
        });
        Task(NonNull::from(Box::leak(block)).cast())
    }

    /// Polls the task once. Its future must not panic (`contain` sees to that).
    pub(super) fn run(self) {
        self.header().queued.set(false);
        if self.header().ended.get() {
            return;
        }
        // The count that `self` holds serves the waker for the time of the poll.
        let waker = ManuallyDrop::new(waker(&self));
        // SAFETY: the block is live; the loop polls one task at a time, so its future is not being touched.
        let polled = unsafe { (self.header().kind.poll)(self.0, &mut Context::from_waker(&waker)) };
        if polled.is_ready() {
            self.end();
        }
    }

    /// Drops the future and takes the task off the list.
    fn end(&self) {
        if self.header().ended.replace(true) {
            return;
        }
        // SAFETY: the block is live, and no poll of it is under way: this is called after one or by the end of the runtime.
        unsafe { (self.header().kind.drop_future)(self.0) };
        let place = self.header().place.replace(u32::MAX);
        let listed = ALL.with_borrow_mut(|all| all.get_mut(place as usize).and_then(Option::take));
        if listed.is_some() {
            FREE.with_borrow_mut(|free| free.push(place));
        }
    }

    fn wake(&self) {
        let header = self.header();
        if !header.ended.get() && !header.queued.replace(true) {
            let task = self.clone();
            QUEUE.with_borrow_mut(|queue| queue.push_back(task));
        }
    }
}

impl Clone for Task {
    fn clone(&self) -> Task {
        let count = &self.header().count;
        match count.get().checked_add(1) {
            Some(more) => count.set(more),
            // Four billion leaked wakers: going on would free the block under them.
            None => std::process::abort(),
        }
        Task(self.0)
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        let count = self.header().count.get() - 1;
        self.header().count.set(count);
        if count == 0 {
            // SAFETY: this was the last count.
            unsafe { (self.header().kind.free)(self.0) };
        }
    }
}

const WAKER: RawWakerVTable = RawWakerVTable::new(raw_clone, raw_wake, raw_wake_by_ref, raw_drop);
const NOBODY: RawWakerVTable = RawWakerVTable::new(|_| nobody(), |_| {}, |_| {}, |_| {});

fn nobody() -> RawWaker {
    RawWaker::new(std::ptr::null(), &NOBODY)
}

/// A waker that uses up no count of its own: the caller counts for it.
fn waker(task: &Task) -> Waker {
    // SAFETY: the functions of `WAKER` keep a waker's contract: see each. They may be called on any thread.
    unsafe { Waker::from_raw(RawWaker::new(task.0.as_ptr().cast_const().cast(), &WAKER)) }
}

/// The count that a waker's data stand for, not to be dropped; none on a foreign thread.
fn own(data: *const ()) -> Option<ManuallyDrop<Task>> {
    let header = NonNull::new(data.cast_mut().cast::<Header>())?;
    // SAFETY: the waker whose data these are counts the block, so it is live; `thread` is never written after it was made,
    // so any thread may read it.
    let thread = unsafe { (&raw const (*header.as_ptr()).thread).read() };
    (thread == here()).then(|| ManuallyDrop::new(Task(header)))
}

fn raw_clone(data: *const ()) -> RawWaker {
    match own(data) {
        Some(task) => {
            std::mem::forget(Task::clone(&task));
            RawWaker::new(data, &WAKER)
        }
        None => nobody(),
    }
}

fn raw_wake(data: *const ()) {
    if let Some(task) = own(data) {
        let task = ManuallyDrop::into_inner(task);
        let header = task.header();
        if !header.ended.get() && !header.queued.replace(true) {
            // The waker's own count goes into the queue.
            QUEUE.with_borrow_mut(|queue| queue.push_back(task));
        }
    }
}

fn raw_wake_by_ref(data: *const ()) {
    if let Some(task) = own(data) {
        task.wake();
    }
}

fn raw_drop(data: *const ()) {
    if let Some(task) = own(data) {
        drop(ManuallyDrop::into_inner(task));
    }
}

fn here() -> usize {
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

/// Starts a task. Its future must not panic.
pub(crate) fn spawn(future: impl Future<Output = ()> + 'static) {
    let task = Task::new(future);
    let place = FREE.with_borrow_mut(Vec::pop);
    ALL.with_borrow_mut(|all| {
        let place = place.unwrap_or(all.len() as u32);
        task.header().place.set(place);
        match all.get_mut(place as usize) {
            Some(free) => *free = Some(task.clone()),
            None => all.push(Some(task.clone())),
        }
    });
    task.wake();
}

/// Lets every task that is runnable now run, and those whose operations have ended, before this one goes on.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        YIELDED.set(true);
        Poll::Pending
    })
    .await;
}

/// The next task that is runnable.
pub(super) fn next() -> Option<Task> {
    QUEUE.with_borrow_mut(VecDeque::pop_front)
}

/// Whether a task has given way since this was asked.
pub(super) fn has_yielded() -> bool {
    YIELDED.take()
}

/// Whether none is runnable.
pub(super) fn is_idle() -> bool {
    QUEUE.with_borrow(VecDeque::is_empty)
}

/// Tasks for which the queue has room from the start: 8 KiB.
const QUEUED: usize = 1024;

/// The tasks of one runtime; dropping it ends them all.
pub(super) struct Tasks {
    main: Task,
}

impl Tasks {
    /// Begins with the main task runnable. Its future is the loop's own; its block is only what wakers count.
    pub(super) fn begin() -> Tasks {
        // So many that run in one turn take no memory anew.
        QUEUE.with_borrow_mut(|queue| queue.reserve(QUEUED));
        let main = Task::new(std::future::pending());
        main.wake();
        Tasks { main }
    }

    /// Whether it is the main task, which is then no longer queued.
    pub(super) fn is_main(&self, task: &Task) -> bool {
        let is = task.0 == self.main.0;
        if is {
            task.header().queued.set(false);
        }
        is
    }

    /// Wakes the main task.
    pub(super) fn main_waker(&self) -> Waker {
        std::mem::forget(self.main.clone());
        waker(&self.main)
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.main.header().ended.set(true);
        let mut place = 0;
        // By index, since what a task drops may end others (never start one: the runtime is marked as over).
        while let Some(task) = ALL.with_borrow(|all| all.get(place).cloned()) {
            if let Some(task) = task {
                task.end();
            }
            place += 1;
        }
        ALL.with_borrow_mut(Vec::clear);
        FREE.with_borrow_mut(Vec::clear);
        drop(QUEUE.with_borrow_mut(std::mem::take));
    }
}
