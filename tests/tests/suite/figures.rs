//! The metrics page: the names are there, the counts are right, the labels are bounded.

use tests::gateway::upstream_and_route;
use tests::metrics::{self, Metrics};
use tests::origin::Refusing;
use tests::{Gateway, Origin};

/// Two routes to an origin, one that answers by itself, a guarded and a limited one.
#[track_caller]
fn gateway(origin: &Origin) -> Gateway {
    let endpoints = format!("endpoints = [\"{}\"]", origin.address);
    Gateway::start(
        upstream_and_route(&endpoints, "methods = [\"GET\", \"POST\"]")
            + "[route.own]\npath = \"/own\"\nauth = \"none\"\nrespond = \"200 own\"\n\
               [auth.keys]\nkind = \"api_key\"\n[consumer.c]\nkeys = [\"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"]\n\
               [route.guarded]\npath = \"/guarded\"\nauth = \"keys\"\nrespond = \"200\"\n\
               [limit.few]\nrate = \"1/day\"\n\
               [route.limited]\npath = \"/limited\"\nauth = \"none\"\nrespond = \"200\"\nlimits = [\"few\"]\n",
    )
}

#[test]
fn counts_are_right_after_known_traffic() {
    let origin = Origin::saying("hi");
    let gateway = gateway(&origin);
    let mut peer = gateway.peer();
    for _ in 0..3 {
        peer.get("/x").is(200);
    }
    peer.ask("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
        .is(200);
    peer.get("/own").is(200);
    peer.ask("DELETE /x HTTP/1.1\r\nHost: a\r\n\r\n").is(405);
    peer.get("/guarded").is(401);
    peer.get("/limited").is(200);
    peer.get("/limited").is(429);
    let wanted = [
        (
            "gateway_requests_total{route=\"all\",method=\"GET\",status=\"200\"}",
            3.0,
        ),
        (
            "gateway_requests_total{route=\"all\",method=\"POST\",status=\"200\"}",
            1.0,
        ),
        (
            "gateway_requests_total{route=\"own\",method=\"GET\",status=\"200\"}",
            1.0,
        ),
        (
            "gateway_requests_total{route=\"\",method=\"DELETE\",status=\"405\"}",
            1.0,
        ),
        (
            "gateway_requests_total{route=\"guarded\",method=\"GET\",status=\"401\"}",
            1.0,
        ),
        (
            "gateway_requests_total{route=\"limited\",method=\"GET\",status=\"429\"}",
            1.0,
        ),
        ("gateway_requests_total", 9.0),
        ("gateway_request_duration_seconds_count{route=\"all\"}", 4.0),
        (
            "gateway_request_duration_seconds_bucket{route=\"all\",le=\"+Inf\"}",
            4.0,
        ),
        (
            "gateway_backend_latency_seconds_count{upstream=\"backend\",route=\"all\"}",
            4.0,
        ),
        ("gateway_overhead_seconds_count{route=\"all\"}", 4.0),
        (
            "gateway_auth_failures_total{auth=\"keys\",reason=\"missing_credentials\"}",
            1.0,
        ),
        ("gateway_rate_limit_exceeded_total{limit=\"few\"}", 1.0),
        ("gateway_active_connections{listener=\"public\"}", 1.0),
        ("gateway_connections_total{listener=\"public\"}", 1.0),
        (
            "gateway_upstream_connections{upstream=\"backend\",state=\"idle\"}",
            1.0,
        ),
        (
            "gateway_upstream_connections{upstream=\"backend\",state=\"active\"}",
            0.0,
        ),
    ];
    for (series, value) in wanted {
        metrics::wait(&gateway, series, value);
    }
    drop(peer);
    metrics::wait(
        &gateway,
        "gateway_active_connections{listener=\"public\"}",
        0.0,
    );
}

#[test]
fn the_names_of_the_semantics_page_are_there() {
    let origin = Origin::saying("hi");
    let gateway = gateway(&origin);
    gateway.get("/x").is(200);
    gateway.get("/guarded").is(401);
    gateway.get("/limited").is(200);
    gateway.get("/limited").is(429);
    metrics::wait(&gateway, "gateway_requests_total", 4.0);
    let page = Metrics::of(&gateway);
    let text = page.text();
    for (name, kind) in [
        ("gateway_requests_total", "counter"),
        ("gateway_request_duration_seconds", "histogram"),
        ("gateway_backend_latency_seconds", "histogram"),
        ("gateway_overhead_seconds", "histogram"),
        ("gateway_active_connections", "gauge"),
        ("gateway_rate_limit_exceeded_total", "counter"),
        ("gateway_upstream_connections", "gauge"),
        ("gateway_auth_failures_total", "counter"),
        ("gateway_config_info", "gauge"),
        ("gateway_access_log_dropped_total", "counter"),
        ("process_cpu_seconds_total", "counter"),
        ("process_resident_memory_bytes", "gauge"),
        ("process_open_fds", "gauge"),
        ("process_start_time_seconds", "gauge"),
    ] {
        assert!(
            text.contains(&format!("# TYPE {name} {kind}\n")),
            "{name} {kind}:\n{text}"
        );
        assert!(text.contains(&format!("# HELP {name} ")), "{name}");
    }
    let smallest = "gateway_request_duration_seconds_bucket{route=\"all\",le=\"0.00005\"}";
    let smaller = "gateway_request_duration_seconds_bucket{route=\"all\",le=\"5e-05\"}";
    let from = page.value(smallest).or_else(|| page.value(smaller));
    assert!(from.is_some(), "buckets from 50 µs:\n{text}");
}

#[test]
fn what_clients_send_makes_no_series() {
    let origin = Origin::saying("hi");
    let gateway = gateway(&origin);
    let mut peer = gateway.peer();
    let series = |gateway: &Gateway| {
        let page = Metrics::of(gateway);
        page.text()
            .lines()
            .filter(|l| l.starts_with("gateway_"))
            .count()
    };
    let noise = |peer: &mut tests::Peer, n: usize| {
        peer.get(&format!("/path-{n}?q={n}")).is(200);
        peer.ask(format!(
            "GET /x HTTP/1.1\r\nHost: host-{n}\r\nUser-Agent: agent-{n}\r\n\r\n"
        ))
        .is(200);
        peer.ask(format!("METHOD{n} /x HTTP/1.1\r\nHost: a\r\n\r\n"))
            .is(405);
        peer.ask(format!(
            "GET /guarded HTTP/1.1\r\nHost: a\r\nX-API-Key: key-{n}\r\n\r\n"
        ))
        .is(401);
    };
    noise(&mut peer, 0);
    metrics::wait(&gateway, "gateway_requests_total", 4.0);
    let before = series(&gateway);
    for n in 1..50 {
        noise(&mut peer, n);
    }
    metrics::wait(&gateway, "gateway_requests_total", 200.0);
    assert_eq!(series(&gateway), before);
    let page = Metrics::of(&gateway);
    for word in ["METHOD1", "path-1", "host-1", "agent-1", "key-1"] {
        assert!(!page.text().contains(word), "{word}");
    }
}

#[test]
fn upstream_failures_are_counted_by_kind() {
    let refusing = Refusing::new();
    let endpoints = format!("endpoints = [\"{}\"]", refusing.address);
    let gateway = Gateway::start(upstream_and_route(&endpoints, ""));
    gateway.get("/").is(502);
    let series = "gateway_backend_errors_total{upstream=\"backend\",kind=\"connection_refused\"}";
    metrics::wait(&gateway, series, 1.0);
    metrics::wait(
        &gateway,
        "gateway_requests_total{route=\"all\",status=\"502\"}",
        1.0,
    );
}

#[test]
fn bad_requests_are_counted_without_a_route() {
    let gateway = gateway(&Origin::saying("hi"));
    gateway.peer().ask("GET / HTTP/1.1\r\n\r\n").is(400);
    metrics::wait(
        &gateway,
        "gateway_requests_total{route=\"\",status=\"400\"}",
        1.0,
    );
}

#[test]
fn two_workers_are_added_up() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::before(origin.address, "[gateway]\nworkers = 2\npin = false\n");
    let mut peers: Vec<_> = (0..16).map(|_| gateway.peer()).collect();
    for peer in &mut peers {
        peer.get("/").is(200);
    }
    metrics::wait(&gateway, "gateway_requests_total{route=\"all\"}", 16.0);
    metrics::wait(
        &gateway,
        "gateway_active_connections{listener=\"public\"}",
        16.0,
    );
    metrics::wait(&gateway, "gateway_workers{state=\"ready\"}", 2.0);
    let page = Metrics::of(&gateway);
    let infinity = page.value("gateway_request_duration_seconds_bucket{route=\"all\",le=\"+Inf\"}");
    assert_eq!(infinity, Some(16.0));
}

#[test]
fn openmetrics_when_asked() {
    let gateway = gateway(&Origin::saying("hi"));
    let accept = "Accept: application/openmetrics-text; version=1.0.0\r\n";
    let (status, page) = gateway.admin_with("/metrics", accept).expect("it answers");
    assert_eq!(status, 200);
    let lower = page.to_ascii_lowercase();
    assert!(
        lower.contains("content-type: application/openmetrics-text"),
        "{page}"
    );
    assert!(page.trim_end().ends_with("# EOF"), "{page}");
    let (_, page) = gateway.admin("/metrics");
    assert!(
        page.to_ascii_lowercase()
            .contains("content-type: text/plain; version=0.0.4"),
        "{page}"
    );
    assert!(!page.contains("# EOF"));
}
