//! The end of HTTP/2 connections: two-step GOAWAY at a shutdown, when a listener is removed, after so many requests, at an
//! age, when idle; requests in flight are answered, and none is lost between the two steps (RFC 9113 section 6.8).

use tests::http2::frame::{code, flag, kind};
use tests::http2::{Answering, Frame, Goaway, Manners};
use tests::{Gate, Gateway, Http2, Origin};

/// What the first GOAWAY of a farewell says: all streams are still taken.
const ALL: u32 = 0x7fff_ffff;

/// An HTTP/2 origin that holds requests for `/held` until told and answers others at once.
fn holding(gate: &Gate) -> Origin {
    let gate = gate.clone();
    Origin::http2(move |request| {
        if request.target == "/held" {
            gate.wait();
        }
        Answering::ok(request.target.clone())
    })
}

fn before(origin: &Origin, more: &str) -> Gateway {
    let route = "[route.own]\npath = \"/own\"\nauth = \"none\"\nrespond = \"200 own\"\n";
    Gateway::between(
        origin,
        tests::pairs::Speaks::Http2,
        &format!("{route}{more}"),
    )
}

fn listener(keys: &str) -> String {
    format!("[listener.public]\naddress = \"127.0.0.1:0\"\n{keys}\n")
}

/// Waits for so many GOAWAYs.
#[track_caller]
fn goaways(http2: &mut Http2, count: usize) -> Vec<Goaway> {
    let came = http2.until(|it| it.goaways.len() >= count);
    assert!(came.expect("it comes"), "{:?}", http2.goaways);
    http2.goaways.clone()
}

/// Answers the PING that came with the first GOAWAY.
fn confirm(http2: &mut Http2) {
    assert!(
        http2
            .until(|it| !it.pings.is_empty())
            .expect("a PING comes")
    );
    let ping = *http2.pings.last().expect("it has come");
    http2
        .send(&Frame::new(kind::PING, flag::ACK, 0, ping))
        .expect("it takes bytes");
}

#[test]
fn sigterm_says_farewell_in_two_steps_and_answers_what_is_asked() {
    let gate = Gate::new();
    let origin = holding(&gate);
    let gateway = before(&origin, "");
    let mut http2 = Http2::connect_with(gateway.address("public"), &[], Manners::NONE);
    http2.open(1, "/held");
    origin.wait_received(1);
    gateway.signal("TERM");
    let first = goaways(&mut http2, 1);
    assert_eq!((first[0].last, first[0].code), (ALL, code::NO_ERROR));
    // What was under way when the client had not heard of it is served.
    http2.get(3, "/own").is(200).body_is("own");
    confirm(&mut http2);
    let both = goaways(&mut http2, 2);
    assert_eq!((both[1].last, both[1].code), (3, code::NO_ERROR));
    // What comes behind the second is not taken on, and not an error either.
    http2.open(5, "/own");
    gate.open();
    http2.answer(1).is(200).body_is("/held");
    assert!(http2.to_end().is_ok(), "an orderly end");
    assert!(http2.coming(5).head.is_none());
    assert_eq!(gateway.exit().code(), Some(0));
    gateway.wait_said("drained: nothing was cut", 0);
}

#[test]
fn sigterm_ends_connections_that_ask_for_nothing() {
    let origin = holding(&Gate::new());
    let grace = "[gateway]\nworkers = 2\npin = false\nshutdown_grace = \"1h\"\n";
    let gateway = before(&origin, grace);
    let mut idle: Vec<Http2> = (0..5).map(|_| gateway.http2()).collect();
    idle[0].get(1, "/own").is(200);
    // One that has not even begun, and one that keeps silent in the middle of a frame.
    let mut raw = Http2::raw(gateway.address("public"));
    let mut partial = gateway.http2();
    partial
        .wire
        .write(&Frame::ping(*b"12345678").bytes()[..12])
        .expect("it takes bytes");
    gateway.signal("TERM");
    for http2 in &mut idle {
        assert!(http2.to_end().is_ok());
        assert_eq!(http2.goaways.len(), 2, "{:?}", http2.goaways);
    }
    let _ = raw.to_end();
    let _ = partial.to_end();
    assert_eq!(gateway.exit().code(), Some(0));
}

#[test]
fn a_client_that_does_not_confirm_is_not_waited_for() {
    let gate = Gate::new();
    let origin = holding(&gate);
    let gateway = before(&origin, "");
    let mut http2 = Http2::connect_with(gateway.address("public"), &[], Manners::NONE);
    http2.open(1, "/held");
    origin.wait_received(1);
    gateway.signal("TERM");
    let both = goaways(&mut http2, 2);
    assert_eq!((both[0].last, both[1].last), (ALL, 1));
    gate.open();
    http2.answer(1).is(200);
    assert!(http2.to_end().is_ok());
    assert_eq!(gateway.exit().code(), Some(0));
}

#[test]
fn an_upload_in_flight_goes_on_to_its_end() {
    let origin = Origin::http2(|request| Answering::ok(request.message.body.len().to_string()));
    let gateway = before(&origin, "");
    let mut http2 = gateway.http2();
    http2
        .head(1, &tests::http2::request("POST", "/"), false)
        .expect("it takes bytes");
    http2.body(1, &[b'x'; 1000], false).expect("it takes bytes");
    gateway.signal("TERM");
    goaways(&mut http2, 2);
    http2
        .body(1, &[b'x'; 500_000], true)
        .expect("it takes bytes");
    http2.answer(1).is(200).body_is("501000");
    assert!(http2.to_end().is_ok());
    assert_eq!(gateway.exit().code(), Some(0));
}

