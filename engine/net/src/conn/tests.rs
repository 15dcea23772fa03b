//! Reading, writing, cancelling and closing on each driver.

use std::cell::Cell;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream as Peer;
use std::pin::pin;
use std::task::{Context, Waker};

use super::*;
use crate::runtime::{sleep, spawn};
use crate::testing::{count, counts, on_each_driver};
use crate::{Address, Deadline, Either, Listener, Strike, clock, connect, is_cancelled, race};

mod kept;

fn pair() -> (Conn, Peer) {
    let (ours, theirs) = Peer::pair().expect("a pair");
    (Conn::from_unix(ours).expect("a connection"), theirs)
}

/// Two ends of a TCP connection, both of the runtime.
async fn tcp_pair() -> (Conn, Conn) {
    let any = Address::Tcp(([127, 0, 0, 1], 0).into());
    let listener = Listener::bind(&any, 16).expect("a listener");
    let client = connect(&listener.local()).await.expect("a connection");
    let server = listener.accept().await.expect("a connection");
    (client, server)
}

fn with(bytes: &[u8]) -> Buffer {
    let mut buf = Buffer::standard();
    assert!(buf.extend(bytes));
    buf
}

#[test]
fn there_and_back_over_tcp() {
    on_each_driver(|| async {
        let (client, server) = tcp_pair().await;
        assert!(matches!((&client, &server), (Conn::Tcp(_), Conn::Tcp(_))));
        assert_eq!(client.peer(), server.local());
        assert_eq!(server.peer(), client.local());
        for conn in [&client, &server] {
            assert!(conn.options().tcp_nodelay().expect("the option"));
        }
        let (wrote, buf) = client.write(with(b"hello")).await;
        wrote.expect("a write");
        assert!(buf.is_empty());
        assert_eq!(buf.headroom(), crate::buffer::HEADROOM);
        let (read, buf) = server.read(buf).await;
        assert_eq!((read.expect("data"), buf.filled()), (5, &b"hello"[..]));
        // What is read goes behind what is there.
        server.write(with(b", world")).await.0.expect("a write");
        let (read, buf) = client.read(buf).await;
        assert_eq!(read.expect("data"), 7);
        assert_eq!(buf.filled(), b"hello, world");
        server.shutdown(Shutdown::Write);
        let (read, buf) = client.read(buf).await;
        assert_eq!((read.expect("the end"), buf.len()), (0, 12));
        // An empty write is none.
        client.write(Buffer::standard()).await.0.expect("nothing");
    });
}

#[test]
fn both_directions_at_once() {
    const TOTAL: usize = 6 << 20;
    async fn send(conn: &Conn, seed: usize) {
        let mut sent = 0;
        let mut buf = Buffer::large();
        while sent < TOTAL {
            let n = (TOTAL - sent).min(buf.room());
            let chunk: Vec<u8> = (sent..sent + n).map(|i| (i * 7 + seed) as u8).collect();
            assert!(buf.extend(&chunk));
            let wrote;
            (wrote, buf) = conn.write(buf).await;
            wrote.expect("a write");
            sent += n;
        }
    }
    async fn receive(conn: &Conn, seed: usize) {
        let mut got = 0;
        let mut buf = Buffer::standard();
        while got < TOTAL {
            let read;
            (read, buf) = conn.read(buf).await;
            assert_ne!(read.expect("data"), 0);
            for byte in buf.filled() {
                assert_eq!(*byte, (got * 7 + seed) as u8);
                got += 1;
            }
            buf.clear();
        }
    }
    async fn both(conn: &Conn, ours: usize, theirs: usize) {
        let mut send = pin!(send(conn, ours));
        let mut receive = pin!(receive(conn, theirs));
        match race(send.as_mut(), receive.as_mut()).await {
            Either::First(()) => receive.await,
            Either::Second(()) => send.await,
        }
    }
    on_each_driver(|| async {
        let (client, server) = tcp_pair().await;
        let mut client = pin!(both(&client, 1, 2));
        let mut server = pin!(both(&server, 2, 1));
        match race(client.as_mut(), server.as_mut()).await {
            Either::First(()) => server.await,
            Either::Second(()) => client.await,
        }
    });
}

#[test]
fn when_data_race_a_cancellation_none_are_lost() {
    on_each_driver(|| async {
        let (conn, mut peer) = pair();
        let mut buf = Buffer::standard();
        let (mut sent, mut won) = (0u32, 0);
        for round in 0..2000u32 {
            let mut read = pin!(conn.read_cancelable(buf));
            let mut cx = Context::from_waker(Waker::noop());
            assert!(read.as_mut().poll(&mut cx).is_pending());
            if round % 20 < 2 {
                // A turn of the ring: the read is the kernel's by now.
                sleep(std::time::Duration::from_millis(1)).await;
            }
            // The order in which the kernel and we get to it differs from round to round.
            if round % 2 == 0 {
                peer.write_all(b"x").expect("a write");
                conn.shared().cancel_read();
            } else {
                conn.shared().cancel_read();
                peer.write_all(b"x").expect("a write");
            }
            sent += 1;
            if round % 3 == 0 {
                crate::runtime::yield_now().await;
            }
            let (out, back) = read.await;
            buf = back;
            match out {
                Ok(n) => {
                    assert_ne!(n, 0);
                    won += 1;
                }
                Err(error) => assert!(is_cancelled(&error), "{error}"),
            }
            // Whoever won: exactly what was sent is there, once it has been read.
            if buf.len() < sent as usize {
                let out;
                (out, buf) = conn.read_cancelable(buf).await;
                out.expect("the rest");
            }
            assert_eq!(buf.len(), sent as usize);
            if sent == 1000 {
                buf.clear();
                sent = 0;
            }
        }
        // On epoll nothing is read before the cancelled future is polled; on io_uring data may win.
        println!("data won {won} of 2000");
    });
}

