//! Request bodies that are too large, too slow, broken off, or answered before they are all here.

use std::io;

use tests::gateway::upstream_and_route;
use tests::origin::ok;
use tests::{Gateway, Origin};

fn bounded(origin: &Origin) -> Gateway {
    let upstream = format!("endpoints = [\"{}\"]", origin.address);
    Gateway::start(upstream_and_route(&upstream, "max_body_bytes = \"1KiB\""))
}

#[test]
fn a_length_over_the_bound_gets_413_at_once() {
    let origin = Origin::echo();
    let gateway = bounded(&origin);
    let mut peer = gateway.peer();
    peer.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1025\r\n\r\n");
    peer.answer().problem(413, "/x", "Payload too large");
    peer.send(vec![b'x'; 1025]);
    let exact = format!(
        "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1024\r\n\r\n{}",
        "x".repeat(1024)
    );
    peer.ask(exact).is(200);
    assert_eq!(origin.received().len(), 1);
}

#[test]
fn chunks_over_the_bound_get_413_when_it_is_reached() {
    let origin = Origin::echo();
    let gateway = bounded(&origin);
    for together in [true, false] {
        let mut peer = gateway.peer();
        let head = "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        let body = format!("400\r\n{}\r\n1\r\nx\r\n0\r\n\r\n", "x".repeat(1024));
        if together {
            peer.send(format!("{head}{body}"));
        } else {
            peer.send(head);
            peer.send(body);
        }
        peer.answer().problem(413, "/x", "Payload too large");
    }
    assert_eq!(origin.received().len(), 0, "no request was complete");
    let exact = format!(
        "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n{}\r\n0\r\n\r\n",
        "x".repeat(1024)
    );
    gateway.ask(exact).is(200);
}

#[test]
fn after_chunks_over_the_bound_the_next_request_is_the_next_request() {
    let origin = Origin::start(|link| {
        while let Some(request) = link.request()? {
            link.send(ok(&request.target))?;
        }
        Ok(())
    });
    let gateway = bounded(&origin);
    for tail in [
        "1\r\nx\r\n0\r\n\r\n",
        "1f\r\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n\r\n0\r\n\r\n",
    ] {
        for first in ["400", "800"] {
            let size = usize::from_str_radix(first, 16).expect("hexadecimal");
            let mut peer = gateway.peer();
            peer.send(format!(
                "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{first}\r\n{}\r\n{tail}",
                "x".repeat(size)
            ));
            peer.try_send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
            let answer = peer.answer();
            answer.is(413);
            if answer.field("connection").as_deref() == Some("close") {
                peer.is_closed();
            } else {
                peer.answer().is(200).body_is("/next");
            }
        }
    }
}

#[test]
fn the_bound_of_a_listener_holds_where_the_route_has_none() {
    let origin = Origin::echo();
    let gateway = Gateway::before(
        origin.address,
        "[listener.public]\naddress = \"127.0.0.1:0\"\nmax_body_bytes = \"10B\"\n",
    );
    let mut peer = gateway.peer();
    peer.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789")
        .is(200);
    peer.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n0123456789a")
        .is(413);
}

#[test]
fn an_early_answer_reaches_a_client_that_is_still_sending() {
    let origin = Origin::start(|link| {
        link.request_head()?;
        link.send(
            "HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nstop",
        )?;
        link.wire.finish();
        Ok(())
    });
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n");
    let part = vec![b'x'; 100_000];
    for _ in 0..10 {
        if !peer.try_send(&part) {
            break;
        }
    }
    peer.answer().is(413).body_is("stop");
}

#[test]
fn an_early_answer_reaches_a_client_that_has_stopped_sending() {
    let origin = Origin::start(|link| {
        link.request_head()?;
        link.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno")?;
        link.wait_closed();
        Ok(())
    });
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nstart");
    peer.answer().is(401).body_is("no");
    drop(peer);
    origin.wait_ended(1);
}

#[test]
fn after_an_early_answer_the_connection_is_in_step_or_closed() {
    let origin = Origin::start(|link| {
        let request = link.request_head()?.expect("a request comes");
        link.send(ok(&request.target))?;
        if request.target != "/next" {
            link.wait_closed();
        }
        Ok(())
    });
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    peer.send("POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n");
    let answer = peer.answer();
    answer.is(200).body_is("/early");
    // Were these taken for a request, "/evil" would be answered.
    peer.try_send("GET /evil HTTP/1.1\r\nHost: a\r\n\r\nxxxxxxxx");
    peer.try_send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
    match peer.read(false) {
        Ok(answer) => answer.is(200).body_is("/next"),
        Err(_) => &answer,
    };
    let targets: Vec<_> = origin.received().into_iter().map(|r| r.target).collect();
    assert!(!targets.contains(&"/evil".to_owned()), "{targets:?}");
}

