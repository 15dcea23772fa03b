//! Certificates whose files are replaced while connections are open.

use tests::secure::{HOST, Secure};

use super::*;

#[test]
fn new_connections_are_shown_the_new_one_and_old_ones_go_on() {
    let world = World::new();
    world.issue_as("edge", "old", &[HOST], Kind::Ecdsa);
    let text = listener("secure", "\"edge\"", "") + &world.section("edge", "") + &saying("here");
    let gateway = Setup::new(text).start();
    let to = gateway.address("secure");
    let (_client, wire) = Secure::connect(to, "http/1.1");
    let mut staying = Peer(wire);
    let request = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    staying.ask(&request).is(200);
    assert_eq!(world.ask(to, HOST, &[]).shown("here"), "old");

    // Nothing but the files: they are watched. Neither half of a pair goes live with the other half of another.
    let key = std::fs::read(world.path("edge.key")).expect("it was written");
    world.issue_as("edge", "new", &[HOST], Kind::Rsa);
    let second = std::fs::read(world.path("edge.key")).expect("it was written");
    until("the new one is shown", || {
        let said = world.ask(to, HOST, &[]);
        (said.shown("here") == "new").then_some(())
    });
    staying.ask(&request).is(200);

    let seen = gateway.said().len();
    std::fs::write(world.path("edge.key"), key).expect("the folder is writable");
    gateway.wait_said("stays", seen);
    assert_eq!(world.ask(to, HOST, &[]).shown("here"), "new");
    std::fs::write(world.path("edge.key"), second).expect("the folder is writable");
    assert_eq!(world.ask(to, HOST, &[]).shown("here"), "new");
    staying.ask(&request).is(200);
    let accepted = Metrics::of(&gateway).value("gateway_tls_handshakes_total{result=\"ok\"}");
    assert!(accepted >= Some(4.0), "{accepted:?}");
}