#[test]
fn readable_takes_nothing_and_may_be_dropped() {
    on_each_driver(|| async {
        let (conn, mut peer) = pair();
        assert_eq!(conn.peek(), Peek::Quiet);
        {
            let mut readable = pin!(conn.readable());
            let tick = pin!(sleep(std::time::Duration::from_millis(2)));
            let first = race(readable.as_mut(), tick).await;
            assert!(matches!(first, Either::Second(())));
        }
        peer.write_all(b"abc").expect("a write");
        conn.readable().await.expect("data");
        assert_eq!(conn.peek(), Peek::Data);
        let (read, _) = conn.read(Buffer::standard()).await;
        assert_eq!(read.expect("data"), 3);
        assert_eq!(conn.peek(), Peek::Quiet);
        drop(peer);
        conn.readable().await.expect("the end");
        assert_eq!(conn.peek(), Peek::Closed);
    });
}

#[test]
fn a_watcher_and_a_reader_do_not_rob_each_other() {
    on_each_driver(|| async {
        for watcher_first in [true, false] {
            let (conn, mut peer) = pair();
            let conn = Rc::new(conn);
            // A task that nobody would wake is freed: only its last line says that it ended.
            let ended = Rc::new(Cell::new(0));
            let (watched, watching) = (conn.clone(), ended.clone());
            let watcher = async move {
                watched.readable().await.expect("data or the end");
                watching.set(watching.get() + 1);
            };
            let (reading, running) = (conn.clone(), ended.clone());
            let reader = async move {
                let mut buf = Buffer::standard();
                for _ in 0..3 {
                    let read;
                    (read, buf) = reading.read(buf).await;
                    assert_eq!(read.expect("data"), 1);
                }
                running.set(running.get() + 1);
            };
            if watcher_first {
                spawn(watcher);
                sleep(std::time::Duration::from_millis(1)).await;
                spawn(reader);
            } else {
                spawn(reader);
                sleep(std::time::Duration::from_millis(1)).await;
                spawn(watcher);
            }
            for _ in 0..3 {
                sleep(std::time::Duration::from_millis(2)).await;
                peer.write_all(b"x").expect("a write");
            }
            while ended.get() < 2 {
                sleep(std::time::Duration::from_millis(1)).await;
            }
        }
    });
}

#[test]
fn shutdown_ends_what_is_pending() {
    on_each_driver(|| async {
        let (client, server) = tcp_pair().await;
        {
            let mut read = pin!(client.read(Buffer::standard()));
            let tick = pin!(sleep(std::time::Duration::from_millis(2)));
            let first = race(read.as_mut(), tick).await;
            assert!(matches!(first, Either::Second(())));
            client.shutdown(Shutdown::Both);
            assert_eq!(read.await.0.expect("the end"), 0);
        }
        let (read, _) = server.read(Buffer::standard()).await;
        assert_eq!(read.expect("the end"), 0);
        let (wrote, buf) = client.write(with(b"late")).await;
        assert_eq!(wrote.expect_err("shut").kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(buf.filled(), b"late", "nothing of it was sent");
        // Once more is no error, and neither is it when the peer has gone.
        drop(server);
        client.shutdown(Shutdown::Both);
    });
}

#[test]
fn a_reset_is_an_error_and_the_connection_is_no_good() {
    on_each_driver(|| async {
        let (client, server) = tcp_pair().await;
        server
            .options()
            .set_linger(Some(std::time::Duration::ZERO))
            .expect("the option");
        drop(server);
        let (read, buf) = client.read(Buffer::standard()).await;
        let error = read.expect_err("a reset");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(client.peek(), Peek::Closed);
        assert!(client.write(buf).await.0.is_ok(), "nothing to write");
        assert!(client.write(with(b"x")).await.0.is_err());
    });
}

/// Waits, off the runtime's thread, until the peer sees the end of the stream.
async fn wait_for_end(mut peer: Peer) {
    let (sender, receiver) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut byte = [0];
        let _ = sender.send(peer.read(&mut byte).expect("the end"));
    });
    // The kernel's news come through the ring, so this thread must go round.
    let end = loop {
        match receiver.try_recv() {
            Ok(end) => break end,
            Err(_) => sleep(std::time::Duration::from_millis(1)).await,
        }
    };
    assert_eq!(end, 0);
    reader.join().expect("the reader");
}

