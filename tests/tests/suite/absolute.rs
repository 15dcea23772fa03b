//! RFC 9112 section 3.2: the forms of the request target.

use tests::{Gateway, Origin};

#[test]
fn absolute_form_is_forwarded_in_origin_form() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::before(origin.address, "");
    gateway
        .ask("GET http://a.example/x?y=1 HTTP/1.1\r\nHost: a.example\r\n\r\n")
        .is(200);
    let request = origin.only();
    assert_eq!(request.target, "/x?y=1");
    request.has("host", "a.example");
}

#[test]
fn absolute_form_without_path_asks_for_the_root() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    peer.ask("GET http://a.example HTTP/1.1\r\nHost: a.example\r\n\r\n")
        .is(200);
    peer.ask("GET http://a.example?q HTTP/1.1\r\nHost: a.example\r\n\r\n")
        .is(200);
    let targets: Vec<_> = origin.received().into_iter().map(|r| r.target).collect();
    assert_eq!(targets, ["/", "/?q"]);
}

#[test]
fn the_authority_of_absolute_form_chooses_the_route() {
    let a = Origin::saying("a");
    let gateway = Gateway::before(
        a.address,
        "[route.b]\nhosts = [\"b.example\"]\npath = \"/*\"\nauth = \"none\"\nrespond = \"200 b\"\n",
    );
    gateway
        .ask("GET http://b.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n")
        .is(200)
        .body_is("b");
    gateway
        .ask("GET http://B.example:80/ HTTP/1.0\r\n\r\n")
        .is(200)
        .body_is("b");
    gateway
        .ask("GET http://c.example/ HTTP/1.1\r\nHost: c.example\r\n\r\n")
        .is(200)
        .body_is("a");
}

#[test]
fn asterisk_form_is_answered_by_the_gateway() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    let answer = peer.ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(matches!(answer.status, 200 | 204), "{}", answer.status);
    assert!(
        answer
            .field("allow")
            .is_some_and(|allow| allow.contains("GET"))
    );
    peer.get("/").is(200);
    assert_eq!(
        origin.only().method,
        "GET",
        "nothing of it reached the upstream"
    );
}

#[test]
fn asterisk_form_needs_no_route_for_every_path() {
    let gateway =
        Gateway::start("[route.a]\npath = \"/a\"\nauth = \"none\"\nrespond = \"200 a\"\n");
    let answer = gateway.ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(matches!(answer.status, 200 | 204), "{}", answer.status);
}

#[test]
fn asterisk_form_is_for_options_alone() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::before(origin.address, "");
    gateway.ask("GET * HTTP/1.1\r\nHost: a\r\n\r\n").is(400);
    assert_eq!(origin.received().len(), 0);
}

#[test]
fn methods_of_their_own_pass() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    for method in ["PROPFIND", "x", "M-SEARCH"] {
        peer.ask(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n"))
            .is(200);
    }
    let methods: Vec<_> = origin.received().into_iter().map(|r| r.method).collect();
    assert_eq!(methods, ["PROPFIND", "x", "M-SEARCH"]);
}
