//! Sections 8.2 and 8.3: what may stand in a request's head. What is malformed is a stream error of type PROTOCOL_ERROR
//! (section 8.1.1), with or without an answer before it, and nothing of it reaches an upstream.

use super::*;

/// The fields of one head, sent on stream 1 with END_STREAM.
type Head = &'static [(&'static str, &'static str)];

const METHOD: (&str, &str) = (":method", "GET");
const SCHEME: (&str, &str) = (":scheme", "http");
const PATH: (&str, &str) = (":path", "/");
const AUTHORITY: (&str, &str) = (":authority", "a");

const MALFORMED: &[(&str, &str, Head)] = &[
    (
        "8.2.1",
        "an upper-case name",
        &[METHOD, SCHEME, PATH, AUTHORITY, ("X-Test", "ok")],
    ),
    (
        "8.2.1",
        "an empty name",
        &[METHOD, SCHEME, PATH, AUTHORITY, ("", "ok")],
    ),
    (
        "8.2.1",
        "a space in a name",
        &[METHOD, SCHEME, PATH, AUTHORITY, ("x test", "ok")],
    ),
    (
        "8.2.1",
        "a colon in a name",
        &[METHOD, SCHEME, PATH, AUTHORITY, ("x:test", "ok")],
    ),
    (
        "8.2.1",
        "a control byte in a name",
        &[METHOD, SCHEME, PATH, AUTHORITY, ("x\0", "ok")],
    ),
    (
        "8.2.1",
        "a byte above ASCII in a name",
        &[METHOD, SCHEME, PATH, AUTHORITY, ("x\u{e4}", "ok")],
    ),
    (
        "8.2.1",
        "NUL in a value",
        &[METHOD, SCHEME, PATH, AUTHORITY, ("x", "a\0b")],
    ),
    (
        "8.2.1",
        "LF in a value",
        &[METHOD, SCHEME, PATH, AUTHORITY, ("x", "a\nevil: b")],
    ),
    (
        "8.2.1",
        "CR in a value",
        &[METHOD, SCHEME, PATH, AUTHORITY, ("x", "a\rb")],
    ),
    (
        "8.2.1",
        "a blank before a value",
        &[METHOD, SCHEME, PATH, AUTHORITY, ("x", " a")],
    ),
    (
        "8.2.1",
        "a tab behind a value",
        &[METHOD, SCHEME, PATH, AUTHORITY, ("x", "a\t")],
    ),
    (
        "8.2.2",
        "Connection",
        &[
            METHOD,
            SCHEME,
            PATH,
            AUTHORITY,
            ("connection", "keep-alive"),
        ],
    ),
    (
        "8.2.2",
        "Transfer-Encoding",
        &[
            METHOD,
            SCHEME,
            PATH,
            AUTHORITY,
            ("transfer-encoding", "chunked"),
        ],
    ),
    (
        "8.2.2",
        "Keep-Alive",
        &[METHOD, SCHEME, PATH, AUTHORITY, ("keep-alive", "5")],
    ),
    (
        "8.2.2",
        "Proxy-Connection",
        &[METHOD, SCHEME, PATH, AUTHORITY, ("proxy-connection", "x")],
    ),
    (
        "8.2.2",
        "Upgrade",
        &[METHOD, SCHEME, PATH, AUTHORITY, ("upgrade", "h2c")],
    ),
    (
        "8.2.2",
        "TE other than trailers",
        &[METHOD, SCHEME, PATH, AUTHORITY, ("te", "trailers, deflate")],
    ),
    (
        "8.3",
        "an unknown pseudo-field",
        &[METHOD, SCHEME, PATH, AUTHORITY, (":test", "ok")],
    ),
    (
        "8.3",
        "a pseudo-field of answers",
        &[METHOD, SCHEME, PATH, AUTHORITY, (":status", "200")],
    ),
    (
        "8.3",
        "a pseudo-field behind a field",
        &[METHOD, SCHEME, PATH, ("x", "y"), AUTHORITY],
    ),
    (
        "8.3.1",
        "an empty path",
        &[METHOD, SCHEME, (":path", ""), AUTHORITY],
    ),
    (
        "8.3.1",
        "a path without a slash",
        &[METHOD, SCHEME, (":path", "x"), AUTHORITY],
    ),
    (
        "8.3.1",
        "a whole URL as path",
        &[METHOD, SCHEME, (":path", "http://a/"), AUTHORITY],
    ),
    (
        "8.3.1",
        "a space in a path",
        &[METHOD, SCHEME, (":path", "/ HTTP/1.1"), AUTHORITY],
    ),
    (
        "8.3.1",
        "CRLF in a path",
        &[
            METHOD,
            SCHEME,
            (":path", "/ HTTP/1.1\r\nHost: b"),
            AUTHORITY,
        ],
    ),
    ("8.3.1", "no method", &[SCHEME, PATH, AUTHORITY]),
    ("8.3.1", "no scheme", &[METHOD, PATH, AUTHORITY]),
    ("8.3.1", "no path", &[METHOD, SCHEME, AUTHORITY]),
    (
        "8.3.1",
        "two methods",
        &[METHOD, METHOD, SCHEME, PATH, AUTHORITY],
    ),
    (
        "8.3.1",
        "two schemes",
        &[METHOD, SCHEME, SCHEME, PATH, AUTHORITY],
    ),
    (
        "8.3.1",
        "two paths",
        &[METHOD, SCHEME, PATH, PATH, AUTHORITY],
    ),
    (
        "8.3.1",
        "two authorities",
        &[METHOD, SCHEME, PATH, AUTHORITY, AUTHORITY],
    ),
    (
        "8.3.1",
        "a method that is no token",
        &[(":method", "GE T"), SCHEME, PATH, AUTHORITY],
    ),
    (
        "8.3.1",
        "userinfo in the authority",
        &[METHOD, SCHEME, PATH, (":authority", "u:p@a")],
    ),
    (
        "8.3.1",
        "Host and authority differ",
        &[METHOD, SCHEME, PATH, AUTHORITY, ("host", "b")],
    ),
    (
        "8.3.1",
        "neither Host nor authority",
        &[METHOD, SCHEME, PATH],
    ),
    (
        "8.3.1",
        "two Hosts",
        &[METHOD, SCHEME, PATH, ("host", "a"), ("host", "a")],
    ),
    (
        "8.1.1",
        "a content-length that is no number",
        &[METHOD, SCHEME, PATH, AUTHORITY, ("content-length", "+1")],
    ),
    (
        "8.1.1",
        "two content-lengths",
        &[
            METHOD,
            SCHEME,
            PATH,
            AUTHORITY,
            ("content-length", "0"),
            ("content-length", "5"),
        ],
    ),
];

