//! Endpoints, pools and tries: who is asked, over which connection, and how often.

use std::collections::HashMap;
use std::thread;

use tests::gateway::upstream_and_route;
use tests::metrics;
use tests::origin::{Refusing, ok};
use tests::{Answer, Gate, Gateway, Origin};

/// The first connection answers one request and closes in front of its second; others answer all.
fn stale_once() -> Origin {
    Origin::start(|link| {
        while let Some(request) = link.request()? {
            link.send(ok(&request.target))?;
            if link.number == 0 {
                link.request()?;
                return Ok(());
            }
        }
        Ok(())
    })
}

#[test]
fn a_request_on_a_stale_connection_is_tried_once_more() {
    let origin = stale_once();
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    peer.get("/1").is(200);
    peer.get("/2").is(200).body_is("/2");
    let targets: Vec<_> = origin
        .received()
        .into_iter()
        .map(|r| (r.connection, r.target))
        .collect();
    let expected = [(0, "/1"), (0, "/2"), (1, "/2")].map(|(n, t)| (n, t.to_owned()));
    assert_eq!(targets, expected);
    metrics::wait(
        &gateway,
        "gateway_retries_total{upstream=\"backend\",reason=\"stale_connection\"}",
        1.0,
    );
}

#[test]
fn an_idempotent_request_is_tried_again_with_its_body() {
    let origin = stale_once();
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    peer.get("/1").is(200);
    peer.ask("PUT /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
        .is(200)
        .body_is("/2");
    let received = origin.received();
    assert_eq!(received[2].message.body, b"hello");
}

#[test]
fn a_post_on_a_stale_connection_is_not_sent_twice() {
    let origin = stale_once();
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    peer.get("/1").is(200);
    let post = "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
    peer.ask(post).problem(502, "/2", "Bad gateway");
    assert_eq!(origin.received().len(), 2);
    peer.get("/3").is(200).body_is("/3");
}

#[test]
fn it_is_tried_only_once_more() {
    let origin = Origin::start(|link| {
        link.request()?;
        if link.number > 0 {
            return Ok(());
        }
        link.send(ok("first"))?;
        link.request().map(drop)
    });
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    peer.get("/1").is(200);
    peer.get("/2").problem(502, "/2", "Bad gateway");
    assert_eq!(origin.connections(), 2);
}

#[test]
fn a_request_is_not_tried_again_once_a_byte_of_its_answer_has_come() {
    let origin = Origin::start(|link| {
        link.request()?;
        link.send(ok("first"))?;
        link.request()?;
        link.send("H")
    });
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    peer.get("/1").is(200);
    peer.get("/2").problem(502, "/2", "Bad gateway");
    assert_eq!(origin.connections(), 1);
}

#[test]
fn a_connection_that_was_closed_in_the_pool_is_not_used_even_for_a_post() {
    let origin = Origin::start(|link| {
        link.request()?;
        link.send(ok("one each"))
    });
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    for n in 1..=5 {
        peer.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
            .is(200);
        origin.wait_ended(n);
    }
}

/// Who answered how often, by the text of the answer.
fn counts(gateway: &Gateway, requests: usize) -> HashMap<String, usize> {
    let mut peer = gateway.peer();
    let mut counts = HashMap::new();
    for _ in 0..requests {
        *counts.entry(peer.get("/").is(200).text()).or_default() += 1;
    }
    counts
}

fn over(endpoints: &[String], more: &str) -> String {
    upstream_and_route(&format!("endpoints = {endpoints:?}\n{more}"), "")
}

#[test]
fn round_robin_takes_turns() {
    let origins = ["a", "b", "c"].map(Origin::saying);
    let endpoints = origins.each_ref().map(|o| o.address.to_string());
    let gateway = Gateway::start(over(&endpoints, "balance = \"round_robin\""));
    let counts = counts(&gateway, 30);
    assert_eq!(
        counts,
        HashMap::from(["a", "b", "c"].map(|name| (name.to_owned(), 10)))
    );
}

#[test]
fn weights_divide_the_work() {
    let (a, b) = (Origin::saying("a"), Origin::saying("b"));
    let endpoints = [format!("{} weight=3", a.address), b.address.to_string()];
    let gateway = Gateway::start(over(&endpoints, ""));
    let counts = counts(&gateway, 40);
    assert_eq!(
        counts,
        HashMap::from([("a".to_owned(), 30), ("b".to_owned(), 10)])
    );
}

#[test]
fn random_asks_everybody() {
    let (a, b) = (Origin::saying("a"), Origin::saying("b"));
    let endpoints = [a.address.to_string(), b.address.to_string()];
    let gateway = Gateway::start(over(&endpoints, "balance = \"random\""));
    let counts = counts(&gateway, 100);
    assert_eq!(counts.len(), 2, "{counts:?}");
}

#[test]
fn least_requests_leaves_the_busy_alone() {
    let gate = Gate::new();
    let told = gate.clone();
    let busy = Origin::start(move |link| {
        while link.request()?.is_some() {
            told.wait();
            link.send(ok("busy"))?;
        }
        Ok(())
    });
    let idle = Origin::saying("idle");
    let endpoints = [busy.address.to_string(), idle.address.to_string()];
    let gateway = Gateway::start(over(
        &endpoints,
        "balance = \"least_requests\"\nfirst_byte_timeout = \"1h\"",
    ));
    // Until the busy one has got a request, which it holds; one at a time, so that nothing else is in flight.
    let start = std::time::Instant::now();
    let (mut held, mut answered) = (gateway.peer(), 0);
    held.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    while busy.received().is_empty() {
        assert!(start.elapsed() < tests::PATIENCE, "it gets none");
        if idle.received().len() > answered {
            held.answer().is(200).body_is("idle");
            answered += 1;
            held.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        }
    }
    let counts = counts(&gateway, 20);
    assert_eq!(counts.get("idle"), Some(&20), "{counts:?}");
    gate.open();
    held.answer().is(200).body_is("busy");
}

#[test]
fn an_endpoint_that_refuses_is_passed_over() {
    let (refusing, good) = (Refusing::new(), Origin::saying("good"));
    let endpoints = [refusing.address.to_string(), good.address.to_string()];
    let gateway = Gateway::start(over(&endpoints, ""));
    let mut peer = gateway.peer();
    for _ in 0..6 {
        peer.get("/").is(200).body_is("good");
        peer.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
            .is(200);
    }
    let line = "gateway_backend_errors_total{upstream=\"backend\",kind=\"connection_refused\"}";
    let errors = metrics::Metrics::of(&gateway).value(line);
    assert!(
        errors.is_some_and(|n| n >= 1.0),
        "a refused try is counted: {errors:?}"
    );
}

#[test]
fn when_all_endpoints_refuse_the_answer_is_502() {
    let refusing = [Refusing::new(), Refusing::new()];
    let endpoints = refusing.each_ref().map(|r| r.address.to_string());
    let gateway = Gateway::start(over(&endpoints, ""));
    gateway.get("/").problem(502, "/", "Bad gateway");
}

/// An origin that answers each request when told, and the gate.
fn held() -> (Origin, Gate) {
    let gate = Gate::new();
    let told = gate.clone();
    let origin = Origin::start(move |link| {
        while link.request()?.is_some() {
            told.wait();
            link.send(ok("held"))?;
        }
        Ok(())
    });
    (origin, gate)
}

#[track_caller]
fn unavailable(answer: &Answer, details: &str) {
    answer.problem(503, "/", "Service unavailable");
    answer.has("retry-after", "1");
    answer.has(
        "proxy-status",
        &format!("portcullis; error=connection_limit_reached; details=\"{details}\""),
    );
}

#[test]
fn over_max_in_flight_the_answer_is_503() {
    let (origin, gate) = held();
    let upstream = format!("endpoints = [\"{}\"]\nmax_in_flight = 1", origin.address);
    let gateway = Gateway::start(upstream_and_route(&upstream, ""));
    let mut first = gateway.peer();
    first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    origin.wait_received(1);
    let mut second = gateway.peer();
    unavailable(&second.get("/"), "in_flight_limit");
    gate.open();
    first.answer().is(200);
    first.get("/").is(200);
    second.get("/").is(200);
}

#[test]
fn at_pool_max_connections_requests_wait_for_one() {
    let (origin, gate) = held();
    let upstream = format!(
        "endpoints = [\"{}\"]\npool_max_connections = 1\nconnect_timeout = \"1m\"",
        origin.address
    );
    let gateway = Gateway::start(upstream_and_route(&upstream, ""));
    let mut peers: Vec<_> = (0..4).map(|_| gateway.peer()).collect();
    for peer in &mut peers {
        peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    origin.wait_received(1);
    gate.open();
    for peer in &mut peers {
        peer.answer().is(200);
    }
    assert_eq!(origin.connections(), 1);
}

#[test]
fn who_waits_too_long_for_a_connection_gets_503() {
    let (origin, gate) = held();
    let upstream = format!(
        "endpoints = [\"{}\"]\npool_max_connections = 1\nconnect_timeout = \"100ms\"",
        origin.address
    );
    let gateway = Gateway::start(upstream_and_route(&upstream, ""));
    let mut first = gateway.peer();
    first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    origin.wait_received(1);
    unavailable(&gateway.get("/"), "pool_exhausted");
    gate.open();
    first.answer().is(200);
    assert_eq!(origin.connections(), 1);
}

#[test]
fn over_pool_max_pending_nobody_waits() {
    let (origin, gate) = held();
    let upstream = format!(
        "endpoints = [\"{}\"]\npool_max_connections = 1\npool_max_pending = 0\nconnect_timeout = \"5m\"",
        origin.address
    );
    let gateway = Gateway::start(upstream_and_route(&upstream, ""));
    let mut first = gateway.peer();
    first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    origin.wait_received(1);
    unavailable(&gateway.get("/"), "pool_exhausted");
    gate.open();
    first.answer().is(200);
}

#[test]
fn caps_hold_over_all_workers() {
    let (origin, gate) = held();
    let gateway = Gateway::start(
        "[gateway]\nworkers = 2\npin = false\n".to_owned()
            + &upstream_and_route(
                &format!("endpoints = [\"{}\"]\nmax_in_flight = 3", origin.address),
                "",
            ),
    );
    let mut peers: Vec<_> = (0..20).map(|_| gateway.peer()).collect();
    for peer in &mut peers {
        peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    origin.wait_received(3);
    // The refused ones answer while the admitted ones are held.
    let (mut refused, mut waiting) = (0, Vec::new());
    for peer in &mut peers {
        let stream = peer.0.stream().try_clone().expect("a descriptor");
        waiting.push(thread::spawn(move || {
            let mut wire = tests::wire::Wire::new(stream);
            wire.head().ok().flatten().map(|head| head.line)
        }));
    }
    while refused < 17 {
        refused = waiting.iter().filter(|it| it.is_finished()).count();
        thread::yield_now();
    }
    assert_eq!(origin.received().len(), 3);
    gate.open();
    let lines: Vec<_> = waiting
        .into_iter()
        .filter_map(|it| it.join().ok().flatten())
        .collect();
    assert_eq!(
        lines.iter().filter(|line| line.contains(" 503 ")).count(),
        17,
        "{lines:?}"
    );
    assert_eq!(
        lines.iter().filter(|line| line.contains(" 200 ")).count(),
        3,
        "{lines:?}"
    );
}

#[test]
fn an_idle_connection_is_closed_after_keepalive() {
    let origin = Origin::saying("hi");
    let upstream = format!(
        "endpoints = [\"{}\"]\nkeepalive = \"100ms\"",
        origin.address
    );
    let gateway = Gateway::start(upstream_and_route(&upstream, ""));
    gateway.get("/").is(200);
    origin.wait_ended(1);
    gateway.get("/").is(200);
    assert_eq!(origin.connections(), 2);
}

#[test]
fn pool_max_idle_of_zero_keeps_nothing() {
    let origin = Origin::saying("hi");
    let upstream = format!("endpoints = [\"{}\"]\npool_max_idle = 0", origin.address);
    let gateway = Gateway::start(upstream_and_route(&upstream, ""));
    let mut peer = gateway.peer();
    for n in 1..=3 {
        peer.get("/").is(200);
        origin.wait_ended(n);
    }
}

#[test]
fn an_upstream_may_be_a_unix_socket() {
    use std::io::{Read, Write};
    let dir = tempfile::TempDir::new().expect("a folder");
    let path = dir.path().join("up.sock");
    let listener = std::os::unix::net::UnixListener::bind(&path).expect("a socket");
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("the gateway connects");
        let mut bytes = [0; 4096];
        while stream.read(&mut bytes).is_ok_and(|n| n > 0) {
            stream
                .write_all(ok("unix").as_bytes())
                .expect("the gateway reads");
        }
    });
    let upstream = format!("endpoints = [\"unix:{}\"]", path.display());
    let gateway = Gateway::start(upstream_and_route(&upstream, ""));
    let mut peer = gateway.peer();
    peer.get("/").is(200).body_is("unix");
    peer.get("/").is(200).body_is("unix");
}
