//! What operators read about one request: exact texts.

use super::{Question, explain};
use crate::testing::{EXAMPLE, good};
use expect_test::{Expect, expect};

mod listener;

fn check(text: &str, method: &str, url: &str, headers: &[(&str, &str)], expected: Expect) {
    let headers: Vec<(String, String)> = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let question = Question {
        method,
        url,
        headers: &headers,
        client: "192.0.2.1".parse().unwrap(),
        listener: None,
        shown: &[],
        unix: 1_800_000_000,
    };
    expected.assert_eq(&explain(&good(text), &question).to_string());
}

const ROUTES: &str = r#"
[listener.public]
address = "127.0.0.1:8080"
deny = ["198.51.100.0/24"]
[listener.inner]
address = "127.0.0.1:8081"
[upstream.items]
endpoints = ["10.0.0.1:1", "10.0.0.2:1 weight=2"]
[auth.keys]
kind = "api_key"
from = ["query:key"]
[consumer.acme]
keys = ["sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"]
tenant = "t1"
[limit.slow]
rate = "1/s"
[headers.extra]
set = ["X-Stage: test"]
remove = ["X-Debug"]
[route.item]
path = "/items/{id}/*"
hosts = ["*.example.com"]
methods = ["GET"]
upstream = "items"
auth = "keys"
limits = ["slow"]
deny = ["203.0.113.0/24"]
rewrite = "/v2/{id}/{*}"
host_header = "upstream"
request_headers = ["extra"]
[route.beta]
path = "/items/*"
headers = ["X-Beta=1"]
listeners = ["inner"]
auth = "none"
respond = "200 beta"
[route.all]
path = "/*"
methods = ["POST"]
auth = "none"
redirect = "308 https://example.org/{*}"
"#;

