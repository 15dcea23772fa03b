//! Active health checks: what an endpoint is asked, that an unhealthy one gets nothing until it is well again, what is shown
//! of it. What a reload and a drain make of it is in `health/changes.rs`, checks by gRPC in `health/grpc.rs`, over TLS in
//! `health/tls.rs`.

use std::collections::HashMap;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Instant;

use tests::gateway::upstream_and_route;
use tests::metrics::{Metrics, wait};
use tests::origin::{Refusing, Silent, ok};
use tests::wire::Wire;
use tests::{End, Gate, Gateway, Origin, PATIENCE, Peer};

mod changes;
mod grpc;
mod tls;

/// Often, so that tests are soon over; patient, so that a busy machine is no failure.
const OFTEN: &str = "health_interval = \"20ms\"\nhealth_timeout = \"30s\"\n";

/// An origin that answers `/up` with a status that can be changed, and everything else with its name.
struct Patient {
    origin: Origin,
    status: Arc<AtomicU16>,
}

impl Patient {
    fn new(name: &'static str) -> Patient {
        let status = Arc::new(AtomicU16::new(200));
        let told = Arc::clone(&status);
        let origin = Origin::start(move |link| {
            while let Some(request) = link.request()? {
                match request.target.as_str() {
                    "/up" => {
                        let status = told.load(Ordering::SeqCst);
                        link.send(format!("HTTP/1.1 {status} It\r\nContent-Length: 0\r\n\r\n"))?;
                    }
                    _ => link.send(ok(name))?,
                }
            }
            Ok(())
        });
        Patient { origin, status }
    }

    fn address(&self) -> String {
        self.origin.address.to_string()
    }

