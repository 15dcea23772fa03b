//! API keys: found, checked by their hash, never passed on.

use tests::gateway::Setup;
use tests::{Gateway, Origin};

use super::{get, guarded, refused, untouched};

/// `sha256("abc")` and `sha256("")`, as FIPS 180 gives them.
const ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn setup(origin: &Origin, auth: &str, consumer: &str) -> Setup {
    let more = format!(
        "access_log = \"main\"\n[access_log.main]\npath = \"stdout\"\nquery = true\n\
         [consumer.acme]\nkeys = [\"{ABC}\"]\n{consumer}"
    );
    guarded(
        origin.address,
        &format!("kind = \"api_key\"\n{auth}"),
        &more,
    )
}

#[track_caller]
fn with(origin: &Origin, auth: &str, consumer: &str) -> Gateway {
    setup(origin, auth, consumer).start()
}

#[test]
fn a_key_in_its_header() {
    let origin = Origin::saying("hi");
    let gateway = with(&origin, "", "tenant = \"t1\"");
    let mut peer = gateway.peer();
    peer.ask(get("x-api-key: abc\r\nX-Other: 1\r\n")).is(200);
    origin
        .only()
        .lacks("x-api-key")
        .has("x-consumer", "acme")
        .has("x-tenant-id", "t1")
        .has("x-other", "1");
}

#[test]
fn a_wrong_key_is_refused() {
    let origin = Origin::saying("hi");
    let gateway = with(&origin, "", "");
    let mut peer = gateway.peer();
    let long = "x".repeat(600);
    for key in ["abd", "ABC", "abc, abc", "a", &ABC[7..], ABC, &long] {
        let answer = peer.ask(get(&format!("X-API-Key: {key}\r\n")));
        refused(&gateway, &answer, 401, "Invalid API key", "unknown_key");
        answer.has("www-authenticate", "ApiKey realm=\"portcullis\"");
    }
    untouched(&origin);
}

#[test]
fn no_key_is_missing() {
    let origin = Origin::saying("hi");
    let gateway = with(&origin, "", "");
    let mut peer = gateway.peer();
    for fields in [
        "",
        "X-API-Key:\r\n",
        "Authorization: Bearer abc\r\n",
        "X-API-Keys: abc\r\n",
    ] {
        let answer = peer.ask(get(fields));
        refused(
            &gateway,
            &answer,
            401,
            "Missing API key",
            "missing_credentials",
        );
        answer.has("www-authenticate", "ApiKey realm=\"portcullis\"");
    }
    untouched(&origin);
}

#[test]
fn two_keys_are_one_too_many() {
    let origin = Origin::saying("hi");
    let gateway = with(&origin, "", "");
    let answer = gateway.ask(get("X-API-Key: abc\r\nX-API-Key: abc\r\n"));
    refused(
        &gateway,
        &answer,
        401,
        "Invalid API key",
        "repeated_credentials",
    );
    untouched(&origin);
}

#[test]
fn a_key_in_the_query_goes_no_further_and_is_not_logged() {
    let origin = Origin::saying("hi");
    let auth = "from = [\"query:key\", \"header:X-Key\"]";
    let gateway = with(&origin, auth, "");
    let mut peer = gateway.peer();
    let cases = [
        ("/q?key=abc", "/q"),
        ("/q?a=1&key=abc&b=2", "/q?a=1&b=2"),
        ("/q?key=%61bc&b=2", "/q?b=2"),
        ("/q?keys=1&key=abc", "/q?keys=1"),
    ];
    for (target, _) in cases {
        peer.get(target).is(200);
    }
    peer.ask("GET /h HTTP/1.1\r\nHost: a\r\nX-Key: abc\r\n\r\n")
        .is(200);
    let received = origin.received();
    let targets: Vec<&str> = received.iter().map(|r| &*r.target).collect();
    assert_eq!(targets, ["/q", "/q?a=1&b=2", "/q?b=2", "/q?keys=1", "/h"]);
    received[4].lacks("x-key");
    peer.get("/last?key=wrong-secret&b").is(401);
    gateway.wait_logged("/last");
    let said = gateway.logged().join("\n") + &gateway.said().join("\n");
    // Not "abc" alone: request ids are hexadecimal, and one may have those digits.
    for secret in ["=abc", "\"abc", "%61bc", "wrong-secret"] {
        assert!(!said.contains(secret), "{secret} is logged:\n{said}");
    }
    assert!(said.contains("\"consumer\":\"acme\""), "{said}");
}

#[test]
fn a_key_past_its_time_is_refused() {
    let origin = Origin::saying("hi");
    let gateway = with(&origin, "", "expires = \"2020-01-31\"");
    let answer = gateway.ask(get("X-API-Key: abc\r\n"));
    refused(&gateway, &answer, 401, "API key expired", "key_expired");
    answer.has("www-authenticate", "ApiKey realm=\"portcullis\"");
    let gateway = with(&origin, "", "expires = \"2120-01-31T12:00:00Z\"");
    gateway.ask(get("X-API-Key: abc\r\n")).is(200);
    assert_eq!(origin.received().len(), 1);
}

#[test]
fn a_consumer_may_be_bound_to_addresses() {
    let origin = Origin::saying("hi");
    let gateway = with(&origin, "", "allow = [\"10.0.0.0/8\"]");
    let answer = gateway.ask(get("X-API-Key: abc\r\n"));
    answer.problem(403, "/a", "Address not allowed");
    untouched(&origin);
    let gateway = with(&origin, "", "allow = [\"127.0.0.0/8\"]");
    gateway.ask(get("X-API-Key: abc\r\n")).is(200);
}

#[test]
fn only_the_consumers_that_are_named() {
    let origin = Origin::saying("hi");
    let other = "[consumer.other]\nkeys = [\"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"]\n";
    let gateway = with(&origin, "consumers = [\"other\"]", other);
    let answer = gateway.ask(get("X-API-Key: abc\r\n"));
    refused(&gateway, &answer, 401, "Invalid API key", "unknown_key");
}

#[test]
fn facts_are_forwarded_as_told() {
    let origin = Origin::saying("hi");
    let auth = "forward_claims = [\"tier -> X-Plan\", \"consumer -> X-Client\"]";
    let gateway = with(&origin, auth, "tier = \"gold\"\ntenant = \"t\"");
    gateway
        .ask(get(
            "X-API-Key: abc\r\nX-Plan: platinum\r\nx_client: me\r\n",
        ))
        .is(200);
    let request = origin.only();
    request
        .has("x-plan", "gold")
        .has("x-client", "acme")
        .lacks("x-consumer")
        .lacks("x_client");
}
