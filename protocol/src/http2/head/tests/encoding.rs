//! HTTP/1.1 text to blocks: what becomes of the start line and of each kind of field, byte by byte where it matters.

use super::*;

/// A request text as fields of a decoded head, with its method, path and authority.
fn sent(text: &str, scheme: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    Encoder::new().request(text.as_bytes(), scheme.as_bytes(), &mut out);
    let (mut head, mut arena) = (RequestHead::new(), Vec::new());
    Decoder::new(4096)
        .request(&out, false, &LIMITS, &mut head, &mut arena)
        .unwrap();
    let owned = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let mut list = vec![(
        owned(head.method_text.of(&arena)),
        owned(head.target.of(&arena)),
    )];
    for (name, value) in fields(&head.fields, &arena) {
        list.push((name.to_owned(), value.to_owned()));
    }
    list
}

fn check(text: &str, expected: &[(&str, &str)]) {
    let got = sent(text, "https");
    let got: Vec<_> = got
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(got, expected, "{text}");
}

#[test]
fn the_start_line_and_host_become_pseudo_fields() {
    let mut out = Vec::new();
    let text = b"GET / HTTP/1.1\r\nHost: a.example\r\nAccept: */*\r\n\r\n";
    Encoder::new().request(text, b"https", &mut out);
    assert_eq!(out, b"\x82\x87\x01\x09a.example\x84\x0f\x04\x03*/*");
    out.clear();
    let text = b"PUT /index.html HTTP/1.1\r\nhost:a\r\n\r\n";
    Encoder::new().request(text, b"http", &mut out);
    assert_eq!(out, b"\x02\x03PUT\x86\x01\x01a\x85");
    out.clear();
    Encoder::new().request(b"POST /x?y HTTP/1.1\r\n\r\n", b"http", &mut out);
    assert_eq!(out, b"\x83\x86\x04\x04/x?y");
}

#[test]
fn fields_pass_and_those_of_the_connection_do_not() {
    check(
        "DELETE /a?b HTTP/1.1\r\nConnection: TE, close\r\nX-Mixed-Case: Value\r\nHOST: a.example\r\n\
         Keep-Alive: timeout=5\r\nProxy-Connection: x\r\nTransfer-Encoding: chunked\r\nUpgrade: h2c\r\n\
         HTTP2-Settings: x\r\nTE: gzip, Trailers;q=0\r\nContent-Length: 5\r\nX-Empty:\r\n\
         Cookie: a=1; b=2\r\nX-Blank: \t v w \t\r\n\r\nbody: not a field\r\n",
        &[
            ("DELETE", "/a?b"),
            ("host", "a.example"),
            ("x-mixed-case", "Value"),
            ("content-length", "5"),
            ("x-empty", ""),
            ("cookie", "a=1; b=2"),
            ("x-blank", "v w"),
        ],
    );
    check(
        "GET / HTTP/1.1\r\nHost: a\r\nTE: gzip, Trailers\r\n",
        &[("GET", "/"), ("host", "a"), ("te", "trailers")],
    );
    check(
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n: no name\r\nno colon\r\nx: y",
        &[("OPTIONS", "*"), ("host", "a"), ("x", "y")],
    );
}

#[test]
fn answers_have_a_status_alone() {
    let table: [(&str, &[u8]); 6] = [
        ("HTTP/1.1 200 OK\r\n\r\n", b"\x88"),
        ("HTTP/1.1 500 \r\n\r\n", b"\x8e"),
        ("HTTP/1.1 103 Early Hints\r\n\r\n", b"\x08\x03103"),
        ("HTTP/1.1 404\r\nServer: x\r\n\r\n", b"\x8d\x0f\x27\x01x"),
        (
            "HTTP/1.1 204 No Content\r\nConnection: close\r\nHost: kept\r\n\r\n",
            b"\x89\x0f\x17\x04kept",
        ),
        (
            "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nDate: d\r\n\r\n",
            b"\x88\x1f\x28\x03a=b\x0f\x12\x01d",
        ),
    ];
    for (text, expected) in table {
        let mut out = Vec::new();
        Encoder::new().response(text.as_bytes(), &mut out);
        assert_eq!(out, expected, "{text}");
    }
}

#[test]
fn trailers_are_lines_alone() {
    for end in ["", "\r\n"] {
        let mut out = Vec::new();
        let text = format!("grpc-status: 0\r\nGrpc-Message:\r\n{end}");
        Encoder::new().trailers(text.as_bytes(), &mut out);
        assert_eq!(out, b"\x00\x0bgrpc-status\x010\x00\x0cgrpc-message\x00");
    }
}

#[test]
fn what_repeats_is_a_byte() {
    let text = b"POST /pkg.Service/Method HTTP/1.1\r\nHost: a.example:50051\r\nTE: trailers\r\n\
        Content-Type: application/grpc\r\nUser-Agent: grpc-c/1.0\r\nX-Custom: v\r\n\
        Authorization: Bearer secret\r\nContent-Length: 7\r\n\r\n";
    let mut encoder = Encoder::new();
    let mut out = Vec::new();
    for _ in 0..3 {
        out.clear();
        encoder.request(text, b"http", &mut out);
    }
    let secret = b"\x1f\x08\x0dBearer secret\x0f\x0d\x017";
    assert!(out.ends_with(secret));
    assert_eq!(out.len() - secret.len(), 8, "{out:02x?}");
    assert!(out[..8].iter().all(|byte| byte & 0x80 != 0));
}

#[test]
fn a_path_with_a_query_or_a_long_one_never_enters() {
    let long = format!("/{}", "p".repeat(200));
    for path in ["/a?token=1", long.as_str()] {
        let text = format!("GET {path} HTTP/1.1\r\n\r\n");
        let mut encoder = Encoder::new();
        let mut first = Vec::new();
        encoder.request(text.as_bytes(), b"http", &mut first);
        for _ in 0..3 {
            let mut out = Vec::new();
            encoder.request(text.as_bytes(), b"http", &mut out);
            assert_eq!(out, first);
        }
    }
}

#[test]
fn a_tunnel_is_an_extended_connect() {
    let text =
        b"GET /chat HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\n\r\n";
    let mut out = Vec::new();
    Encoder::new().tunnel(text, b"https", b"websocket", &mut out);
    let (mut head, mut arena) = (RequestHead::new(), Vec::new());
    Decoder::new(4096)
        .request(&out, false, &LIMITS, &mut head, &mut arena)
        .unwrap();
    assert!(head.upgrade);
    assert_eq!(head.protocol.of(&arena), b"websocket");
    assert_eq!(head.view(&arena).path(), b"/chat");
    assert_eq!(
        fields(&head.fields, &arena),
        [("host", "a.example"), ("sec-websocket-version", "13")]
    );
}

#[test]
fn a_smaller_table_is_said_first() {
    let mut encoder = Encoder::new();
    encoder.set_max_table(0);
    for expected in [b"\x20\x88".as_slice(), b"\x88", b"\x88"] {
        let mut out = Vec::new();
        encoder.response(b"HTTP/1.1 200 OK\r\n\r\n", &mut out);
        assert_eq!(out, expected);
    }
}
