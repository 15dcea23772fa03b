//! What is meant by what is said of health checks.

use std::time::Duration;

use super::*;
use crate::snapshot::{HealthCheck, Probe};
use policy::health::{Statuses, Thresholds};

fn check(keys: &str) -> Option<HealthCheck> {
    let text = format!("{LEAST}[upstream.a]\nendpoints = [\"10.0.0.1:1\"]\n{keys}");
    good(&text).upstreams[0].health.clone()
}

fn probe(keys: &str) -> Probe {
    check(keys).expect("there is a check").probe
}

fn grpc(service: &str, host: Option<&str>) -> Probe {
    Probe::Grpc {
        service: service.to_owned(),
        host: host.map(Into::into),
    }
}

#[test]
fn a_path_is_all_it_takes() {
    let expected = HealthCheck {
        probe: Probe::Http {
            path: "/up?deep=1".to_owned(),
            host: None,
            statuses: Statuses::new(vec![(200, 399)]),
        },
        interval: Duration::from_secs(5),
        timeout: Duration::from_secs(2),
        thresholds: Thresholds {
            healthy: 2,
            unhealthy: 3,
        },
    };
    assert_eq!(check("health_path = \"/up?deep=1\"\n"), Some(expected));
}

#[test]
fn without_a_word_there_is_none() {
    assert_eq!(check(""), None);
    let off = "health_check = \"off\"\nhealth_path = \"/up\"\nhealth_interval = \"1s\"\n";
    assert_eq!(check(off), None);
}

#[test]
fn kinds() {
    assert_eq!(probe("health_check = \"tcp\"\n"), Probe::Tcp);
    let service = "protocol = \"grpc\"\nhealth_service = \"a.B\"\n";
    assert_eq!(probe(service), grpc("a.B", None));
    let whole = "protocol = \"h2\"\nhealth_check = \"grpc\"\nhealth_host = \"a:1\"\n";
    assert_eq!(probe(whole), grpc("", Some("a:1")));
}

#[test]
fn the_host_is_that_of_the_certificate() {
    let tls = "protocol = \"h2\"\nhealth_check = \"grpc\"\ntls = true\ntls_ca = \"certs/ca.pem\"\n";
    assert_eq!(probe(tls), grpc("", None));
    let named = format!("{tls}tls_name = \"api.internal\"\n");
    assert_eq!(probe(&named), grpc("", Some("api.internal")));
    let address = format!("{tls}tls_name = \"[::1]\"\n");
    assert_eq!(probe(&address), grpc("", Some("[::1]")));
    let said = format!("{named}health_host = \"other\"\n");
    assert_eq!(probe(&said), grpc("", Some("other")));
}

#[test]
fn the_examples_of_the_document_are_in_the_language() {
    let document = include_str!("../../../../../docs/health.md");
    let examples = document.split("```toml\n").skip(1);
    let examples: Vec<&str> = examples.filter_map(|it| it.split("```").next()).collect();
    assert!(examples.len() > 1);
    for example in examples {
        let snapshot = good(&format!("{LEAST}{example}"));
        assert!(snapshot.upstreams[0].health.is_some());
    }
}

#[test]
fn hosts() {
    for host in [
        "a",
        "a_b.internal.",
        "A:1",
        "10.0.0.1:65535",
        "[::1]",
        "[::1]:80",
    ] {
        let keys =
            format!("protocol = \"h2\"\nhealth_check = \"grpc\"\nhealth_host = \"{host}\"\n");
        assert_eq!(probe(&keys), grpc("", Some(host)));
    }
}
