//! What a reload keeps, begins and ends of checks, and that a gateway which drains checks nobody.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tests::gateway::upstream_and_route;
use tests::metrics::Metrics;
use tests::origin::ok;
use tests::{Gate, Gateway, Origin, PATIENCE};

use super::{OFTEN, Patient, counts, none_is_left, over, results, wait_healthy, wait_results};

/// Rewrites the configuration and waits until it is live.
#[track_caller]
fn reload(gateway: &Gateway, from: &str, to: &str) {
    let next = gateway.said().len();
    let text = gateway.text();
    assert!(text.contains(from), "{text}");
    gateway.rewrite(&text.replace(from, to));
    gateway.wait_said("is live, generation", next);
}

/// Asks until this is the answer: a worker takes a configuration up on its next tick.
#[track_caller]
fn until(gateway: &Gateway, text: &str) {
    let (start, mut peer) = (Instant::now(), gateway.peer());
    while peer.get("/").text() != text {
        assert!(start.elapsed() < PATIENCE, "{text} is never heard");
    }
}

#[test]
fn a_reload_keeps_what_is_known_of_endpoints_that_stay() {
    let (a, b) = (Patient::new("a"), Patient::new("b"));
    b.say(500);
    // One check each, at the start; the next is far away.
    let keys = "health_path = \"/up\"\nhealth_interval = \"1h\"\ntimeout = \"50s\"";
    let endpoints = [a.address(), b.address()];
    let upstream = format!("endpoints = {endpoints:?}\n{keys}");
    let gateway = Gateway::start(upstream_and_route(&upstream, ""));
    wait_healthy(&gateway, &b.address(), false);
    reload(&gateway, "timeout = \"50s\"", "timeout = \"51s\"");
    wait_healthy(&gateway, &b.address(), false);
    assert_eq!(counts(&gateway, 20), HashMap::from([("a".into(), 20)]));
    assert_eq!(results(&gateway, &b.address(), "status"), 1.0);
    // Asked something else, its first answer decides, and until then what was known holds.
    reload(&gateway, "\"/up\"", "\"/other\"");
    wait_healthy(&gateway, &b.address(), true);
    let line = format!("endpoint {} is healthy again", b.address());
    gateway.wait_said(&line, 0);
    assert_eq!(counts(&gateway, 20).len(), 2);
}

#[test]
fn a_reload_begins_and_ends_checks() {
    let (a, b) = (Patient::new("a"), Patient::new("b"));
    a.say(500);
    let gateway = Gateway::start(over(&[a.address()], "health_path = \"/up\""));
    wait_healthy(&gateway, &a.address(), false);
    none_is_left(&gateway);
    // A new endpoint is healthy from the first moment, and checked.
    let both = format!("endpoints = {:?}", [a.address(), b.address()]);
    let only = format!("endpoints = {:?}", [a.address()]);
    reload(&gateway, &only, &both);
    until(&gateway, "b");
    assert_eq!(counts(&gateway, 10), HashMap::from([("b".into(), 10)]));
    wait_results(&gateway, &b.address(), "ok", 2.0);
    // Without checks nobody is unhealthy.
    reload(&gateway, "health_path = \"/up\"", "health_check = \"off\"");
    until(&gateway, "a");
    assert_eq!(counts(&gateway, 20).len(), 2);
    let page = Metrics::of(&gateway);
    assert_eq!(page.value("gateway_upstream_healthy"), None);
    quiet(&a);
    // With them again, they are asked again.
    reload(&gateway, "health_check = \"off\"", "health_path = \"/up\"");
    wait_healthy(&gateway, &a.address(), false);
    let start = Instant::now();
    while counts(&gateway, 20).len() > 1 {
        assert!(start.elapsed() < PATIENCE, "it is asked all the same");
    }
}

/// Waits until no checks come any more: for many times the interval.
#[track_caller]
fn quiet(patient: &Patient) {
    let start = Instant::now();
    let (mut count, mut since) = (patient.origin.connections(), Instant::now());
    while since.elapsed() < Duration::from_millis(500) {
        assert!(start.elapsed() < PATIENCE, "checks go on");
        let now = patient.origin.connections();
        if now != count {
            (count, since) = (now, Instant::now());
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_gateway_that_drains_checks_nobody() {
    let (gate, checked) = (Gate::new(), Patient::new("checked"));
    let told = gate.clone();
    let slow = Origin::start(move |link| {
        link.request()?;
        told.wait();
        link.send(ok("done"))
    });
    let text = format!(
        "{}[upstream.checked]\nendpoints = [\"{}\"]\nhealth_path = \"/up\"\n{OFTEN}\
         [route.checked]\npath = \"/checked\"\nupstream = \"checked\"\nauth = \"none\"\n",
        upstream_and_route(&format!("endpoints = [\"{}\"]", slow.address), ""),
        checked.address(),
    );
    let gateway = Gateway::start(text);
    let mut held = gateway.peer();
    held.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    slow.wait_received(1);
    checked.origin.wait_received(3);
    gateway.signal("TERM");
    gateway.wait_said("draining", 0);
    quiet(&checked);
    gate.open();
    held.answer().is(200).body_is("done");
    assert!(gateway.exit().success());
}
