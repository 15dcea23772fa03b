//! Upstreams that fail: 502, 503 and 504 by name, and answers that break off.

use serde_json::Value;
use tests::gateway::upstream_and_route;
use tests::origin::{Refusing, Silent, ok};
use tests::{Answer, Gate, Gateway, Origin};

/// The answer is one of ours about an upstream: problem document, `Proxy-Status`, live connection.
#[track_caller]
fn upstream_problem(answer: &Answer, status: u16, error: &str, proxy: &str) -> Value {
    answer.lacks("connection");
    let found = answer.field("proxy-status").unwrap_or_default();
    assert_eq!(found, format!("portcullis; {proxy}"));
    answer.problem(status, "/x", error)
}

#[test]
fn a_refused_connection_gets_502() {
    let refusing = Refusing::new();
    let gateway = Gateway::before(refusing.address, "");
    let mut peer = gateway.peer();
    for _ in 0..2 {
        let proxy = "error=connection_refused; details=\"connection_refused\"";
        upstream_problem(&peer.get("/x"), 502, "Bad gateway", proxy);
    }
}

#[test]
fn a_close_instead_of_an_answer_gets_502() {
    let origin = Origin::start(|link| link.request().map(drop));
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    for _ in 0..2 {
        let proxy = "error=connection_terminated; details=\"connection_terminated\"";
        upstream_problem(&peer.get("/x"), 502, "Bad gateway", proxy);
    }
    assert_eq!(
        origin.connections(),
        2,
        "a fresh connection is not tried again"
    );
}

#[test]
fn a_reset_instead_of_an_answer_gets_502() {
    let origin = Origin::start(|link| {
        link.request()?;
        link.reset();
        Ok(())
    });
    let gateway = Gateway::before(origin.address, "");
    let proxy = "error=connection_terminated; details=\"connection_terminated\"";
    upstream_problem(&gateway.get("/x"), 502, "Bad gateway", proxy);
}

#[test]
fn half_a_head_gets_502() {
    let origin = Origin::once("HTTP/1.1 200 OK\r\nContent-Le");
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    peer.get("/x").problem(502, "/x", "Bad gateway");
    peer.get("/x").problem(502, "/x", "Bad gateway");
}

#[test]
fn an_endless_head_gets_502() {
    let origin = Origin::start(|link| {
        link.request()?;
        link.send("HTTP/1.1 200 OK\r\n")?;
        loop {
            link.send(format!("X: {}\r\n", "a".repeat(1000)))?;
        }
    });
    let gateway = Gateway::before(origin.address, "");
    gateway.get("/x").problem(502, "/x", "Bad gateway");
    origin.wait_ended(1);
}

#[test]
fn a_slow_connect_gets_504() {
    let silent = Silent::new();
    let upstream = format!(
        "endpoints = [\"{}\"]\nconnect_timeout = \"100ms\"",
        silent.address
    );
    let gateway = Gateway::start(upstream_and_route(&upstream, ""));
    let mut peer = gateway.peer();
    let proxy = "error=connection_timeout; details=\"connect_timeout\"";
    upstream_problem(&peer.get("/x"), 504, "Gateway timeout", proxy);
    peer.get("/x").is(504);
}

/// An origin that reads a request and waits for the gate before it goes on.
fn waiting(before: &'static str, gate: &Gate) -> Origin {
    let gate = gate.clone();
    Origin::start(move |link| {
        link.request()?;
        link.send(before)?;
        gate.wait();
        Ok(())
    })
}

#[test]
fn a_slow_first_byte_gets_504() {
    let gate = Gate::new();
    let origin = waiting("", &gate);
    let upstream = format!(
        "endpoints = [\"{}\"]\nfirst_byte_timeout = \"100ms\"",
        origin.address
    );
    let gateway = Gateway::start(upstream_and_route(&upstream, ""));
    let mut peer = gateway.peer();
    for _ in 0..2 {
        let proxy = "error=http_response_timeout; details=\"first_byte_timeout\"";
        upstream_problem(&peer.get("/x"), 504, "Gateway timeout", proxy);
    }
    gate.open();
}

#[test]
fn half_a_head_and_silence_get_504() {
    let gate = Gate::new();
    let origin = waiting("HTTP/1.1 200 OK\r\nX: ", &gate);
    let upstream = format!(
        "endpoints = [\"{}\"]\nfirst_byte_timeout = \"200ms\"\nread_timeout = \"200ms\"",
        origin.address
    );
    let gateway = Gateway::start(upstream_and_route(&upstream, ""));
    gateway.get("/x").problem(504, "/x", "Gateway timeout");
    gate.open();
}

#[test]
fn the_whole_timeout_gets_504_by_its_name() {
    let gate = Gate::new();
    let origin = waiting("", &gate);
    let gateway = Gateway::start(upstream_and_route(
        &format!("endpoints = [\"{}\"]\ntimeout = \"1h\"", origin.address),
        "timeout = \"100ms\"",
    ));
    let mut peer = gateway.peer();
    for _ in 0..2 {
        let proxy = "error=http_response_timeout; details=\"timeout\"";
        upstream_problem(&peer.get("/x"), 504, "Gateway timeout", proxy);
    }
    gate.open();
}

