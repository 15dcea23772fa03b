//! Tests of counting and of the whole scrape.

use std::sync::Arc;

use protocol::message::Method;

use super::{EndpointHealth, Format, Metrics, NO_ROUTE, Page};
use crate::ledger::Counts;
use crate::life::WorkerState;
use crate::lines;

fn scrape(metrics: &Metrics) -> String {
    let mut page = Page::new(Format::Prometheus);
    let workers = [WorkerState::Ready, WorkerState::Failed("x".into())];
    metrics.write(&mut page, None, &workers, &[], &[]);
    page.finish()
}

/// The samples of a scrape whose name starts so.
fn samples(metrics: &Metrics, prefix: &str) -> Vec<String> {
    let page = scrape(metrics);
    page.lines()
        .filter(|line| line.starts_with(prefix))
        .map(str::to_string)
        .collect()
}

#[test]
fn an_idle_gateway_shows_what_is_always_there() {
    let metrics = Metrics::new(2);
    assert_eq!(
        scrape(&metrics),
        "# HELP gateway_access_log_dropped_total Access log lines that were dropped because the writer could not keep up.\n\
         # TYPE gateway_access_log_dropped_total counter\n\
         gateway_access_log_dropped_total 0\n\
         # HELP gateway_audit_log_refused_total Connections closed unanswered because the audit log had no room.\n\
         # TYPE gateway_audit_log_refused_total counter\n\
         gateway_audit_log_refused_total 0\n\
         # HELP gateway_panics_total Faults of the gateway's own that cost a connection.\n\
         # TYPE gateway_panics_total counter\n\
         gateway_panics_total 0\n\
         # HELP gateway_workers Workers by state: starting, ready, failed, drained.\n\
         # TYPE gateway_workers gauge\n\
         gateway_workers{state=\"drained\"} 0\n\
         gateway_workers{state=\"failed\"} 1\n\
         gateway_workers{state=\"ready\"} 1\n\
         gateway_workers{state=\"starting\"} 0\n\
         # HELP gateway_workers_stalled Workers whose loop does not turn.\n\
         # TYPE gateway_workers_stalled gauge\n\
         gateway_workers_stalled 0\n"
    );
}

#[test]
fn workers_are_added_up() {
    let metrics = Metrics::new(2);
    let (a, b) = (metrics.route(0, "gw"), metrics.route(1, "gw"));
    a.count(Method::Get, 200, 300_000, Some(200_000));
    a.count(Method::Get, 200, 300_000, Some(200_000));
    a.count(Method::Post, 429, 20_000, None);
    b.count(Method::Get, 200, 300_000, Some(400_000)); // Overhead never falls below 0.
    metrics
        .route(1, NO_ROUTE)
        .count(Method::Other, 404, 10_000, None);
    assert_eq!(
        samples(&metrics, "gateway_requests_total"),
        [
            "gateway_requests_total{route=\"\",method=\"OTHER\",status=\"404\"} 1",
            "gateway_requests_total{route=\"gw\",method=\"GET\",status=\"200\"} 3",
            "gateway_requests_total{route=\"gw\",method=\"POST\",status=\"429\"} 1",
        ]
    );
    assert_eq!(
        samples(
            &metrics,
            "gateway_request_duration_seconds_sum{route=\"gw\"}"
        ),
        ["gateway_request_duration_seconds_sum{route=\"gw\"} 0.000920000"]
    );
    assert_eq!(
        samples(
            &metrics,
            "gateway_overhead_seconds_bucket{route=\"gw\",le=\"0.00"
        ),
        [
            "gateway_overhead_seconds_bucket{route=\"gw\",le=\"0.000005\"} 1",
            "gateway_overhead_seconds_bucket{route=\"gw\",le=\"0.00001\"} 1",
            "gateway_overhead_seconds_bucket{route=\"gw\",le=\"0.000025\"} 2",
            "gateway_overhead_seconds_bucket{route=\"gw\",le=\"0.00005\"} 2",
            "gateway_overhead_seconds_bucket{route=\"gw\",le=\"0.0001\"} 4",
            "gateway_overhead_seconds_bucket{route=\"gw\",le=\"0.00025\"} 4",
            "gateway_overhead_seconds_bucket{route=\"gw\",le=\"0.0005\"} 4",
            "gateway_overhead_seconds_bucket{route=\"gw\",le=\"0.001\"} 4",
            "gateway_overhead_seconds_bucket{route=\"gw\",le=\"0.0025\"} 4",
            "gateway_overhead_seconds_bucket{route=\"gw\",le=\"0.005\"} 4",
        ]
    );
}

