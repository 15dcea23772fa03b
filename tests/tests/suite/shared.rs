//! Connections to endpoints that many requests share: how they are made, and how they are known to be dead.

use std::path::Path;

use tests::gateway::upstream_and_route;
use tests::http2::Answering;
use tests::http2::frame::code;
use tests::metrics::wait;
use tests::secure::{HOST, certificate};
use tests::terminator::Terminator;
use tests::{Gate, Gateway, Origin};

/// A route that gives up soon.
const HASTY: &str = "[route.hasty]\npath = \"/hasty\"\nupstream = \"backend\"\nauth = \"none\"\ntimeout = \"200ms\"\n";

/// The keys of an upstream whose one endpoint speaks HTTP/2 over TLS, and these.
fn secured(endpoint: &Terminator, dir: &Path, keys: &str) -> String {
    format!(
        "endpoints = [\"{}\"]\nprotocol = \"h2\"\ntls = true\ntls_name = \"{HOST}\"\ntls_ca = \"{}/edge.pem\"\n{keys}",
        endpoint.address,
        dir.display()
    )
}

#[test]
fn a_connection_is_made_for_all_who_wait_whoever_gives_up() {
    let dir = tempfile::TempDir::new().expect("a temporary folder");
    certificate(dir.path());
    let origin = Origin::http2(|_| Answering::ok("done"));
    let mut endpoint = Terminator::held(dir.path(), &[("h2", origin.address)]);
    let upstream = secured(&endpoint, dir.path(), "connect_timeout = \"1m\"");
    let gateway = Gateway::start(upstream_and_route(&upstream, "") + HASTY);
    let mut patient = Vec::new();
    // The first of all is hasty.
    gateway
        .get("/hasty")
        .problem(504, "/hasty", "Gateway timeout");
    for _ in 0..3 {
        let mut peer = gateway.peer();
        peer.send("GET /patient HTTP/1.1\r\nHost: a\r\n\r\n");
        patient.push(peer);
        gateway.get("/hasty").is(504);
    }
    assert_eq!(endpoint.connections(), 1, "it went on");
    endpoint.go();
    for mut peer in patient {
        peer.answer().is(200).body_is("done");
    }
    gateway.get("/hasty").is(200);
    assert_eq!(endpoint.connections(), 1);
    assert_eq!(origin.received().len(), 4, "who gave up asked for nothing");
}

#[test]
fn all_who_wait_learn_that_none_can_be_made() {
    let dir = tempfile::TempDir::new().expect("a temporary folder");
    certificate(dir.path());
    // What is agreed on is not what it must speak.
    let origin = Origin::saying("hi");
    let mut endpoint = Terminator::held(dir.path(), &[("http/1.1", origin.address)]);
    let upstream = secured(&endpoint, dir.path(), "connect_timeout = \"1m\"");
    let gateway = Gateway::start(upstream_and_route(&upstream, "") + HASTY);
    let mut waiting = Vec::new();
    for _ in 0..3 {
        let mut peer = gateway.peer();
        peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        waiting.push(peer);
    }
    // By then they wait.
    gateway.get("/hasty").is(504);
    endpoint.go();
    for mut peer in waiting {
        peer.answer().is(502);
    }
    assert_eq!(endpoint.connections(), 1);
}

/// A service over HTTP/2 that says nothing at all once a request has come on its first connections, so many, and answers
/// on later ones.
fn dead_at_first(dead: usize) -> Origin {
    Origin::start(move |link| {
        let number = link.number;
        let mut service = link.http2(&[], tests::http2::Manners::GOOD)?;
        while let Some((stream, request)) = service.request()? {
            if number < dead && request.target == "/dead" {
                // It neither reads nor writes any more, and does not close either.
                Gate::new().wait_at_most(tests::PATIENCE);
                return Ok(());
            }
            service.answer(stream, &Answering::ok("done"))?;
            service.http2.forget(stream);
        }
        Ok(())
    })
}

fn pinged(origin: &Origin, times: &str) -> Gateway {
    let upstream = format!(
        "endpoints = [\"{}\"]\nprotocol = \"h2\"\nfirst_byte_timeout = \"1h\"\n{times}",
        origin.address
    );
    Gateway::start(upstream_and_route(&upstream, "access_log = \"main\""))
}

