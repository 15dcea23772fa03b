//! Flow control (RFC 9113 sections 5.2 and 6.9) from end to end: who takes slowly stops who sends, in both directions and
//! whatever the other side speaks, and no window is ever exceeded or lost.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tests::http2::frame::{code, flag, kind, setting};
use tests::http2::{Answering, Frame, Manners, fields, request};
use tests::pairs::Speaks;
use tests::{Gate, Gateway, Http2, Origin};

mod windows;

/// A listener that takes the PINGs by which these tests find out that all has been dealt with.
const MANY_PINGS: &str = "[listener.public]\naddress = \"127.0.0.1:0\"\nh2_flood_factor = 1000\n";

/// Far more than may be held anywhere.
const ENDLESS: usize = 48 << 20;
/// What the gateway may take of an HTTP/2 upstream that nobody downstream takes: the stream's window, what waits to be
/// written, and what has been.
const HELD: usize = 1 << 20;
/// The same with the kernel's buffers of two sockets, for HTTP/1.1.
const HELD_BY_SOCKETS: usize = 16 << 20;

/// An origin that answers with this many bytes as fast as they are taken, and counts those that have left it.
fn pouring(speaks: Speaks, total: usize) -> (Origin, Arc<AtomicUsize>) {
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    let origin = Origin::start(move |link| {
        let piece = [b'x'; 16_384];
        if speaks == Speaks::Http1 {
            while link.request()?.is_some() {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {total}\r\n\r\n");
                link.send(head)?;
                for _ in 0..total / piece.len() {
                    link.send(piece)?;
                    count.fetch_add(piece.len(), Ordering::SeqCst);
                }
            }
            return Ok(());
        }
        let mut service = link.http2(&[], Manners::GOOD)?;
        while let Some((stream, _)) = service.request()? {
            service
                .http2
                .head(stream, &fields(&[(":status", "200")]), false)?;
            for n in 1..=total / piece.len() {
                service
                    .http2
                    .body(stream, &piece, n == total / piece.len())?;
                count.fetch_add(piece.len(), Ordering::SeqCst);
            }
        }
        Ok(())
    });
    (origin, sent)
}

/// Waits until a count stands still for as long as the gateway's worker takes for many rounds; it must never get beyond
/// `most`.
#[track_caller]
fn stands_still(count: impl Fn(&Http2) -> usize, most: usize, http2: &mut Http2) {
    let mut same = 0;
    let mut before = usize::MAX;
    while same < 50 {
        let now = count(http2);
        assert!(now <= most, "{now} bytes, not at most {most}");
        same = if now == before { same + 1 } else { 0 };
        before = now;
        assert!(http2.is_alive(), "{:?}", http2.goaways);
    }
}

#[test]
fn a_client_that_takes_nothing_stops_the_upstream() {
    for (speaks, most) in [(Speaks::Http2, HELD), (Speaks::Http1, HELD_BY_SOCKETS)] {
        let (origin, sent) = pouring(speaks, ENDLESS);
        let gateway = Gateway::between(&origin, speaks, MANY_PINGS);
        let mut http2 = Http2::connect_with(gateway.address("public"), &[], Manners::STINGY);
        http2.open(1, "/");
        assert!(
            http2
                .until(|it| it.got(1) == 65_535)
                .expect("as much as its window")
        );
        stands_still(|_| sent.load(Ordering::SeqCst), most, &mut http2);
        assert_eq!(http2.got(1), 65_535, "not a byte beyond the window");
        // It goes on from there, to the end.
        http2.manners = Manners::GOOD;
        http2.credit(1, 65_535, true).expect("it takes bytes");
        let answer = http2.answer(1);
        assert_eq!(answer.message.body.len(), ENDLESS);
    }
}

#[test]
fn a_client_of_http_1_that_takes_nothing_stops_an_upstream_of_http_2() {
    let (origin, sent) = pouring(Speaks::Http2, ENDLESS);
    let gateway = Gateway::between(&origin, Speaks::Http2, MANY_PINGS);
    let mut peer = gateway.peer();
    peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    origin.wait_received(1);
    let mut beside = gateway.http2();
    stands_still(
        |_| sent.load(Ordering::SeqCst),
        HELD_BY_SOCKETS,
        &mut beside,
    );
    assert_eq!(peer.answer().is(200).message.body.len(), ENDLESS);
}

/// An origin that takes nothing of an upload before the gate is open, then all, and says how long it was.
fn reluctant(speaks: Speaks, gate: &Gate) -> Origin {
    let gate = gate.clone();
    Origin::start(move |link| {
        if speaks == Speaks::Http1 {
            gate.wait();
            while let Some(request) = link.request()? {
                link.send(tests::origin::ok(&request.message.body.len().to_string()))?;
            }
            return Ok(());
        }
        let mut service = link.http2(&[], Manners::STINGY)?;
        let Some((stream, _)) = service.head()? else {
            return Ok(());
        };
        service.http2.until(|it| it.got(stream) == 65_535)?;
        gate.wait();
        service.http2.manners = Manners::GOOD;
        service.http2.credit(stream, 65_535, true)?;
        service.http2.until(|it| it.coming(stream).is_over())?;
        let length = service.http2.got(stream).to_string();
        service.answer(stream, &Answering::ok(length))?;
        service.http2.until(|_| false)?;
        Ok(())
    })
}

#[test]
fn an_upstream_that_takes_nothing_stops_the_client() {
    for (speaks, most) in [(Speaks::Http2, HELD), (Speaks::Http1, HELD_BY_SOCKETS)] {
        let gate = Gate::new();
        let origin = reluctant(speaks, &gate);
        let gateway = Gateway::between(&origin, speaks, MANY_PINGS);
        let mut http2 = gateway.http2();
        http2
            .head(1, &request("POST", "/"), false)
            .expect("it takes bytes");
        let mut sent = 0;
        // All that it allows, until it allows nothing more.
        let mut quiet = 0;
        while quiet < 50 {
            let room = http2.room(1).min(16_384);
            quiet = if room == 0 { quiet + 1 } else { 0 };
            http2
                .body(1, &vec![b'x'; room], false)
                .expect("it takes bytes");
            sent += room;
            assert!(sent <= most, "{sent} bytes, not at most {most}");
            assert!(http2.is_alive());
        }
        assert!(sent > 65_535, "the gateway's window is larger than that");
        gate.open();
        http2
            .body(1, &vec![b'y'; 1 << 20], true)
            .expect("it goes on");
        http2
            .answer(1)
            .is(200)
            .body_is((sent + (1 << 20)).to_string());
    }
}
