//! Attacks by doing too little: windows that never open, bodies and heads that trickle, connections that take nothing.
//!
//! By their nature no number of frames ends these, since they send hardly any: each ends by one of the listener's time-outs,
//! which here are short, and what is looked at is how (which stream, with which word), never when. What they can hold until
//! then is bounded by frames: streams beyond `max_concurrent_streams` are refused, and a hundred refusals end the connection
//! (`pace/attacks.rs` counts them).

use tests::pairs::Speaks;

use super::blocks::open_block;
use super::*;

const SHORT: &str = "[listener.public]\naddress = \"127.0.0.1:0\"\nheader_timeout = \"200ms\"\n\
    body_timeout = \"200ms\"\nwrite_timeout = \"200ms\"\n";

/// An origin that answers `/` with a word and all else with 8 MiB.
fn generous(more: &str) -> (Origin, Gateway) {
    let large = "x".repeat(8 << 20);
    let origin = Origin::start(move |link| {
        while let Some(request) = link.request()? {
            link.send(tests::origin::ok(if request.target == "/" {
                "served"
            } else {
                &large
            }))?;
        }
        Ok(())
    });
    let gateway = Gateway::between(&origin, Speaks::Http1, more);
    (origin, gateway)
}

/// So many were ended by this time-out.
#[track_caller]
fn timed_out(gateway: &Gateway, timeout: &str, times: u32) {
    let series =
        format!("gateway_client_timeouts_total{{listener=\"public\",timeout=\"{timeout}\"}}");
    wait(gateway, &series, f64::from(times));
}

#[test]
fn windows_that_stay_at_zero() {
    let (origin, gateway) = generous(SHORT);
    let mut good = gateway.http2();
    good.get(1, "/").is(200);
    let before = resident(&gateway);
    let none = [(setting::INITIAL_WINDOW_SIZE, 0)];
    let mut http2 = Http2::connect_with(gateway.address("public"), &none, Manners::STINGY);
    for n in 0..50 {
        http2.open(2 * n + 1, "/large");
    }
    origin.wait_received(51);
    good.get(3, "/").is(200);
    // What waits for each stream is a buffer, not an answer.
    let grown = resident(&gateway).saturating_sub(before);
    assert!(grown < GROWTH, "{grown} bytes");
    // In the end every one of them is given up by itself, and its upstream's connection with it.
    let over = |it: &Http2| (0..50).all(|n| it.coming(2 * n + 1).reset.is_some());
    http2.until(over).expect("the connection itself goes on");
    for n in 0..50 {
        let reset = http2.coming(2 * n + 1).reset;
        assert_eq!(reset, Some(code::CANCEL), "stream {n}");
    }
    timed_out(&gateway, "write_timeout", 50);
    assert!(http2.goaways.is_empty() && http2.is_alive());
    origin.wait_ended(50);
    good.get(5, "/").is(200);
}

#[test]
fn windows_that_open_by_one_byte_get_that_byte_and_nothing_else() {
    // Whoever pays a frame for each byte is slow and no more: nothing ends it, and one stream with its buffer is what it has.
    const ROUNDS: usize = 1000;
    // Far more than a round takes.
    let patient = SHORT.replace("write_timeout = \"200ms\"", "write_timeout = \"3s\"");
    let (origin, gateway) = generous(&patient);
    let none = [(setting::INITIAL_WINDOW_SIZE, 0)];
    let mut good = gateway.http2();
    good.get(1, "/").is(200);
    let before = resident(&gateway);
    let mut http2 = Http2::connect_with(gateway.address("public"), &none, Manners::STINGY);
    http2.open(1, "/large");
    origin.wait_received(2);
    for round in 1..=ROUNDS {
        let sent = http2.send(&Frame::window_update(1, 1));
        sent.expect("it takes bytes");
        let came = http2.until(|it| it.got(1) >= round || it.coming(1).is_over());
        came.expect("it goes on");
        assert_eq!(http2.got(1), round);
    }
    assert!(http2.goaways.is_empty());
    let grown = resident(&gateway).saturating_sub(before);
    assert!(grown < GROWTH, "{grown} bytes");
    good.get(3, "/").is(200);
    // Once it pays no more it is given up.
    assert_eq!(http2.reset(1), code::CANCEL);
    timed_out(&gateway, "write_timeout", 1);
}

