//! Where a token is looked for, and what becomes of it behind the gateway.

use tests::Origin;
use tests::token::{self, SECRET};

use super::super::{bearer, get, guarded, refused, untouched};
use super::{spoil, with_secret};

#[test]
fn no_token_gets_a_challenge_without_an_error_code() {
    let origin = Origin::saying("hi");
    let gateway = with_secret(&origin, "");
    let good = token::hs256(&token::claims("ada"));
    let mut peer = gateway.peer();
    let fields = [
        String::new(),
        "Authorization: \r\n".to_owned(),
        "Authorization: Basic YTpi\r\n".to_owned(),
        "Authorization: Bearer\r\n".to_owned(),
        "Authorization: Bearer \r\n".to_owned(),
        format!("Authorization: Bearer{good}\r\n"),
        format!("Authorization: Bearer\t{good}\r\n"),
        format!("Authorization: {good}\r\n"),
        format!("Proxy-Authorization: Bearer {good}\r\n"),
        format!("Cookie: token={good}\r\n"),
    ];
    for fields in fields {
        let answer = peer.ask(get(&fields));
        refused(
            &gateway,
            &answer,
            401,
            "Missing authorization token",
            "missing_credentials",
        );
        answer.has("www-authenticate", "Bearer realm=\"portcullis\"");
    }
    peer.ask(get(&format!("authorization: BEARER  {good}\r\n")))
        .is(200);
}

#[test]
fn two_tokens_are_one_too_many() {
    let origin = Origin::saying("hi");
    let gateway = with_secret(&origin, "");
    let one = token::hs256(&token::claims("ada"));
    let two = token::hs256(&token::claims("eve"));
    let request = get(&format!(
        "Authorization: Bearer {one}\r\nAuthorization: Bearer {two}\r\n"
    ));
    let answer = gateway.ask(request);
    refused(
        &gateway,
        &answer,
        401,
        "Invalid token",
        "repeated_credentials",
    );
    untouched(&origin);
}

#[test]
fn a_token_from_a_cookie_can_be_kept_from_the_upstream() {
    let origin = Origin::saying("hi");
    let gateway = with_secret(
        &origin,
        "token_from = [\"cookie:sid\"]\nforward_credentials = false",
    );
    let token = token::hs256(&token::claims("ada"));
    gateway
        .ask(get(&format!("Cookie: a=1; sid={token}; b=2\r\n")))
        .is(200);
    let request = origin.only();
    let head = tests::wire::latin(&request.message.head);
    assert!(head.contains("a=1") && head.contains("b=2"), "{head}");
    assert!(!head.contains(&token), "{head}");
    request.has("x-user-id", "ada");
    gateway.ask(bearer(&token)).is(401);
    let two = format!("Cookie: sid={token}\r\nCookie: sid={token}\r\n");
    gateway.ask(get(&two)).is(401);
}

#[test]
fn a_token_from_the_query_goes_no_further_and_is_not_logged() {
    let origin = Origin::saying("hi");
    let auth = format!(
        "kind = \"jwt\"\nsecret = \"{SECRET}\"\ntoken_from = [\"header\", \"query:access_token\"]"
    );
    let route = "access_log = \"main\"\n[access_log.main]\npath = \"stdout\"\nquery = true\n";
    let gateway = guarded(origin.address, &auth, route).start();
    let token = token::hs256(&token::claims("ada"));
    let mut peer = gateway.peer();
    let cases = [
        (format!("/q?a=1&access_token={token}&b=2"), "/q?a=1&b=2"),
        (format!("/q?access_token={token}"), "/q"),
        (format!("/q?access_token={token}&a"), "/q?a"),
        (format!("/q?a&access_token={token}"), "/q?a"),
    ];
    for (target, _) in &cases {
        peer.get(target).is(200);
    }
    let targets: Vec<String> = origin.received().into_iter().map(|r| r.target).collect();
    assert_eq!(targets, cases.each_ref().map(|(_, sent)| *sent));
    // Refused ones neither: a bad token is a secret as well, it may be good elsewhere.
    let bad = spoil(&token);
    peer.get(&format!("/last?access_token={bad}&z=1")).is(401);
    gateway.wait_logged("/last");
    let said = gateway.logged().join("\n") + &gateway.said().join("\n");
    assert!(said.contains("a=1&b=2"), "{said}");
    let signature = bad.rsplit_once('.').expect("three parts").1;
    for secret in [&token, signature] {
        assert!(!said.contains(secret), "{said}");
    }
    assert_eq!(origin.received().len(), cases.len());
}

#[test]
fn the_credentials_are_forwarded_unless_told_otherwise() {
    let origin = Origin::saying("hi");
    let token = token::hs256(&token::claims("ada"));
    with_secret(&origin, "").ask(bearer(&token)).is(200);
    with_secret(&origin, "forward_credentials = false")
        .ask(bearer(&token))
        .is(200);
    let received = origin.received();
    received[0].has("authorization", &format!("Bearer {token}"));
    received[1].lacks("authorization").has("x-user-id", "ada");
}

#[test]
fn a_refused_body_does_not_cost_the_connection() {
    let origin = Origin::saying("hi");
    let gateway = with_secret(&origin, "");
    let mut peer = gateway.peer();
    let body = "x".repeat(10_000);
    peer.ask(format!(
        "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ))
    .is(401)
    .lacks("connection");
    // No 100 either: it is sent once the request phase has passed.
    let expecting =
        "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n";
    peer.ask(expecting).is(401);
    untouched(&origin);
}