#[test]
fn a_connection_that_has_gone_silent_is_given_up() {
    let origin = dead_at_first(1);
    let gateway = pinged(&origin, "ping_after = \"1s\"\nping_timeout = \"500ms\"");
    let mut peers = [gateway.peer(), gateway.peer()];
    // Made by the first, and used again: what may be tried again is.
    gateway.get("/").is(200);
    peers[0].send("GET /dead HTTP/1.1\r\nHost: a\r\n\r\n");
    peers[1].send("POST /dead HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    peers[0].answer().is(200).body_is("done");
    let answer = peers[1].answer();
    answer.is(502);
    let id = answer.field("x-request-id").expect("an id");
    let line = gateway.wait_logged(&id);
    assert!(
        line.contains("\"error\":\"connection_terminated\""),
        "{line}"
    );
    assert_eq!(origin.connections(), 2);
}

#[test]
fn one_that_answers_is_kept_however_long_its_requests_take() {
    let origin = Origin::start(|link| {
        let mut service = link.http2(&[], tests::http2::Manners::GOOD)?;
        while let Some((stream, _)) = service.request()? {
            let first = service.http2.until(|it| !it.pings.is_empty())?;
            assert!(first, "it is asked");
            service.answer(stream, &Answering::ok("late"))?;
            service.http2.forget(stream);
        }
        Ok(())
    });
    let gateway = pinged(&origin, "ping_after = \"100ms\"");
    gateway.get("/").is(200).body_is("late");
    assert_eq!(origin.connections(), 1);
}

/// Connections in any state.
const OPEN: &str = "gateway_upstream_connections{upstream=\"backend\"}";

#[test]
fn one_without_requests_is_closed_after_keepalive_whenever_it_would_be_asked() {
    let origin = Origin::http2(|_| Answering::ok("done"));
    for keepalive in ["100ms", "0s"] {
        let gateway = pinged(
            &origin,
            &format!("ping_after = \"1h\"\nkeepalive = \"{keepalive}\""),
        );
        gateway.get("/").is(200).body_is("done");
        wait(&gateway, OPEN, 0.0);
    }
}

#[test]
fn one_that_stands_only_after_a_reload_has_removed_its_endpoint_ends_with_what_it_was_made_for() {
    let dir = tempfile::TempDir::new().expect("a temporary folder");
    certificate(dir.path());
    let origin = Origin::http2(|_| Answering::ok("done"));
    let mut endpoint = Terminator::held(dir.path(), &[("h2", origin.address)]);
    let upstream = secured(
        &endpoint,
        dir.path(),
        "connect_timeout = \"1m\"\nkeepalive = \"1h\"\nping_after = \"1h\"",
    );
    let gateway = Gateway::start(upstream_and_route(&upstream, "") + HASTY);
    let mut patient = gateway.peer();
    patient.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    // By then it waits.
    gateway.get("/hasty").is(504);
    let other = Origin::saying("other");
    let next = gateway.said().len();
    let text = gateway.text();
    let removed = text.replace(
        &format!("[\"{}\"]", endpoint.address),
        &format!("[\"{}\"]", other.address),
    );
    gateway.rewrite(&removed);
    gateway.wait_said("is live, generation", next);
    endpoint.go();
    patient.answer().is(200).body_is("done");
    wait(&gateway, OPEN, 0.0);
}

/// Whichever worker a request comes to: at the node's cap an idle connection of the other one makes room.
#[test]
fn an_idle_one_makes_room_at_the_cap() {
    let origin = Origin::http2(|_| Answering::ok("done"));
    let upstream = format!(
        "endpoints = [\"{}\"]\nprotocol = \"h2\"\npool_max_connections = 1\nconnect_timeout = \"1m\"\nkeepalive = \"1h\"",
        origin.address
    );
    let two = "[gateway]\nworkers = 2\npin = false\n";
    let gateway = Gateway::start(two.to_owned() + &upstream_and_route(&upstream, ""));
    for _ in 0..30 {
        gateway.get("/").is(200).body_is("done");
    }
    assert!(
        origin.connections() > 1,
        "thirty connections come to both workers"
    );
}

/// A service over HTTP/2 that answers one request on each connection, if it `leaves` behind a GOAWAY, and never closes.
fn never_closing(leaves: bool) -> Origin {
    Origin::start(move |link| {
        let mut service = link.http2(&[], tests::http2::Manners::GOOD)?;
        let Some((stream, _)) = service.request()? else {
            return Ok(());
        };
        if leaves {
            let goaway = tests::http2::Frame::goaway(stream, code::NO_ERROR);
            service.http2.send(&goaway)?;
            // The gateway has read it once it has answered this.
            service.http2.is_alive();
        }
        service.answer(stream, &Answering::ok("done"))?;
        Gate::new().wait_at_most(tests::PATIENCE);
        Ok(())
    })
}

/// It is of no more use: its place at the node's cap is another's, whenever the service closes.
#[test]
fn one_that_has_ended_gives_its_place_back() {
    let origin = never_closing(true);
    let upstream = format!(
        "endpoints = [\"{}\"]\nprotocol = \"h2\"\npool_max_connections = 1\nkeepalive = \"1h\"\nping_after = \"1h\"",
        origin.address
    );
    let gateway = Gateway::start(upstream_and_route(&upstream, ""));
    for _ in 0..3 {
        gateway.get("/").is(200).body_is("done");
    }
    assert_eq!(origin.connections(), 3);
    wait(&gateway, OPEN, 0.0);
}

#[test]
fn one_that_makes_room_makes_it_whenever_the_service_closes() {
    let origins = [never_closing(false), never_closing(false)];
    let upstream = format!(
        "endpoints = [\"{}\", \"{}\"]\nprotocol = \"h2\"\npool_max_connections = 1\nkeepalive = \"1h\"\n\
         ping_after = \"1h\"",
        origins[0].address, origins[1].address
    );
    let gateway = Gateway::start(upstream_and_route(&upstream, ""));
    for _ in 0..4 {
        gateway.get("/").is(200).body_is("done");
    }
    assert_eq!(origins.map(|it| it.connections()), [2, 2]);
}

#[test]
fn they_are_counted_by_what_they_do() {
    let dir = tempfile::TempDir::new().expect("a temporary folder");
    certificate(dir.path());
    let gate = Gate::new();
    let told = gate.clone();
    let origin = Origin::http2(move |_| {
        told.wait();
        Answering::ok("done")
    });
    let mut endpoint = Terminator::held(dir.path(), &[("h2", origin.address)]);
    let upstream = secured(
        &endpoint,
        dir.path(),
        "connect_timeout = \"1m\"\nfirst_byte_timeout = \"1m\"\nkeepalive = \"1h\"",
    );
    let gateway = Gateway::start(upstream_and_route(&upstream, ""));
    let is = |state: &str| {
        for other in ["connecting", "active", "idle"] {
            let series =
                format!("gateway_upstream_connections{{upstream=\"backend\",state=\"{other}\"}}");
            wait(&gateway, &series, if other == state { 1.0 } else { 0.0 });
        }
    };
    let mut peer = gateway.peer();
    peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    is("connecting");
    endpoint.go();
    origin.wait_received(1);
    is("active");
    gate.open();
    peer.answer().is(200);
    is("idle");
    peer.get("/").is(200);
    is("idle");
    assert_eq!(endpoint.connections(), 1);
}

#[test]
fn no_more_wait_than_may() {
    let gate = Gate::new();
    let told = gate.clone();
    let origin = Origin::http2(move |_| {
        told.wait();
        Answering::ok("done")
    });
    let upstream = format!(
        "endpoints = [\"{}\"]\nprotocol = \"h2\"\npool_max_connections = 1\nmax_concurrent_streams = 1\n\
         pool_max_pending = 1\nconnect_timeout = \"1m\"\nfirst_byte_timeout = \"1m\"",
        origin.address
    );
    let gateway = Gateway::start(upstream_and_route(&upstream, ""));
    let mut peers = [gateway.peer(), gateway.peer()];
    peers[0].send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    origin.wait_received(1);
    // One of these two waits, the other may not.
    let mut other = gateway.peer();
    peers[1].send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    other.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    wait(
        &gateway,
        "gateway_backend_errors_total{upstream=\"backend\",kind=\"pool_exhausted\"}",
        1.0,
    );
    gate.open();
    peers[0].answer().is(200);
    let statuses = [peers[1].answer().status, other.answer().status];
    assert!(
        statuses == [200, 503] || statuses == [503, 200],
        "{statuses:?}"
    );
}