#[test]
fn upstreams_clients_and_refusals() {
    let metrics = Metrics::new(2);
    let upstream = metrics.upstream(0, "backend");
    upstream.errors.inc("connect_refused");
    upstream.retries.inc("stale_connection");
    upstream.idle.add(3);
    upstream.active.inc();
    metrics.upstream(1, "backend").idle.sub(1); // Taken over by another worker's count.
    metrics.backend(1, "backend", "gw").observe(60_000);
    let listener = metrics.listener(0, "public");
    listener.opened();
    listener.opened();
    listener.closed();
    listener.refused.inc("max_connections");
    listener.timeouts.inc("header_timeout");
    listener.http2_streams.add(3);
    metrics.listener(1, "public").http2_streams.dec();
    listener.http2_errors.inc("rapid_reset");
    listener.tunnels.inc();
    listener.tunnel_bytes_in.add(7);
    listener.tunnel_bytes_out.add(11);
    metrics.listener(1, "public").tunnel_bytes_out.add(2);
    listener.handshakes_waiting.inc();
    metrics.limit(0, "per_user").exceeded.inc();
    metrics.limit(1, "per_user").exceeded.add(2);
    metrics.auth(0, "users").failures.inc("expired");
    metrics.worker(1).panics.inc();
    metrics.control.reloads.inc("ok");
    metrics.control.live_config("0123456789ab");
    let page = scrape(&metrics);
    for expected in [
        "gateway_backend_latency_seconds_count{upstream=\"backend\",route=\"gw\"} 1",
        "gateway_active_connections{listener=\"public\"} 1",
        "gateway_connections_total{listener=\"public\"} 2",
        "gateway_connections_refused_total{listener=\"public\",reason=\"max_connections\"} 1",
        "gateway_client_timeouts_total{listener=\"public\",timeout=\"header_timeout\"} 1",
        "gateway_http2_streams{listener=\"public\"} 2",
        "gateway_http2_errors_total{listener=\"public\",cause=\"rapid_reset\"} 1",
        "gateway_tunnels{listener=\"public\"} 1",
        "gateway_tunnel_bytes_total{listener=\"public\",direction=\"in\"} 7",
        "gateway_tunnel_bytes_total{listener=\"public\",direction=\"out\"} 13",
        "gateway_handshakes_waiting{listener=\"public\"} 1",
        "gateway_rate_limit_exceeded_total{limit=\"per_user\"} 3",
        "gateway_auth_failures_total{auth=\"users\",reason=\"expired\"} 1",
        "gateway_backend_errors_total{upstream=\"backend\",kind=\"connect_refused\"} 1",
        "gateway_upstream_connections{upstream=\"backend\",state=\"active\"} 1",
        "gateway_upstream_connections{upstream=\"backend\",state=\"idle\"} 2",
        "gateway_retries_total{upstream=\"backend\",reason=\"stale_connection\"} 1",
        "gateway_panics_total 1",
        "gateway_config_info{hash=\"0123456789ab\"} 1",
        "gateway_config_reloads_total{result=\"ok\"} 1",
    ] {
        assert!(
            page.lines().any(|line| line == expected),
            "{expected} is not in\n{page}"
        );
    }
    assert!(!page.contains("shadowed"));
}

