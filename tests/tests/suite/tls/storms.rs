//! Many handshakes at once, none of which goes on: others are served meanwhile.

use std::process::Command;

use tests::secure::{HOST, Secure};

use super::*;

/// Handshakes of a worker at a time.
const PLACES: usize = 4;

/// A whole ClientHello, of Python's TLS.
fn hello() -> Vec<u8> {
    let script = "
import ssl, sys
out = ssl.MemoryBIO()
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
try:
    context.wrap_bio(ssl.MemoryBIO(), out, server_hostname='edge.example').do_handshake()
except ssl.SSLWantReadError:
    sys.stdout.buffer.write(out.read())
";
    let output = Command::new("python3").args(["-c", script]).output();
    let output = output.expect("python3 can be started");
    assert!(!output.stdout.is_empty(), "{output:?}");
    output.stdout
}

fn gateway(world: &World) -> Gateway {
    world.issue("edge", &[HOST], Kind::Ecdsa);
    let places = format!("max_handshakes = {PLACES}\nhandshake_timeout = \"5m\"");
    let text =
        listener("secure", "\"edge\"", &places) + &world.section("edge", "") + &saying("here");
    Setup::new(text).start()
}

const WAITING: &str = "gateway_handshakes_waiting{listener=\"secure\"}";

#[test]
fn halves_of_hellos_take_no_places() {
    let world = World::new();
    let gateway = gateway(&world);
    let to = gateway.address("secure");
    let hello = hello();
    let half = &hello[..hello.len() / 2];
    let storm: Vec<Peer> = (0..20 * PLACES)
        .map(|_| {
            let mut peer = Peer::connect(to);
            peer.send(half);
            peer
        })
        .collect();
    let open = "gateway_active_connections{listener=\"secure\"}";
    metrics::wait(&gateway, open, storm.len() as f64);
    for _ in 0..3 {
        assert_eq!(world.ask(to, HOST, &[]).shown("here"), "edge");
    }
    metrics::wait(&gateway, WAITING, 0.0);
}

#[test]
fn who_is_in_is_served_and_who_comes_has_a_turn() {
    let world = World::new();
    let gateway = gateway(&world);
    let to = gateway.address("secure");
    let (_client, wire) = Secure::connect(to, "http/1.1");
    let mut inside = Peer(wire);
    let request = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    inside.ask(&request).is(200);
    let hello = hello();
    let more = PLACES / 2;
    let mut storm: Vec<Peer> = (0..PLACES + more)
        .map(|_| {
            let mut peer = Peer::connect(to);
            peer.send(&hello);
            peer
        })
        .collect();
    metrics::wait(&gateway, WAITING, more as f64);
    for _ in 0..100 {
        inside.ask(&request).is(200);
    }
    // None of the storm leaves; but a place is nobody's for the whole `handshake_timeout`.
    assert_eq!(world.ask(to, HOST, &[]).shown("here"), "edge");
    let timeouts = "gateway_tls_handshakes_total{result=\"timeout\"}";
    let given_up = Metrics::of(&gateway).value(timeouts);
    assert!(given_up >= Some(1.0), "{given_up:?}");
    for peer in &mut storm {
        // The flight of the server, and the end.
        peer.to_end();
    }
    metrics::wait(&gateway, timeouts, storm.len() as f64);
    metrics::wait(&gateway, WAITING, 0.0);
}