const GOOD: &[(&str, &str, Head)] = &[
    (
        "8.2.2",
        "TE: trailers",
        &[METHOD, SCHEME, PATH, AUTHORITY, ("te", "trailers")],
    ),
    (
        "8.3.1",
        "Host and no authority",
        &[METHOD, SCHEME, PATH, ("host", "a")],
    ),
    (
        "8.3.1",
        "Host and the same authority",
        &[METHOD, SCHEME, PATH, AUTHORITY, ("host", "a")],
    ),
    (
        "8.3",
        "pseudo-fields in any order",
        &[AUTHORITY, PATH, SCHEME, METHOD],
    ),
    (
        "8.2.1",
        "an empty value",
        &[METHOD, SCHEME, PATH, AUTHORITY, ("x", "")],
    ),
    (
        "8.2.1",
        "bytes above ASCII in a value",
        &[METHOD, SCHEME, PATH, AUTHORITY, ("x", "caf\u{e9}")],
    ),
    (
        "8.3.1",
        "OPTIONS of all",
        &[(":method", "OPTIONS"), SCHEME, (":path", "*"), AUTHORITY],
    ),
];

#[track_caller]
fn each(cases: &[(&str, &str, Head)], expect: Expect) {
    let gateway = gateway();
    let mut wrong = Vec::new();
    for (section, what, head) in cases {
        let mut http2 = gateway.http2();
        let sent = Frame::headers(1, hpack::block(&fields(head)), true);
        http2.send(&sent).expect("it takes bytes");
        if let Err(found) = holds(&mut http2, expect) {
            wrong.push(format!("{section}, {what}: {found}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new(), "of {} cases", cases.len());
}

#[test]
fn malformed_heads_are_stream_errors() {
    each(MALFORMED, Stream(1, code::PROTOCOL_ERROR));
}

#[test]
fn malformed_heads_with_a_body_to_come_are_stream_errors() {
    let gateway = gateway();
    let mut http2 = gateway.http2();
    for (n, (_, what, head)) in MALFORMED.iter().enumerate() {
        let stream = 2 * n as u32 + 1;
        let sent = Frame::headers(stream, hpack::block(&fields(head)), false);
        http2.send(&sent).expect("it takes bytes");
        assert_eq!(http2.reset(stream), code::PROTOCOL_ERROR, "{what}");
    }
    assert!(http2.is_alive());
}

#[test]
fn heads_at_the_bounds_of_the_rules_are_served() {
    each(GOOD, Answered(1, 200));
}

#[test]
fn malformed_trailers_are_stream_errors() {
    let gateway = gateway();
    let mut http2 = gateway.http2();
    let cases: [(&str, &str); 7] = [
        (":method", "GET"),
        (":status", "200"),
        ("X-Upper", "y"),
        ("connection", "close"),
        ("x", "a\nb"),
        ("x", " a"),
        ("", "x"),
    ];
    for (n, case) in cases.iter().enumerate() {
        let stream = 2 * n as u32 + 1;
        let trailers = Frame::headers(stream, hpack::block(&fields(&[*case])), true);
        let frames = [post(stream), Frame::data(stream, *b"x", false), trailers];
        http2.send_all(&frames).expect("it takes bytes");
        assert_eq!(http2.reset(stream), code::PROTOCOL_ERROR, "{case:?}");
    }
    assert!(http2.is_alive());
}

#[test]
fn nothing_malformed_reaches_the_upstream() {
    let origin = Origin::echo();
    let gateway = Gateway::before(origin.address, "");
    for (_, _, head) in MALFORMED {
        let mut http2 = gateway.http2();
        http2.head(1, &fields(head), true).expect("it takes bytes");
        let over = http2.until(|it| it.coming(1).is_over());
        assert!(over.expect("it answers"));
    }
    gateway.http2().get(1, "/last").is(200);
    assert_eq!(origin.only().target, "/last");
}

#[test]
fn connect_is_not_served() {
    let gateway = gateway();
    let mut http2 = gateway.http2();
    let head = fields(&[(":method", "CONNECT"), (":authority", "a:443")]);
    http2.head(1, &head, false).expect("it takes bytes");
    http2.answer(1).is(501);
    assert!(http2.is_alive());
}
