//! Clients that give up: a stream that is reset, a connection that is gone. The upstream's side ends too.

use tests::http2::frame::code;
use tests::http2::{Frame, Manners, fields, request};
use tests::{Gate, Http2, Origin};

use super::*;

/// An HTTP/2 origin that answers nothing (`/`) or a head and no end (`/begun`), and opens the gate once the gateway has
/// reset the stream.
fn watching(reset: &Gate) -> Origin {
    let reset = reset.clone();
    Origin::start(move |link| {
        let mut service = link.http2(&[], Manners::GOOD)?;
        while let Some((stream, request)) = service.head()? {
            if request.target == "/begun" {
                service
                    .http2
                    .head(stream, &fields(&[(":status", "200")]), false)?;
                service.http2.body(stream, b"some", false)?;
            }
            service
                .http2
                .until(|it| it.coming(stream).reset.is_some())?;
            if service.http2.coming(stream).reset == Some(code::CANCEL) {
                reset.open();
            }
        }
        Ok(())
    })
}

/// An HTTP/1.1 origin that does the same; there the connection's end is what it sees.
fn waiting() -> Origin {
    Origin::start(|link| {
        if link.request_head()?.is_some_and(|it| it.target == "/begun") {
            link.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome")?;
        }
        link.wait_closed();
        Ok(())
    })
}

fn patient(origin: &Origin, speaks: Speaks) -> Gateway {
    let upstream = tests::pairs::endpoint(origin, speaks);
    let upstream = format!("{upstream}\nfirst_byte_timeout = \"1h\"\nread_timeout = \"1h\"");
    Gateway::start(tests::gateway::upstream_and_route(
        &upstream,
        "access_log = \"main\"",
    ))
}

/// Asks for a path by GET or with an unfinished POST, and waits until the upstream has it and its part of the answer is
/// here.
fn begin(gateway: &Gateway, origin: &Origin, method: &str, path: &str) -> Http2 {
    let mut http2 = gateway.http2();
    http2
        .head(1, &request(method, path), method == "GET")
        .expect("it takes bytes");
    if method == "POST" {
        http2.body(1, b"part", false).expect("it takes bytes");
    }
    origin.wait_received(1);
    if path == "/begun" {
        assert!(http2.until(|it| it.got(1) == 4).expect("it comes"));
    }
    http2
}

const BEFORE_THE_ANSWER: [(&str, &str); 2] = [("GET", "/"), ("POST", "/")];
const IN_THE_ANSWER: [(&str, &str); 2] = [("GET", "/begun"), ("POST", "/begun")];

#[test]
fn a_stream_that_is_reset_ends_at_the_upstream() {
    reset_ends_at_the_upstream(&BEFORE_THE_ANSWER);
}

#[test]
fn a_stream_that_is_reset_ends_at_the_upstream_in_the_answer() {
    reset_ends_at_the_upstream(&IN_THE_ANSWER);
}

fn reset_ends_at_the_upstream(cases: &[(&str, &str)]) {
    for (method, path) in cases {
        eprintln!("{method} {path}:");
        let gone = Gate::new();
        let origin = watching(&gone);
        let gateway = patient(&origin, Speaks::Http2);
        let mut http2 = begin(&gateway, &origin, method, path);
        http2
            .send(&Frame::reset(1, code::CANCEL))
            .expect("it takes bytes");
        gone.wait();
        assert!(http2.is_alive());
        let line = gateway.wait_logged(&format!("\"path\":\"{path}\""));
        assert!(
            line.contains("\"error\":\"client_gone\""),
            "{method} {path}: {line}"
        );
        assert_eq!(origin.connections(), 1);
    }
}

#[test]
fn a_stream_that_is_reset_ends_the_upstreams_connection_of_http_1() {
    reset_ends_the_connection(&BEFORE_THE_ANSWER);
}

#[test]
fn a_stream_that_is_reset_ends_the_upstreams_connection_of_http_1_in_the_answer() {
    reset_ends_the_connection(&IN_THE_ANSWER);
}

fn reset_ends_the_connection(cases: &[(&str, &str)]) {
    for (method, path) in cases {
        eprintln!("{method} {path}:");
        let origin = waiting();
        let gateway = patient(&origin, Speaks::Http1);
        let mut http2 = begin(&gateway, &origin, method, path);
        http2
            .send(&Frame::reset(1, code::CANCEL))
            .expect("it takes bytes");
        origin.wait_ended(1);
        assert!(http2.is_alive());
        let line = gateway.wait_logged(&format!("\"path\":\"{path}\""));
        assert!(
            line.contains("\"error\":\"client_gone\""),
            "{method} {path}: {line}"
        );
    }
}

#[test]
fn a_connection_that_is_gone_ends_its_streams_at_the_upstream() {
    a_lost_connection_ends_streams(&BEFORE_THE_ANSWER);
}

#[test]
fn a_connection_that_is_gone_ends_its_streams_at_the_upstream_in_the_answer() {
    a_lost_connection_ends_streams(&IN_THE_ANSWER);
}

fn a_lost_connection_ends_streams(cases: &[(&str, &str)]) {
    for (method, path) in cases {
        eprintln!("{method} {path}:");
        let gone = Gate::new();
        let origin = watching(&gone);
        let gateway = patient(&origin, Speaks::Http2);
        begin(&gateway, &origin, method, path).wire.reset();
        gone.wait();
        gateway
            .http2()
            .send(&Frame::ping(*b"12345678"))
            .expect("it takes bytes");
    }
}

#[test]
fn a_client_of_http_1_that_leaves_ends_its_stream_at_the_upstream() {
    let gone = Gate::new();
    let origin = watching(&gone);
    let gateway = patient(&origin, Speaks::Http2);
    let mut peer = gateway.peer();
    peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    origin.wait_received(1);
    peer.0.reset();
    gone.wait();
}

#[test]
fn other_streams_of_the_connection_are_not_touched() {
    let gone = Gate::new();
    let origin = watching(&gone);
    let upstream = tests::pairs::endpoint(&origin, Speaks::Http2);
    let gateway = Gateway::start(format!(
        "{}\n[route.own]\npath = \"/own\"\nauth = \"none\"\nrespond = \"200 own\"\n",
        tests::gateway::upstream_and_route(&format!("{upstream}\nfirst_byte_timeout = \"1h\""), "")
    ));
    let mut http2 = begin(&gateway, &origin, "GET", "/begun");
    http2.open(3, "/own");
    http2
        .send(&Frame::reset(1, code::CANCEL))
        .expect("it takes bytes");
    http2.answer(3).is(200).body_is("own");
    gone.wait();
    http2.get(5, "/own").is(200);
}
