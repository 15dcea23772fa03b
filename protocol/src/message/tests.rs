//! Paths, authorities, spans and the views of a head.

use super::*;

fn check_path(raw: &str, expected: Result<&str, PathError>) {
    let mut out = b"stale".to_vec();
    let got = canonical_path(raw.as_bytes(), &mut out).map(|canonical| match canonical {
        Canonical::AsIs => {
            assert_eq!(out, b"stale", "{raw}: out touched");
            raw.to_owned()
        }
        Canonical::Rewritten => String::from_utf8(out.clone()).unwrap(),
    });
    assert_eq!(got.as_deref(), expected.as_ref().map(|it| *it), "{raw}");
}

#[test]
fn paths_have_one_form() {
    let table = [
        ("/", "/"),
        ("*", "*"),
        ("/a/b", "/a/b"),
        ("/a/b/", "/a/b/"),
        ("//", "//"),
        ("//a//b//", "//a//b//"),
        ("/a.b/c..d/.e", "/a.b/c..d/.e"),
        ("/...", "/..."),
        ("/a/.", "/a/"),
        ("/a/./b", "/a/b"),
        ("/./", "/"),
        ("/.", "/"),
        ("/a/..", "/"),
        ("/a/../", "/"),
        ("/a/b/..", "/a/"),
        ("/a/b/../c", "/a/c"),
        ("/a/b/../../c", "/c"),
        ("/a//../b", "/a/b"),
        ("//..", "/"),
        ("//../a", "/a"),
        ("/a/%2e/b", "/a/b"),
        ("/a/%2E%2e/b", "/b"),
        ("/a/.%2e/b", "/b"),
        ("/a/%2e./b", "/b"),
        ("/%61%5A%30%2d%2E%5f%7e", "/aZ0-._~"),
        ("/caf%C3%a9", "/caf%C3%A9"),
        ("/%252e%252e/x", "/%252e%252e/x"),
        ("/a%3Fb%23c%20d%25", "/a%3Fb%23c%20d%25"),
        ("/a;x=1/..;/b", "/a;x=1/..;/b"),
        ("/a/..b/", "/a/..b/"),
        ("/a%0d%0ab", "/a%0D%0Ab"),
    ];
    for (raw, expected) in table {
        check_path(raw, Ok(expected));
        check_path(expected, Ok(expected));
    }
}

#[test]
fn bad_paths_are_refused() {
    use PathError::*;
    let table = [
        ("", NotAbsolute),
        ("a", NotAbsolute),
        ("**", NotAbsolute),
        ("/..", AboveRoot),
        ("/../a", AboveRoot),
        ("/./..", AboveRoot),
        ("/a/../..", AboveRoot),
        ("/%2e%2e/a", AboveRoot),
        ("/a/../../b", AboveRoot),
        ("/a%2fb", ForbiddenEncoding),
        ("/a%2Fb", ForbiddenEncoding),
        ("/a%5cb", ForbiddenEncoding),
        ("/a%5Cb", ForbiddenEncoding),
        ("/a%00", ForbiddenEncoding),
        ("/..%2f", ForbiddenEncoding),
        ("/a\\b", Backslash),
        ("/..\\a", Backslash),
        ("/%", BadEncoding),
        ("/%2", BadEncoding),
        ("/%zz", BadEncoding),
        ("/a%2/b", BadEncoding),
        ("/%u0041", BadEncoding),
        ("/%%32e", BadEncoding),
    ];
    for (raw, expected) in table {
        check_path(raw, Err(expected));
    }
}

#[test]
fn authorities() {
    let good: [(&str, &str, Option<u16>); 12] = [
        ("example.com", "example.com", None),
        ("EXAMPLE.com:8080", "EXAMPLE.com", Some(8080)),
        ("example.com.", "example.com.", None),
        ("example.com:", "example.com", None),
        ("a_b-c~d:1", "a_b-c~d", Some(1)),
        ("127.0.0.1:65535", "127.0.0.1", Some(65535)),
        ("a:0", "a", Some(0)),
        ("a:00080", "a", Some(80)),
        ("[::1]", "[::1]", None),
        ("[::1]:443", "[::1]", Some(443)),
        (
            "[2001:DB8::ffff:1.2.3.4]:1",
            "[2001:DB8::ffff:1.2.3.4]",
            Some(1),
        ),
        ("[::]:", "[::]", None),
    ];
    for (text, host, port) in good {
        assert!(is_valid_authority(text.as_bytes()), "{text}");
        assert_eq!(host_of(text.as_bytes()), host.as_bytes());
        assert_eq!(port_of(text.as_bytes()), port);
    }
    let long = "a".repeat(256);
    let bad = [
        "",
        ":80",
        "a b",
        "a/b",
        "a:b",
        "a:1:2",
        "a:65536",
        "a:999999",
        "a:+1",
        "a:-1",
        "u@a",
        "u:p@a",
        "a,b",
        "a%41",
        "a\\b",
        "a?b",
        "a#b",
        "é",
        "[::1",
        "::1",
        "[]",
        "[::1]x",
        "[::1]80",
        "[::1%25eth0]",
        "[v1.x]",
        "[1.2.3.4]",
        "[::1]]",
        "a[::1]",
        "a\tb",
        &long,
    ];
    for text in bad {
        assert!(!is_valid_authority(text.as_bytes()), "{text}");
    }
}

