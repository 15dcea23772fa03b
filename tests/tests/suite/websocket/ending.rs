//! How tunnels end that their two ends do not end: idle ones, drained ones, lost ones.

use tests::gateway::upstream_and_route;
use tests::{Gate, Gateway, Origin, Setup};

use super::frames::{BINARY, CLOSE, TEXT, frame, read};
use super::{echo, gateway, hear, is_told, open, origin, say};

const AWAY: u16 = 1001;

/// An origin that tells what the last frame was that it heard: by its opcode and payload, in a file of the test's.
fn attentive() -> (Origin, std::sync::mpsc::Receiver<(u8, Vec<u8>, bool)>) {
    let (tell, told) = std::sync::mpsc::channel();
    let origin = origin(move |link| {
        loop {
            let heard = read(&mut link.wire)?;
            let close = heard.opcode == CLOSE;
            // The test may have heard enough.
            let _ = tell.send((heard.opcode, heard.payload, heard.masked));
            if close {
                link.send(frame(CLOSE, &AWAY.to_be_bytes(), None))?;
                link.wait_closed();
                return Ok(());
            }
        }
    });
    (origin, told)
}

#[test]
fn an_idle_one_is_told_and_closed() {
    let (origin, told) = attentive();
    let gateway = gateway(
        &origin,
        "[listener.public]\naddress = \"127.0.0.1:0\"\nstream_idle_timeout = \"300ms\"\n",
    );
    let mut peer = open(&gateway);
    is_told(&mut peer, AWAY);
    say(&mut peer, CLOSE, &AWAY.to_be_bytes());
    peer.is_closed();
    let close = told.recv_timeout(tests::PATIENCE).expect("a Close");
    assert_eq!(close, (CLOSE, AWAY.to_be_bytes().to_vec(), true));
    let line = gateway.wait_logged("\"statusCode\":101");
    assert!(line.contains("\"error\":\"stream_idle_timeout\""), "{line}");
    let timeouts =
        "gateway_client_timeouts_total{listener=\"public\",timeout=\"stream_idle_timeout\"}";
    tests::metrics::wait(&gateway, timeouts, 1.0);
}

#[test]
fn either_direction_keeps_it_from_being_idle() {
    // For longer than the time-out only the origin speaks.
    let origin = origin(|link| {
        for _ in 0..8 {
            Gate::new().wait_at_most(std::time::Duration::from_millis(150));
            link.send(frame(TEXT, b"x", None))?;
        }
        link.send(frame(CLOSE, &[3, 232], None))
    });
    let gateway = gateway(
        &origin,
        "[listener.public]\naddress = \"127.0.0.1:0\"\nstream_idle_timeout = \"600ms\"\n",
    );
    let mut peer = open(&gateway);
    for _ in 0..8 {
        assert_eq!(hear(&mut peer).opcode, TEXT);
    }
    is_told(&mut peer, 1000);
}

#[test]
fn at_a_shutdown_both_are_told_and_nothing_is_cut() {
    let (origin, told) = attentive();
    let gateway = gateway(&origin, "");
    let mut peers = [open(&gateway), open(&gateway)];
    say(&mut peers[0], TEXT, b"hello");
    let hello = told.recv_timeout(tests::PATIENCE).expect("a text");
    assert_eq!(hello.1, b"hello");
    gateway.signal("TERM");
    for peer in &mut peers {
        is_told(peer, AWAY);
        say(peer, CLOSE, &AWAY.to_be_bytes());
        peer.is_closed();
    }
    for _ in 0..2 {
        let close = told.recv_timeout(tests::PATIENCE).expect("a Close");
        assert_eq!(close, (CLOSE, AWAY.to_be_bytes().to_vec(), true));
    }
    assert_eq!(gateway.exit().code(), Some(0));
    gateway.wait_said("drained: nothing was cut", 0);
    let line = gateway.wait_logged("\"statusCode\":101");
    assert!(line.contains("\"error\":\"draining\""), "{line}");
}

