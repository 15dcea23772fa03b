//! Endpoints that speak both protocols, and take WebSockets over HTTP/1.1 alone, as most do.

use tests::gateway::upstream_and_route;
use tests::http2::Answering;
use tests::secure::{HOST, certificate};
use tests::terminator::Terminator;
use tests::{Gateway, Origin, Setup};

use super::frames::{CLOSE, TEXT};
use super::{asking, echo, hear, is_told, say};

fn before(dir: &std::path::Path, endpoint: std::net::SocketAddr) -> Gateway {
    let upstream = format!(
        "endpoints = [\"{endpoint}\"]\nprotocol = \"auto\"\ntls = true\ntls_name = \"{HOST}\"\ntls_ca = \"{}/edge.pem\"",
        dir.display()
    );
    let route = "websocket = true\naccess_log = \"main\"";
    Setup::new(upstream_and_route(&upstream, route)).start()
}

#[test]
fn a_websocket_goes_over_http1_where_http2_does_not_take_it() {
    let dir = tempfile::TempDir::new().expect("a temporary folder");
    certificate(dir.path());
    let http2 = Origin::http2(|_| Answering::ok("over http2"));
    let http1 = echo();
    let endpoint = Terminator::start(
        dir.path(),
        &[("h2", http2.address), ("http/1.1", http1.address)],
    );
    let gateway = before(dir.path(), endpoint.address);
    for round in 1..=2 {
        gateway.get("/").is(200).body_is("over http2");
        let mut peer = gateway.peer();
        let answer = peer.ask(asking(""));
        answer.is(101);
        say(&mut peer, TEXT, b"hello");
        assert_eq!(hear(&mut peer).payload, b"hello");
        say(&mut peer, CLOSE, &[3, 232]);
        is_told(&mut peer, 1000);
        let id = answer.field("x-request-id").expect("an id");
        let line = gateway.wait_logged(&id);
        assert!(line.contains("\"attempts\":1"), "{line}");
        assert_eq!(http1.connections(), round);
    }
    // Whatever else there is still goes over HTTP/2, and over one connection.
    gateway.get("/").is(200).body_is("over http2");
    assert_eq!((http2.connections(), http2.received().len()), (1, 3));
}

#[test]
fn one_that_speaks_http2_alone_is_not_asked_twice() {
    let dir = tempfile::TempDir::new().expect("a temporary folder");
    certificate(dir.path());
    let path = dir.path().display();
    let inner = Gateway::start(format!(
        "[listener.public]\naddress = \"127.0.0.1:0\"\ncertificates = [\"edge\"]\nprotocols = [\"h2\"]\n\
         [certificate.edge]\nchain = \"{path}/edge.pem\"\nkey = \"{path}/edge.key\"\n\
         [route.all]\npath = \"/*\"\nrespond = \"200 hi\"\nauth = \"none\"\n"
    ));
    let gateway = before(dir.path(), inner.address("public"));
    let answer = gateway.ask(asking(""));
    answer.is(502);
    let id = answer.field("x-request-id").expect("an id");
    let line = gateway.wait_logged(&id);
    assert!(
        line.contains("\"error\":\"websocket_not_offered\""),
        "{line}"
    );
}
