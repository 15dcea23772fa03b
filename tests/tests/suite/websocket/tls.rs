//! The same under TLS, at either side and on both at once; and a connection that is passed on with TLS of its own. The
//! client is OpenSSL's.

use std::net::SocketAddr;
use std::path::Path;

use tests::gateway::upstream_and_route;
use tests::secure::{self, HOST, certificate};
use tests::{Gateway, Origin, Peer, Setup};

use super::frames::{BINARY, CLOSE, TEXT};
use super::{asking, echo, hear, is_told, say};

/// A connection under TLS: what is written to `peer` goes to OpenSSL's client in plain text.
struct Secure {
    peer: Peer,
    _client: secure::Secure,
}

impl Secure {
    fn connect(address: SocketAddr, protocol: &str) -> Secure {
        let (client, wire) = secure::Secure::connect(address, protocol);
        Secure {
            peer: Peer(wire),
            _client: client,
        }
    }
}

/// A listener under TLS, with the certificate from this folder.
fn listening(dir: &Path) -> String {
    let dir = dir.display();
    format!(
        "[listener.public]\naddress = \"127.0.0.1:0\"\ncertificates = [\"edge\"]\n\
         [certificate.edge]\nchain = \"{dir}/edge.pem\"\nkey = \"{dir}/edge.key\"\n"
    )
}

/// A gateway under TLS before this endpoint.
fn gateway(dir: &Path, endpoint: SocketAddr, upstream: &str) -> Gateway {
    let upstream = format!("endpoints = [\"{endpoint}\"]\n{upstream}");
    let text = upstream_and_route(&upstream, "websocket = true") + &listening(dir);
    Setup::new(text).start()
}

/// A handshake for this host.
fn ours() -> String {
    asking("").replace("Host: a", &format!("Host: {HOST}"))
}

/// Says something and hears it again.
fn converse(peer: &mut Peer) {
    say(peer, TEXT, b"hello");
    assert_eq!(hear(peer).payload, b"hello");
    let long: Vec<u8> = (0..400_000_u32).map(|it| (it % 251) as u8).collect();
    say(peer, BINARY, &long);
    assert!(hear(peer).payload == long);
}

#[test]
fn a_tunnel_under_tls_on_either_side() {
    let dir = tempfile::TempDir::new().expect("a temporary folder");
    certificate(dir.path());
    let origin = echo();
    let inner = gateway(dir.path(), origin.address, "");
    for protocol in ["http/1.1", "h2", "auto"] {
        let upstream = format!(
            "protocol = \"{protocol}\"\ntls = true\ntls_name = \"{HOST}\"\ntls_ca = \"{}/edge.pem\"",
            dir.path().display()
        );
        let outer = gateway(dir.path(), inner.address("public"), &upstream);
        let mut client = Secure::connect(outer.address("public"), "http/1.1");
        let peer = &mut client.peer;
        peer.ask(ours()).is(101);
        converse(peer);
        say(peer, CLOSE, &[3, 232]);
        is_told(peer, 1000);
        peer.is_closed();
    }
    let received = origin.received();
    assert_eq!(received.len(), 3);
    for received in received {
        received.has("x-forwarded-proto", "https");
    }
}

#[test]
fn at_a_shutdown_it_is_told_under_tls_too() {
    let dir = tempfile::TempDir::new().expect("a temporary folder");
    certificate(dir.path());
    let gateway = gateway(dir.path(), echo().address, "");
    let mut client = Secure::connect(gateway.address("public"), "http/1.1");
    client.peer.ask(ours()).is(101);
    converse(&mut client.peer);
    gateway.signal("TERM");
    is_told(&mut client.peer, 1001);
    say(&mut client.peer, CLOSE, &1001_u16.to_be_bytes());
    client.peer.is_closed();
    assert_eq!(gateway.exit().code(), Some(0));
}

#[test]
fn tls_that_is_passed_on_is_the_other_ends() {
    let dir = tempfile::TempDir::new().expect("a temporary folder");
    certificate(dir.path());
    let origin = Origin::saying("from within");
    let inner = gateway(dir.path(), origin.address, "");
    let passing = format!(
        "[listener.public]\naddress = \"127.0.0.1:0\"\npassthrough = [\"{HOST} -> inner\"]\n\
         [upstream.inner]\nendpoints = [\"{}\"]\ntls = true\n",
        inner.address("public")
    );
    let outer = Gateway::start(passing);
    let mut client = Secure::connect(outer.address("public"), "http/1.1");
    let request = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    client.peer.ask(request).is(200).body_is("from within");
}