#[test]
fn a_frame_that_is_under_way_ends_first() {
    let gate = Gate::new();
    let told = gate.clone();
    let origin = origin(move |link| {
        if link.number == 1 {
            link.wait_closed();
            return Ok(());
        }
        let whole = frame(BINARY, &[7; 5000], None);
        let (begin, end) = whole.split_at(1000);
        link.send(begin)?;
        told.wait();
        link.send(end)?;
        link.send(frame(TEXT, b"too late", None))?;
        link.wait_closed();
        Ok(())
    });
    let gateway = gateway(&origin, "");
    let mut peer = open(&gateway);
    let mut whole = peer.0.take(1000).expect("the first part");
    let mut quiet = open(&gateway);
    gateway.signal("TERM");
    // From then on the worker knows.
    is_told(&mut quiet, AWAY);
    gate.open();
    whole.extend(peer.0.take(4004).expect("the second part"));
    assert_eq!(whole, frame(BINARY, &[7; 5000], None));
    is_told(&mut peer, AWAY);
    say(&mut peer, CLOSE, &AWAY.to_be_bytes());
    peer.is_closed();
    assert_eq!(gateway.exit().code(), Some(0));
}

#[test]
fn who_does_not_answer_is_not_waited_for_long() {
    let origin = origin(|link| {
        link.wait_closed();
        Ok(())
    });
    let gateway = gateway(
        &origin,
        "[gateway]\nworkers = 1\npin = false\nshutdown_grace = \"1h\"\n",
    );
    let mut peer = open(&gateway);
    gateway.signal("TERM");
    is_told(&mut peer, AWAY);
    peer.to_end();
    assert_eq!(gateway.exit().code(), Some(0));
}

#[test]
fn what_can_not_be_followed_is_simply_closed() {
    // A server's frame with a mask: whatever follows, nobody knows where it ends.
    let origin = origin(|link| {
        link.send(frame(TEXT, b"odd", Some([1; 4])))?;
        link.wait_closed();
        Ok(())
    });
    let gateway = gateway(&origin, "");
    let mut peer = open(&gateway);
    assert_eq!(read(&mut peer.0).expect("it passes").payload, b"odd");
    gateway.signal("TERM");
    assert_eq!(peer.to_end().0, b"");
    assert_eq!(gateway.exit().code(), Some(0));
}

#[test]
fn a_removed_listener_ends_its_tunnels() {
    let origin = echo();
    let text = |second: &str| {
        let upstream = format!("endpoints = [\"{}\"]", origin.address);
        let listener = "[listener.public]\naddress = \"127.0.0.1:0\"\n";
        upstream_and_route(&upstream, "websocket = true") + listener + second
    };
    let gateway = Setup::new(text("[listener.other]\naddress = \"127.0.0.1:0\"\n")).start();
    let mut stays = open(&gateway);
    let mut goes = tests::Peer::connect(gateway.address("other"));
    goes.ask(super::asking("")).is(101);
    let without = gateway
        .text()
        .replace("[listener.other]\naddress = \"127.0.0.1:0\"\n", "");
    gateway.rewrite(&without);
    is_told(&mut goes, AWAY);
    say(&mut goes, CLOSE, &AWAY.to_be_bytes());
    goes.is_closed();
    say(&mut stays, TEXT, b"still here");
    assert_eq!(hear(&mut stays).payload, b"still here");
}

#[test]
fn a_tunnel_outlives_reloads() {
    let gateway = gateway(&echo(), "");
    let mut peer = open(&gateway);
    gateway.rewrite(
        &gateway
            .text()
            .replace("path = \"/*\"", "path = \"/other/*\""),
    );
    gateway.wait_said("is live, generation 2", 0);
    say(&mut peer, TEXT, b"still here");
    assert_eq!(hear(&mut peer).payload, b"still here");
}

#[test]
fn an_origin_that_is_lost_ends_the_client_at_once() {
    let gate = Gate::new();
    let told = gate.clone();
    let origin = origin(move |link| {
        told.wait();
        link.reset();
        Ok(())
    });
    let gateway = gateway(&origin, "");
    let mut peer = open(&gateway);
    gate.open();
    assert_eq!(peer.to_end().0, b"");
    let line = gateway.wait_logged("\"statusCode\":101");
    assert!(
        line.contains("\"error\":\"connection_terminated\""),
        "{line}"
    );
    let errors =
        "gateway_backend_errors_total{upstream=\"backend\",kind=\"connection_terminated\"}";
    tests::metrics::wait(&gateway, errors, 1.0);
}

#[test]
fn a_client_that_is_lost_ends_the_origin_at_once() {
    let origin = echo();
    let gateway: Gateway = gateway(&origin, "");
    let peer = open(&gateway);
    peer.0.reset();
    origin.wait_ended(1);
    let line = gateway.wait_logged("\"statusCode\":101");
    assert!(line.contains("\"error\":\"client_gone\""), "{line}");
}