#[test]
fn a_public_route() {
    check(
        EXAMPLE,
        "GET",
        "http://127.0.0.1:18080/a/../b?c=d",
        &[("X-User-ID", "root"), ("Connection", "x-y"), ("X-Y", "1")],
        expect![[r#"
            request   GET /a/../b?c=d HTTP/1.1
            from      192.0.2.1 on listener public
            path      /b
            route     root
                      root (/*): chosen
            policies  authenticate: none (public): passes
            upstream  backend: 127.0.0.1:19101
            sent      GET /b?c=d HTTP/1.1
                      Host: 127.0.0.1:18080
                      - X-User-ID: only the gateway sets it
                      - Connection: it ends at this hop
                      - X-Y: it ends at this hop
                      + Via: 1.1 portcullis
                      + X-Forwarded-For: 192.0.2.1 (set); -Proto, -Host and Forwarded likewise
                      + X-Request-ID: the request id"#]],
    );
}

#[test]
fn a_token_is_missing_or_wrong() {
    check(
        EXAMPLE,
        "GET",
        "/gw/a",
        &[],
        expect![[r#"
            request   GET /gw/a HTTP/1.1
            from      192.0.2.1 on listener public (the first by name, since the URL does not say which; --listener names another)
            path      /gw/a
            route     gw
                      gw (/gw/*): chosen
                      root (/*): fits too, but comes later in the order
            policies  authenticate: users (JWT RS256 in header Authorization: Bearer; 1 keys; iss https://issuer.example; aud api): refuses: 401 Missing authorization token
                      limit: per_user: not reached
            answer    401: Missing authorization token (missing_credentials)"#]],
    );
    check(
        EXAMPLE,
        "GET",
        "/gw/a",
        &[("Authorization", "Bearer a.b.c")],
        expect![[r#"
            request   GET /gw/a HTTP/1.1
            from      192.0.2.1 on listener public (the first by name, since the URL does not say which; --listener names another)
            path      /gw/a
            route     gw
                      gw (/gw/*): chosen
                      root (/*): fits too, but comes later in the order
            policies  authenticate: users (JWT RS256 in header Authorization: Bearer; 1 keys; iss https://issuer.example; aud api): refuses: 401 Invalid token
                      limit: per_user: not reached
            answer    401: Invalid token (malformed_token)"#]],
    );
}

#[test]
fn everything_passes() {
    check(
        ROUTES,
        "GET",
        "http://api.example.com/items/7/parts/1?key=secret&page=2",
        &[("X-Debug", "1"), ("X-Forwarded-For", "203.0.113.1")],
        expect![[r#"
            request   GET /items/7/parts/1?key=secret&page=2 HTTP/1.1
            from      192.0.2.1 on listener inner (the first of the URL's scheme; --listener names another)
            path      /items/7/parts/1
            route     item
                      item (/items/{id}/*): chosen
                      all (/*): it takes only POST
                      beta (/items/*): the header X-Beta=1 does not fit
            policies  address: deny list: passes
                      limit: slow: passes while tokens are left
                      authenticate: keys (API key in query parameter key): passes
            upstream  items: one of 10.0.0.1:1, 10.0.0.2:1 weight=2, by round_robin
            sent      GET /v2/7/parts/1?page=2 HTTP/1.1
                      Host: (the endpoint's address)
                      - X-Debug: request_headers removes it
                      - X-Forwarded-For: the peer is not a trusted proxy
                      + Via: 1.1 portcullis
                      + X-Forwarded-For: 192.0.2.1 (set); -Proto, -Host and Forwarded likewise
                      + X-Request-ID: the request id
                      + X-Consumer: acme
                      + X-Tenant-ID: t1
                      + X-Stage: test"#]],
    );
}

#[test]
fn nothing_fits() {
    check(
        ROUTES,
        "GET",
        "http://other.example/items/7/x",
        &[],
        expect![[r#"
            request   GET /items/7/x HTTP/1.1
            from      192.0.2.1 on listener inner (the first of the URL's scheme; --listener names another)
            path      /items/7/x
            route     none
                      all (/*): it takes only POST
                      beta (/items/*): the header X-Beta=1 does not fit
                      item (/items/{id}/*): the host other.example is none of its hosts
            answer    405: Allow: POST"#]],
    );
    check(
        ROUTES,
        "POST",
        "http://other.example/x/y",
        &[],
        expect![[r#"
            request   POST /x/y HTTP/1.1
            from      192.0.2.1 on listener inner (the first of the URL's scheme; --listener names another)
            path      /x/y
            route     all
                      all (/*): chosen
            policies  authenticate: none (public): passes
            answer    308: Location: https://example.org/x/y"#]],
    );
}

#[test]
fn refused_before_any_route() {
    check(
        ROUTES,
        "GET",
        "/a%2Fb",
        &[],
        expect![[r#"
            request   GET /a%2Fb HTTP/1.1
            from      192.0.2.1 on listener inner (the first by name, since the URL does not say which; --listener names another)
            route     none
            answer    400: The path contains an encoded slash, backslash or zero byte."#]],
    );
    check(
        ROUTES,
        "GET",
        "/a b",
        &[],
        expect![[r#"
            request   GET /a b HTTP/1.1
            from      192.0.2.1 on listener inner (the first by name, since the URL does not say which; --listener names another)
            route     none
            answer    400: The request line is not valid."#]],
    );
    check(
        ROUTES,
        "GET",
        "/a",
        &[("Content-Length", "1"), ("Transfer-Encoding", "chunked")],
        expect![[r#"
            request   GET /a HTTP/1.1
            from      192.0.2.1 on listener inner (the first by name, since the URL does not say which; --listener names another)
            route     none
            answer    400: The message has both Transfer-Encoding and Content-Length."#]],
    );
}

#[test]
fn a_listener_that_serves_no_requests() {
    let redirects = format!(
        "{EXAMPLE}\n[listener.a]\naddress = \"127.0.0.1:80\"\nhttp_to_https = true\nhttps_port = 18443\n"
    );
    check(
        &redirects,
        "GET",
        "http://edge.example:80/gw/a",
        &[],
        expect![[r#"
            request   GET /gw/a HTTP/1.1
            from      192.0.2.1 on listener a
            route     none
            answer    308: Location: the same under https, port 18443"#]],
    );
    let passes = format!(
        "{EXAMPLE}\n[listener.a]\naddress = \"127.0.0.1:5432\"\npassthrough = [\"* -> backend\"]\n"
    );
    check(
        &passes,
        "GET",
        "https://db:5432/",
        &[],
        expect![[r#"
        request   GET / HTTP/1.1
        from      192.0.2.1 on listener a
        route     none
        answer    none: listener a passes this connection on to backend and sees no request in it"#]],
    );
}

#[test]
fn a_connection_that_is_passed_on_by_its_name() {
    let keys = "certificates = [\"edge\"]\npassthrough = [\"*.db.example -> backend\"]\n";
    let text = EXAMPLE.replace("certificates = [\"edge\"]\n", keys);
    check(
        &text,
        "GET",
        "https://one.db.example/",
        &[],
        expect![[r#"
            request   GET / HTTP/1.1
            from      192.0.2.1 on listener secure (the first of the URL's scheme; --listener names another)
            route     none
            answer    none: listener secure passes this connection on to backend and sees no request in it"#]],
    );
    let alone = format!(
        "{EXAMPLE}\n[listener.a]\naddress = \"127.0.0.1:5432\"\npassthrough = [\"db -> backend\"]\n"
    );
    check(
        &alone,
        "GET",
        "https://other:5432/",
        &[],
        expect![[r#"
        request   GET / HTTP/1.1
        from      192.0.2.1 on listener a
        route     none
        answer    none: listener a passes connections on by name, and none of its lines takes this one"#]],
    );
}

/// The line about TLS, for a listener with these keys.
fn tls(keys: &str, url: &str) -> String {
    let text = EXAMPLE.replace("certificates = [\"edge\"]\n", keys);
    let question = Question {
        method: "GET",
        url,
        headers: &[],
        client: "192.0.2.1".parse().unwrap(),
        listener: Some("secure"),
        shown: &[],
        unix: 1_800_000_000,
    };
    let rsa = "[certificate.rsa]\nchain = \"certs/rsa.pem\"\nkey = \"certs/rsa.key\"\n";
    let explanation = explain(&good(&format!("{text}\n{rsa}")), &question);
    explanation.tls.expect("the listener speaks TLS")
}

#[test]
fn which_certificate_a_client_is_shown() {
    let both = "certificates = [\"edge\", \"rsa\"]\n";
    for (url, expected) in [
        (
            "https://edge.example/",
            "certificate edge or rsa; h2 or http/1.1",
        ),
        (
            "https://a.edge.example:1/",
            "certificate edge; h2 or http/1.1",
        ),
        ("https://[2001:db8::1]/", "certificate edge; h2 or http/1.1"),
        ("/gw/a", "certificate edge; h2 or http/1.1"),
        (
            "https://other.example/",
            "certificate edge, which is not for other.example: clients refuse it; h2 or http/1.1",
        ),
    ] {
        assert_eq!(tls(both, url), expected, "{url}");
    }
    let mutual = "certificates = [\"edge\"]\nclient_ca = \"certs/ca.pem\"\nclient_auth = ";
    let asked = |word: &str| tls(&format!("{mutual}\"{word}\"\n"), "https://edge.example/");
    assert!(asked("required").ends_with("; the client must show one too"));
    assert!(asked("optional").ends_with("; the client may show one too"));
}

#[test]
fn the_scheme_chooses_a_listener_where_no_port_does() {
    check(
        EXAMPLE,
        "GET",
        "https://edge.example/x",
        &[],
        expect![[r#"
            request   GET /x HTTP/1.1
            from      192.0.2.1 on listener secure (the first of the URL's scheme; --listener names another)
            tls       certificate edge; h2 or http/1.1
            path      /x
            route     root
                      root (/*): chosen
            policies  authenticate: none (public): passes
            upstream  backend: 127.0.0.1:19101
            sent      GET /x HTTP/1.1
                      Host: edge.example
                      + Via: 1.1 portcullis
                      + X-Forwarded-For: 192.0.2.1 (set); -Proto, -Host and Forwarded likewise
                      + X-Request-ID: the request id"#]],
    );
}