#[test]
fn an_upstreams_timeout_holds_where_the_route_has_none() {
    let gate = Gate::new();
    let origin = waiting("", &gate);
    let upstream = format!("endpoints = [\"{}\"]\ntimeout = \"100ms\"", origin.address);
    let gateway = Gateway::start(upstream_and_route(&upstream, ""));
    let proxy = "error=http_response_timeout; details=\"timeout\"";
    upstream_problem(&gateway.get("/x"), 504, "Gateway timeout", proxy);
    gate.open();
}

/// What a client sees of an answer that breaks off: the head, some of the body, then an end that is
/// no proper end of the body.
#[track_caller]
fn breaks_off(origin: &Origin, upstream: &str, cause: &str) {
    let upstream = format!("endpoints = [\"{}\"]\n{upstream}", origin.address);
    let gateway = Gateway::start(upstream_and_route(&upstream, "access_log = \"main\""));
    let mut peer = gateway.peer();
    peer.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    let error = peer.read(false).expect_err("the body is not complete");
    let kinds = [
        std::io::ErrorKind::UnexpectedEof,
        std::io::ErrorKind::ConnectionReset,
    ];
    assert!(kinds.contains(&error.kind()), "{error}");
    let line = gateway.wait_logged("\"path\":\"/x\"");
    assert!(line.contains(&format!("\"error\":\"{cause}\"")), "{line}");
    assert!(line.contains("\"statusCode\":200"), "{line}");
}

#[test]
fn a_length_that_is_not_kept_never_ends_cleanly() {
    let origin = Origin::once("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    breaks_off(&origin, "", "connection_terminated");
}

#[test]
fn chunks_without_their_end_never_end_cleanly() {
    let origin =
        Origin::once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    breaks_off(&origin, "", "connection_terminated");
}

#[test]
fn broken_chunks_of_an_answer_never_end_cleanly() {
    let origin = Origin::start(|link| {
        link.request()?;
        link.send(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n0\r\n\r\n",
        )?;
        link.wait_closed();
        Ok(())
    });
    breaks_off(&origin, "", "bad_chunk_size");
}

#[test]
fn a_reset_in_the_body_never_ends_cleanly() {
    let origin = Origin::start(|link| {
        link.request()?;
        link.send("HTTP/1.1 200 OK\r\n\r\nhello")?;
        link.reset();
        Ok(())
    });
    breaks_off(&origin, "", "connection_terminated");
}

#[test]
fn silence_in_the_body_never_ends_cleanly() {
    let gate = Gate::new();
    let origin = waiting("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", &gate);
    breaks_off(&origin, "read_timeout = \"100ms\"", "read_timeout");
    gate.open();
}

#[test]
fn the_whole_timeout_strikes_in_the_body_too() {
    let origin = Origin::start(|link| {
        link.request()?;
        link.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
        loop {
            link.send("1\r\nx\r\n")?;
            std::thread::park_timeout(std::time::Duration::from_millis(10));
        }
    });
    breaks_off(&origin, "timeout = \"200ms\"", "timeout");
}

#[test]
fn a_client_that_leaves_takes_the_upstreams_exchange_with_it() {
    let origin = Origin::start(|link| {
        link.request()?;
        link.wait_closed();
        Ok(())
    });
    let upstream = format!(
        "endpoints = [\"{}\"]\nfirst_byte_timeout = \"1h\"",
        origin.address
    );
    let gateway = Gateway::start(upstream_and_route(&upstream, "access_log = \"main\""));
    let mut peer = gateway.peer();
    peer.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    origin.wait_received(1);
    peer.0.reset();
    origin.wait_ended(1);
    let line = gateway.wait_logged("\"path\":\"/x\"");
    assert!(line.contains("\"statusCode\":499"), "{line}");
    assert!(line.contains("\"error\":\"client_gone\""), "{line}");
}

#[test]
fn a_client_that_leaves_in_the_answer_takes_the_upstreams_exchange_with_it() {
    let origin = Origin::start(|link| {
        link.request()?;
        link.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
        loop {
            link.send(format!("1000\r\n{}\r\n", "x".repeat(4096)))?;
        }
    });
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    peer.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    peer.0.take(100_000).expect("it streams");
    drop(peer);
    origin.wait_ended(1);
    assert!(gateway.admin("/health").0 == 200);
}

#[test]
fn after_an_error_the_same_connection_gets_good_answers() {
    let origin = Origin::start(|link| {
        while let Some(request) = link.request()? {
            if request.target == "/bad" {
                return link.send("garbage\r\n\r\n");
            }
            link.send(ok("good"))?;
        }
        Ok(())
    });
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    for _ in 0..3 {
        peer.get("/bad").is(502);
        peer.get("/good").is(200).body_is("good");
        peer.ask("POST /bad HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
            .is(502);
        peer.ask("POST /bad HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n").is(502);
    }
}
