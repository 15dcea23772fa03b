//! Connections to endpoints that many requests share: how they are made, and how they are known to be dead.

use tests::gateway::upstream_and_route;
use tests::http2::Answering;
use tests::secure::{HOST, certificate};
use tests::terminator::Terminator;
use tests::{Gateway, Origin};

#[test]
fn a_connection_is_made_for_all_who_wait_whoever_gives_up() {
    let dir = tempfile::TempDir::new().expect("a temporary folder");
    certificate(dir.path());
    let origin = Origin::http2(|_| Answering::ok("done"));
    let mut endpoint = Terminator::held(dir.path(), &[("h2", origin.address)]);
    let upstream = format!(
        "endpoints = [\"{}\"]\nprotocol = \"h2\"\ntls = true\ntls_name = \"{HOST}\"\ntls_ca = \"{}/edge.pem\"\n\
         connect_timeout = \"1m\"",
        endpoint.address,
        dir.path().display()
    );
    let hasty = "[route.hasty]\npath = \"/hasty\"\nupstream = \"backend\"\nauth = \"none\"\ntimeout = \"200ms\"\n";
    let gateway = Gateway::start(upstream_and_route(&upstream, "") + hasty);
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
    let upstream = format!(
        "endpoints = [\"{}\"]\nprotocol = \"h2\"\ntls = true\ntls_name = \"{HOST}\"\ntls_ca = \"{}/edge.pem\"\n\
         connect_timeout = \"1m\"",
        endpoint.address,
        dir.path().display()
    );
    let more = "[route.hasty]\npath = \"/hasty\"\nupstream = \"backend\"\nauth = \"none\"\ntimeout = \"200ms\"\n";
    let gateway = Gateway::start(upstream_and_route(&upstream, "") + more);
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
