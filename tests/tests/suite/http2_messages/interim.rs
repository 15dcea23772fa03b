//! Interim answers (RFC 9110 section 15.2) and Expect, for every pair.

use tests::http2::{Answering, Manners, fields};
use tests::{Gate, Origin};

use super::*;

#[test]
fn early_hints_pass() {
    each(|client, upstream| {
        let origin = origin(upstream, |_| Answering {
            interim: vec![
                fields(&[(":status", "103"), ("link", "</a.css>; rel=preload")]),
                fields(&[(":status", "103"), ("link", "</b.css>")]),
            ],
            ..Answering::ok("hi")
        });
        // HTTP/1.1 ends an interim head like any other; `interim` of the text has no framing field.
        let gateway = Gateway::between(&origin, upstream, "");
        let asked = Asking::new("GET", "/").ask(&gateway, client);
        asked.answer.is(200).body_is("hi");
        assert_eq!(asked.interim.len(), 2);
        asked.interim[0]
            .is(103)
            .has("link", "</a.css>; rel=preload");
        asked.interim[1].is(103).has("link", "</b.css>");
    });
}

#[test]
fn early_hints_do_not_wait_for_the_answer() {
    let gate = Gate::new();
    let told = gate.clone();
    let origin = Origin::start(move |link| {
        let mut service = link.http2(&[], Manners::GOOD)?;
        while let Some((stream, _)) = service.request()? {
            service
                .http2
                .head(stream, &fields(&[(":status", "103"), ("x", "y")]), false)?;
            told.wait();
            service.answer(stream, &Answering::ok("hi"))?;
        }
        Ok(())
    });
    let gateway = Gateway::between(&origin, Speaks::Http2, "");
    let mut http2 = gateway.http2();
    http2.open(1, "/");
    assert!(
        http2
            .until(|it| !it.coming(1).interim.is_empty())
            .expect("it comes")
    );
    gate.open();
    http2.answer(1).is(200).body_is("hi");
}

#[test]
fn a_100_of_the_upstream_is_not_passed_on_to_who_did_not_ask() {
    each(|client, upstream| {
        let origin = origin(upstream, |_| Answering {
            interim: vec![fields(&[(":status", "100")])],
            ..Answering::ok("hi")
        });
        let gateway = Gateway::between(&origin, upstream, "");
        let asked = Asking::new("GET", "/").ask(&gateway, client);
        asked.answer.is(200).body_is("hi");
        assert_eq!(asked.interim.len(), 0);
    });
}

#[test]
fn expect_gets_100_and_then_the_answer() {
    for upstream in [Speaks::Http1, Speaks::Http2] {
        let origin = origin(upstream, |request| {
            Answering::ok(request.message.body.clone())
        });
        let gateway = Gateway::between(&origin, upstream, "");
        let mut http2 = gateway.http2();
        let head = tests::http2::request("POST", "/");
        let expecting = [
            head,
            fields(&[("expect", "100-continue"), ("content-length", "5")]),
        ]
        .concat();
        http2.head(1, &expecting, false).expect("it takes bytes");
        assert!(
            http2
                .until(|it| !it.coming(1).interim.is_empty())
                .expect("100 comes")
        );
        assert_eq!(http2.coming(1).interim[0], fields(&[(":status", "100")]));
        http2.body(1, b"hello", true).expect("it takes bytes");
        http2.answer(1).is(200).body_is("hello");
        origin.only().lacks("expect");
    }
}

#[test]
fn endless_interim_answers_end_in_502() {
    let origin = Origin::start(|link| {
        let mut service = link.http2(&[], Manners::GOOD)?;
        let Some((stream, _)) = service.request()? else {
            return Ok(());
        };
        for _ in 0..200 {
            service
                .http2
                .head(stream, &fields(&[(":status", "103")]), false)?;
        }
        service.http2.until(|_| false)?;
        Ok(())
    });
    let gateway = Gateway::between(&origin, Speaks::Http2, "");
    let mut http2 = gateway.http2();
    http2.get(1, "/").is(502);
    assert!(http2.coming(1).interim.len() < 100);
}
