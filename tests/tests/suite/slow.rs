//! Slow clients: each time-out of a listener strikes, and costs the slow one only.

use std::io;
use std::time::Duration;

use socket2::SockRef;
use tests::gateway::proxy;
use tests::metrics;
use tests::{Answer, Gateway, Origin, PATIENCE, Peer};

/// A gateway whose listener has these keys, in front of an origin.
#[track_caller]
fn listener(origin: &Origin, keys: &str) -> Gateway {
    let listener = format!(
        "[listener.public]\naddress = \"127.0.0.1:0\"\n{keys}\n\
         [route.logged]\npath = \"/logged/*\"\nupstream = \"backend\"\nauth = \"none\"\naccess_log = \"main\"\n"
    );
    Gateway::start(proxy(origin.address, &listener))
}

/// Sends these bytes one by one, each after a pause in which the gateway may answer, over and over;
/// gives its answer.
#[track_caller]
fn trickle(peer: &mut Peer, bytes: &[u8], pause: Duration) -> Answer {
    let mut sent = bytes.iter().cycle();
    let start = std::time::Instant::now();
    loop {
        assert!(start.elapsed() < PATIENCE, "the gateway bears with it");
        let byte = sent.next().expect("it never ends");
        let stream = peer.0.stream();
        stream.set_read_timeout(Some(pause)).expect("not zero");
        match stream.peek(&mut [0]) {
            Err(why)
                if matches!(
                    why.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                ) => {}
            // An answer, or the end: what it is the caller sees.
            _ => break,
        }
        if !peer.try_send([*byte]) {
            break;
        }
    }
    peer.0
        .stream()
        .set_read_timeout(Some(PATIENCE))
        .expect("not zero");
    peer.answer()
}

/// A 408 for this cause, then the end; counted, and logged where there is a request to log.
#[track_caller]
fn timed_out(gateway: &Gateway, peer: &mut Peer, answer: &Answer, cause: &str) {
    answer.is(408).has("connection", "close");
    assert!(
        answer.text().contains("\"error\":\"Request timeout\""),
        "{}",
        answer.text()
    );
    peer.to_end();
    let series =
        format!("gateway_client_timeouts_total{{listener=\"public\",timeout=\"{cause}\"}}");
    metrics::wait(gateway, &series, 1.0);
}

#[test]
fn a_head_that_trickles() {
    let origin = Origin::saying("hi");
    let gateway = listener(&origin, "header_timeout = \"400ms\"");
    let mut peer = gateway.peer();
    peer.send("GET /logged/x HTTP/1.1\r\nHost: a\r\nX-Slow: ");
    let answer = trickle(&mut peer, b"x", Duration::from_millis(20));
    timed_out(&gateway, &mut peer, &answer, "header_timeout");
    assert_eq!(origin.connections(), 0);
    gateway.get("/").is(200);
}

#[test]
fn a_head_that_stops() {
    let origin = Origin::saying("hi");
    let gateway = listener(&origin, "header_timeout = \"200ms\"");
    let mut peer = gateway.peer();
    // The first request is quick, the time of the second begins with its own first byte.
    peer.get("/").is(200);
    peer.send("GET / HT");
    let answer = peer.answer();
    timed_out(&gateway, &mut peer, &answer, "header_timeout");
}

#[test]
fn one_that_never_says_anything_is_closed_without_a_word() {
    let origin = Origin::saying("hi");
    let gateway = listener(
        &origin,
        "header_timeout = \"200ms\"\nidle_timeout = \"200ms\"",
    );
    gateway.peer().is_closed();
    let mut peer = gateway.peer();
    peer.get("/").is(200);
    peer.is_closed();
}

#[test]
fn a_body_that_stops() {
    let origin = Origin::echo();
    let gateway = listener(&origin, "body_timeout = \"300ms\"");
    for framing in ["Content-Length: 10", "Transfer-Encoding: chunked"] {
        let gateway_before = metrics::Metrics::of(&gateway);
        let series = "gateway_client_timeouts_total{listener=\"public\",timeout=\"body_timeout\"}";
        let before = gateway_before.value(series).unwrap_or(0.0);
        let mut peer = gateway.peer();
        peer.send(format!(
            "POST /logged/x HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n5\r\nab"
        ));
        let answer = peer.answer();
        answer.is(408).has("connection", "close");
        peer.to_end();
        metrics::wait(&gateway, series, before + 1.0);
        let id = answer.field("x-request-id").expect("every answer has one");
        let line = gateway.wait_logged(&id);
        assert!(
            line.contains("\"error\":\"body_timeout\"") && line.contains("\"statusCode\":408"),
            "{line}"
        );
    }
    gateway.get("/").is(200);
}

