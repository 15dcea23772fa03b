//! Drivers, tasks and what a panic costs.

use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream as Peer;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::*;
use crate::testing::{count, on_each_driver};
use crate::{Buffer, Conn, Deadline, Strike, clock};

const ALL: [Driver; 5] = [
    Driver::Ring,
    Driver::UringDefer,
    Driver::UringCoop,
    Driver::Uring,
    Driver::Epoll,
];

#[test]
fn every_driver_reads_writes_and_rests() {
    for driver in ALL {
        let out = run(driver, || async {
            let (ours, mut peer) = Peer::pair().expect("a pair");
            let conn = Conn::from_unix(ours).expect("a connection");
            peer.write_all(b"ping").expect("a write");
            let (read, buf) = conn.read(Buffer::standard()).await;
            assert_eq!(read.expect("data"), 4);
            conn.write(buf).await.0.expect("a write");
            let mut echo = [0; 4];
            peer.read_exact(&mut echo).expect("the echo");
            let before = clock::now();
            sleep(Duration::from_millis(5)).await;
            assert!(clock::now() - before >= 5_000_000);
            echo
        });
        assert_eq!(&out.expect("the driver works"), b"ping", "{driver}");
    }
}

#[test]
fn probing_says_why_not() {
    let (driver, refused) = probe(Wish::Auto).expect("epoll works everywhere");
    assert_eq!(refused.is_empty(), driver == Driver::Ring);
    assert_eq!(
        probe(Wish::Epoll).expect("epoll works everywhere"),
        (Driver::Epoll, Vec::new())
    );
    if let Ok((driver, _)) = probe(Wish::IoUring) {
        assert_ne!(driver, Driver::Epoll);
    }
}

#[test]
fn one_runtime_at_a_time_but_many_in_turn() {
    for _ in 0..3 {
        on_each_driver(|| async {
            assert!(run(Driver::Epoll, || async {}).is_err());
            // Left behind armed and waiting: the next runtime on this thread must not see it.
            spawn(async {
                let deadline = Deadline::alone();
                deadline.set(clock::now() + 5_000_000, Strike::Wake);
                deadline.expired().await;
                std::future::pending::<()>().await;
            });
            sleep(Duration::from_millis(1)).await;
        });
    }
    on_each_driver(|| sleep(Duration::from_millis(20)));
}

