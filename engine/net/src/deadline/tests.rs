//! Deadlines at work on real connections, on each driver.

use std::cell::Cell;
use std::io::Write;
use std::os::unix::net::UnixStream as Peer;
use std::rc::Rc;

use super::*;
use crate::runtime::{spawn, yield_now};
use crate::testing::{count, on_each_driver};
use crate::{Address, Buffer, Listener, connect, is_cancelled};

const MILLI: u64 = 1_000_000;

fn pair() -> (Conn, Peer) {
    let (ours, theirs) = Peer::pair().expect("a pair");
    (Conn::from_unix(ours).expect("a connection"), theirs)
}

/// That a strike set for `at` was neither early nor absurdly late (the machine may be busy).
fn check_time(at: u64) {
    let late = clock::now().checked_sub(at).expect("struck too early");
    assert!(late < 2_000 * MILLI, "{} ms late", late / MILLI);
}

async fn tcp_pair() -> (Conn, Conn) {
    let any = Address::Tcp(([127, 0, 0, 1], 0).into());
    let listener = Listener::bind(&any, 16).expect("a listener");
    let client = connect(&listener.local()).await.expect("a connection");
    (client, listener.accept().await.expect("a connection"))
}

#[test]
fn shutting_the_reading_side_ends_a_read() {
    on_each_driver(|| async {
        let (client, server) = tcp_pair().await;
        let deadline = Deadline::new(&server);
        let at = clock::now() + 20 * MILLI;
        deadline.set(at, Strike::ReadShut);
        assert!(!deadline.struck());
        let (read, mut buf) = server.read(Buffer::standard()).await;
        assert_eq!(read.expect("the end"), 0);
        assert!(deadline.struck());
        check_time(at);
        // The other direction still works.
        assert!(buf.extend(b"408"));
        server.write(buf).await.0.expect("a write");
        let (read, buf) = client.read(Buffer::standard()).await;
        assert_eq!((read.expect("the answer"), buf.filled()), (3, &b"408"[..]));

        // On a Unix socket too; what had come before can still be read.
        let (conn, mut peer) = pair();
        let deadline = Deadline::new(&conn);
        peer.write_all(b"half a").expect("a write");
        deadline.set(clock::now() + 10 * MILLI, Strike::ReadShut);
        deadline.expired().await;
        let (read, buf) = conn.read(Buffer::standard()).await;
        assert_eq!(read.expect("data"), 6);
        assert_eq!(conn.read(buf).await.0.expect("the end"), 0);
    });
}

#[test]
fn shutting_both_sides_ends_a_write() {
    on_each_driver(|| async {
        let (conn, _peer) = pair();
        let deadline = Deadline::new(&conn);
        let at = clock::now() + 20 * MILLI;
        deadline.set(at, Strike::BothShut);
        let error = loop {
            // Nobody reads: once the socket's buffer is full the write waits.
            let mut buf = Buffer::large();
            assert!(buf.extend(&[7; crate::buffer::LARGE]));
            if let (Err(error), buf) = conn.write(buf).await {
                assert!(!buf.is_empty(), "the rest is still there");
                break error;
            }
        };
        assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
        assert!(deadline.struck());
        check_time(at);
    });
}

#[test]
fn cancelling_gives_the_buffer_back_and_loses_nothing() {
    on_each_driver(|| async {
        let (conn, mut peer) = pair();
        let deadline = Deadline::new(&conn);
        let mut buf = Buffer::standard();
        assert!(buf.extend(b"kept "));
        for _ in 0..3 {
            let at = clock::now() + 10 * MILLI;
            deadline.set(at, Strike::CancelRead);
            let read;
            (read, buf) = conn.read_cancelable(buf).await;
            assert!(is_cancelled(&read.expect_err("no data")));
            assert!(deadline.struck());
            check_time(at);
        }
        peer.write_all(b"data").expect("a write");
        deadline.set(clock::now() + 10_000 * MILLI, Strike::CancelRead);
        let (read, buf) = conn.read_cancelable(buf).await;
        assert_eq!(read.expect("data"), 4);
        assert_eq!(buf.filled(), b"kept data");
        assert!(!deadline.struck());
    });
}

#[test]
fn a_strike_between_reads_ends_the_next_one_once() {
    on_each_driver(|| async {
        let (conn, mut peer) = pair();
        let deadline = Deadline::new(&conn);
        deadline.set(clock::now() + 5 * MILLI, Strike::CancelRead);
        deadline.expired().await;
        let (read, buf) = conn.read_cancelable(Buffer::standard()).await;
        assert!(is_cancelled(&read.expect_err("struck before")));
        peer.write_all(b"x").expect("a write");
        assert_eq!(conn.read_cancelable(buf).await.0.expect("data"), 1);

        deadline.set(clock::now() + 5 * MILLI, Strike::CancelRead);
        deadline.expired().await;
        // Set anew, the former strike is forgotten.
        deadline.set(clock::now() + 10_000 * MILLI, Strike::CancelRead);
        peer.write_all(b"y").expect("a write");
        let (read, _) = conn.read_cancelable(Buffer::standard()).await;
        assert_eq!(read.expect("data"), 1);
    });
}

#[test]
fn cancelling_ends_readable() {
    on_each_driver(|| async {
        let (conn, mut peer) = pair();
        let deadline = Deadline::new(&conn);
        deadline.set(clock::now() + 10 * MILLI, Strike::CancelRead);
        let ready = conn.readable().await;
        assert!(is_cancelled(&ready.expect_err("nothing to read")));
        peer.write_all(b"z").expect("a write");
        conn.readable().await.expect("something to read");
        let (read, buf) = conn.read(Buffer::standard()).await;
        assert_eq!((read.expect("data"), buf.filled()), (1, &b"z"[..]));
    });
}

