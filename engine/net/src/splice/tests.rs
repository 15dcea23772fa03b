//! Bytes pass whole and in order, a full sink and an empty source are told, and both sockets are usable afterwards.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use super::*;
use crate::runtime::{Driver, run};
use crate::{Buffer, clock, deadline};

fn tcp() -> (Conn, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let theirs = TcpStream::connect(listener.local_addr().expect("an address")).expect("a peer");
    let (ours, _) = listener.accept().expect("a connection");
    (Conn::from_tcp(ours).expect("a connection"), theirs)
}

async fn pass(splice: &mut Splice<'_>, mut left: usize) -> usize {
    let mut passed = 0;
    while left > 0 {
        match splice.take(left).expect("a take") {
            None => splice.source.readable().await.expect("readable"),
            Some(0) => break,
            Some(n) => {
                left -= n;
                passed += n;
                while !splice.give(left > 0).expect("a give") {
                    splice.sink.writable().await.expect("writable");
                }
            }
        }
    }
    passed
}

#[test]
fn a_long_body_passes_and_the_sockets_are_as_before() {
    const LONG: usize = 5 << 20;
    let test = async || {
        let ((source, mut sender), (sink, mut taker)) = (tcp(), tcp());
        let body: Vec<u8> = (0..LONG).map(|i| (i / 7) as u8).collect();
        let sent = body.clone();
        let sending = std::thread::spawn(move || {
            sender.write_all(&sent).expect("a write");
            sender
        });
        let taking = std::thread::spawn(move || {
            let mut got = vec![0; LONG];
            taker.read_exact(&mut got).expect("all of it");
            (taker, got)
        });
        for part in [LONG / 2, LONG - LONG / 2] {
            let mut splice = Splice::open(&source, &sink).expect("our own driver");
            assert_eq!(pass(&mut splice, part).await, part);
        }
        let mut sender = sending.join().expect("no panic");
        let (mut taker, got) = taking.join().expect("no panic");
        assert!(got == body);
        // Blocking again: a read waits for what comes.
        let late = std::thread::spawn(move || {
            sender.write_all(b"after").expect("a write");
            sender
        });
        let (read, buf) = source.read(Buffer::standard()).await;
        assert_eq!((read.expect("data"), buf.filled()), (5, &b"after"[..]));
        sink.write(buf).await.0.expect("a write");
        let mut after = [0; 5];
        taker.read_exact(&mut after).expect("what follows");
        assert_eq!(&after, b"after");
        // The end of the source is told.
        drop(late.join().expect("no panic"));
        let mut splice = Splice::open(&source, &sink).expect("our own driver");
        assert_eq!(pass(&mut splice, 1).await, 0);
    };
    let ended = run(Driver::Ring, || {
        deadline::within(clock::now() + 20_000_000_000, test())
    });
    assert!(matches!(ended, Ok(Some(()))), "{ended:?}");
}

#[test]
fn what_lies_behind_is_told() {
    let test = async || {
        let ((source, mut sender), (sink, _taker)) = (tcp(), tcp());
        sender.write_all(b"bodymore").expect("a write");
        for (part, more) in [(4, true), (4, false)] {
            let mut splice = Splice::open(&source, &sink).expect("our own driver");
            assert_eq!(pass(&mut splice, part).await, part);
            drop(splice);
            assert_eq!(source.has_more(), more);
        }
    };
    let ended = run(Driver::Ring, || {
        deadline::within(clock::now() + 20_000_000_000, test())
    });
    assert!(matches!(ended, Ok(Some(()))), "{ended:?}");
}

#[test]
fn other_drivers_have_no_such_way() {
    let run = run(Driver::Epoll, || async {
        let ((source, _sender), (sink, _taker)) = (tcp(), tcp());
        assert!(Splice::open(&source, &sink).is_none());
    });
    run.expect("the driver works");
}