#[test]
fn a_body_that_stops_breaks_off_towards_the_upstream() {
    let origin = Origin::start(|link| {
        link.request_head()?;
        link.wait_closed();
        Ok(())
    });
    let gateway = listener(&origin, "body_timeout = \"300ms\"");
    let mut peer = gateway.peer();
    peer.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    peer.answer().is(408);
    origin.wait_ended(1);
}

#[test]
fn a_body_that_flows_slowly_but_flows_is_not_timed_out() {
    let origin = Origin::echo();
    let gateway = listener(&origin, "body_timeout = \"2s\"\nmin_body_rate = 0");
    let mut peer = gateway.peer();
    peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n");
    let start = std::time::Instant::now();
    for n in 0..100_u8 {
        peer.0
            .stream()
            .set_read_timeout(Some(Duration::from_millis(25)))
            .expect("not zero");
        let early = peer.0.stream().peek(&mut [0]);
        assert!(early.is_err(), "an answer after {n} bytes");
        peer.send([n]);
    }
    assert!(
        start.elapsed() > Duration::from_secs(2),
        "longer in all than body_timeout"
    );
    peer.0
        .stream()
        .set_read_timeout(Some(PATIENCE))
        .expect("not zero");
    peer.answer().is(200).body_is((0..100).collect::<Vec<u8>>());
}

#[test]
fn a_body_below_the_least_rate() {
    let origin = Origin::echo();
    let gateway = listener(&origin, "body_timeout = \"30s\"\nmin_body_rate = \"10KiB\"");
    let mut peer = gateway.peer();
    peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
    let answer = trickle(&mut peer, b"x", Duration::from_millis(50));
    timed_out(&gateway, &mut peer, &answer, "min_body_rate");
}

/// An origin whose answer no buffer between it and the client can hold.
fn endless() -> Origin {
    Origin::start(|link| {
        link.request()?;
        link.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")?;
        let block = vec![b'x'; 1 << 20];
        loop {
            link.send(&block)?;
        }
    })
}

/// Asks for it and does not read.
#[track_caller]
fn deaf(gateway: &Gateway) -> Peer {
    let mut peer = gateway.peer();
    let socket = SockRef::from(peer.0.stream());
    socket.set_recv_buffer_size(16 << 10).expect("TCP");
    peer.send("GET /logged/x HTTP/1.1\r\nHost: a\r\n\r\n");
    peer
}

#[test]
fn one_that_does_not_read_its_answer() {
    let origin = endless();
    let gateway = listener(&origin, "write_timeout = \"300ms\"");
    let mut peer = deaf(&gateway);
    // The upstream is let go, and the connection closed before the answer's end.
    origin.wait_ended(1);
    let open = "gateway_active_connections{listener=\"public\"}";
    metrics::wait(&gateway, open, 0.0);
    let (bytes, _) = peer.to_end();
    assert!(bytes.len() < 1_000_000_000, "it was broken off");
}

#[test]
fn one_that_does_not_read_is_named_in_log_and_metric() {
    let origin = endless();
    let gateway = listener(&origin, "write_timeout = \"300ms\"");
    let _peer = deaf(&gateway);
    let line = gateway.wait_logged("/logged/x");
    let page = metrics::Metrics::of(&gateway);
    assert!(line.contains("\"error\":\"write_timeout\""), "{line}");
    let series = "gateway_client_timeouts_total{listener=\"public\",timeout=\"write_timeout\"}";
    assert_eq!(page.value(series), Some(1.0));
}

#[test]
fn one_that_reads_slowly_is_served() {
    let body = vec![b'x'; 8 << 20];
    let mut answer =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    answer.extend_from_slice(&body);
    let origin = Origin::always(answer);
    let gateway = listener(&origin, "write_timeout = \"2s\"");
    let mut peer = gateway.peer();
    SockRef::from(peer.0.stream())
        .set_recv_buffer_size(64 << 10)
        .expect("TCP");
    peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let pause = tests::Gate::new();
    for _ in 0..20 {
        // Slower than the gateway writes, never as slow as the time-out.
        pause.wait_at_most(Duration::from_millis(50));
        peer.0.fill().expect("it goes on");
    }
    peer.answer().is(200).body_is(&body);
}
