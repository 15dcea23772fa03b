//! Attacks by doing too little: windows that never open, bodies and heads that trickle, connections that take nothing.
//! They cost what they hold only for as long as the listener's time-outs allow.

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
    // In the end every one of them is given up, and its upstream's connection with it.
    let over = |it: &Http2| (0..50).all(|n| it.coming(2 * n + 1).reset.is_some());
    let gone = http2.until(over);
    assert!(gone.is_err() || gone.is_ok_and(|all| all) || !http2.goaways.is_empty());
    origin.wait_ended(50);
    good.get(5, "/").is(200);
}

#[test]
fn windows_that_open_by_one_byte_only_to_keep_the_stream() {
    let (origin, gateway) = generous(SHORT);
    let none = [(setting::INITIAL_WINDOW_SIZE, 0)];
    let mut http2 = Http2::connect_with(gateway.address("public"), &none, Manners::STINGY);
    let mut good = gateway.http2();
    http2.open(1, "/large");
    origin.wait_received(1);
    // A byte for each round: the time-out of a write does not strike, but the flood of updates is bounded.
    let mut rounds = 0;
    while http2.send(&Frame::window_update(1, 1)).is_ok() && rounds < 5000 {
        rounds += 1;
        let more = http2.until(|it| it.got(1) >= rounds || it.coming(1).reset.is_some());
        if !matches!(more, Ok(true)) || http2.coming(1).reset.is_some() {
            break;
        }
    }
    good.get(1, "/").is(200);
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
    let start = std::time::Instant::now();
    let mut parts = 0;
    while http2.send(&Frame::continuation(1, [], false)).is_ok() && parts < 30 {
        parts += 1;
        gate.wait_at_most(std::time::Duration::from_millis(100));
    }
    let _ = http2.to_end();
    assert!(parts < 30, "{parts} parts in {:?}", start.elapsed());
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