#[test]
fn dropping_with_an_operation_in_flight_closes_safely() {
    on_each_driver(|| async {
        for kind in 0..3 {
            let (conn, peer) = pair();
            let mut cx = Context::from_waker(Waker::noop());
            match kind {
                0 => {
                    let mut read = pin!(conn.read(Buffer::standard()));
                    assert!(read.as_mut().poll(&mut cx).is_pending());
                }
                1 => {
                    let mut read = pin!(conn.read_cancelable(Buffer::standard()));
                    assert!(read.as_mut().poll(&mut cx).is_pending());
                }
                _ => {
                    let mut readable = pin!(conn.readable());
                    assert!(readable.as_mut().poll(&mut cx).is_pending());
                }
            }
            let orphaned = !runtime::wants_nonblocking();
            assert_eq!(conn.shared().has_orphans(), orphaned);
            drop(conn);
            wait_for_end(peer).await;
        }
        // One that ended well leaves nothing behind.
        let (conn, mut peer) = pair();
        peer.write_all(b"x").expect("a write");
        assert_eq!(conn.read(Buffer::standard()).await.0.expect("data"), 1);
        assert!(!conn.shared().has_orphans());
        drop(conn);
        wait_for_end(peer).await;
    });
}

#[test]
fn the_steady_path_allocates_nothing() {
    on_each_driver(|| async {
        let (client, server) = tcp_pair().await;
        let deadline = Deadline::new(&server);
        let (mut there, mut back) = (Buffer::standard(), Buffer::standard());
        let mut before = counts();
        for round in 0..200 {
            if round == 100 {
                before = counts();
            }
            let out;
            assert!(there.extend(b"request"));
            (out, there) = client.write(there).await;
            out.expect("a write");
            deadline.set(clock::now() + 60_000_000_000, Strike::CancelRead);
            let read;
            (read, back) = server.read_cancelable(back).await;
            assert_eq!(read.expect("data"), 7);
            deadline.set(clock::now() + 5_000_000_000, Strike::BothShut);
            let out;
            (out, back) = server.write(back).await;
            out.expect("a write");
            let read;
            (read, there) = client.read(there).await;
            assert_eq!(read.expect("data"), 7);
            there.clear();
            client.write(with(b"r")).await.0.expect("a write");
            server.readable().await.expect("data");
            let read;
            (read, back) = server.read(back).await;
            assert_eq!(read.expect("data"), 1);
            back.clear();
        }
        let after = counts();
        assert_eq!(after.allocations - before.allocations, 0);
    });
}

#[test]
fn the_pieces_stay_small() {
    assert!(size_of::<Conn>() <= 64, "{}", size_of::<Conn>());
    assert_eq!(size_of::<Option<Conn>>(), size_of::<Conn>());
    assert_eq!(size_of::<Deadline>(), 4);
    assert!(size_of::<Shared>() <= 112, "{}", size_of::<Shared>());
    on_each_driver(|| async {
        // Warm: pages of slabs and pools are there.
        drop(pair());
        let ((conn, _peer), counts) = count(pair);
        assert!(counts.live <= 256, "a connection holds {} B", counts.live);
        println!("a connection holds {} B on the heap", counts.live);
        // Any of them may be under TLS, whose reads hold a plain one.
        let sizes = [
            ("read", size_of_val(&conn.read(Buffer::standard())), 440),
            (
                "read_cancelable",
                size_of_val(&conn.read_cancelable(Buffer::standard())),
                440,
            ),
            ("readable", size_of_val(&conn.readable()), 320),
            ("write", size_of_val(&conn.write(with(b"x"))), 580),
        ];
        for (name, size, budget) in sizes {
            println!("{name}: {size} B");
            assert!(size <= budget, "{name} takes {size} B");
        }
    });
}

#[test]
fn an_idle_connection_stays_small() {
    on_each_driver(|| async {
        const MANY: i64 = 200;
        async fn idle(conn: Conn) {
            let deadline = Deadline::new(&conn);
            deadline.set(clock::now() + 60_000_000_000, Strike::CancelRead);
            // As a worker does: a read that is given up, then readiness alone.
            deadline.set(clock::now() + 1, Strike::CancelRead);
            let _ = conn.read_cancelable(Buffer::standard()).await;
            deadline.set(clock::now() + 60_000_000_000, Strike::ReadShut);
            let _ = conn.readable().await;
        }
        let mut peers: Vec<Peer> = Vec::with_capacity(MANY as usize);
        let mut before = counts().live;
        for round in 0..2 * MANY {
            if round == MANY {
                sleep(std::time::Duration::from_millis(50)).await;
                crate::buffer::trim();
                before = counts().live;
                peers.reserve(MANY as usize);
            }
            let (conn, peer) = pair();
            peers.push(peer);
            spawn(idle(conn));
        }
        sleep(std::time::Duration::from_millis(50)).await;
        let each = (counts().live - before) / MANY;
        println!("an idle connection: {each} B");
        assert!(each < 1536, "{each} B");
        drop(peers);
        sleep(std::time::Duration::from_millis(20)).await;
    });
}
