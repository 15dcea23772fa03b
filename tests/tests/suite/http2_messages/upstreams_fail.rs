//! Upstreams over HTTP/2 that refuse, reset, go away or break off: what is asked again, and what the client gets.

use std::sync::atomic::{AtomicUsize, Ordering};

use tests::http2::frame::code;
use tests::http2::{Answering, Frame, Manners, fields, hpack, request};
use tests::{Gate, Http2, Origin};

use super::*;

/// One HTTP/2 connection from the gateway, played by its number; requests are read whole.
type Play = fn(usize, u32, &mut tests::http2::Service<'_>) -> std::io::Result<()>;

/// An origin that plays this for each request; the number counts all requests, from 0.
fn playing(play: Play) -> Origin {
    let count = AtomicUsize::new(0);
    Origin::start(move |link| {
        let mut service = link.http2(&[], Manners::GOOD)?;
        while let Some((stream, _)) = service.request()? {
            play(count.fetch_add(1, Ordering::Relaxed), stream, &mut service)?;
        }
        Ok(())
    })
}

/// Posts a body in the same piece as its head: what the gateway holds whole it can send again.
fn post(gateway: &Gateway, client: Speaks) -> tests::Answer {
    if client == Speaks::Http1 {
        return gateway.ask("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
    }
    let mut http2 = gateway.http2();
    let head = Frame::headers(1, hpack::block(&request("POST", "/x")), false);
    let whole = [head, Frame::data(1, *b"body", true)];
    http2.send_all(&whole).expect("it takes bytes");
    http2.answer(1)
}

#[test]
fn a_refused_stream_is_asked_again_whatever_the_method() {
    for client in [Speaks::Http1, Speaks::Http2] {
        let origin = playing(|number, stream, service| match number {
            0 => service
                .http2
                .send(&Frame::reset(stream, code::REFUSED_STREAM)),
            _ => service.answer(stream, &Answering::ok("second")),
        });
        let gateway = Gateway::between(&origin, Speaks::Http2, "");
        // Without a body: one that comes behind its head in a packet of its own has begun to flow, and is not held.
        let answer = Asking::new("POST", "/x").sized("").ask(&gateway, client);
        answer.answer.is(200).body_is("second");
        assert_eq!(origin.received().len(), 2);
    }
}

#[test]
fn a_stream_that_is_always_refused_gets_502() {
    let origin = playing(|_, stream, service| {
        service
            .http2
            .send(&Frame::reset(stream, code::REFUSED_STREAM))
    });
    let gateway = Gateway::between(&origin, Speaks::Http2, "");
    let mut http2 = gateway.http2();
    http2.get(1, "/").is(502);
    let tries = origin.received().len();
    assert!(tries < 5, "{tries} tries");
}

#[test]
fn a_reset_without_an_answer_gets_502() {
    for client in [Speaks::Http1, Speaks::Http2] {
        let origin = playing(|_, stream, service| {
            service
                .http2
                .send(&Frame::reset(stream, code::INTERNAL_ERROR))
        });
        let gateway = Gateway::between(&origin, Speaks::Http2, "");
        post(&gateway, client).is(502);
        assert_eq!(origin.received().len(), 1, "it may have had an effect");
        assert_eq!(origin.connections(), 1);
    }
}

#[test]
fn a_reset_in_an_answer_never_ends_cleanly() {
    let origin = playing(|_, stream, service| {
        service
            .http2
            .head(stream, &fields(&[(":status", "200")]), false)?;
        service.http2.body(stream, b"some", false)?;
        service
            .http2
            .send(&Frame::reset(stream, code::INTERNAL_ERROR))
    });
    let gateway = Gateway::between(&origin, Speaks::Http2, "");
    let mut http2 = gateway.http2();
    http2.open(1, "/x");
    http2.reset(1);
    let coming = http2.coming(1);
    assert!(!coming.ended && coming.body == b"some", "{coming:?}");
    assert!(http2.is_alive());
    let line = gateway.wait_logged("\"path\":\"/x\"");
    assert!(
        line.contains("\"statusCode\":200") && line.contains("\"error\":"),
        "{line}"
    );
    let mut peer = gateway.peer();
    peer.send("GET /y HTTP/1.1\r\nHost: a\r\n\r\n");
    peer.read(false).expect_err("the body is not complete");
}

#[test]
fn a_connection_that_breaks_off_in_an_answer_never_ends_cleanly() {
    for upstream in [Speaks::Http1, Speaks::Http2] {
        let origin = Origin::start(move |link| {
            if upstream == Speaks::Http1 {
                link.request()?;
                return link.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nsome");
            }
            let mut service = link.http2(&[], Manners::GOOD)?;
            let Some((stream, _)) = service.request()? else {
                return Ok(());
            };
            service
                .http2
                .head(stream, &fields(&[(":status", "200")]), false)?;
            service.http2.body(stream, b"some", false)
        });
        let gateway = Gateway::between(&origin, upstream, "");
        let mut http2 = gateway.http2();
        http2.open(1, "/");
        http2.reset(1);
        assert!(!http2.coming(1).ended);
        assert!(http2.is_alive());
    }
}

#[test]
fn streams_that_a_goaway_leaves_out_are_asked_again_elsewhere() {
    for client in [Speaks::Http1, Speaks::Http2] {
        let origin = playing(|number, stream, service| match number {
            0 => service.answer(stream, &Answering::ok("first")),
            1 => {
                // The first stream was the last; this one was not touched.
                service.http2.send(&Frame::goaway(1, code::NO_ERROR))?;
                service.http2.until(|_| false).map(drop)
            }
            _ => service.answer(stream, &Answering::ok("elsewhere")),
        });
        let gateway = Gateway::between(&origin, Speaks::Http2, "");
        post(&gateway, client).is(200).body_is("first");
        post(&gateway, client).is(200).body_is("elsewhere");
        post(&gateway, client).is(200).body_is("elsewhere");
        assert_eq!(origin.connections(), 2);
    }
}

#[test]
fn after_a_goaway_what_is_open_ends_and_what_is_new_goes_elsewhere() {
    let (asked, goes) = (Gate::new(), Gate::new());
    let (told, going) = (asked.clone(), goes.clone());
    let origin = Origin::start(move |link| {
        let first = link.number == 0;
        let mut service = link.http2(&[], Manners::GOOD)?;
        while let Some((stream, _)) = service.request()? {
            if first {
                service.http2.send(&Frame::goaway(stream, code::NO_ERROR))?;
                // The gateway has read it once it has answered this.
                service.http2.is_alive();
                told.open();
                going.wait();
            }
            service.answer(
                stream,
                &Answering::ok(if first { "first" } else { "second" }),
            )?;
        }
        Ok(())
    });
    let gateway = Gateway::between(&origin, Speaks::Http2, "");
    let mut http2 = gateway.http2();
    http2.open(1, "/");
    asked.wait();
    http2.get(3, "/").is(200).body_is("second");
    goes.open();
    http2.answer(1).is(200).body_is("first");
    origin.wait_ended(1);
}

#[test]
fn a_connection_that_was_lost_while_idle_is_replaced() {
    let (closed, may) = (Gate::new(), Gate::new());
    let (told, close) = (closed.clone(), may.clone());
    let origin = Origin::start(move |link| {
        let first = link.number == 0;
        {
            let mut service = link.http2(&[], Manners::GOOD)?;
            while let Some((stream, _)) = service.request()? {
                service.answer(stream, &Answering::ok("x"))?;
                if first {
                    close.wait();
                    break;
                }
            }
        }
        link.wire.finish();
        told.open();
        link.wait_closed();
        Ok(())
    });
    let gateway = Gateway::between(&origin, Speaks::Http2, "");
    let mut http2 = gateway.http2();
    http2.get(1, "/").is(200);
    may.open();
    closed.wait();
    origin.wait_ended(1);
    http2.get(3, "/").is(200);
    assert_eq!(origin.connections(), 2);
}

#[test]
fn a_connection_lost_under_a_request_gets_502_unless_it_may_be_asked_again() {
    // Both on a connection that had served before: a GET is asked again, a POST is not.
    let origin = Origin::start(|link| {
        let mut service = link.http2(&[], Manners::GOOD)?;
        while let Some((stream, request)) = service.request()? {
            if request.target == "/break"
                && service.http2.coming(1).message().line.contains("/warm")
            {
                return Ok(());
            }
            service.answer(stream, &Answering::ok("x"))?;
        }
        Ok(())
    });
    let gateway = Gateway::between(&origin, Speaks::Http2, "");
    let mut http2 = gateway.http2();
    http2.get(1, "/warm").is(200);
    http2.get(3, "/break").is(200);
    let gateway = Gateway::between(&origin, Speaks::Http2, "");
    let mut http2 = gateway.http2();
    http2.get(1, "/warm").is(200);
    Asking::new("POST", "/break")
        .sized("x")
        .ask_stream(&mut http2, 3)
        .answer
        .is(502);
    http2.get(5, "/").is(200);
}

#[test]
fn the_time_outs_of_an_upstream_hold_for_its_streams() {
    let origin = Origin::start(|link| {
        let mut service = link.http2(&[], Manners::GOOD)?;
        while let Some((stream, request)) = service.head()? {
            if request.target == "/begun" {
                service
                    .http2
                    .head(stream, &fields(&[(":status", "200")]), false)?;
                service.http2.body(stream, b"some", false)?;
            }
        }
        Ok(())
    });
    let times = "first_byte_timeout = \"100ms\"\nread_timeout = \"100ms\"";
    let upstream = format!(
        "{}\n{times}",
        tests::pairs::endpoint(&origin, Speaks::Http2)
    );
    let gateway = Gateway::start(tests::gateway::upstream_and_route(
        &upstream,
        "access_log = \"main\"",
    ));
    let mut http2: Http2 = gateway.http2();
    http2.get(1, "/").is(504);
    http2.open(3, "/begun");
    http2.reset(3);
    assert_eq!(http2.coming(3).body, b"some");
    let line = gateway.wait_logged("\"path\":\"/begun\"");
    assert!(line.contains("\"error\":\"read_timeout\""), "{line}");
    // Neither cost the upstream's connection.
    http2
        .head(5, &request("GET", "/"), true)
        .expect("it takes bytes");
    http2.answer(5).is(504);
    assert_eq!(origin.connections(), 1);
}