#[test]
fn handshakes_by_version_result_and_group() {
    let metrics = Metrics::new(2);
    let (a, b) = (metrics.worker(0), metrics.worker(1));
    a.tls.handshake(Some("TLSv1.3"), "ok");
    b.tls.handshake(Some("TLSv1.3"), "ok");
    b.tls.handshake(Some("TLSv1.3"), "resumed");
    a.tls.handshake(Some("TLSv1.2"), "ok");
    a.tls.handshake(Some("TLSv1.1"), "ok"); // Which we don't speak.
    a.tls.handshake(None, "no_shared_version");
    a.tls.groups.inc("X25519MLKEM768");
    b.tls.groups.inc("X25519");
    b.tls.groups.inc("X25519MLKEM768");
    assert_eq!(
        samples(&metrics, "gateway_tls_"),
        [
            "gateway_tls_handshakes_total{version=\"TLSv1.2\",result=\"ok\"} 1",
            "gateway_tls_handshakes_total{version=\"TLSv1.3\",result=\"ok\"} 2",
            "gateway_tls_handshakes_total{version=\"TLSv1.3\",result=\"resumed\"} 1",
            "gateway_tls_handshakes_total{version=\"none\",result=\"no_shared_version\"} 1",
            "gateway_tls_handshakes_total{version=\"none\",result=\"ok\"} 1",
            "gateway_tls_key_exchanges_total{group=\"X25519\"} 1",
            "gateway_tls_key_exchanges_total{group=\"X25519MLKEM768\"} 2",
        ]
    );
}

#[test]
fn the_ledgers_memory_is_shown_by_limit() {
    let counts = Counts {
        keys: 3,
        refilled: 4,
        folded: 5,
        sketched: 6,
        cells_live: 1,
        cells: 8,
    };
    let mut page = Page::new(Format::Prometheus);
    Metrics::new(1).write(
        &mut page,
        None,
        &[],
        &[
            ("per_user".into(), counts),
            ("idle".into(), Counts::default()),
        ],
        &[],
    );
    let page = page.finish();
    let samples: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("gateway_rate_limit_"))
        .collect();
    assert_eq!(
        samples,
        [
            "gateway_rate_limit_keys{limit=\"per_user\"} 3",
            "gateway_rate_limit_keys{limit=\"idle\"} 0",
            "gateway_rate_limit_forgotten_keys_total{limit=\"per_user\",state=\"indebted\"} 5",
            "gateway_rate_limit_forgotten_keys_total{limit=\"per_user\",state=\"refilled\"} 4",
            "gateway_rate_limit_forgotten_keys_total{limit=\"idle\",state=\"indebted\"} 0",
            "gateway_rate_limit_forgotten_keys_total{limit=\"idle\",state=\"refilled\"} 0",
            "gateway_rate_limit_sketched_total{limit=\"per_user\"} 6",
            "gateway_rate_limit_sketched_total{limit=\"idle\"} 0",
            "gateway_rate_limit_sketch_saturation{limit=\"per_user\"} 0.125",
            "gateway_rate_limit_sketch_saturation{limit=\"idle\"} 0",
        ]
    );
}

/// Whatever upstreams answer, a route's series stay bounded, and no request goes uncounted.
#[test]
fn statuses_are_bounded_and_complete() {
    let metrics = Metrics::new(1);
    let series = metrics.route(0, "r");
    for status in 100..=u16::MAX {
        series.count(Method::Get, status, 1, None);
    }
    let lines = samples(&metrics, "gateway_requests_total");
    assert_eq!(lines.len(), 129);
    assert_eq!(
        lines.last().expect("the rest"),
        "gateway_requests_total{route=\"r\",method=\"other\",status=\"other\"} 65308"
    );
    let value = |line: &String| {
        line.rsplit(' ')
            .next()
            .and_then(|count| count.parse::<u64>().ok())
            .expect("a count")
    };
    assert_eq!(
        lines.iter().map(value).sum::<u64>(),
        u64::from(u16::MAX) - 99
    );
}

