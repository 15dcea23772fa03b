//! RFC 9110 section 7.6 and the semantics page "Forwarding": which fields go, which come.

use tests::{Gateway, Origin};

const TRUSTING: &str =
    "[gateway]\nworkers = 1\npin = false\ntrusted_proxies = [\"127.0.0.1/32\", \"10.0.0.0/8\"]\n";

#[test]
fn hop_by_hop_fields_end_here() {
    let origin = Origin::always(
        "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\n\
         Proxy-Connection: keep-alive\r\nUpgrade: foo\r\nX-End: 1\r\nContent-Length: 0\r\n\r\n",
    );
    let gateway = Gateway::before(origin.address, "");
    let answer = gateway.ask(
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: X-Hop, keep-alive,  X-Other \r\nX-Hop: 1\r\nx-other: 2\r\n\
         Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: gzip\r\nUpgrade: foo\r\n\
         Proxy-Authorization: Basic x\r\nX-End: 1\r\n\r\n",
    );
    answer.is(200).has("x-end", "1");
    for name in [
        "connection",
        "keep-alive",
        "x-hop",
        "proxy-connection",
        "upgrade",
    ] {
        answer.lacks(name);
    }
    let request = origin.only();
    request.has("x-end", "1");
    let gone = [
        "x-hop",
        "x-other",
        "keep-alive",
        "proxy-connection",
        "te",
        "upgrade",
        "proxy-authorization",
    ];
    for name in gone {
        request.lacks(name);
    }
}

#[test]
fn connection_can_not_remove_what_the_gateway_sets() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::before(origin.address, "");
    gateway
        .ask(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Host, X-Forwarded-For, Via, X-Request-ID, Forwarded\r\n\r\n",
        )
        .is(200);
    let request = origin.only();
    request
        .has("host", "a")
        .has("x-forwarded-for", "127.0.0.1")
        .has("via", "1.1 portcullis");
    assert!(request.field("x-request-id").is_some());
    assert!(request.field("forwarded").is_some());
}

#[test]
fn te_trailers_is_kept() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::before(origin.address, "");
    gateway
        .ask("GET / HTTP/1.1\r\nHost: a\r\nTE: gzip, trailers\r\nConnection: TE\r\n\r\n")
        .is(200);
    origin.only().has("te", "trailers");
}

#[test]
fn via_is_appended_both_ways() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nVia: 1.1 far\r\nContent-Length: 0\r\n\r\n");
    let gateway = Gateway::before(origin.address, "");
    let answer = gateway.ask("GET / HTTP/1.1\r\nHost: a\r\nVia: 1.0 near\r\n\r\n");
    answer.is(200).has("via", "1.1 far, 1.1 portcullis");
    origin.only().has("via", "1.0 near, 1.1 portcullis");
}

#[test]
fn a_strangers_forwarding_fields_are_replaced() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::before(origin.address, "");
    gateway
        .ask(
            "GET / HTTP/1.1\r\nHost: a:1\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 5.6.7.8\r\n\
             X-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nForwarded: for=1.2.3.4\r\n\r\n",
        )
        .is(200);
    let request = origin.only();
    request
        .has("x-forwarded-for", "127.0.0.1")
        .has("x-forwarded-proto", "http");
    request
        .has("x-forwarded-host", "a:1")
        .has("forwarded", "for=127.0.0.1;host=\"a:1\";proto=http");
}

#[test]
fn a_trusted_proxys_forwarding_fields_are_appended_to() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::before(origin.address, TRUSTING);
    gateway
        .ask(
            "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.2.3.4, 10.0.0.1\r\nX-Forwarded-Proto: https\r\n\
             X-Forwarded-Host: public\r\nForwarded: for=1.2.3.4\r\n\r\n",
        )
        .is(200);
    let request = origin.only();
    request.has("x-forwarded-for", "1.2.3.4, 10.0.0.1, 127.0.0.1");
    request
        .has("x-forwarded-proto", "https")
        .has("x-forwarded-host", "public");
    request.has(
        "forwarded",
        "for=1.2.3.4, for=127.0.0.1;host=\"a\";proto=http",
    );
}

