//! Streams of one connection are independent: what one of them waits for holds up no other; and how they share the
//! connections of an upstream.

use tests::http2::frame::{code, setting};
use tests::http2::{Answering, Frame, Manners, fields, request};
use tests::origin::ok;
use tests::{Gate, Origin};

use super::*;

/// Origins of both protocols that hold `/slow` until told and answer all else at once.
fn holding(gate: &Gate) -> [(Origin, Speaks); 2] {
    let (one, other) = (gate.clone(), gate.clone());
    let http1 = Origin::start(move |link| {
        while let Some(request) = link.request()? {
            if request.target == "/slow" {
                one.wait();
            }
            link.send(ok(&request.target))?;
        }
        Ok(())
    });
    let http2 = Origin::start(move |link| {
        let mut service = link.http2(&[], Manners::GOOD)?;
        let mut held = None;
        while let Some((stream, request)) = service.request()? {
            match request.target.as_str() {
                "/slow" => held = Some(stream),
                "/release" => {
                    other.wait();
                    if let Some(held) = held.take() {
                        service.answer(held, &Answering::ok("/slow"))?;
                    }
                    service.answer(stream, &Answering::ok("/release"))?;
                }
                target => service.answer(stream, &Answering::ok(target))?,
            }
        }
        Ok(())
    });
    [(http1, Speaks::Http1), (http2, Speaks::Http2)]
}

#[test]
fn a_slow_stream_does_not_hold_up_a_fast_one() {
    let gate = Gate::new();
    for (origin, upstream) in holding(&gate) {
        let gateway = Gateway::between(&origin, upstream, "");
        let mut http2 = gateway.http2();
        http2.open(1, "/slow");
        origin.wait_received(1);
        for n in 1..20 {
            http2.get(2 * n + 1, "/fast").is(200).body_is("/fast");
        }
        assert!(!http2.coming(1).is_over(), "it was held");
        gate.open();
        if upstream == Speaks::Http2 {
            assert_eq!(origin.connections(), 1, "all streams share one");
            http2.get(101, "/release").is(200);
        }
        http2.answer(1).is(200).body_is("/slow");
    }
}

#[test]
fn an_upload_that_does_not_go_on_holds_up_no_other() {
    for upstream in [Speaks::Http1, Speaks::Http2] {
        let origin = origin(upstream, |request| {
            Answering::ok(request.message.body.clone())
        });
        let gateway = Gateway::between(&origin, upstream, "");
        let mut http2 = gateway.http2();
        http2
            .head(1, &request("POST", "/"), false)
            .expect("it takes bytes");
        http2.body(1, b"begun", false).expect("it takes bytes");
        // An HTTP/2 origin of this harness deals with one request after the other: its streams may not interleave.
        if upstream == Speaks::Http1 {
            for n in 1..10 {
                Asking::new("POST", "/")
                    .sized("x")
                    .ask_stream(&mut http2, 2 * n + 1)
                    .answer
                    .is(200)
                    .body_is("x");
            }
        }
        http2.body(1, b", ended", true).expect("it takes bytes");
        http2.answer(1).is(200).body_is("begun, ended");
    }
}

#[test]
fn a_client_that_takes_one_answer_slowly_gets_the_others() {
    for upstream in [Speaks::Http1, Speaks::Http2] {
        let large = noise(3 << 20);
        let told = large.clone();
        let origin = Origin::start(move |link| {
            if upstream == Speaks::Http1 {
                while let Some(request) = link.request()? {
                    match request.target.as_str() {
                        "/large" => {
                            link.send(format!(
                                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
                                told.len()
                            ))?;
                            link.send(&told)?;
                        }
                        _ => link.send(ok("small"))?,
                    }
                }
                return Ok(());
            }
            let mut service = link.http2(&[], Manners::GOOD)?;
            let (mut large, mut sent) = (None, 0);
            loop {
                // As much of the large one as there is room for, whenever something has come.
                if let Some(stream) = large {
                    let room = service
                        .http2
                        .room(stream)
                        .min(told.len() - sent)
                        .min(16_384);
                    if room > 0 {
                        let end = sent + room == told.len();
                        service.http2.body(stream, &told[sent..sent + room], end)?;
                        sent += room;
                        if end {
                            large = None;
                        }
                        continue;
                    }
                }
                let seen = service.http2.frame()?;
                if seen.is_none() {
                    return Ok(());
                }
                if seen.is_some_and(|frame| frame.kind == tests::http2::frame::kind::HEADERS) {
                    let Some((stream, request)) = service.head()? else {
                        return Ok(());
                    };
                    match request.target.as_str() {
                        "/large" => {
                            service
                                .http2
                                .head(stream, &fields(&[(":status", "200")]), false)?;
                            large = Some(stream);
                        }
                        _ => service.answer(stream, &Answering::ok("small"))?,
                    }
                }
            }
        });
        let gateway = Gateway::between(&origin, upstream, "");
        let mut http2 = tests::Http2::connect_with(gateway.address("public"), &[], Manners::STINGY);
        // The connection's window is not what the slow one uses up.
        http2
            .send(&Frame::window_update(0, 100 << 20))
            .expect("it takes bytes");
        http2.open(1, "/large");
        assert!(
            http2
                .until(|it| it.got(1) == 65_535)
                .expect("as much as its window")
        );
        for n in 1..10 {
            http2.get(2 * n + 1, "/small").is(200).body_is("small");
        }
        assert_eq!(http2.got(1), 65_535, "not a byte more than the window");
        http2
            .send(&Frame::window_update(1, 100 << 20))
            .expect("it takes bytes");
        http2.answer(1).is(200).body_is(&large);
    }
}

