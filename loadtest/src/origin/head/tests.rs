//! Heads, good and bad.

use super::*;

fn read(text: &str) -> Result<Option<Head<'_>>, Refusal> {
    parse(text.as_bytes())
}

#[test]
fn a_head_is_read_in_place() {
    let text = "\r\nPOST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nA:  b \r\n\r\nhello";
    let head = read(text).expect("good").expect("whole");
    assert_eq!((head.method, head.target), (&b"POST"[..], &b"/a?b"[..]));
    assert_eq!(head.fields, b"Host: x\r\nContent-Length: 5\r\nA:  b \r\n");
    assert_eq!(head.framing, Framing::Length(5));
    assert!(head.keep_alive && !head.expects_continue);
    assert_eq!(&text[head.len..], "hello");
    // Whatever is missing, it is waited for.
    for end in 0..head.len {
        assert_eq!(parse(&text.as_bytes()[..end]), Ok(None), "{end}");
    }
}

#[test]
fn fields_decide_how_to_go_on() {
    let check = |version: &str, fields: &str, expected: (Framing, bool, bool)| {
        let text = format!("GET / {version}\r\nhost: x\r\n{fields}\r\n");
        let head = read(&text).expect("good").expect("whole");
        let found = (head.framing, head.keep_alive, head.expects_continue);
        assert_eq!(found, expected, "{version} {fields}");
    };
    let none = Framing::Length(0);
    check("HTTP/1.1", "", (none, true, false));
    check("HTTP/1.0", "", (none, false, false));
    check(
        "HTTP/1.0",
        "Connection: x, Keep-Alive\r\n",
        (none, true, false),
    );
    check("HTTP/1.1", "Connection: CLOSE ,x\r\n", (none, false, false));
    check(
        "HTTP/1.1",
        "transfer-Encoding: Chunked\r\n",
        (Framing::Chunked, true, false),
    );
    check("HTTP/1.1", "content-length: 0\r\n", (none, true, false));
    check(
        "HTTP/1.1",
        "Expect: 100-Continue\r\nContent-Length: 1\r\n",
        (Framing::Length(1), true, true),
    );
    check(
        "HTTP/1.0",
        "Expect: 100-continue\r\nContent-Length: 1\r\n",
        (Framing::Length(1), false, false),
    );
}

#[test]
fn what_is_wrong_is_refused() {
    let check = |text: &str, status| {
        let refused = read(text).map_err(|it| it.0);
        assert_eq!(refused, Err(status), "{text:?}");
    };
    for line in [
        "GET /",
        "GET  / HTTP/1.1",
        "GET / HTTP/1.1 ",
        " GET / HTTP/1.1",
        "GET x HTTP/1.1",
        "G@T / HTTP/1.1",
        "GET / http/1.1",
        "GET /\x7f HTTP/1.1",
        "GET /a b HTTP/1.1",
        "GET * HTTP/1.1",
        "",
    ] {
        check(
            &format!("{line}\r\nHost: x\r\n\r\n").replacen("\r\n", "\r\n", 1),
            400,
        );
    }
    check("GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505);
    check("GET / HTTP/1.2\r\nHost: x\r\n\r\n", 505);
    check("CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 501);
    check("GET / HTTP/1.1\nHost: x\r\n\r\n", 400);
    check("GET / HTTP/1.1\r\n\r\n", 400);
    for (fields, status) in [
        ("Host: y\r\n", 400),
        ("A : b\r\n", 400),
        (": b\r\n", 400),
        ("A\r\n", 400),
        (" folded: b\r\n", 400),
        ("A: b\n", 400),
        ("A: b\rc\r\n", 400),
        ("A: b\0\r\n", 400),
        ("Content-Length: \r\n", 400),
        ("Content-Length: +5\r\n", 400),
        ("Content-Length: 5, 5\r\n", 400),
        ("Content-Length: 5\r\nContent-Length: 5\r\n", 400),
        ("Content-Length: 99999999999999999999\r\n", 400),
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400),
        ("Transfer-Encoding: gzip, chunked\r\n", 501),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            501,
        ),
        ("Expect: a miracle\r\n", 417),
    ] {
        check(
            &format!("GET / HTTP/1.1\r\nHost: x\r\n{fields}\r\n"),
            status,
        );
    }
    check("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400);
}

proptest::proptest! {
    #[test]
    fn more_bytes_change_nothing(
        pieces in proptest::collection::vec(
            proptest::sample::select(vec!["GET / HTTP/1.1\r\n", "Host: x\r\n", "\r\n", "A: b\r\n", "Content-Length: 1\r\n", "\n", " ", "x", ":"]), 0..8),
        cut in 0_usize..100,
    ) {
        let text = pieces.concat();
        let cut = text.floor_char_boundary(cut.min(text.len()));
        match parse(&text.as_bytes()[..cut]) {
            Ok(None) => {}
            // What is decided stays decided.
            decided => proptest::prop_assert_eq!(decided, parse(text.as_bytes())),
        }
    }

    #[test]
    fn nothing_that_is_sent_breaks_it(bytes: Vec<u8>) {
        let _ = parse(&bytes);
    }
}
