//! Answers of upstreams that are ambiguous or say too much: nothing of one exchange gets into another.

use std::io;

use tests::origin::ok;
use tests::{Gate, Gateway, Origin};

/// The first connection answers with `bytes`, further ones with "clean". Two requests on one client
/// connection: the second must get "clean", the first is returned.
#[track_caller]
fn first_then_clean(method: &str, bytes: &'static str) -> tests::Answer {
    let origin = Origin::start(move |link| {
        link.request()?;
        if link.number == 0 {
            link.send(bytes)?;
        } else {
            link.send(ok("clean"))?;
        }
        while link.request()?.is_some() {
            link.send(ok("clean"))?;
        }
        io::Result::Ok(())
    });
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    let answer = peer.ask(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n"));
    peer.get("/").is(200).body_is("clean");
    answer
}

#[test]
fn bytes_behind_an_answer_are_not_the_next_answer() {
    let evil = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
    first_then_clean("GET", evil).is(200).body_is("hi");
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
    first_then_clean("GET", chunked).is(200).body_is("hi");
}

#[test]
fn bytes_behind_a_long_answer_are_not_the_next_answer() {
    // One that fills the gateway's first read to its last byte, and one that goes from socket to socket.
    for length in [19 * 1024 - 42, 200_000] {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        let body = "x".repeat(length);
        let evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
        let bytes = format!("{head}{body}{evil}").leak();
        first_then_clean("GET", bytes).is(200).body_is(&body);
    }
}

#[test]
fn a_body_where_none_may_be_is_not_the_next_answer() {
    let evil = "HTTP/1.1 200 OK\r\nContent-Length: 41\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
    first_then_clean("HEAD", evil).is(200);
    let evil = "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
    first_then_clean("GET", evil).is(204);
    let evil = "HTTP/1.1 304 Not Modified\r\nContent-Length: 41\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
    first_then_clean("GET", evil).is(304);
}

/// An answer, then stray bytes in a packet of their own, then the next request at once.
#[track_caller]
fn stray(answer: &'static str, method: &str) {
    let (told, sent) = (Gate::new(), Gate::new());
    let (told_, sent_) = (told.clone(), sent.clone());
    let origin = Origin::start(move |link| {
        link.request()?;
        if link.number > 0 {
            return link.send(ok("clean"));
        }
        link.send(answer)?;
        told_.wait();
        link.send(ok("evil"))?;
        sent_.open();
        link.wait_closed();
        Ok(())
    });
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    peer.ask(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n"));
    told.open();
    sent.wait();
    peer.get("/").is(200).body_is("clean");
}

#[test]
fn stray_bytes_on_a_pooled_connection_are_nobodys_answer() {
    stray("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "GET");
}

#[test]
fn a_late_body_of_an_answer_to_head_is_nobodys_answer() {
    stray("HTTP/1.1 200 OK\r\nContent-Length: 41\r\n\r\n", "HEAD");
}

#[test]
fn an_ambiguous_answer_gets_502_and_its_connection_is_given_up() {
    for head in [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi",
        "HTTP/1.1 200 OK\r\nX: 1\r\n folded\r\nContent-Length: 2\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 2\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 2\r\n\r\nhi",
        "HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nhi",
        "HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\nhi",
        "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "SSH-2.0-OpenSSH_9.6\r\n\r\n",
    ] {
        let answer = first_then_clean("GET", head);
        assert_eq!(answer.status, 502, "for {head:?}");
        answer.problem(502, "/", "Bad gateway");
        let status = answer.field("proxy-status").unwrap_or_default();
        assert!(status.starts_with("portcullis; error="), "{status}");
        answer.lacks("connection");
    }
}
