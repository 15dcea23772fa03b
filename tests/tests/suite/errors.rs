//! Requests that are refused before anything is forwarded: the exact answer and the connection's fate.

use tests::wire::latin;
use tests::{Gateway, Origin};

/// Sends each request, with another one behind it, on a connection of its own; expects one answer
/// with this status and short text, then the close, and nothing at the origin.
#[track_caller]
fn refused(status: u16, error: &str, requests: &[&[u8]]) {
    let origin = Origin::saying("hi");
    let gateway = Gateway::before(origin.address, "");
    let mut wrong = Vec::new();
    for request in requests {
        let mut peer = gateway.peer();
        peer.send(request)
            .try_send("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
        let answer = peer.answer();
        if answer.status != status {
            wrong.push(format!("{} for {:?}", answer.status, latin(request)));
            continue;
        }
        let problem = answer.problem(status, "", error);
        assert!(problem.get("instance").is_none(), "{problem}");
        answer.has("connection", "close");
        peer.is_closed();
    }
    assert_eq!(wrong, Vec::<String>::new(), "not {status}");
    assert_eq!(
        origin.connections(),
        0,
        "nothing of them reached the upstream"
    );
    gateway.get("/").is(200);
}

#[test]
fn a_malformed_request_line_gets_400() {
    refused(
        400,
        "Bad request",
        &[
            b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
            b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
            b" GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET /\r\n\r\n",
            b"GET / \r\nHost: a\r\n\r\n",
            b"/ HTTP/1.1\r\nHost: a\r\n\r\n",
            b"G@T / HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET / http/1.1\r\nHost: a\r\n\r\n",
            b"GET / HTTPS/1.1\r\nHost: a\r\n\r\n",
            b"GET / HTTP/1.1\rHost: a\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        ],
    );
}

#[test]
fn a_malformed_target_gets_400() {
    refused(
        400,
        "Bad request",
        &[
            b"GET a HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET /#f HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET http:// HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET http://user@a/ HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
        ],
    );
}

#[test]
fn a_malformed_field_gets_400() {
    refused(
        400,
        "Bad request",
        &[
            b"GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nX\t: 1\r\n\r\n",
            b"GET / HTTP/1.1\r\n X: 1\r\nHost: a\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\tfolded\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\n: 1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nX(): 1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nX\x00: 1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\x002\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\x012\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\x7f2\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r2\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\r\n\r\n",
        ],
    );
}

#[test]
fn a_line_without_its_carriage_return_gets_400() {
    refused(
        400,
        "Bad request",
        &[
            b"GET / HTTP/1.1\nHost: a\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\nY: 2\r\n\r\n",
            b"GET / HTTP/1.1\nHost: a\n\n",
            b"GET / HTTP/1.1\r\nHost: a\r\n\n",
        ],
    );
}

#[test]
fn a_host_that_is_missing_repeated_or_invalid_gets_400() {
    refused(
        400,
        "Bad request",
        &[
            b"GET / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nX: 1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n",
            b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a:x\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a?b\r\n\r\n",
            b"GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n",
            b"GET http://a/ HTTP/1.1\r\n\r\n",
        ],
    );
}

#[test]
fn an_ambiguous_length_gets_400() {
    refused(
        400,
        "Bad request",
        &[
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5,\r\n\r\nhello",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\nhello",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nhello",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5 5\r\n\r\nhello",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5.0\r\n\r\nhello",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\nhello",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551621\r\n\r\nhello",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\nhello",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent_Length: 5\r\n\r\nhello",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nG",
        ],
    );
}

#[test]
fn a_transfer_encoding_that_does_not_end_in_one_chunked_gets_400() {
    refused(
        400,
        "Bad request",
        &[
            b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer_Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nX: 1\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ],
    );
}

#[test]
fn a_coding_that_is_not_understood_gets_501() {
    refused(
        501,
        "Not implemented",
        &[
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
        ],
    );
}

#[test]
fn connect_gets_501() {
    refused(
        501,
        "Not implemented",
        &[b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"],
    );
}

#[test]
fn another_version_gets_505() {
    refused(
        505,
        "HTTP version not supported",
        &[
            b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
            b"GET / HTTP/3.0\r\nHost: a\r\n\r\n",
            b"GET / HTTP/0.9\r\nHost: a\r\n\r\n",
            b"PRI * HTTP/2.0\r\nHost: a\r\n\r\n",
        ],
    );
}

#[test]
fn another_expectation_gets_417() {
    refused(
        417,
        "Expectation failed",
        &[b"POST / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: 0\r\n\r\n"],
    );
}

#[test]
fn a_target_that_is_too_long_gets_414() {
    let request = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(9000));
    refused(414, "URI too long", &[request.as_bytes()]);
}

#[test]
fn a_head_that_is_too_large_gets_431() {
    let long = format!(
        "GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n",
        "a".repeat(17_000)
    );
    let endless = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "a".repeat(17_000));
    let many = format!(
        "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
        "X: 1\r\n".repeat(100)
    );
    refused(
        431,
        "Request header fields too large",
        &[long.as_bytes(), endless.as_bytes(), many.as_bytes()],
    );
}

#[test]
fn the_bounds_of_a_head_are_the_listeners() {
    let listener = "[listener.public]\naddress = \"127.0.0.1:0\"\nmax_header_bytes = \"64KiB\"\nmax_headers = 200\n";
    let gateway = Gateway::before(Origin::saying("hi").address, listener);
    let mut peer = gateway.peer();
    let long = "a".repeat(60_000);
    peer.ask(format!("GET / HTTP/1.1\r\nHost: a\r\nX: {long}\r\n\r\n"))
        .is(200);
    let many = "X: 1\r\n".repeat(199);
    peer.ask(format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n"))
        .is(200);
    peer.ask(format!(
        "GET / HTTP/1.1\r\nHost: a\r\nX: {long}{long}\r\n\r\n"
    ))
    .is(431);
}

#[test]
fn a_path_without_canonical_form_gets_400() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::before(origin.address, "");
    for path in [
        "/a%2Fb",
        "/a%2fb",
        "/a%5Cb",
        "/a%00b",
        "/../a",
        "/a/../../b",
        "/%2e%2e/a",
        "/.%2E/a",
        "/%zz",
        "/%a",
        "/%",
    ] {
        let mut peer = gateway.peer();
        peer.send(format!(
            "GET {path} HTTP/1.1\r\nHost: a\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
        ));
        let answer = peer.answer();
        answer
            .is(400)
            .has("content-type", "application/problem+json")
            .has("connection", "close");
        peer.is_closed();
    }
    assert_eq!(origin.connections(), 0);
    let answer = gateway.get("/a%2Fb");
    answer.problem(400, "/a%2Fb", "Bad request");
    // A raw backslash may be refused as a target or as a path.
    gateway.ask("GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n").is(400);
    assert_eq!(origin.connections(), 0);
}

#[test]
fn broken_chunks_get_400_and_never_complete_a_request() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::before(origin.address, "");
    let mut wrong = Vec::new();
    for body in [
        "5;a=b\r\nhello\r\n0\r\n\r\n",
        "5;\r\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        " 5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "g\r\nhello\r\n0\r\n\r\n",
        "\r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhelloX\r\n0\r\n\r\n",
        "5\rhello\r\n0\r\n\r\n",
        "00000000000000005\r\nhello\r\n0\r\n\r\n",
        "ffffffffffffffff0\r\nhello",
        "5\r\nhello\r\n0\r\nno colon\r\n\r\n",
        "5\r\nhello\r\n0\r\nX: 1\r\n folded\r\n\r\n",
        "5\r\nhello\r\n0\r\nX : 1\r\n\r\n",
        "5\r\nhello\r\n0;a\r\n\r\n",
        "5\r\nhello\r\n0\n\n",
    ] {
        for together in [true, false] {
            let mut peer = gateway.peer();
            let head = "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
            if together {
                peer.send(format!("{head}{body}"));
            } else {
                peer.send(head);
                peer.send(body);
            }
            peer.try_send("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
            let answer = match peer.read(false) {
                Ok(answer) => answer,
                Err(why) => {
                    wrong.push(format!("{why} for {body:?} (together: {together})"));
                    continue;
                }
            };
            if answer.status != 400 {
                wrong.push(format!(
                    "{} for {body:?} (together: {together})",
                    answer.status
                ));
                continue;
            }
            answer.problem(400, "/x", "Bad request");
            answer.has("connection", "close");
            peer.is_closed();
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(origin.received().len(), 0, "no request was complete");
}

#[test]
fn no_route_gets_404_and_the_connection_lives_on() {
    let gateway =
        Gateway::start("[route.a]\npath = \"/a\"\nauth = \"none\"\nrespond = \"200 a\"\n");
    let mut peer = gateway.peer();
    peer.get("/b").problem(404, "/b", "Not found");
    peer.get("/a").is(200);
    peer.ask("HEAD /b HTTP/1.1\r\nHost: a\r\n\r\n").is(404);
    peer.get("/a").is(200);
}

#[test]
fn a_small_body_of_a_refused_request_is_drained() {
    let gateway =
        Gateway::start("[route.a]\npath = \"/a\"\nauth = \"none\"\nrespond = \"200 a\"\n");
    let mut peer = gateway.peer();
    for _ in 0..2 {
        peer.send("POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n");
        peer.answer().is(404).lacks("connection");
        peer.send(vec![b'x'; 60_000]);
        peer.get("/a").is(200);
    }
    peer.send("POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    peer.answer().is(404);
    peer.send("5\r\nhello\r\n0\r\n\r\n").get("/a").is(200);
}

#[test]
fn a_large_body_of_a_refused_request_costs_the_connection_but_not_the_answer() {
    let gateway =
        Gateway::start("[route.a]\npath = \"/a\"\nauth = \"none\"\nrespond = \"200 a\"\n");
    let mut peer = gateway.peer();
    peer.send("POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
    peer.send(vec![b'x'; 300_000]);
    peer.answer().is(404).has("connection", "close");
    peer.is_closed();
}

#[test]
fn what_is_echoed_is_encoded() {
    let gateway =
        Gateway::start("[route.a]\npath = \"/a\"\nauth = \"none\"\nrespond = \"200 a\"\n");
    let answer = gateway.get("/<script>\"'%0d%0aX:%201");
    answer.problem(404, "/%3Cscript%3E%22'%0d%0aX:%201", "Not found");
}

#[test]
fn errors_may_be_text() {
    let gateway = Gateway::start(
        "[gateway]\nworkers = 1\npin = false\nerror_format = \"text\"\n[route.a]\npath = \"/a\"\nauth = \"none\"\nrespond = \"200 a\"\n",
    );
    let answer = gateway.get("/b");
    answer
        .is(404)
        .has("content-type", "text/plain; charset=utf-8");
    let id = answer.field("x-request-id").expect("there is an id");
    assert!(
        answer.text().starts_with("404 Not Found\n"),
        "{}",
        answer.text()
    );
    assert!(answer.text().contains(&id), "{}", answer.text());
}
