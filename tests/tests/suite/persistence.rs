//! RFC 9112 section 9: keep-alive, pipelining, close, HTTP/1.0.

use tests::origin::ok;
use tests::{Gate, Gateway, Origin};

#[test]
fn a_connection_serves_request_after_request() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    for path in ["/1", "/2", "/3"] {
        peer.get(path).is(200).lacks("connection").body_is("hi");
    }
    let targets: Vec<_> = origin.received().into_iter().map(|r| r.target).collect();
    assert_eq!(targets, ["/1", "/2", "/3"]);
    assert_eq!(
        origin.connections(),
        1,
        "the upstream's connection is kept as well"
    );
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let origin = Origin::start(|link| {
        while let Some(request) = link.request()? {
            link.send(ok(&request.target))?;
        }
        Ok(())
    });
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    let mut bytes = String::new();
    for n in 0..50 {
        bytes += &format!("GET /{n} HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    peer.send(bytes);
    for n in 0..50 {
        peer.answer().is(200).body_is(format!("/{n}"));
    }
}

#[test]
fn pipelined_requests_with_bodies_of_both_framings_keep_their_borders() {
    let origin = Origin::echo();
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    peer.send(
        "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nfirst\
         POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nsecond\r\n0\r\n\r\n\
         GET /3 HTTP/1.1\r\nHost: a\r\n\r\n\
         POST /4 HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nfourth",
    );
    for body in ["first", "second", "", "fourth"] {
        peer.answer().is(200).body_is(body);
    }
}

#[test]
fn connection_close_is_honoured() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::before(origin.address, "");
    for value in ["close", "Close", "foo, close", "close, keep-alive"] {
        let mut peer = gateway.peer();
        let request = format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: {value}\r\n\r\n");
        peer.ask(request)
            .is(200)
            .has("connection", "close")
            .body_is("hi");
        peer.is_closed();
    }
    assert_eq!(
        origin.connections(),
        1,
        "the client's close is not the upstream's"
    );
}

#[test]
fn what_follows_a_request_with_close_is_not_served() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    peer.send(
        "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
    );
    peer.answer().is(200);
    peer.is_closed();
    assert_eq!(origin.only().target, "/1");
}

#[test]
fn http_1_0_closes_unless_asked_to_keep_alive() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    peer.ask("GET /1 HTTP/1.0\r\nHost: a\r\n\r\n")
        .is(200)
        .has("connection", "close")
        .body_is("hi");
    peer.is_closed();
    let mut peer = gateway.peer();
    let kept = "GET /2 HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n";
    for _ in 0..2 {
        peer.ask(kept)
            .is(200)
            .has("connection", "keep-alive")
            .body_is("hi");
    }
    assert_eq!(origin.received()[0].message.line, "GET /1 HTTP/1.1");
    origin.received()[0].has("via", "1.0 portcullis");
}

#[test]
fn http_1_0_without_host_matches_a_route_without_hosts() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::before(origin.address, "");
    gateway.ask("GET / HTTP/1.0\r\n\r\n").is(200).body_is("hi");
    origin.only().has("host", &origin.address.to_string());
}

#[test]
fn http_1_0_gets_no_chunks() {
    let origin =
        Origin::always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    let answer = peer.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    answer
        .is(200)
        .lacks("transfer-encoding")
        .lacks("content-length")
        .has("connection", "close");
    answer.body_is("hi");
}

#[test]
fn an_upstream_that_closes_does_not_close_the_client() {
    let origin =
        Origin::once("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi");
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    for _ in 0..3 {
        peer.get("/").is(200).lacks("connection").body_is("hi");
    }
    assert_eq!(origin.connections(), 3);
}

#[test]
fn an_answer_of_http_1_0_is_not_reused_without_keep_alive() {
    let origin = Origin::always("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    peer.get("/")
        .is(200)
        .has("via", "1.0 portcullis")
        .body_is("hi");
    peer.get("/").is(200).body_is("hi");
    assert_eq!(origin.connections(), 2);
}

#[test]
fn a_client_that_finishes_its_side_still_gets_its_answer() {
    let gate = Gate::new();
    let told = gate.clone();
    let origin = Origin::start(move |link| {
        link.request()?;
        told.wait();
        link.send(ok("late"))
    });
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    peer.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    peer.0.finish();
    origin.wait_received(1);
    gate.open();
    peer.answer().is(200).body_is("late");
}

#[test]
fn max_requests_per_connection_is_told_with_the_last() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::before(
        origin.address,
        "[listener.public]\naddress = \"127.0.0.1:0\"\nmax_requests_per_connection = 2\n",
    );
    let mut peer = gateway.peer();
    peer.get("/").is(200).lacks("connection");
    peer.get("/").is(200).has("connection", "close");
    peer.is_closed();
}

#[test]
fn a_quiet_connection_is_closed_after_idle_timeout_without_an_answer() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::before(
        origin.address,
        "[listener.public]\naddress = \"127.0.0.1:0\"\nidle_timeout = \"100ms\"\n",
    );
    let mut peer = gateway.peer();
    peer.get("/").is(200);
    peer.is_closed();
}

#[test]
fn empty_lines_before_a_request_are_skipped() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    peer.ask("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .is(200);
    peer.ask("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").is(200);
}

#[test]
fn a_head_may_come_byte_by_byte() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    for byte in b"GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\n\r\n" {
        peer.send([*byte]);
    }
    peer.answer().is(200).body_is("hi");
}
