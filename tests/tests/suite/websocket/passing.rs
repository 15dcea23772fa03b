//! What passes through a tunnel: everything, both ways at once, however it is cut.

use std::time::Duration;

use serde_json::Value;
use tests::metrics::wait;
use tests::{Gate, Origin};

use super::frames::{BINARY, CLOSE, TEXT, frame, read};
use super::{asking, consent, echo, gateway, hear, open, origin, say};

/// Bytes without a pattern (xorshift, Marsaglia 2003).
fn noise(seed: u32, len: usize) -> Vec<u8> {
    let mut x = seed;
    let word = move || {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        x
    };
    let mut bytes: Vec<u8> = std::iter::repeat_with(word)
        .take(len.div_ceil(4))
        .flat_map(u32::to_le_bytes)
        .collect();
    bytes.truncate(len);
    bytes
}

#[test]
fn messages_pass_both_ways_however_they_are_cut() {
    let gateway = gateway(&echo(), "");
    let mut peer = open(&gateway);
    let messages: Vec<Vec<u8>> = [0, 1, 125, 126, 300, 65_535, 65_536, 70_000]
        .into_iter()
        .enumerate()
        .map(|(seed, len)| noise(seed as u32 + 1, len))
        .collect();
    let mut stream = Vec::new();
    for message in &messages {
        stream.extend(frame(BINARY, message, Some([1, 2, 3, 4])));
    }
    let mut rest = &stream[..];
    let cuts = noise(77, 4096);
    let mut cuts = cuts.iter().cycle();
    while !rest.is_empty() {
        let cut = cuts.next().expect("they go round");
        let len = match cut {
            0..64 => 1,
            64..128 => usize::from(*cut),
            _ => usize::from(*cut) * 150,
        };
        let (piece, later) = rest.split_at(len.min(rest.len()));
        peer.send(piece);
        rest = later;
    }
    for message in &messages {
        assert!(hear(&mut peer).payload == *message, "{}", message.len());
    }
    say(&mut peer, CLOSE, &[3, 232]);
    assert_eq!(hear(&mut peer).opcode, CLOSE);
    peer.is_closed();
}

#[test]
fn big_messages_pass_both_ways_at_once() {
    const BIG: usize = 8 << 20;
    let origin = origin(|link| {
        let mut other = link.wire.stream().try_clone()?;
        let sender = std::thread::spawn(move || {
            std::io::Write::write_all(&mut other, &frame(BINARY, &noise(2, BIG), None))
        });
        let came = read(&mut link.wire)?;
        assert!(came.payload == noise(1, BIG), "it came as it was sent");
        sender.join().expect("it has not failed")?;
        link.send(frame(TEXT, b"done", None))
    });
    let gateway = gateway(&origin, "");
    let mut peer = open(&gateway);
    let mut other = peer.0.stream().try_clone().expect("a descriptor");
    let sender = std::thread::spawn(move || {
        std::io::Write::write_all(&mut other, &frame(BINARY, &noise(1, BIG), Some([5; 4])))
    });
    assert!(hear(&mut peer).payload == noise(2, BIG));
    assert_eq!(hear(&mut peer).payload, b"done");
    sender.join().expect("no panic").expect("it was taken");
}

#[test]
fn what_comes_right_behind_the_heads_is_not_lost() {
    let origin = Origin::start(|link| {
        let request = link.request_head()?.expect("a request");
        let mut answer = consent(&request, "").into_bytes();
        answer.extend(frame(TEXT, b"early", None));
        link.send(answer)?;
        let heard = read(&mut link.wire)?;
        link.send(frame(TEXT, &heard.payload, None))
    });
    let gateway = gateway(&origin, "");
    let mut peer = gateway.peer();
    let mut asked = asking("").into_bytes();
    asked.extend(frame(TEXT, b"impatient", Some([1; 4])));
    peer.send(asked).answer().is(101);
    assert_eq!(hear(&mut peer).payload, b"early");
    assert_eq!(hear(&mut peer).payload, b"impatient");
    peer.is_closed();
}

#[test]
fn a_tunnel_that_was_quiet_goes_on() {
    let gateway = gateway(&echo(), "");
    let mut peer = open(&gateway);
    for word in ["one", "two", "three"] {
        // Longer than a tunnel keeps its buffers.
        Gate::new().wait_at_most(Duration::from_millis(60));
        say(&mut peer, TEXT, word.as_bytes());
        assert_eq!(hear(&mut peer).payload, word.as_bytes());
    }
}

#[test]
fn a_side_that_has_ended_can_still_be_spoken_to() {
    let origin = origin(|link| {
        let (heard, end) = link.wire.drain();
        assert!(end.is_ok(), "the client's end is an orderly one");
        link.send(heard)?;
        link.send("and more")
    });
    let gateway = gateway(&origin, "");
    let mut peer = open(&gateway);
    peer.send("whatever").0.finish();
    assert_eq!(peer.to_end().0, b"whateverand more");
    origin.wait_ended(1);
}

#[test]
fn the_line_in_the_log_comes_at_the_end_and_counts_bytes() {
    let origin = echo();
    let gateway = gateway(&origin, "");
    let mut peer = gateway.peer();
    let asked = asking("");
    let answer = peer.ask(&asked);
    let id = answer.field("x-request-id").expect("every answer has one");
    wait(
        &gateway,
        "gateway_active_connections{listener=\"public\"}",
        1.0,
    );
    let (sent, heard) = (
        frame(TEXT, &[7; 1000], Some([1; 4])),
        frame(TEXT, &[7; 1000], None),
    );
    peer.send(&sent);
    hear(&mut peer);
    assert_eq!(gateway.logged(), Vec::<String>::new(), "it is not over");
    let close = frame(CLOSE, &[3, 232], Some([1; 4]));
    peer.send(&close);
    hear(&mut peer);
    peer.is_closed();
    let line: Value = serde_json::from_str(&gateway.wait_logged(&id)).expect("JSON");
    assert_eq!(line["statusCode"], 101, "{line}");
    assert_eq!(line["method"], "GET", "{line}");
    assert_eq!(line["bytesIn"], asked.len() + sent.len() + close.len());
    let out = answer.message.head.len() + heard.len() + close.len() - 4;
    assert_eq!(line["bytesOut"], out, "{line}");
    assert_eq!(line.get("error"), None, "{line}");
    wait(
        &gateway,
        "gateway_active_connections{listener=\"public\"}",
        0.0,
    );
    let series = "gateway_upstream_connections{upstream=\"backend\",state=\"idle\"}";
    wait(&gateway, series, 0.0);
    origin.wait_ended(1);
}
