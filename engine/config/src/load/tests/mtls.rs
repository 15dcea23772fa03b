//! What sections with `kind = "mtls"` come to: consumers, headers that are the gateway's, and what looks like a mistake.

use crate::explain::{Question, explain};
use crate::snapshot::Snapshot;
use crate::testing::good;
use policy::chain::Auth;

/// A listener that asks, and a route for those whom `subjects` lets in.
fn people(keys: &str, more: &str) -> Snapshot {
    good(&format!(
        r#"[certificate.edge]
chain = "certs/edge.pem"
key = "certs/edge.key"
[listener.asking]
address = "127.0.0.1:1"
certificates = ["edge"]
client_auth = "optional"
client_ca = "certs/ca.pem"
[auth.people]
kind = "mtls"
{keys}
[route.all]
path = "/*"
auth = "people"
respond = "200"
{more}"#
    ))
}

/// The warnings, without those about the certificates of the tests.
fn warned(snapshot: &Snapshot) -> String {
    let ours = snapshot.warnings.iter();
    let first = ours.map(|it| it.lines().next().unwrap_or_default().to_owned());
    first.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_route_is_for_those_with_certificates() {
    let snapshot = people(
        "subjects = [\"cn:bob -> bob\", \"dns:*.acme.example\"]",
        "[consumer.bob]\ntier = \"gold\"\n",
    );
    let Auth::Mtls(verifier) = snapshot.routes[0].chain.auth() else {
        panic!("another auth");
    };
    assert!(verifier.knows_consumers());
    assert_eq!(&**verifier.name(), "people");
    assert_eq!(
        verifier.describe(),
        "authenticate: people (client certificate: cn:bob -> bob, dns:*.acme.example)"
    );
    assert_eq!(warned(&snapshot), "");
    let headers = &snapshot.identity_headers;
    for name in [
        "X-Client-Subject",
        "x_client_subject",
        "Client-Cert",
        "CLIENT_CERT_CHAIN",
        "X-Consumer",
    ] {
        assert!(headers.matches(name.as_bytes()), "{name}");
    }
}

#[test]
fn other_headers_may_be_set_instead() {
    let snapshot = people("forward_claims = [\"certificate -> X-Cert\"]", "");
    let headers = &snapshot.identity_headers;
    assert!(headers.matches(b"x-cert") && headers.matches(b"client-cert"));
    assert!(!headers.matches(b"x-client-subject"));
}

#[test]
fn a_consumer_that_nobody_can_be_is_told() {
    let keys = "[auth.keys]\nkind = \"api_key\"\n[route.keys]\npath = \"/keys\"\nauth = \"keys\"\nrespond = \"200\"\n";
    let snapshot = people("", &format!("[consumer.bob]\n{keys}"));
    let warnings = warned(&snapshot);
    assert!(
        warnings.contains("nothing refers to [consumer.bob]"),
        "{warnings}"
    );
    let named = people(
        "subjects = [\"cn:bob -> bob\"]",
        &format!("[consumer.bob]\n{keys}"),
    );
    assert_eq!(warned(&named), "");
    let keys = keys.replace("\"api_key\"\n", "\"api_key\"\nconsumers = [\"bob\"]\n");
    let snapshot = people("", &format!("[consumer.bob]\n{keys}"));
    let warnings = warned(&snapshot);
    assert!(
        warnings.contains("`bob` has no API key to come with"),
        "{warnings}"
    );
}

#[test]
fn a_limit_that_counts_by_nobody_is_told() {
    let limits = |subjects: &str, key: &str| {
        let limit = format!("[limit.l]\nrate = \"1/s\"\nkey = \"{key}\"\n");
        let snapshot = people(
            subjects,
            &format!("limits = [\"l\"]\n[consumer.bob]\ntenant = \"t\"\n{limit}"),
        );
        warned(&snapshot).contains("`l` counts by")
    };
    let named = "subjects = [\"cn:bob -> bob\"]";
    assert!(limits("subjects = [\"cn:bob\"]", "consumer"));
    assert!(limits("", "ip+tenant"));
    assert!(!limits(named, "consumer") && !limits(named, "tenant"));
    // Every certificate has some name.
    assert!(!limits("", "claim:sub") && !limits("", "ip"));
}

#[test]
fn explain_asks_with_the_certificate_that_it_is_given() {
    let pem = |name: &str| {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/src/testing/certs/");
        std::fs::read(format!("{dir}{name}")).unwrap()
    };
    let shown = crate::explain::certificates(&[pem("edge.pem"), pem("ca.pem")].concat()).unwrap();
    assert!(shown.len() >= 2);
    let told = |shown: &[Box<[u8]>], more: &str| {
        let question = Question {
            method: "GET",
            url: "https://edge.example/a",
            headers: &[],
            client: "192.0.2.1".parse().unwrap(),
            listener: None,
            shown,
            unix: 1_800_000_000,
        };
        explain(&people(more, ""), &question).to_string()
    };
    let none = told(&[], "");
    assert!(
        none.contains("401: Missing client certificate (client_certificate_required)"),
        "{none}"
    );
    let some = told(&shown, "");
    for part in [
        "the client shows one too",
        "verified): passes",
        "answer    200",
    ] {
        assert!(some.contains(part), "{part}: {some}");
    }
    let stranger = told(&shown, "subjects = [\"cn:nobody\"]");
    assert!(
        stranger.contains("403: Client certificate not allowed"),
        "{stranger}"
    );
    assert!(crate::explain::certificates(b"none").is_err());
}
