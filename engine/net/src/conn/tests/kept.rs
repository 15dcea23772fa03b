//! Operations that the connection keeps: our own ring can, the other drivers give the buffer back.

use std::future::poll_fn;
use std::mem::MaybeUninit;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Wake};
use std::time::Duration;

use super::*;
use crate::deadline;
use crate::runtime::{self, Driver};

fn on_the_ring<F: Future<Output = ()>>(test: impl Fn() -> F) {
    let ended = runtime::run(Driver::Ring, || {
        deadline::within(clock::now() + 20_000_000_000, test())
    });
    assert!(matches!(ended, Ok(Some(()))), "{ended:?} (None: it hung)");
}

#[test]
fn the_other_drivers_give_the_buffer_back() {
    for driver in [Driver::UringDefer, Driver::Epoll] {
        let run = runtime::run(driver, || async {
            let (conn, _peer) = pair();
            assert!(conn.stand(Buffer::standard()).is_err());
            assert_eq!(
                conn.post(with(b"x")).expect_err("the buffer").filled(),
                b"x"
            );
            assert!(!conn.is_standing() && !conn.is_posting() && !conn.is_broken());
            conn.posted().await.expect("nothing to wait for");
        });
        run.expect("the driver works");
    }
}

#[test]
fn a_kept_read_ends_with_data_or_the_end_whether_anybody_waits_or_not() {
    on_the_ring(|| async {
        let (conn, mut peer) = pair();
        conn.stand(Buffer::standard()).expect("posted");
        assert!(conn.is_standing() && !conn.has_stood());
        assert!(conn.stand(Buffer::standard()).is_err(), "one at a time");
        peer.write_all(b"early").expect("a write");
        while !conn.has_stood() {
            sleep(Duration::from_millis(1)).await;
        }
        let (read, buf) = conn.standing().await;
        assert_eq!((read.expect("data"), buf.filled()), (5, &b"early"[..]));
        assert!(!conn.is_standing());
        // And with somebody who waits, and was dropped once.
        conn.stand(buf).expect("posted");
        {
            let mut waits = pin!(conn.standing());
            let first = poll_fn(|cx| Poll::Ready(waits.as_mut().poll(cx).is_pending())).await;
            assert!(first);
        }
        drop(peer);
        let (read, buf) = conn.standing().await;
        assert_eq!((read.expect("the end"), buf.filled()), (0, &b"early"[..]));
    });
}

#[test]
fn a_posted_write_goes_out_in_order_and_says_when_it_failed() {
    on_the_ring(|| async {
        let (conn, mut peer) = pair();
        conn.post(with(b"one ")).expect("posted");
        assert!(conn.is_posting());
        assert!(conn.post(with(b"two ")).is_err(), "one at a time");
        // A plain write waits for it.
        conn.write(with(b"two ")).await.0.expect("a write");
        conn.post(with(b"three")).expect("posted");
        conn.posted().await.expect("it went out");
        let mut got = [0; 13];
        peer.read_exact(&mut got).expect("all of it");
        assert_eq!(&got, b"one two three");
        drop(peer);
        conn.post(with(b"lost")).expect("posted");
        assert!(conn.posted().await.is_err());
        assert!(conn.is_broken());
        assert!(conn.post(with(b"lost")).is_err());
        assert!(conn.write(with(b"lost")).await.0.is_err());
    });
}

#[test]
fn the_end_of_a_connection_ends_what_it_keeps() {
    on_the_ring(|| async {
        let (conn, mut peer) = pair();
        conn.stand(Buffer::standard()).expect("posted");
        // More than the socket takes at once: it stays pending, since the peer reads nothing.
        let mut full = Buffer::large();
        full.extend(&vec![7; full.room()]);
        while let Ok(()) = conn.post(std::mem::replace(&mut full, Buffer::large())) {
            full.extend(&vec![7; full.room()]);
            sleep(Duration::from_millis(1)).await;
        }
        assert!(conn.is_posting());
        drop(conn);
        let mut rest = Vec::new();
        peer.read_to_end(&mut rest)
            .expect("what was sent, then the end");
        assert!(rest.iter().all(|&byte| byte == 7));
        // The worker goes on.
        let (conn, mut peer) = pair();
        peer.write_all(b"next").expect("a write");
        assert_eq!(conn.read(Buffer::standard()).await.0.expect("data"), 4);
    });
}

#[test]
fn kept_operations_allocate_nothing() {
    on_the_ring(|| async {
        let (conn, mut peer) = pair();
        let mut byte = [0];
        let round = async |buf: Buffer, byte: &mut [u8; 1], peer: &mut Peer| {
            conn.stand(buf).expect("posted");
            conn.post(with(b"x")).expect("posted");
            conn.posted().await.expect("it went out");
            peer.read_exact(byte).expect("the byte");
            peer.write_all(byte).expect("a write");
            let (read, mut buf) = conn.standing().await;
            assert_eq!(read.expect("data"), 1);
            buf.clear();
            buf
        };
        let mut buf = Buffer::standard();
        for _ in 0..3 {
            buf = round(buf, &mut byte, &mut peer).await;
        }
        let before = counts();
        for _ in 0..100 {
            buf = round(buf, &mut byte, &mut peer).await;
        }
        assert_eq!(counts().allocations - before.allocations, 0);
    });
}

/// Counts how often it is woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn who_waits_for_a_kept_read_is_woken_by_that_alone() {
    on_the_ring(|| async {
        let (conn, mut peer) = pair();
        conn.stand(Buffer::standard()).expect("posted");
        conn.post(with(b"asked")).expect("posted");
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        let mut waits = pin!(conn.standing());
        assert!(
            waits
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
        while conn.is_posting() {
            sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(
            count.0.load(Ordering::Relaxed),
            0,
            "the write is nothing to it"
        );
        peer.write_all(b"answered").expect("a write");
        while !conn.has_stood() {
            sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn a_read_tells_what_it_left_behind() {
    on_the_ring(|| async {
        let (ours, mut theirs) = std_tcp();
        let conn = Conn::from_tcp(ours).expect("a connection");
        let room = Buffer::standard().room();
        theirs.write_all(&vec![7; room + 1]).expect("a write");
        // Until all of it is there, a read may end early.
        while SockRef::from(conn.socket())
            .peek(&mut vec![MaybeUninit::uninit(); room + 1])
            .ok()
            != Some(room + 1)
        {}
        let (read, mut buf) = conn.read(Buffer::standard()).await;
        assert_eq!(read.expect("data"), room);
        assert!(conn.has_more());
        buf.clear();
        let (read, _) = conn.read(buf).await;
        assert_eq!(read.expect("data"), 1);
        assert!(!conn.has_more());
    });
}

#[test]
fn a_reset_stays_one_whatever_was_dropped_before() {
    on_the_ring(|| async {
        let (ours, mut theirs) = std_tcp();
        let conn = Conn::from_tcp(ours).expect("a connection");
        {
            let mut dropped = pin!(conn.readable());
            let mut cx = Context::from_waker(Waker::noop());
            assert!(dropped.as_mut().poll(&mut cx).is_pending());
        }
        conn.reset_at_close();
        drop(conn);
        sleep(Duration::from_millis(1)).await;
        let cut = theirs.read(&mut [0]).expect_err("no end that seems clean");
        assert_eq!(cut.kind(), io::ErrorKind::ConnectionReset);
    });
}

fn std_tcp() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let theirs = TcpStream::connect(listener.local_addr().expect("an address")).expect("a peer");
    (listener.accept().expect("a connection").0, theirs)
}