#[test]
fn a_client_that_breaks_off_its_body_gets_nothing_and_neither_does_the_upstream() {
    let origin = Origin::start(|link| {
        let whole = link.request();
        assert!(whole.is_err(), "the request was completed");
        whole.map(drop)
    });
    let upstream = format!("endpoints = [\"{}\"]", origin.address);
    let gateway = Gateway::start(upstream_and_route(&upstream, "access_log = \"main\""));
    for body in [
        "Content-Length: 10\r\n\r\nhello",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ] {
        let mut peer = gateway.peer();
        peer.send(format!("POST /x HTTP/1.1\r\nHost: a\r\n{body}"));
        origin.wait_connections(1);
        peer.0.finish();
        let (bytes, _) = peer.to_end();
        assert_eq!(tests::wire::latin(&bytes), "");
    }
    origin.wait_ended(2);
    assert_eq!(origin.received().len(), 0);
    let line = gateway.wait_logged("\"statusCode\":499");
    assert!(line.contains("\"error\":\"client_gone\""), "{line}");
}

#[test]
fn a_body_that_stops_arriving_gets_408() {
    let origin = Origin::start(|link| link.request().map(drop));
    let gateway = Gateway::before(
        origin.address,
        "[listener.public]\naddress = \"127.0.0.1:0\"\nbody_timeout = \"100ms\"\n",
    );
    let mut peer = gateway.peer();
    peer.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
    let answer = peer.answer();
    answer.problem(408, "/x", "Request timeout");
    answer.has("connection", "close");
    peer.is_closed();
    origin.wait_ended(1);
    assert_eq!(origin.received().len(), 0);
}

#[test]
fn a_body_that_trickles_gets_408() {
    let origin = Origin::start(|link| link.request().map(drop));
    let gateway = Gateway::before(
        origin.address,
        "[listener.public]\naddress = \"127.0.0.1:0\"\nmin_body_rate = \"1KiB\"\n",
    );
    let mut peer = gateway.peer();
    peer.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
    let mut other = peer
        .0
        .stream()
        .try_clone()
        .map(tests::wire::Wire::new)
        .expect("a descriptor");
    std::thread::spawn(move || -> io::Result<()> {
        loop {
            other.write(b"x")?;
            std::thread::park_timeout(std::time::Duration::from_millis(50));
        }
    });
    peer.answer().problem(408, "/x", "Request timeout");
}

#[test]
fn a_head_that_does_not_come_in_time_gets_408() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::before(
        origin.address,
        "[listener.public]\naddress = \"127.0.0.1:0\"\nheader_timeout = \"200ms\"\n",
    );
    let mut peer = gateway.peer();
    peer.send("GET / HTTP/1.1\r\nHo");
    let answer = peer.answer();
    answer.problem(408, "", "Request timeout");
    answer.has("connection", "close");
    peer.is_closed();
    let mut peer = gateway.peer();
    peer.get("/").is(200);
    peer.send("GET /").answer().is(408);
    peer.is_closed();
}

#[test]
fn one_that_says_nothing_is_idle() {
    let gateway = Gateway::before(
        Origin::saying("hi").address,
        "[listener.public]\naddress = \"127.0.0.1:0\"\nidle_timeout = \"200ms\"\n",
    );
    gateway.peer().is_closed();
}

#[test]
fn header_timeout_is_for_the_whole_head() {
    let gateway = Gateway::before(
        Origin::saying("hi").address,
        "[listener.public]\naddress = \"127.0.0.1:0\"\nheader_timeout = \"300ms\"\n",
    );
    let mut peer = gateway.peer();
    let mut other = peer
        .0
        .stream()
        .try_clone()
        .map(tests::wire::Wire::new)
        .expect("a descriptor");
    std::thread::spawn(move || -> io::Result<()> {
        other.write(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")?;
        loop {
            other.write(b"x")?;
            std::thread::park_timeout(std::time::Duration::from_millis(20));
        }
    });
    peer.answer().problem(408, "", "Request timeout");
}