#[test]
fn what_outlasts_the_grace_is_cut_and_told() {
    let gate = Gate::new();
    let origin = holding(&gate);
    let gateway = before(
        &origin,
        "[gateway]\nworkers = 1\npin = false\nshutdown_grace = \"200ms\"\n",
    );
    let mut http2 = gateway.http2();
    http2.open(1, "/held");
    origin.wait_received(1);
    gateway.signal("TERM");
    let _ = http2.to_end();
    assert!(!http2.coming(1).ended);
    assert_eq!(gateway.exit().code(), Some(1));
    gate.open();
}

#[test]
fn a_listener_that_is_removed_drains_its_connections_alone() {
    let gate = Gate::new();
    let origin = holding(&gate);
    let other = "[listener.other]\naddress = \"127.0.0.1:0\"\n";
    let gateway = before(&origin, &format!("{}{other}", listener("")));
    let mut staying = gateway.http2();
    let mut leaving = Http2::connect(gateway.address("other"));
    leaving.open(1, "/held");
    origin.wait_received(1);
    let text = gateway.text();
    assert!(text.contains(other));
    gateway.rewrite(&text.replace(other, ""));
    gateway.signal("HUP");
    let both = goaways(&mut leaving, 2);
    assert_eq!((both[0].last, both[1].last), (ALL, 1));
    staying.get(1, "/own").is(200);
    assert_eq!(staying.goaways, []);
    gate.open();
    leaving.answer(1).is(200).body_is("/held");
    assert!(leaving.to_end().is_ok());
    staying.get(3, "/own").is(200);
}

#[test]
fn a_reload_that_keeps_the_listener_touches_no_connection() {
    let origin = holding(&Gate::new());
    let gateway = before(&origin, "");
    let mut http2 = gateway.http2();
    http2.get(1, "/own").is(200).body_is("own");
    let (_, seen) = gateway.wait_said("is live", 0);
    gateway.rewrite(&gateway.text().replace("200 own", "200 changed"));
    gateway.signal("HUP");
    gateway.wait_said("is live", seen);
    // Requests on the same connection see the new rules, as soon as its worker has taken them over.
    let mut stream = 3;
    while http2.get(stream, "/own").is(200).text() == "own" {
        stream += 2;
    }
    assert_eq!(http2.coming(stream).body, b"changed");
    assert_eq!(http2.goaways, []);
}

#[test]
fn after_so_many_requests_a_connection_ends_and_all_are_answered() {
    let origin = Origin::http2(|_| Answering::ok("x"));
    let gateway = before(&origin, &listener("max_requests_per_connection = 3"));
    let mut http2 = gateway.http2();
    for n in 0..3 {
        http2.open(2 * n + 1, "/");
    }
    for n in 0..3 {
        http2.answer(2 * n + 1).is(200);
    }
    assert!(http2.to_end().is_ok(), "an orderly end");
    let both = http2.goaways;
    assert_eq!(both.len(), 2, "{both:?}");
    assert_eq!(
        (both[0].last, both[1].last, both[1].code),
        (ALL, 5, code::NO_ERROR)
    );
}

#[test]
fn what_comes_between_the_two_steps_is_answered_too() {
    let origin = Origin::http2(|_| Answering::ok("x"));
    let gateway = before(&origin, &listener("max_requests_per_connection = 1"));
    let mut http2 = Http2::connect_with(gateway.address("public"), &[], Manners::NONE);
    http2.get(1, "/").is(200);
    goaways(&mut http2, 1);
    http2.get(3, "/").is(200);
    confirm(&mut http2);
    assert!(http2.to_end().is_ok());
    assert_eq!(http2.goaways[1].last, 3);
}

#[test]
fn a_connection_ends_at_its_age() {
    let gate = Gate::new();
    let origin = holding(&gate);
    let gateway = before(&origin, &listener("max_connection_age = \"1s\""));
    let (mut idle, mut busy) = (gateway.http2(), gateway.http2());
    busy.open(1, "/held");
    let both = goaways(&mut busy, 2);
    assert_eq!((both[0].last, both[1].last), (ALL, 1));
    gate.open();
    busy.answer(1).is(200);
    assert!(busy.to_end().is_ok());
    assert!(idle.to_end().is_ok());
    assert_eq!(idle.goaways.len(), 2, "{:?}", idle.goaways);
}

#[test]
fn a_connection_that_is_idle_for_too_long_ends_and_one_that_waits_for_its_answer_does_not() {
    let gate = Gate::new();
    let origin = holding(&gate);
    let gateway = before(&origin, &listener("idle_timeout = \"100ms\""));
    let (mut idle, mut busy) = (gateway.http2(), gateway.http2());
    busy.open(1, "/held");
    assert!(idle.to_end().is_ok());
    assert_eq!(idle.goaways.last().map(|it| it.code), Some(code::NO_ERROR));
    gate.open();
    busy.answer(1).is(200);
    assert!(busy.to_end().is_ok());
}
