//! The gateway's own answers over HTTP/2: problem documents, and what becomes of the rest of a refused request.

use tests::http2::frame::code;
use tests::http2::{Answering, fields};
use tests::origin::Refusing;

use super::*;

const ROUTES: &str = "[route.posts]\npath = \"/posts\"\nmethods = [\"POST\"]\nupstream = \"backend\"\nauth = \"none\"\n\
    [route.small]\npath = \"/small\"\nupstream = \"backend\"\nauth = \"none\"\nmax_body_bytes = \"1KiB\"\n\
    [route.rare]\npath = \"/rare\"\nupstream = \"backend\"\nauth = \"none\"\nlimits = [\"one\"]\n\
    [limit.one]\nrate = \"1/h\"\nburst = 1\nkey = \"global\"\n\
    [route.own]\npath = \"/own\"\nauth = \"none\"\nrespond = \"200 own words\"\n\
    [route.moved]\npath = \"/moved\"\nauth = \"none\"\nredirect = \"301 https://b/c\"\n";

fn gateway() -> (tests::Origin, Gateway) {
    let origin = origin(Speaks::Http2, |_| Answering::ok("hi"));
    let upstream = tests::pairs::endpoint(&origin, Speaks::Http2);
    let gateway = Gateway::start(format!("[upstream.backend]\n{upstream}\n{ROUTES}"));
    (origin, gateway)
}

#[test]
fn each_is_a_problem_document() {
    let (origin, gateway) = gateway();
    let mut http2 = gateway.http2();
    http2
        .get(1, "/nowhere")
        .problem(404, "/nowhere", "Not found");
    let answer = http2.get(3, "/posts");
    answer.problem(405, "/posts", "Method not allowed");
    answer.has("allow", "POST");
    assert_eq!(origin.received().len(), 0);
    http2.get(5, "/rare").is(200);
    let answer = http2.get(7, "/rare");
    answer.problem(429, "/rare", "Too many requests");
    assert!(answer.field("retry-after").is_some());
    http2.get(9, "/posts/../../..").is(400);
    http2.get(11, "/own").is(200).body_is("own words");
    http2
        .get(13, "/moved")
        .is(301)
        .has("location", "https://b/c");
    assert_eq!(origin.received().len(), 1);
}

#[test]
fn a_body_that_says_it_is_too_large_is_refused_at_once() {
    let (origin, gateway) = gateway();
    let mut http2 = gateway.http2();
    let head = tests::http2::request("POST", "/small");
    let large = [head, fields(&[("content-length", "5000")])].concat();
    http2.head(1, &large, false).expect("it takes bytes");
    http2.answer(1).problem(413, "/small", "Payload too large");
    assert!(http2.is_alive());
    http2.get(3, "/own").is(200);
    assert_eq!(origin.received().len(), 0);
}

#[test]
fn a_body_that_becomes_too_large_is_refused_then() {
    for upstream in [Speaks::Http1, Speaks::Http2] {
        let origin = origin(upstream, |_| Answering::ok("hi"));
        let upstream = tests::pairs::endpoint(&origin, upstream);
        let gateway = Gateway::start(format!("[upstream.backend]\n{upstream}\n{ROUTES}"));
        let mut http2 = gateway.http2();
        http2
            .head(1, &tests::http2::request("POST", "/small"), false)
            .expect("it takes bytes");
        http2.body(1, &[b'x'; 600], false).expect("it takes bytes");
        http2.body(1, &[b'x'; 600], false).expect("it takes bytes");
        http2.answer(1).is(413);
        http2.get(3, "/own").is(200);
    }
}

#[test]
fn a_head_that_is_too_large_gets_431() {
    let (origin, gateway) = gateway();
    for more in [
        fields(&[("x", &"y".repeat(20_000))]),
        vec![fields(&[("x", "y")]).remove(0); 150],
    ] {
        let mut http2 = gateway.http2();
        http2
            .head(
                1,
                &[tests::http2::request("GET", "/own"), more].concat(),
                true,
            )
            .expect("it takes bytes");
        http2.answer(1).is(431);
        http2.get(3, "/own").is(200);
    }
    assert_eq!(origin.received().len(), 0);
}

#[test]
fn a_target_that_is_too_long_gets_414() {
    let (_origin, gateway) = gateway();
    let mut http2 = gateway.http2();
    let status = http2.get(1, &format!("/{}", "x".repeat(10_000))).status;
    assert!(matches!(status, 414 | 431), "{status}");
    http2.get(3, "/own").is(200);
}

#[test]
fn an_expectation_that_is_unknown_gets_417() {
    let (_origin, gateway) = gateway();
    let mut http2 = gateway.http2();
    let get = Asking::new("GET", "/own").with("expect", "the unexpected");
    get.ask_stream(&mut http2, 1).answer.is(417);
    http2.get(3, "/own").is(200);
}

#[test]
fn an_upstream_that_refuses_gets_502() {
    for protocol in ["http/1.1", "h2"] {
        let refusing = Refusing::new();
        let upstream = format!(
            "endpoints = [\"{}\"]\nprotocol = \"{protocol}\"",
            refusing.address
        );
        let gateway = Gateway::start(tests::gateway::upstream_and_route(
            &upstream,
            "access_log = \"main\"",
        ));
        let mut http2 = gateway.http2();
        let answer = http2.get(1, "/x");
        answer.problem(502, "/x", "Bad gateway");
        assert!(answer.field("proxy-status").is_some());
        let line = gateway.wait_logged("\"path\":\"/x\"");
        assert!(
            line.contains("\"error\":\"connection_refused\"") || line.contains("connect"),
            "{line}"
        );
    }
}

#[test]
fn the_rest_of_a_refused_request_is_neither_wanted_nor_an_error() {
    let (_origin, gateway) = gateway();
    let mut http2 = gateway.http2();
    http2
        .head(1, &tests::http2::request("POST", "/nowhere"), false)
        .expect("it takes bytes");
    http2.answer(1).is(404);
    // RFC 9113 section 8.1: the client is told by NO_ERROR, or may send to the end.
    let more = vec![b'x'; 30_000];
    let _ = http2.body(1, &more, true);
    assert!(http2.is_alive());
    assert!(matches!(http2.coming(1).reset, None | Some(code::NO_ERROR)));
    http2.get(3, "/own").is(200);
}