#[test]
fn a_body_that_stops() {
    let (_origin, gateway) = generous(SHORT);
    let mut http2 = gateway.http2();
    http2
        .head(1, &request("POST", "/"), false)
        .expect("it takes bytes");
    http2.body(1, b"some", false).expect("it takes bytes");
    http2.answer(1).is(408);
    assert!(http2.is_alive());
    http2.get(3, "/").is(200);
}

#[test]
fn a_body_that_trickles() {
    let slow = "[listener.public]\naddress = \"127.0.0.1:0\"\nbody_timeout = \"1h\"\nmin_body_rate = \"1MiB\"\n";
    let (_origin, gateway) = generous(slow);
    let mut http2 = gateway.http2();
    http2
        .head(1, &request("POST", "/"), false)
        .expect("it takes bytes");
    // At the pace of the gateway's own answers to PING, far below 1 MiB a second on average.
    let gate = tests::Gate::new();
    while http2.body(1, b"x", false).is_ok() && !http2.coming(1).is_over() {
        gate.wait_at_most(std::time::Duration::from_millis(50));
        if http2.send(&Frame::ping(*b"trickles")).is_err() {
            break;
        }
        let answered = http2.pongs.len() + 1;
        let _ = http2.until(|it| it.pongs.len() >= answered || it.coming(1).is_over());
    }
    http2.answer(1).is(408);
    timed_out(&gateway, "min_body_rate", 1);
    // The stream alone.
    http2.get(3, "/").is(200);
}

#[test]
fn a_head_that_does_not_end() {
    let (_origin, gateway) = generous(SHORT);
    let mut good = gateway.http2();
    // In the middle of a frame's header, of a frame, and of a block.
    let whole = Frame::headers(1, hpack::block(&request("GET", "/")), true).bytes();
    for part in [&whole[..5], &whole[..20]] {
        let mut http2 = gateway.http2();
        http2.wire.write(part).expect("it takes bytes");
        let _ = http2.to_end();
    }
    let mut http2 = gateway.http2();
    open_block(&mut http2).expect("it takes bytes");
    let _ = http2.to_end();
    good.get(1, "/").is(200);
}

#[test]
fn a_block_that_trickles() {
    // Each part comes in time, the whole does not.
    let (_origin, gateway) = generous(SHORT);
    let mut http2 = gateway.http2();
    open_block(&mut http2).expect("it takes bytes");
    let gate = tests::Gate::new();
    while http2.send(&Frame::continuation(1, [], false)).is_ok() {
        gate.wait_at_most(std::time::Duration::from_millis(100));
    }
    let _ = http2.to_end();
    // Not for the number of its parts, which would be ENHANCE_YOUR_CALM.
    let codes: Vec<u32> = http2.goaways.iter().map(|it| it.code).collect();
    assert_eq!(codes, [code::NO_ERROR]);
}

#[test]
fn a_preface_without_settings() {
    let (_origin, gateway) = generous(SHORT);
    let mut http2 = Http2::raw(gateway.address("public"));
    http2.manners = Manners::NONE;
    http2
        .wire
        .write(tests::http2::frame::PREFACE)
        .expect("it takes bytes");
    let _ = http2.to_end();
    assert!(http2.coming(1).head.is_none());
}

#[test]
fn a_client_that_takes_nothing() {
    // Nothing is read of the socket: what the gateway writes comes to a stop, and with it the connection.
    let (origin, gateway) = generous(SHORT);
    let mut good = gateway.http2();
    good.get(1, "/").is(200);
    let before = resident(&gateway);
    let wide = [(setting::INITIAL_WINDOW_SIZE, 0x7fff_ffff)];
    let mut http2 = Http2::connect_with(gateway.address("public"), &wide, Manners::NONE);
    http2
        .send(&Frame::window_update(0, 0x7fff_0000))
        .expect("it takes bytes");
    for n in 0..20 {
        http2.open(2 * n + 1, "/large");
    }
    origin.wait_ended(20);
    let grown = resident(&gateway).saturating_sub(before);
    assert!(grown < GROWTH, "{grown} bytes");
    good.get(3, "/").is(200);
}