#[test]
fn draining_ends_those_that_rest_and_no_others() {
    on_each_driver(|| async {
        let ((resting, _a), (busy, mut peer)) = (pair(), pair());
        let (rests, works) = (Deadline::new(&resting), Deadline::new(&busy));
        let far = clock::now() + 60_000 * MILLI;
        rests.set(far, Strike::Rest);
        works.set(far, Strike::ReadShut);
        end_resting();
        assert!(rests.struck() && !works.struck());
        resting.readable().await.expect("the end");
        assert_eq!(resting.peek(), crate::Peek::Closed);
        peer.write_all(b"x").expect("still open");
        assert_eq!(busy.read(Buffer::standard()).await.0.expect("data"), 1);
        // At its own time too.
        let (resting, _peer) = pair();
        let rests = Deadline::new(&resting);
        rests.set(clock::now() + 10 * MILLI, Strike::Rest);
        resting.readable().await.expect("the end");
        assert!(rests.struck());
    });
}

#[test]
fn set_later_and_set_earlier() {
    on_each_driver(|| async {
        let (conn, _peer) = pair();
        let deadline = Deadline::new(&conn);
        let start = clock::now();
        deadline.set(start + 10 * MILLI, Strike::Wake);
        deadline.set(start + 60 * MILLI, Strike::Wake);
        deadline.expired().await;
        check_time(start + 60 * MILLI);

        let start = clock::now();
        deadline.set(start + 60_000 * MILLI, Strike::Wake);
        // The driving task rests by now, until the long one.
        sleep_until(start + 20 * MILLI).await;
        deadline.set(start + 40 * MILLI, Strike::Wake);
        deadline.expired().await;
        check_time(start + 40 * MILLI);

        // In the past: at once.
        deadline.set(start, Strike::Wake);
        deadline.expired().await;
        check_time(start);
    });
}

#[test]
fn cleared_or_dropped_does_not_strike() {
    on_each_driver(|| async {
        let (conn, mut peer) = pair();
        let (cleared, dropped) = (Deadline::new(&conn), Deadline::new(&conn));
        let at = clock::now() + 10 * MILLI;
        cleared.set(at, Strike::BothShut);
        dropped.set(at, Strike::BothShut);
        cleared.clear();
        drop(dropped);
        sleep_until(at + 30 * MILLI).await;
        assert!(!cleared.struck());
        peer.write_all(b"alive").expect("still open");
        let (read, _) = conn.read(Buffer::standard()).await;
        assert_eq!(read.expect("data"), 5);
    });
}

#[test]
fn a_strike_cannot_reach_a_reused_descriptor() {
    on_each_driver(|| async {
        let (conn, _peer) = pair();
        let deadline = Deadline::new(&conn);
        deadline.set(clock::now() + 10 * MILLI, Strike::BothShut);
        drop(conn);
        // Connections that take over the number as soon as it is free.
        let mut others = Vec::new();
        while !deadline.struck() {
            if others.len() < 100 {
                others.push(pair());
            }
            sleep_until(clock::now() + MILLI).await;
        }
        for (conn, mut peer) in others {
            peer.write_all(b"ok").expect("still open");
            assert_eq!(conn.read(Buffer::standard()).await.0.expect("data"), 2);
        }
    });
}

#[test]
fn within_bounds_what_it_runs() {
    on_each_driver(|| async {
        let far = clock::now() + 10_000 * MILLI;
        assert_eq!(within(far, async { 7 }).await, Some(7));
        let yields = async {
            yield_now().await;
            8
        };
        assert_eq!(within(far, yields).await, Some(8));

        let dropped = Rc::new(Cell::new(false));
        struct Guard(Rc<Cell<bool>>);
        impl Drop for Guard {
            fn drop(&mut self) {
                self.0.set(true);
            }
        }
        let guard = Guard(dropped.clone());
        let at = clock::now() + 10 * MILLI;
        let endless = async {
            let _guard = guard;
            std::future::pending::<()>().await;
        };
        assert_eq!(within(at, endless).await, None);
        assert!(dropped.get());
        check_time(at);
        assert!(now() <= clock::now());
    });
}

#[test]
fn many_sleepers_wake_in_order() {
    on_each_driver(|| async {
        let start = clock::now();
        let woken = Rc::new(Cell::new(0));
        let done = Rc::new(Deadline::alone());
        done.set(start + 15_000 * MILLI, Strike::Wake);
        for index in (0..200).rev() {
            let (woken, done) = (woken.clone(), done.clone());
            spawn(async move {
                let at = start + index * MILLI;
                sleep_until(at).await;
                check_time(at);
                woken.set(woken.get() + 1);
                if woken.get() == 200 {
                    done.set(0, Strike::Wake);
                }
            });
        }
        done.expired().await;
        assert_eq!(woken.get(), 200);
        assert!(clock::now() - start < 14_000 * MILLI);
    });
}

#[test]
fn setting_allocates_nothing() {
    on_each_driver(|| async {
        let (conn, _peer) = pair();
        let deadline = Deadline::new(&conn);
        deadline.set(clock::now() + 1_000 * MILLI, Strike::ReadShut);
        let ((), counts) = count(|| {
            for round in 0..1000 {
                let now = clock::now();
                deadline.set(now + 60_000 * MILLI, Strike::ReadShut);
                deadline.set(now + (round % 50) * 100 * MILLI + MILLI, Strike::BothShut);
                deadline.clear();
            }
        });
        assert_eq!(counts.allocations, 0);
        // The slab may grow once; after that places are used again.
        drop(Deadline::new(&conn));
        let ((), counts) = count(|| drop(Deadline::new(&conn)));
        assert_eq!(counts.allocations, 0);
        assert!(armed() >= 1);
    });
}
