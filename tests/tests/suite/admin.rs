//! The operators' listener: health, readiness, figures; and who may read them.

use serde_json::Value;
use tests::gateway::Setup;
use tests::{Gateway, Origin};

const ROUTE: &str = "[route.a]\npath = \"/*\"\nauth = \"none\"\nrespond = \"200\"\n";

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").expect("a head and a body").1
}

#[test]
fn health_and_readiness() {
    let gateway = Gateway::start(ROUTE);
    gateway.wait_ready();
    let (status, answer) = gateway.admin("/health");
    assert_eq!(status, 200, "{answer}");
    let health: Value = serde_json::from_str(body(&answer)).expect("JSON");
    assert_eq!(health["status"], "healthy");
    let timestamp = health["timestamp"].as_str().expect("a time");
    assert!(
        timestamp.ends_with('Z') && timestamp.as_bytes()[10] == b'T',
        "{timestamp}"
    );
    let (status, answer) = gateway.admin("/ready");
    assert_eq!(status, 200, "{answer}");
    let ready: Value = serde_json::from_str(body(&answer)).expect("JSON");
    assert_eq!(ready["status"], "ready");
}

#[test]
fn other_pages_and_methods() {
    let gateway = Gateway::start(ROUTE);
    for path in [
        "/",
        "/metric",
        "/metrics/",
        "/config",
        "/debug",
        "/../metrics",
    ] {
        let (status, answer) = gateway.admin(path);
        assert_eq!(status, 404, "{path}: {answer}");
    }
    assert_eq!(gateway.admin("/health?x=1").0, 200);
}

#[test]
fn the_admin_pages_are_not_on_the_public_listener() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::start(format!(
        "[upstream.u]\nendpoints = [\"{}\"]\n[route.a]\npath = \"/api\"\nupstream = \"u\"\nauth = \"none\"\n",
        origin.address
    ));
    for path in ["/metrics", "/health", "/ready"] {
        gateway.get(path).is(404);
    }
}

#[test]
fn a_token_guards_the_figures_and_not_the_health() {
    let text = format!(
        "[admin]\naddress = \"unix:@DIR@/admin.sock\"\ntoken = \"${{ADMIN_TOKEN}}\"\n{ROUTE}"
    );
    let gateway = Setup::new(text)
        .variable("ADMIN_TOKEN", "s3cret-of-ops")
        .start();
    let ask = |path: &str, fields: &str| gateway.admin_with(path, fields).expect("it answers");
    for fields in [
        "",
        "Authorization: Bearer wrong\r\n",
        "Authorization: Bearer s3cret-of-op\r\n",
        "Authorization: Bearer s3cret-of-opss\r\n",
        "Authorization: Bearer\r\n",
        "Authorization: Basic s3cret-of-ops\r\n",
        "Authorization: s3cret-of-ops\r\n",
        "X-Token: s3cret-of-ops\r\n",
    ] {
        let (status, answer) = ask("/metrics", fields);
        assert_eq!(status, 401, "{fields}: {answer}");
        let lower = answer.to_ascii_lowercase();
        assert!(lower.contains("www-authenticate: bearer"), "{answer}");
        assert!(!answer.contains("gateway_"), "{answer}");
    }
    for scheme in ["Bearer", "bearer"] {
        let (status, page) = ask(
            "/metrics",
            &format!("Authorization: {scheme} s3cret-of-ops\r\n"),
        );
        assert_eq!(status, 200, "{page}");
        assert!(page.contains("gateway_config_info"), "{page}");
    }
    assert_eq!(ask("/health", "").0, 200);
    gateway.wait_ready();
    let said = gateway.said().join("\n");
    assert!(!said.contains("s3cret"), "{said}");
}

#[test]
fn without_the_section_nobody_listens() {
    // A text with the word in a comment keeps the harness from adding the section.
    let gateway = Gateway::start(format!("# no [admin] here\n{ROUTE}"));
    assert!(gateway.admin_with("/health", "").is_none());
    gateway.get("/").is(200);
}

#[test]
fn an_address_for_everybody_needs_a_token() {
    let text = format!("[admin]\naddress = \"0.0.0.0:0\"\n{ROUTE}");
    let (code, said) = Setup::new(&text).fails();
    assert_eq!(code, Some(78), "{said}");
    assert!(
        said.contains("token") && said.contains("gateway.toml:"),
        "{said}"
    );
    let setup = Setup::new(text.replace("0:0\"\n", "0:0\"\ntoken = \"0123456789abcdef\"\n"));
    setup.start().get("/").is(200);
}