#[test]
fn authorities_are_compared_by_meaning() {
    let table: [(&[u8], &[u8], bool); 8] = [
        (b"a.b", b"A.B", true),
        (b"a.b:80", b"a.b", true),
        (b"a.b:", b"a.b:80", true),
        (b"a.b:443", b"a.b", false),
        (b"a.b", b"a.c", false),
        (b"a.b.", b"a.b", false),
        (b"[::A]:80", b"[::a]", true),
        (b"[::1]", b"[::2]", false),
    ];
    for (one, other, same) in table {
        assert_eq!(same_authority(one, other, 80), same, "{one:?} {other:?}");
    }
}

#[test]
fn spans_never_panic() {
    let span = Span::new(2, 5);
    assert_eq!(span.of(b"abcdef"), b"cde");
    assert_eq!(span.of(b"abcd"), b"");
    assert_eq!(span.range(), 2..5);
    assert_eq!(Span::new(5, 2), Span::EMPTY);
    assert_eq!(Span::new(0, usize::MAX), Span::EMPTY);
    let far = Span {
        start: u32::MAX,
        len: u32::MAX,
    };
    assert_eq!(far.of(b"abc"), b"");
    assert!(Span::EMPTY.is_empty());
}

#[test]
fn methods() {
    let all = [
        (Method::Get, true, true),
        (Method::Head, true, true),
        (Method::Post, false, false),
        (Method::Put, false, true),
        (Method::Delete, false, true),
        (Method::Patch, false, false),
        (Method::Options, true, true),
        (Method::Trace, true, true),
        (Method::Connect, false, false),
    ];
    for (at, (method, safe, idempotent)) in all.into_iter().enumerate() {
        assert_eq!(Method::parse(method.as_str().as_bytes()), method);
        assert_eq!(
            (method.is_safe(), method.is_idempotent()),
            (safe, idempotent)
        );
        assert_eq!(method.index(), at);
    }
    assert_eq!(Method::parse(b"get"), Method::Other);
    assert_eq!(Method::Other.index() + 1, Method::COUNT);
    assert!(!Method::Other.is_idempotent());
}

fn with_request(text: &str, test: impl FnOnce(Request<'_>)) {
    let mut head = RequestHead::new();
    let limits = crate::limits::HeadLimits::DEFAULT;
    let decoded = crate::http1::decode_request(text.as_bytes(), &mut head, &limits);
    assert_eq!(decoded, Ok(crate::http1::Decoded::Complete));
    test(head.view(text.as_bytes()));
}

#[test]
fn views_find_fields_cookies_and_parameters() {
    let text = "GET /p?a=1&b&c=&a=2&=x&d=e=f HTTP/1.1\r\nHost: h\r\nCOOKIE: x=1; sid=abc ;y=\"q\"\r\n\
        Accept: a\r\nx-beta: B\r\naccept: b\r\nCookie: z=9\r\nX-Empty:\r\n\r\n";
    with_request(text, |request| {
        assert_eq!(request.header(Name::Accept), Some(b"a".as_slice()));
        let all: Vec<_> = request.headers(Name::Accept).collect();
        assert_eq!(all, [b"a", b"b"]);
        assert_eq!(request.header(Name::Range), None);
        assert_eq!(request.header_named("X-BETA"), Some(b"B".as_slice()));
        assert_eq!(request.header_named("X-Bet"), None);
        assert_eq!(request.header_named("x-empty"), Some(b"".as_slice()));
        assert_eq!(request.header_named("cookie"), request.header(Name::Cookie));
        let names: Vec<_> = request.fields().map(|(_, name, _)| name).collect();
        assert_eq!(names.len(), 7);
        assert_eq!(names[1], b"COOKIE");

        assert_eq!(request.cookie("sid"), Some(b"abc".as_slice()));
        assert_eq!(request.cookie("x"), Some(b"1".as_slice()));
        assert_eq!(request.cookie("y"), Some(b"\"q\"".as_slice()));
        assert_eq!(request.cookie("z"), Some(b"9".as_slice()));
        assert_eq!(request.cookie("si"), None);
        assert_eq!(request.cookie("SID"), None);

        assert_eq!(request.query_param("a"), Some(b"1".as_slice()));
        assert_eq!(request.query_param("b"), Some(b"".as_slice()));
        assert_eq!(request.query_param("c"), Some(b"".as_slice()));
        assert_eq!(request.query_param("d"), Some(b"e=f".as_slice()));
        assert_eq!(request.query_param("e"), None);
    });
}
