//! RFC 9112 sections 6 and 7: how bodies are framed, both ways.

use tests::{Gate, Gateway, Origin};

#[test]
fn a_body_with_content_length_arrives_as_such() {
    let origin = Origin::echo();
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    let answer = peer.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    answer
        .is(200)
        .has("content-length", "5")
        .lacks("transfer-encoding")
        .body_is("hello");
    origin
        .only()
        .has("content-length", "5")
        .lacks("transfer-encoding");
}

#[test]
fn a_body_of_length_zero_is_told_upstream() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::before(origin.address, "");
    gateway
        .ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
        .is(200);
    origin.only().has("content-length", "0");
}

#[test]
fn a_chunked_body_arrives_chunked() {
    let origin = Origin::echo();
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    let answer = peer.ask(
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n00A\r\n, world!!!\r\n0\r\n\r\n",
    );
    answer.is(200).body_is("hello, world!!!");
    origin
        .only()
        .has("transfer-encoding", "chunked")
        .lacks("content-length");
    peer.get("/").is(200);
}

#[test]
fn a_chunked_body_may_come_byte_by_byte() {
    let origin = Origin::echo();
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    peer.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n");
    for byte in b"5\r\nhello\r\n1\r\n!\r\n0\r\nX-End: 1\r\n\r\n" {
        peer.send([*byte]);
    }
    peer.answer().is(200).body_is("hello!");
    peer.get("/").is(200);
}

#[test]
fn trailers_of_requests_pass_without_identity_and_framing() {
    let origin = Origin::echo();
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    peer.ask(
        "POST / HTTP/1.1\r\nHost: a\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n\
         2\r\nhi\r\n0\r\nX-Sum: 7\r\nX-User-ID: root\r\nx_tenant_id: 1\r\nContent-Length: 9\r\n\r\n",
    )
    .is(200)
    .body_is("hi");
    let trailers = origin.only().message.trailers;
    assert_eq!(trailers, [("X-Sum".to_owned(), "7".to_owned())]);
    peer.get("/").is(200);
}

#[test]
fn trailers_of_answers_pass() {
    let origin = Origin::always(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n",
    );
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    for _ in 0..2 {
        let answer =
            peer.ask("GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n");
        answer
            .is(200)
            .has("transfer-encoding", "chunked")
            .body_is("hi");
        assert_eq!(
            answer.message.trailers,
            [("X-Sum".to_owned(), "7".to_owned())]
        );
    }
    assert_eq!(origin.connections(), 1);
}

#[test]
fn extensions_of_an_answers_chunks_end_here() {
    let origin = Origin::always(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nhi\r\n3\r\nyou\r\n0;z\r\n\r\n",
    );
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    for _ in 0..2 {
        peer.get("/").is(200).body_is("hiyou");
    }
}

#[test]
fn an_answer_until_the_close_is_chunked_for_the_client() {
    let origin = Origin::once("HTTP/1.1 200 OK\r\n\r\nall of it");
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    for _ in 0..2 {
        peer.get("/")
            .is(200)
            .has("transfer-encoding", "chunked")
            .body_is("all of it");
    }
}

#[test]
fn answers_to_head_have_no_body_and_keep_their_length() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n");
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    for _ in 0..2 {
        peer.ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
            .is(200)
            .has("content-length", "1234");
    }
    assert_eq!(origin.connections(), 1);
}

#[test]
fn answers_to_head_may_say_chunked() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    for _ in 0..2 {
        peer.ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
            .is(200)
            .lacks("content-length");
    }
    assert_eq!(origin.connections(), 1);
}

#[test]
fn no_content_has_no_body_and_no_length() {
    let origin = Origin::always("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nX-A: 1\r\n\r\n");
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    for _ in 0..2 {
        let answer = peer.get("/");
        answer
            .is(204)
            .lacks("content-length")
            .lacks("transfer-encoding")
            .has("x-a", "1");
    }
}

#[test]
fn not_modified_has_no_body_but_may_have_a_length() {
    let origin =
        Origin::always("HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\nETag: \"a\"\r\n\r\n");
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    for _ in 0..2 {
        peer.get("/")
            .is(304)
            .has("content-length", "99")
            .has("etag", "\"a\"");
    }
    assert_eq!(origin.connections(), 1);
}

#[test]
fn get_may_have_a_body() {
    let origin = Origin::echo();
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    peer.ask("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
        .is(200)
        .body_is("hi");
    peer.get("/").is(200).body_is("");
}

#[test]
fn an_answer_streams_before_it_is_complete() {
    let gate = Gate::new();
    let told = gate.clone();
    let origin = Origin::start(move |link| {
        link.request()?;
        link.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")?;
        told.wait();
        link.send("6\r\nsecond\r\n0\r\n\r\n")
    });
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    peer.0
        .take_through(b"first")
        .expect("the first part comes at once");
    gate.open();
    peer.0
        .take_through(b"second\r\n0\r\n\r\n")
        .expect("the rest comes");
}

#[test]
fn bodies_stream_both_ways_at_the_same_time() {
    let origin = Origin::start(|link| {
        link.request_head()?;
        link.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
        loop {
            let line = link.wire.take_through(b"\r\n")?;
            let echo = if line == b"0\r\n" { 2 } else { 6 };
            let bytes = link.wire.take(echo)?;
            link.send([line.clone(), bytes].concat())?;
            if line == b"0\r\n" {
                return Ok(());
            }
        }
    });
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    peer.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    for word in ["aaaa", "bbbb", "cccc"] {
        peer.send(format!("4\r\n{word}\r\n"));
        peer.0
            .take_through(word.as_bytes())
            .expect("each part is echoed before the next is sent");
    }
    peer.send("0\r\n\r\n");
    peer.0.take_through(b"0\r\n\r\n").expect("the end comes");
}

#[test]
fn a_request_body_streams_before_it_is_complete() {
    let gate = Gate::new();
    let seen = gate.clone();
    let origin = Origin::start(move |link| {
        link.request_head()?;
        link.wire.take(5)?;
        seen.open();
        link.wire.take(6)?;
        link.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    });
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nfirst");
    gate.wait();
    peer.send("second");
    peer.answer().is(200);
}