#[test]
fn words_are_bounded_and_complete() {
    let metrics = Metrics::new(1);
    let words: Vec<&'static str> = (0..30).map(|it| &*format!("w{it}").leak()).collect();
    let series = metrics.upstream(0, "u");
    words.iter().for_each(|word| series.errors.inc(word));
    let lines = samples(&metrics, "gateway_backend_errors_total");
    assert_eq!(lines.len(), 25);
    assert!(
        lines
            .contains(&"gateway_backend_errors_total{upstream=\"u\",kind=\"other\"} 6".to_string())
    );
}

#[test]
fn a_series_lasts_as_long_as_a_worker_holds_it() {
    let metrics = Metrics::new(2);
    let held = metrics.route(0, "kept");
    held.count(Method::Get, 200, 1, None);
    metrics.route(1, "gone").count(Method::Get, 200, 1, None);
    metrics.sweep();
    assert!(Arc::ptr_eq(&held, &metrics.route(0, "kept")));
    assert_eq!(samples(&metrics, "gateway_requests_total").len(), 1);
}

/// One writer and a reader at the same time: no count is lost, and each scrape agrees with itself.
#[test]
fn counting_and_scraping_go_on_at_once() {
    let metrics = Metrics::new(1);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let series = metrics.route(0, "r");
            for status in (200..210).cycle().take(200_000) {
                series.count(Method::Get, status, 100_000, None);
            }
        });
        let mut before = 0;
        while !writer.is_finished() {
            let count = total(&metrics);
            assert!(count >= before);
            before = count;
        }
    });
    assert_eq!(total(&metrics), 200_000);
}

fn total(metrics: &Metrics) -> u64 {
    let count = |line: String| {
        line.rsplit(' ')
            .next()
            .and_then(|count| count.parse::<u64>().ok())
            .unwrap_or(0)
    };
    samples(metrics, "gateway_requests_total")
        .into_iter()
        .map(count)
        .sum()
}

#[test]
fn no_two_series_share_a_cache_line() {
    let metrics = Metrics::new(2);
    let places = [(0, "a"), (0, "b"), (1, "a"), (1, "b")];
    assert_apart(&[0, 1].map(|worker| metrics.worker(worker)));
    assert_apart(&places.map(|(worker, name)| metrics.route(worker, name)));
    assert_apart(&places.map(|(worker, name)| metrics.backend(worker, "up", name)));
    assert_apart(&places.map(|(worker, name)| metrics.upstream(worker, name)));
    assert_apart(&places.map(|(worker, name)| metrics.listener(worker, name)));
    assert_apart(&places.map(|(worker, name)| metrics.limit(worker, name)));
    assert_apart(&places.map(|(worker, name)| metrics.auth(worker, name)));
}

fn assert_apart<T>(series: &[Arc<T>]) {
    lines::assert_apart(series.iter().map(|one| &**one));
}

#[test]
fn the_health_of_endpoints_is_shown() {
    let metrics = Metrics::new(2);
    let checks = metrics.checks("backend", "10.0.0.1:1");
    for result in ["ok", "timeout", "ok"] {
        checks.results.inc(result);
    }
    let health = |endpoint, healthy| EndpointHealth {
        upstream: "backend",
        endpoint,
        healthy,
    };
    let healths = [health("10.0.0.1:1", true), health("10.0.0.2:1", false)];
    let mut page = Page::new(Format::Prometheus);
    metrics.write(&mut page, None, &[], &[], &healths);
    let page = page.finish();
    let samples: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("gateway_upstream_health"))
        .collect();
    let of = "upstream=\"backend\",endpoint";
    assert_eq!(
        samples,
        [
            format!("gateway_upstream_healthy{{{of}=\"10.0.0.1:1\"}} 1"),
            format!("gateway_upstream_healthy{{{of}=\"10.0.0.2:1\"}} 0"),
            format!("gateway_upstream_health_checks_total{{{of}=\"10.0.0.1:1\",result=\"ok\"}} 2"),
            format!(
                "gateway_upstream_health_checks_total{{{of}=\"10.0.0.1:1\",result=\"timeout\"}} 1"
            ),
        ]
    );
}