thread_local! {
    static PANICS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn note_panic(message: String) {
    PANICS.with_borrow_mut(|panics| panics.push(message));
}

struct Guard(Rc<Cell<u32>>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn a_panic_costs_one_task() {
    on_each_driver(|| async {
        on_panic(note_panic);
        PANICS.take();
        let dropped = Rc::new(Cell::new(0));
        let (early, late) = (Guard(dropped.clone()), Guard(dropped.clone()));
        spawn(async move {
            let _early = early;
            panic!("at once");
        });
        spawn(async move {
            let _late = late;
            sleep(Duration::from_millis(1)).await;
            let number = dropped_text();
            panic!("later: {number}");
        });
        spawn(async { std::panic::panic_any(7u8) });
        let done = Rc::new(Cell::new(false));
        let seen = done.clone();
        spawn(async move {
            sleep(Duration::from_millis(5)).await;
            seen.set(true);
        });
        while !done.get() {
            sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(dropped.get(), 2);
        assert_eq!(
            PANICS.take(),
            ["at once", "a panic without a message", "later: text"]
        );
    });
}

/// Keeps the panic's message from being a constant.
fn dropped_text() -> String {
    "text".to_owned()
}

/// A future whose drop panics.
struct Spiteful;

impl Future for Spiteful {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

impl Drop for Spiteful {
    fn drop(&mut self) {
        panic!("in drop");
    }
}

#[test]
fn a_panic_in_drop_is_caught_too() {
    on_each_driver(|| async {
        on_panic(note_panic);
        PANICS.take();
        spawn(Spiteful);
        sleep(Duration::from_millis(1)).await;
        assert_eq!(PANICS.take(), ["in drop"]);
    });
}

#[test]
fn a_panic_with_a_read_in_flight_closes_the_connection() {
    on_each_driver(|| async {
        on_panic(note_panic);
        let (ours, mut peer) = Peer::pair().expect("a pair");
        peer.set_nonblocking(true).expect("the mode");
        let conn = Conn::from_unix(ours).expect("a connection");
        spawn(async move {
            let mut read = pin!(conn.read(Buffer::standard()));
            let mut cx = Context::from_waker(Waker::noop());
            assert!(read.as_mut().poll(&mut cx).is_pending());
            sleep(Duration::from_millis(1)).await;
            panic!("with a read in flight");
        });
        // The peer sees the end, and the worker goes on serving others.
        let mut byte = [0];
        loop {
            match peer.read(&mut byte) {
                Ok(read) => break assert_eq!(read, 0),
                Err(_) => sleep(Duration::from_millis(1)).await,
            }
        }
        // Long enough for the descriptor to have been let go.
        sleep(5 * BURIAL).await;
        let (ours, mut peer) = Peer::pair().expect("a pair");
        let conn = Conn::from_unix(ours).expect("a connection");
        peer.write_all(b"next").expect("a write");
        assert_eq!(conn.read(Buffer::standard()).await.0.expect("data"), 4);
    });
}

#[test]
fn yielding_lets_the_others_run_first() {
    on_each_driver(|| async {
        let order = Rc::new(RefCell::new(Vec::new()));
        for name in ["a", "b"] {
            let order = order.clone();
            spawn(async move {
                for round in 0..3 {
                    order.borrow_mut().push((name, round));
                    yield_now().await;
                }
            });
        }
        sleep(Duration::from_millis(2)).await;
        let expected = [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 2), ("b", 2)];
        assert_eq!(*order.borrow(), expected);
    });
}

#[test]
fn a_task_costs_little_more_than_its_future() {
    on_each_driver(|| async {
        spawn(async {});
        yield_now().await;
        let bytes = [7u8; 1000];
        let future = async move {
            yield_now().await;
            assert_eq!(bytes[999], 7);
        };
        let size = size_of_val(&future) as i64;
        let ((), counts) = count(|| spawn(future));
        assert_eq!(counts.allocations, 1, "one block by task");
        assert!(counts.live - size <= 80, "{} more", counts.live - size);
        sleep(Duration::from_millis(1)).await;
    });
}

#[test]
fn cores_can_be_listed_and_pinned_to() {
    std::thread::spawn(|| {
        let cores = available_cores();
        assert!(!cores.is_empty());
        assert!(cores.is_sorted());
        let last = cores[cores.len() - 1];
        pin_to(last).expect("pinned");
        assert_eq!(available_cores(), [last]);
        assert!(pin_to(100_000).is_err());
    })
    .join()
    .expect("the test passes");
}

/// Wakes another task when it is dropped.
struct Parting(Waker, Rc<Cell<bool>>);

impl Drop for Parting {
    fn drop(&mut self) {
        self.0.wake_by_ref();
        self.1.set(true);
    }
}

#[test]
fn a_task_that_is_left_may_wake_another_when_it_is_dropped() {
    for driver in ALL {
        let gone = Rc::new(Cell::new(false));
        let told = Rc::clone(&gone);
        let out = run(driver, || async move {
            let other = Rc::<RefCell<Option<Waker>>>::default();
            let kept = Rc::clone(&other);
            spawn(std::future::poll_fn(move |cx| {
                *kept.borrow_mut() = Some(cx.waker().clone());
                Poll::Pending
            }));
            let waker = loop {
                match other.take() {
                    Some(waker) => break waker,
                    None => yield_now().await,
                }
            };
            let parting = Parting(waker, told);
            let begun = Rc::new(Cell::new(false));
            let says = Rc::clone(&begun);
            spawn(async move {
                let _parting = parting;
                says.set(true);
                // Runnable to the end.
                loop {
                    yield_now().await;
                }
            });
            while !begun.get() {
                yield_now().await;
            }
        });
        assert!(out.is_ok(), "{driver}");
        // monoio's are not dropped at all: each holds its own waker.
        assert_eq!(gone.get(), driver == Driver::Ring, "{driver}");
    }
}
