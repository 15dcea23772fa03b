//! Who may open a WebSocket, what the origin is asked, and what the client is told.

use tests::gateway::{proxy, upstream_and_route};
use tests::origin::ok;
use tests::{Gateway, Origin, Setup};

use super::{KEY, PROOF, asking, consent, echo, gateway};

/// `sha256("abc")`, as FIPS 180 gives it.
const ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[test]
fn the_origin_is_asked_and_its_consent_passed_on() {
    let origin = Origin::start(|link| {
        let request = link.request_head()?.expect("a request");
        link.send(consent(
            &request,
            "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: permessage-deflate\r\nX-Other: 1\r\n",
        ))?;
        link.wait_closed();
        Ok(())
    });
    let gateway = gateway(&origin, "");
    let mut peer = gateway.peer();
    let asked = asking(
        "Sec-WebSocket-Protocol: chat, talk\r\nSec-WebSocket-Extensions: permessage-deflate\r\nOrigin: https://b\r\nX-User-ID: root\r\n",
    );
    peer.ask(asked)
        .is(101)
        .has("connection", "Upgrade")
        .has("upgrade", "websocket")
        .has("sec-websocket-accept", PROOF)
        .has("sec-websocket-protocol", "chat")
        .has("sec-websocket-extensions", "permessage-deflate")
        .has("x-other", "1")
        .has("via", "1.1 portcullis")
        .lacks("content-length")
        .lacks("transfer-encoding");
    let received = origin.only();
    assert_eq!((&*received.method, &*received.target), ("GET", "/chat?x=1"));
    received
        .has("connection", "Upgrade")
        .has("upgrade", "websocket")
        .has("sec-websocket-version", "13")
        .has("sec-websocket-key", KEY)
        .has("sec-websocket-protocol", "chat, talk")
        .has("sec-websocket-extensions", "permessage-deflate")
        .has("origin", "https://b")
        .has("x-forwarded-proto", "http")
        .lacks("x-user-id")
        .lacks("content-length")
        .lacks("transfer-encoding");
}

#[test]
fn a_handshake_that_is_none_is_refused_and_the_connection_lives_on() {
    let origin = echo();
    let gateway = gateway(&origin, "");
    let mut peer = gateway.peer();
    let good = asking("");
    let key = format!("Sec-WebSocket-Key: {KEY}\r\n");
    let cases = [
        (good.replace(&key, ""), "websocket_bad_key"),
        (good.replace(KEY, "c2hvcnQ="), "websocket_bad_key"),
        (good.replace(&key, &key.repeat(2)), "websocket_bad_key"),
        (good.replace("GET", "POST"), "websocket_bad_method"),
        (
            good.replace("Host: a", "Host: a\r\nContent-Length: 1") + "x",
            "websocket_with_body",
        ),
    ];
    for (asked, word) in cases {
        let answer = peer.ask(&asked);
        answer.problem(400, "/chat", "Bad request");
        let id = answer.field("x-request-id").expect("every answer has one");
        assert!(gateway.wait_logged(&id).contains(word), "{word}: {asked}");
    }
    for version in ["8", "", "13, 8"] {
        let asked = good.replace("Version: 13", &format!("Version: {version}"));
        peer.ask(asked)
            .is(426)
            .has("sec-websocket-version", "13")
            .has("upgrade", "websocket")
            .has("connection", "Upgrade");
    }
    assert_eq!(origin.connections(), 0, "nothing refused reaches an origin");
    peer.ask(good).is(101);
}

#[test]
fn a_route_that_lets_none_through_says_403() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    peer.ask(asking("")).problem(403, "/chat", "Forbidden");
    // Whatever else may be wrong with it.
    peer.ask(asking("").replace(KEY, "x")).is(403);
    assert_eq!(origin.connections(), 0, "nothing refused reaches an origin");
    peer.get("/").is(200);
}

#[test]
fn other_upgrades_are_ignored() {
    let origin = Origin::saying("hi");
    for route in ["", "websocket = true"] {
        let upstream = format!("endpoints = [\"{}\"]", origin.address);
        let gateway = Gateway::start(upstream_and_route(&upstream, route));
        let mut peer = gateway.peer();
        let h2c = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n";
        peer.ask(h2c).is(200).body_is("hi");
        peer.ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: TLS/1.0\r\n\r\n")
            .is(200);
        // An Upgrade that Connection does not name asks for nothing, and HTTP/1.0 knows none.
        peer.ask("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n")
            .is(200);
        let old = asking("").replace("HTTP/1.1", "HTTP/1.0");
        gateway.ask(old).is(200);
    }
    for received in origin.received() {
        received
            .lacks("upgrade")
            .lacks("connection")
            .lacks("http2-settings");
    }
}