#[test]
fn the_clients_address_is_the_rightmost_that_is_not_trusted() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::before(
        origin.address,
        &format!(
            "{TRUSTING}[route.logged]\npath = \"/logged\"\nupstream = \"backend\"\nauth = \"none\"\naccess_log = \"main\"\n"
        ),
    );
    let mut peer = gateway.peer();
    for (n, (list, client)) in [
        ("9.9.9.9, 1.2.3.4, 10.0.0.1", "1.2.3.4"),
        ("9.9.9.9, nonsense, 10.0.0.1", "10.0.0.1"),
        ("", "127.0.0.1"),
        ("10.0.0.2, 10.0.0.1", "10.0.0.2"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("case-{n}");
        let request = format!(
            "GET /logged HTTP/1.1\r\nHost: a\r\nX-Request-ID: {id}\r\nX-Forwarded-For: {list}\r\n\r\n"
        );
        peer.ask(request).is(200);
        let line = gateway.wait_logged(&id);
        assert!(
            line.contains(&format!("\"clientIp\":\"{client}\"")),
            "{list}: {line}"
        );
    }
}

#[test]
fn a_strangers_request_id_is_replaced_and_a_trusted_one_kept() {
    let origin = Origin::saying("hi");
    let request = "GET / HTTP/1.1\r\nHost: a\r\nX-Request-ID: mine-1\r\n\r\n";
    let gateway = Gateway::before(origin.address, "");
    let id = gateway
        .ask(request)
        .is(200)
        .field("x-request-id")
        .expect("there is an id");
    assert_eq!((id.len(), id.as_bytes()[14]), (36, b'7'), "a UUIDv7: {id}");
    origin.received()[0].has("x-request-id", &id);
    let trusting = Gateway::before(origin.address, TRUSTING);
    trusting.ask(request).is(200).has("x-request-id", "mine-1");
    origin.received()[1].has("x-request-id", "mine-1");
    let bad = "GET / HTTP/1.1\r\nHost: a\r\nX-Request-ID: a b\r\n\r\n";
    let id = trusting
        .ask(bad)
        .is(200)
        .field("x-request-id")
        .expect("there is an id");
    assert_eq!(id.len(), 36, "an ill-formed one is replaced: {id}");
}

#[test]
fn request_ids_differ() {
    let gateway = Gateway::before(Origin::saying("hi").address, "");
    let mut peer = gateway.peer();
    let mut ids: Vec<_> = (0..50)
        .map(|_| peer.get("/").field("x-request-id"))
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 50);
}

#[test]
fn end_to_end_fields_pass_as_they_are() {
    let origin = Origin::always(
        "HTTP/1.1 200 Fine indeed\r\nSet-Cookie: a=1\r\nX-Odd: \t caf\u{e9} \r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n",
    );
    let gateway = Gateway::before(origin.address, "");
    let answer = gateway.ask(
        "GET / HTTP/1.1\r\nhOsT: a\r\nX-A:  1, 2 \r\nX-A: 3\r\nCookie: c=1\r\nx-Empty:\r\n\r\n",
    );
    assert_eq!(answer.message.line, "HTTP/1.1 200 Fine indeed");
    assert_eq!(
        answer.message.values("set-cookie").collect::<Vec<_>>(),
        ["a=1", "b=2"]
    );
    assert!(
        answer.field("date").is_some(),
        "a gateway adds Date where it is missing"
    );
    let request = origin.only();
    assert_eq!(
        request.message.values("x-a").collect::<Vec<_>>(),
        ["1, 2", "3"]
    );
    request.has("cookie", "c=1").has("x-empty", "");
}

#[test]
fn identity_fields_of_clients_are_stripped_however_they_are_spelt() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::before(origin.address, "");
    gateway
        .ask(
            "GET / HTTP/1.1\r\nHost: a\r\nX-User-ID: root\r\nx-user-id: root\r\nX_User_Id: root\r\nX-USER_ID: root\r\n\
             X-Tenant-ID: 1\r\nX-User-IDs: kept\r\n\r\n",
        )
        .is(200);
    let request = origin.only();
    for name in ["x-user-id", "x_user_id", "x-user_id", "x-tenant-id"] {
        request.lacks(name);
    }
    request.has("x-user-ids", "kept");
}

#[test]
fn the_host_goes_as_the_route_says() {
    let origin = Origin::saying("hi");
    let route = |name: &str, host: &str| {
        format!(
            "[route.{name}]\npath = \"/{name}\"\nupstream = \"backend\"\nauth = \"none\"\nhost_header = \"{host}\"\n"
        )
    };
    let gateway = Gateway::before(
        origin.address,
        &[
            route("client", "client"),
            route("upstream", "upstream"),
            route("own", "own.example"),
        ]
        .concat(),
    );
    let mut peer = gateway.peer();
    for path in ["/client", "/upstream", "/own"] {
        peer.get(path).is(200);
    }
    let hosts: Vec<_> = origin
        .received()
        .iter()
        .map(|r| r.field("host").unwrap_or_default())
        .collect();
    assert_eq!(hosts, ["a", &origin.address.to_string(), "own.example"]);
}