#[test]
fn many_streams_at_once_are_all_answered() {
    for upstream in [Speaks::Http1, Speaks::Http2] {
        let origin = origin(upstream, |request| {
            Answering::ok(request.target.repeat(1000))
        });
        let gateway = Gateway::between(&origin, upstream, "");
        let mut http2 = gateway.http2();
        for n in 0..100 {
            http2.open(2 * n + 1, &format!("/{n}"));
        }
        for n in 0..100 {
            http2
                .answer(2 * n + 1)
                .is(200)
                .body_is(format!("/{n}").repeat(1000));
        }
    }
}

#[test]
fn an_early_answer_to_an_upload_is_passed_on() {
    for upstream in [Speaks::Http1, Speaks::Http2] {
        let origin = Origin::start(move |link| {
            if upstream == Speaks::Http1 {
                link.request_head()?;
                link.send(ok("enough"))?;
                link.wait_closed();
                return Ok(());
            }
            let mut service = link.http2(&[], Manners::GOOD)?;
            while let Some((stream, _)) = service.head()? {
                service.answer(stream, &Answering::ok("enough"))?;
                service.http2.send(&Frame::reset(stream, code::NO_ERROR))?;
            }
            Ok(())
        });
        let gateway = Gateway::between(&origin, upstream, "");
        let mut http2 = gateway.http2();
        http2
            .head(1, &request("POST", "/"), false)
            .expect("it takes bytes");
        http2.body(1, &[b'x'; 1000], false).expect("it takes bytes");
        http2.answer(1).is(200).body_is("enough");
        // What still comes is thrown away, and the client is told that nobody wants it.
        let _ = http2.body(1, &[b'x'; 1000], false);
        assert_eq!(http2.reset(1), code::NO_ERROR);
        assert!(http2.is_alive());
    }
}

#[test]
fn bodies_flow_both_ways_at_the_same_time() {
    // Each piece is echoed before the next is sent: nothing waits for an end.
    let origin = Origin::start(|link| {
        let mut service = link.http2(&[], Manners::GOOD)?;
        let Some((stream, _)) = service.head()? else {
            return Ok(());
        };
        service
            .http2
            .head(stream, &fields(&[(":status", "200")]), false)?;
        let mut echoed = 0;
        loop {
            service
                .http2
                .until(|it| it.got(stream) > echoed || it.coming(stream).ended)?;
            let coming = service.http2.coming(stream);
            service
                .http2
                .body(stream, &coming.body[echoed..], coming.ended)?;
            echoed = coming.body.len();
            if coming.ended {
                service.http2.until(|_| false)?;
                return Ok(());
            }
        }
    });
    let gateway = Gateway::between(&origin, Speaks::Http2, "");
    let mut http2 = gateway.http2();
    http2
        .head(1, &request("POST", "/"), false)
        .expect("it takes bytes");
    for n in 1..50 {
        http2.body(1, b"piece", false).expect("it takes bytes");
        assert!(http2.until(|it| it.got(1) == 5 * n).expect("it comes back"));
    }
    http2.body(1, b"last", true).expect("it takes bytes");
    http2.answer(1).is(200);
}

#[test]
fn what_an_upstream_allows_is_kept_to() {
    // One stream at a time for each connection: the second request makes a second one.
    let gate = Gate::new();
    let told = gate.clone();
    let origin = Origin::start(move |link| {
        let mut service = link.http2(&[(setting::MAX_CONCURRENT_STREAMS, 1)], Manners::GOOD)?;
        while let Some((stream, _)) = service.request()? {
            told.wait();
            service.answer(stream, &Answering::ok("x"))?;
        }
        Ok(())
    });
    let gateway = Gateway::between(&origin, Speaks::Http2, "");
    let mut http2 = gateway.http2();
    gate.open();
    // The upstream's SETTINGS have come.
    http2.get(1, "/").is(200);
    for n in 1..4 {
        http2.open(2 * n + 1, "/");
    }
    for n in 1..4 {
        http2.answer(2 * n + 1).is(200);
    }
    assert_eq!(origin.received().len(), 4);
}

#[test]
fn requests_to_an_upstream_share_one_connection() {
    let origin = origin(Speaks::Http2, |_| Answering::ok("x"));
    let gateway = Gateway::between(&origin, Speaks::Http2, "");
    for _ in 0..3 {
        let mut http2 = gateway.http2();
        for n in 0..10 {
            http2.get(2 * n + 1, "/").is(200);
        }
        gateway.get("/").is(200);
    }
    assert_eq!(origin.connections(), 1);
}
