//! The attacks on HTTP/2 that have a name: each ends its connection by GOAWAY with ENHANCE_YOUR_CALM within a stated number
//! of frames; meanwhile a well-behaved client on the same worker is served, and memory does not grow. And what honest
//! clients do in good numbers is no attack.

use std::io;

use tests::http2::frame::{code, kind, setting};
use tests::http2::{Frame, Manners, fields, hpack, request};
use tests::metrics::wait;
use tests::{Gateway, Http2, Origin};

mod blocks;
mod floods;
mod honest;
mod pace;
mod stalls;

/// One attack.
struct Attack {
    /// As the metric has it.
    cause: &'static str,
    /// What is done before it is counted.
    before: fn(&mut Http2) -> io::Result<()>,
    /// The frames of one step, by its number from 0.
    step: fn(u32) -> Vec<Frame>,
    /// After so many steps the connection must have ended.
    most: u32,
    /// After so many it must not, by themselves.
    least: u32,
}

/// How much the resident memory may grow.
const GROWTH: u64 = 32 << 20;
/// Connections that attack, one after the other, none of them closed by its client.
const ATTACKERS: usize = 5;

/// A gateway with one worker that answers `/` by itself, before an origin that answers nothing: what an attack does to
/// the origin is not what is looked at here.
fn gateway() -> Gateway {
    let origin = Origin::start(|link| {
        link.wait_closed();
        Ok(())
    });
    let route = "[route.own]\npath = \"/\"\nauth = \"none\"\nrespond = \"200 served\"\n";
    Gateway::before(origin.address, route)
}

/// Resident bytes of a process.
fn resident(gateway: &Gateway) -> u64 {
    let path = format!("/proc/{}/statm", gateway.id());
    let text = std::fs::read_to_string(path).expect("the process lives");
    let pages = text.split(' ').nth(1).and_then(|it| it.parse::<u64>().ok());
    pages.expect("the second number") * 4096
}

/// A request that is never answered.
fn held(stream: u32) -> Frame {
    Frame::headers(stream, hpack::block(&request("GET", "/held")), true)
}

/// A request whose body is still to come, and which is never answered.
fn post(stream: u32) -> Frame {
    Frame::headers(stream, hpack::block(&request("POST", "/held")), false)
}

fn nothing(_: &mut Http2) -> io::Result<()> {
    Ok(())
}

fn one_held(http2: &mut Http2) -> io::Result<()> {
    http2.send(&held(1))
}

/// Mounts it from several connections.
#[track_caller]
fn mount(attack: &Attack) {
    let gateway = gateway();
    let mut good = gateway.http2();
    let mut stream = 1;
    let mut serve = |http2: &mut Http2| {
        http2.get(stream, "/").is(200).body_is("served");
        http2.forget(stream);
        stream += 2;
    };
    // Whatever a connection and a request take at most has been taken.
    for _ in 0..50 {
        serve(&mut good);
        gateway.http2().get(1, "/").is(200);
    }
    let before = resident(&gateway);
    let mut ended = Vec::new();
    for _ in 0..ATTACKERS {
        let mut http2 = Http2::connect_with(gateway.address("public"), &[], Manners::NONE);
        (attack.before)(&mut http2).expect("it takes bytes");
        for n in 0..attack.least {
            http2.send_all(&(attack.step)(n)).expect("it takes bytes");
        }
        assert!(
            http2.is_alive(),
            "{}: so few are no attack: {:?}",
            attack.cause,
            http2.goaways
        );
        for n in attack.least..attack.most {
            // It may have been told already.
            if http2.send_all(&(attack.step)(n)).is_err() {
                break;
            }
            if n % 50 == 0 {
                serve(&mut good);
            }
        }
        let goaway = http2.ends_with(code::ENHANCE_YOUR_CALM);
        assert_eq!(goaway.words, attack.cause);
        serve(&mut good);
        ended.push(http2);
    }
    let grown = resident(&gateway).saturating_sub(before);
    assert!(grown < GROWTH, "{}: {grown} bytes", attack.cause);
    serve(&mut good);
    let series = format!(
        "gateway_http2_errors_total{{listener=\"public\",cause=\"{}\"}}",
        attack.cause
    );
    wait(&gateway, &series, ATTACKERS as f64);
}

#[test]
fn rapid_reset() {
    // CVE-2023-44487.
    mount(&Attack {
        cause: "rapid_reset",
        before: nothing,
        step: |n| vec![held(2 * n + 1), Frame::reset(2 * n + 1, code::CANCEL)],
        most: 400,
        least: 100,
    });
}

#[test]
fn rapid_reset_of_what_is_answered_by_the_gateway_itself() {
    mount(&Attack {
        cause: "rapid_reset",
        before: nothing,
        step: |n| {
            let head = hpack::block(&request("POST", "/"));
            vec![
                Frame::headers(2 * n + 1, head, false),
                Frame::reset(2 * n + 1, code::NO_ERROR),
            ]
        },
        most: 400,
        least: 100,
    });
}

/// The forms of CVE-2025-8671: frames that make the gateway reset a stream itself.
#[track_caller]
fn server_made(step: fn(u32) -> Vec<Frame>) {
    mount(&Attack {
        cause: "forced_reset",
        before: nothing,
        step,
        most: 200,
        least: 50,
    });
}

#[test]
fn resets_made_by_windows_that_overflow() {
    server_made(|n| {
        let most = Frame::window_update(2 * n + 1, 0x7fff_ffff);
        vec![held(2 * n + 1), most]
    });
}

#[test]
fn resets_made_by_window_updates_of_nothing() {
    server_made(|n| vec![held(2 * n + 1), Frame::window_update(2 * n + 1, 0)]);
}

#[test]
fn resets_made_by_data_behind_the_end() {
    server_made(|n| vec![held(2 * n + 1), Frame::data(2 * n + 1, *b"x", true)]);
}

#[test]
fn resets_made_by_heads_behind_the_end() {
    server_made(|n| vec![held(2 * n + 1), post(2 * n + 1)]);
}

#[test]
fn resets_made_by_broken_lengths() {
    server_made(|n| {
        let head = [request("POST", "/held"), fields(&[("content-length", "1")])].concat();
        vec![
            Frame::headers(2 * n + 1, hpack::block(&head), false),
            Frame::data(2 * n + 1, *b"xy", false),
        ]
    });
}

#[test]
fn resets_made_by_malformed_heads() {
    server_made(|n| {
        let head = [request("GET", "/held"), fields(&[("connection", "close")])].concat();
        vec![Frame::headers(2 * n + 1, hpack::block(&head), true)]
    });
}

#[test]
fn resets_made_by_streams_that_depend_on_themselves() {
    server_made(|n| vec![held(2 * n + 1), Frame::priority(2 * n + 1, 2 * n + 1)]);
}

#[test]
fn resets_made_by_too_many_streams() {
    mount(&Attack {
        cause: "forced_reset",
        // As many as are allowed, and all beyond is refused.
        before: |it| {
            let streams: Vec<Frame> = (0..100).map(|n| held(2 * n + 1)).collect();
            it.send_all(&streams)
        },
        step: |n| vec![held(2 * n + 201)],
        most: 200,
        least: 50,
    });
}