    fn say(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// Requests that were no checks.
    fn served(&self) -> usize {
        let received = self.origin.received();
        received.iter().filter(|it| it.target != "/up").count()
    }
}

/// An upstream of these endpoints with these keys, and a route to it.
fn over(endpoints: &[String], keys: &str) -> String {
    upstream_and_route(&format!("endpoints = {endpoints:?}\n{OFTEN}{keys}"), "")
}

/// Waits until the metric says so of an endpoint of the upstream `backend`.
#[track_caller]
fn wait_healthy(gateway: &Gateway, endpoint: &str, healthy: bool) {
    let series =
        format!("gateway_upstream_healthy{{upstream=\"backend\",endpoint=\"{endpoint}\"}}");
    wait(gateway, &series, if healthy { 1.0 } else { 0.0 });
}

/// How many checks of an endpoint had this result.
fn results(gateway: &Gateway, endpoint: &str, result: &str) -> f64 {
    let series = format!(
        "gateway_upstream_health_checks_total{{upstream=\"backend\",endpoint=\"{endpoint}\",result=\"{result}\"}}"
    );
    Metrics::of(gateway).value(&series).unwrap_or(0.0)
}

#[track_caller]
fn wait_results(gateway: &Gateway, endpoint: &str, result: &str, least: f64) {
    let start = Instant::now();
    while results(gateway, endpoint, result) < least {
        let page = Metrics::of(gateway);
        assert!(start.elapsed() < PATIENCE, "{result}:\n{}", page.text());
        std::thread::yield_now();
    }
}

/// Who answered how often, by the text of the answer.
fn counts(gateway: &Gateway, requests: usize) -> HashMap<String, usize> {
    let mut peer = gateway.peer();
    let mut counts = HashMap::new();
    for _ in 0..requests {
        *counts.entry(peer.get("/").is(200).text()).or_default() += 1;
    }
    counts
}

#[track_caller]
fn none_is_left(gateway: &Gateway) {
    let answer = gateway.get("/");
    answer.problem(503, "/", "Service unavailable");
    let status = answer.field("proxy-status").expect("it says why");
    assert!(status.contains("no_healthy_endpoint"), "{status}");
    assert!(answer.field("retry-after").is_some());
}

#[test]
fn a_sick_endpoint_gets_nothing_until_it_is_well_again() {
    for balance in ["round_robin", "least_requests", "random"] {
        let (a, b) = (Patient::new("a"), Patient::new("b"));
        let keys = format!("health_path = \"/up\"\nbalance = \"{balance}\"");
        let gateway = Gateway::start(over(&[a.address(), b.address()], &keys));
        wait_results(&gateway, &b.address(), "ok", 1.0);
        wait_healthy(&gateway, &b.address(), true);
        b.say(503);
        wait_healthy(&gateway, &b.address(), false);
        let line = format!(
            "upstream backend: endpoint {} is unhealthy: status 503; 1 of 2 are left",
            b.address()
        );
        let (_, next) = gateway.wait_said(&line, 0);
        let before = b.served();
        assert_eq!(counts(&gateway, 100), HashMap::from([("a".into(), 100)]));
        assert_eq!(b.served(), before, "{balance}");
        wait_healthy(&gateway, &a.address(), true);
        b.say(204);
        wait_healthy(&gateway, &b.address(), true);
        let line = format!("endpoint {} is healthy again; 2 of 2 are", b.address());
        gateway.wait_said(&line, next);
        let counts = counts(&gateway, 100);
        assert_eq!(counts.len(), 2, "{balance}: {counts:?}");
    }
}

#[test]
fn what_a_check_asks() {
    let origin = Patient::new("a");
    let keys = "health_path = \"/up?\"\nhealth_host = \"up.example\"";
    let gateway = Gateway::start(over(&[origin.address()], keys));
    origin.origin.wait_received(2);
    let request = origin.origin.received().remove(0);
    assert_eq!(request.message.line, "GET /up? HTTP/1.1");
    request.has("host", "up.example").has("connection", "close");
    let agent = request.field("user-agent").expect("it says who asks");
    assert!(agent.starts_with("portcullis/"), "{agent}");
    // A check is no request of anybody's.
    let page = Metrics::of(&gateway);
    assert_eq!(page.value("gateway_requests_total"), None);
}

#[test]
fn the_host_of_a_check_is_the_endpoint_unless_said() {
    let origin = Patient::new("a");
    let _gateway = Gateway::start(over(&[origin.address()], "health_path = \"/up\""));
    origin.origin.wait_received(1);
    origin.origin.received()[0].has("host", &origin.address());
}

#[test]
fn a_change_takes_as_many_results_in_a_row_as_said() {
    let origin = Patient::new("a");
    let keys = "health_path = \"/up\"\nhealth_unhealthy = 5\nhealth_healthy = 4";
    let gateway = Gateway::start(over(&[origin.address()], keys));
    let endpoint = origin.address();
    wait_results(&gateway, &endpoint, "ok", 1.0);
    origin.say(500);
    wait_healthy(&gateway, &endpoint, false);
    assert!(results(&gateway, &endpoint, "status") >= 5.0);
    none_is_left(&gateway);
    let before = results(&gateway, &endpoint, "ok");
    origin.say(200);
    wait_healthy(&gateway, &endpoint, true);
    assert!(results(&gateway, &endpoint, "ok") >= before + 4.0);
    gateway.get("/").is(200).body_is("a");
}

#[test]
fn which_statuses_are_good_can_be_said() {
    let (a, b) = (Patient::new("a"), Patient::new("b"));
    a.say(404);
    b.say(301);
    let keys = "health_path = \"/up\"\nhealth_status = [\"200-299\", \"404\"]";
    let gateway = Gateway::start(over(&[a.address(), b.address()], keys));
    wait_healthy(&gateway, &b.address(), false);
    wait_results(&gateway, &a.address(), "ok", 3.0);
    wait_healthy(&gateway, &a.address(), true);
}

#[test]
fn with_all_unhealthy_the_answer_is_503() {
    let (a, b) = (Patient::new("a"), Patient::new("b"));
    a.say(500);
    b.say(500);
    let gateway = Gateway::start(over(&[a.address(), b.address()], "health_path = \"/up\""));
    gateway.wait_said("; none of 2 is left, requests get 503", 0);
    none_is_left(&gateway);
    assert_eq!((a.served(), b.served()), (0, 0));
    wait(
        &gateway,
        "gateway_backend_errors_total{upstream=\"backend\",kind=\"no_healthy_endpoint\"}",
        1.0,
    );
    a.say(200);
    wait_healthy(&gateway, &a.address(), true);
    assert_eq!(counts(&gateway, 10), HashMap::from([("a".into(), 10)]));
}

#[test]
fn a_check_by_connection() {
    let (up, down) = (Origin::saying("up"), Refusing::new());
    let endpoints = [up.address.to_string(), down.address.to_string()];
    let gateway = Gateway::start(over(&endpoints, "health_check = \"tcp\""));
    wait_healthy(&gateway, &endpoints[1], false);
    gateway.wait_said("is unhealthy: connection refused; 1 of 2 are left", 0);
    assert!(results(&gateway, &endpoints[1], "connection_refused") >= 1.0);
    wait_results(&gateway, &endpoints[0], "ok", 3.0);
    assert_eq!(counts(&gateway, 10), HashMap::from([("up".into(), 10)]));
    // Nobody was tried in vain.
    let page = Metrics::of(&gateway);
    let errors = page.value("gateway_backend_errors_total{upstream=\"backend\"}");
    assert_eq!(errors, None);
}

#[test]
fn what_takes_too_long_is_not_good() {
    let (gate, silent) = (Gate::new(), Silent::new());
    let told = gate.clone();
    let slow = Origin::start(move |link| {
        link.request()?;
        told.wait();
        Ok(())
    });
    let endpoints = [slow.address.to_string(), silent.address.to_string()];
    let upstream = format!(
        "endpoints = {endpoints:?}\nhealth_path = \"/up\"\nhealth_interval = \"20ms\"\nhealth_timeout = \"100ms\""
    );
    let gateway = Gateway::start(upstream_and_route(&upstream, ""));
    wait_healthy(&gateway, &endpoints[0], false);
    wait_healthy(&gateway, &endpoints[1], false);
    gateway.wait_said("is unhealthy: no whole answer came within 100ms", 0);
    gateway.wait_said("is unhealthy: no connection stood within 100ms", 0);
    assert!(results(&gateway, &endpoints[0], "timeout") >= 1.0);
    assert!(results(&gateway, &endpoints[1], "connect_timeout") >= 1.0);
    // A check that is given up is over for the endpoint too.
    slow.wait_connections(2);
    gate.open();
}

#[test]
fn connections_that_are_passed_on_unopened_go_by_it_too() {
    let (up, down) = (Origin::start(|link| link.send("hello")), Refusing::new());
    let listener =
        "[listener.public]\naddress = \"127.0.0.1:0\"\npassthrough = [\"* -> backend\"]\n";
    let endpoints = [up.address.to_string(), down.address.to_string()];
    let text = format!(
        "{listener}[upstream.backend]\nendpoints = {endpoints:?}\nhealth_check = \"tcp\"\n{OFTEN}"
    );
    let gateway = Gateway::start(text);
    wait_healthy(&gateway, &endpoints[1], false);
    for _ in 0..10 {
        let mut peer = gateway.peer();
        peer.send("\x16");
        assert_eq!(peer.0.take(5).expect("bytes"), b"hello");
    }
    let refused = "gateway_backend_errors_total{upstream=\"backend\",kind=\"connection_refused\"}";
    assert_eq!(Metrics::of(&gateway).value(refused), None);
}

#[test]
fn with_all_unhealthy_no_connection_is_passed_on() {
    let down = Refusing::new();
    let endpoint = down.address.to_string();
    let text = format!(
        "[listener.public]\naddress = \"127.0.0.1:0\"\npassthrough = [\"* -> backend\"]\n\
         [upstream.backend]\nendpoints = [\"{endpoint}\"]\nhealth_check = \"tcp\"\n{OFTEN}"
    );
    let gateway = Gateway::start(text);
    wait_healthy(&gateway, &endpoint, false);
    // It may be gone before it is made.
    if let Ok(stream) = TcpStream::connect(gateway.address("public")) {
        assert_eq!(Peer(Wire::new(stream)).end(), End::Reset);
    }
    wait(
        &gateway,
        "gateway_backend_errors_total{upstream=\"backend\",kind=\"no_healthy_endpoint\"}",
        1.0,
    );
}