#[test]
fn policies_run_on_the_handshake() {
    let origin = echo();
    let text = format!(
        "[upstream.backend]\nendpoints = [\"{}\"]\n[auth.users]\nkind = \"api_key\"\n[consumer.acme]\nkeys = [\"{ABC}\"]\n\
         [route.all]\npath = \"/*\"\nupstream = \"backend\"\nauth = \"users\"\nwebsocket = true\n",
        origin.address
    );
    let gateway = Setup::new(text).start();
    let mut peer = gateway.peer();
    peer.ask(asking(""))
        .problem(401, "/chat", "Missing API key");
    // Who may not come in is not told either what is wrong with the handshake.
    peer.ask(asking("").replace(KEY, "x")).is(401);
    assert_eq!(origin.connections(), 0, "nothing refused reaches an origin");
    peer.ask(asking("X-API-Key: abc\r\n")).is(101);
    origin.only().has("x-consumer", "acme").lacks("x-api-key");
}

#[test]
fn an_origin_that_refuses_is_passed_on() {
    let answer = "HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\nX-Why: so\r\n\r\nno!";
    let origin = Origin::always(answer);
    let gateway = gateway(&origin, "");
    let mut peer = gateway.peer();
    for _ in 0..2 {
        peer.ask(asking(""))
            .is(403)
            .has("x-why", "so")
            .lacks("connection")
            .body_is("no!");
    }
    origin.wait_connections(2);
    // What follows on the connection is a request like any other.
    peer.send(asking("") + "GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
    peer.answer().is(403);
    peer.answer().is(403);
    let received = origin.received();
    assert_eq!(received.last().expect("they came").target, "/next");
    // One that does not know of upgrades answers the request as it is.
    let plain = Origin::always(ok("a page"));
    super::gateway(&plain, "")
        .ask(asking(""))
        .is(200)
        .body_is("a page");
}

#[test]
fn a_consent_that_is_none_is_not_believed() {
    let cases = [
        (
            consent_to("x", "Upgrade: websocket\r\n"),
            "websocket_bad_accept",
        ),
        (
            consent_to(KEY, "Upgrade: websocket\r\n").replace(PROOF, ""),
            "websocket_bad_accept",
        ),
        (
            consent_to(KEY, "Upgrade: h2c\r\n"),
            "websocket_other_protocol",
        ),
        (consent_to(KEY, ""), "websocket_other_protocol"),
    ];
    for (answer, word) in cases {
        let origin = Origin::once(&answer);
        let gateway = gateway(&origin, "");
        let answer = gateway.ask(asking(""));
        answer.problem(502, "/chat", "Bad gateway");
        let status = answer.field("proxy-status").expect("it is there");
        assert!(status.contains(word), "{status}");
        assert!(gateway.wait_logged("\"statusCode\":502").contains(word));
    }
    // Nobody asked for it.
    let origin = Origin::once(consent_to(KEY, "Upgrade: websocket\r\n"));
    let gateway = super::gateway(&origin, "");
    gateway.get("/").is(502);
}

fn consent_to(key: &str, upgrade: &str) -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n{upgrade}Sec-WebSocket-Accept: {}\r\n\r\n",
        super::accept(key)
    )
}

#[test]
fn routes_that_do_not_forward_answer_as_ever() {
    let gateway = Gateway::start(
        "[route.a]\npath = \"/*\"\nauth = \"none\"\nredirect = \"https://b/\"\n\
         [route.b]\npath = \"/own\"\nauth = \"none\"\nrespond = \"200 own\"\n",
    );
    gateway
        .ask(asking(""))
        .is(302)
        .has("location", "https://b/");
    gateway
        .ask(asking("").replace("/chat?x=1", "/own"))
        .is(200)
        .body_is("own");
}

#[test]
fn an_origin_that_is_gone_gets_502() {
    let refusing = tests::origin::Refusing::new();
    let text = proxy(refusing.address, "").replace("auth", "websocket = true\nauth");
    Gateway::start(text).ask(asking("")).is(502);
    let silent = Origin::start(|link| link.request().map(drop));
    gateway(&silent, "").ask(asking("")).is(502);
}
