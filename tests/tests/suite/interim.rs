//! RFC 9110 sections 10.1.1 and 15.2: Expect, 100 and other interim answers.

use tests::{Gate, Gateway, Origin};

#[test]
fn expect_gets_100_and_then_the_answer() {
    let origin = Origin::echo();
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    for _ in 0..2 {
        peer.send(
            "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
        );
        peer.answer().is(100);
        peer.send("hello").answer().is(200).body_is("hello");
    }
    origin.received()[0].lacks("expect");
}

#[test]
fn no_100_when_the_body_is_there_already() {
    let origin = Origin::echo();
    let gateway = Gateway::before(origin.address, "");
    let request =
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello";
    gateway.ask(request).is(200).body_is("hello");
}

#[test]
fn a_refused_request_gets_no_100() {
    let gateway = Gateway::before(
        Origin::echo().address,
        "[route.small]\npath = \"/small\"\nauth = \"none\"\nupstream = \"backend\"\nmax_body_bytes = \"1KiB\"\n",
    );
    let mut peer = gateway.peer();
    let request =
        "POST /small HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5000\r\n\r\n";
    peer.ask(request)
        .problem(413, "/small", "Payload too large");
}

#[test]
fn http_1_0_gets_no_100() {
    let origin = Origin::echo();
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    peer.send("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    peer.send("hello").answer().is(200).body_is("hello");
}

#[test]
fn early_hints_pass() {
    let origin = Origin::always(
        "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nConnection: x\r\nX: 1\r\n\r\n\
         HTTP/1.1 102 Processing\r\n\r\n\
         HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    );
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    for _ in 0..2 {
        let hints = peer.get("/");
        hints
            .is(103)
            .has("link", "</a.css>; rel=preload")
            .lacks("x")
            .lacks("connection");
        peer.answer().is(102);
        peer.answer().is(200).body_is("hi");
    }
}

#[test]
fn early_hints_do_not_wait_for_the_answer() {
    let gate = Gate::new();
    let told = gate.clone();
    let origin = Origin::start(move |link| {
        link.request()?;
        link.send("HTTP/1.1 103 Early Hints\r\n\r\n")?;
        told.wait();
        link.send(tests::origin::ok("hi"))
    });
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    peer.get("/").is(103);
    gate.open();
    peer.answer().is(200).body_is("hi");
}

#[test]
fn http_1_0_gets_no_interim_answers() {
    let origin = Origin::always(
        "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    );
    let gateway = Gateway::before(origin.address, "");
    gateway.ask("GET / HTTP/1.0\r\n\r\n").is(200).body_is("hi");
}

#[test]
fn a_100_of_the_upstream_is_not_passed_on_to_who_did_not_ask() {
    let origin = Origin::always(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    );
    let gateway = Gateway::before(origin.address, "");
    gateway.get("/").is(200).body_is("hi");
}

#[test]
fn endless_interim_answers_end_in_502() {
    let origin = Origin::start(|link| {
        link.request()?;
        loop {
            link.send("HTTP/1.1 103 Early Hints\r\n\r\n")?;
        }
    });
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    let mut answer = peer.get("/");
    let mut interim = 0;
    while answer.status == 103 {
        interim += 1;
        answer = peer.answer();
    }
    answer.is(502);
    assert!(interim < 100, "{interim} interim answers");
}
