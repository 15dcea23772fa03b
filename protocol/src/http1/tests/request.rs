//! Request lines, targets, Host, limits, connection options, expectations.

use super::*;
use crate::message::{BodyLength, Name, TargetForm, Version};

#[test]
fn a_plain_request() {
    let bytes =
        b"GET /a/b?x=1 HTTP/1.1\r\nHost: example.com:8080\r\nAccept:*/*\r\n\r\nGET / HTTP/1.1\r\n";
    let head = good_request(bytes);
    let view = head.view(bytes);
    assert_eq!(head.method, Method::Get);
    assert_eq!(view.method_text(), b"GET");
    assert_eq!(head.version, Version::Http11);
    assert_eq!(head.target.of(bytes), b"/a/b?x=1");
    assert_eq!(head.form, TargetForm::Origin);
    assert_eq!(view.path(), b"/a/b");
    assert_eq!(view.query(), b"x=1");
    assert!(head.has_query);
    assert_eq!(view.authority(), b"example.com:8080");
    assert_eq!(view.header(Name::Accept), Some(b"*/*".as_slice()));
    assert_eq!(head.body, BodyLength::None);
    assert!(head.keep_alive);
    assert!(!head.expect_continue && !head.upgrade && !head.te_trailers);
    // Pipelined bytes are left alone.
    assert_eq!(&bytes[head.len..], b"GET / HTTP/1.1\r\n");
}

#[test]
fn incomplete_heads_are_partial_at_every_length() {
    let bytes = b"POST /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nX: y z\r\n\r\n";
    let mut head = RequestHead::new();
    for end in 0..bytes.len() {
        let decoded = decode_request(&bytes[..end], &mut head, &LIMITS);
        assert_eq!(decoded, Ok(Decoded::Partial), "{end}");
        assert_eq!(head.len, 0);
    }
    assert_eq!(request_grown(bytes), Ok(Decoded::Complete));
}

#[test]
fn long_heads_take_the_same_way_to_the_same_end() {
    let mut text = String::from("GET / HTTP/1.1\r\nHost: a\r\n");
    for at in 0..90 {
        text.push_str(&format!("X-Field-{at}: {}\r\n", "v".repeat(80)));
    }
    text.push_str("\r\n");
    assert!(text.len() > 8000);
    let mut head = RequestHead::new();
    for end in (0..text.len()).step_by(7) {
        let decoded = decode_request(&text.as_bytes()[..end], &mut head, &LIMITS);
        assert_eq!(decoded, Ok(Decoded::Partial));
    }
    let followed = format!("{text}tail");
    for bytes in [text.as_bytes(), followed.as_bytes()] {
        let head = good_request(bytes);
        assert_eq!((head.len, head.fields.len()), (text.len(), 91));
    }
    // A bare LF far behind the head's beginning is seen before its end has arrived.
    let broken = text.replace("X-Field-80: v", "X-Field-80: \nv");
    let got = request(&broken.as_bytes()[..broken.len() - 4]);
    assert_eq!(got.err(), Some(MessageError::BareLineFeed.into()));
}

#[test]
fn targets() {
    use TargetForm::*;
    /// Target, method, form, authority, path, query.
    type Row = (
        &'static str,
        &'static str,
        TargetForm,
        &'static str,
        &'static str,
        Option<&'static str>,
    );
    let table: [Row; 17] = [
        ("/", "GET", Origin, "h", "/", None),
        ("/?", "GET", Origin, "h", "/", Some("")),
        ("/a?b?c", "GET", Origin, "h", "/a", Some("b?c")),
        ("//a//b", "GET", Origin, "h", "//a//b", None),
        ("/http://x/y", "GET", Origin, "h", "/http://x/y", None),
        ("/a|b\"{}^`<>[]", "GET", Origin, "h", "/a|b\"{}^`<>[]", None),
        ("/a\\b", "GET", Origin, "h", "/a\\b", None),
        ("*", "OPTIONS", Asterisk, "h", "*", None),
        ("http://h/", "GET", Absolute, "h", "/", None),
        ("http://h", "GET", Absolute, "h", "/", None),
        ("http://h?q", "GET", Absolute, "h", "/", Some("q")),
        (
            "HTTP://H:80/a/b?c=http://d",
            "GET",
            Absolute,
            "H:80",
            "/a/b",
            Some("c=http://d"),
        ),
        ("https://h:443/x", "GET", Absolute, "h:443", "/x", None),
        ("http://h//", "GET", Absolute, "h", "//", None),
        ("http://h", "OPTIONS", Asterisk, "h", "*", None),
        ("http://h/", "OPTIONS", Absolute, "h", "/", None),
        ("http://h?", "OPTIONS", Absolute, "h", "/", Some("")),
    ];
    for (target, method, form, authority, path, query) in table {
        let text = format!("{method} {target} HTTP/1.1\r\nHost: h\r\n\r\n");
        let head = good_request(&text);
        let view = head.view(text.as_bytes());
        assert_eq!(head.form, form, "{target}");
        assert_eq!(head.target.of(text.as_bytes()), target.as_bytes());
        assert_eq!(view.authority(), authority.as_bytes(), "{target}");
        assert_eq!(view.path(), path.as_bytes(), "{target}");
        assert_eq!(head.has_query, query.is_some(), "{target}");
        assert_eq!(view.query(), query.unwrap_or("").as_bytes(), "{target}");
    }
}

#[test]
fn ipv6_targets_and_hosts() {
    let text = "GET http://[2001:db8::1]:8080/x HTTP/1.1\r\nHost: [2001:DB8::1]:8080\r\n\r\n";
    let head = good_request(text);
    assert_eq!(
        head.view(text.as_bytes()).authority(),
        b"[2001:db8::1]:8080"
    );
    let text = "GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n";
    let head = good_request(text);
    assert_eq!(head.view(text.as_bytes()).authority(), b"[::1]");
}

#[test]
fn bad_targets() {
    use RequestError::*;
    let table: [(&[u8], RequestError); 24] = [
        (b"GET a HTTP/1.1", Target),
        (b"GET * HTTP/1.1", Target),
        (b"OPTIONS ** HTTP/1.1", Target),
        (b"OPTIONS *?a HTTP/1.1", Target),
        (b"GET example.com:80 HTTP/1.1", Target),
        (b"GET [::1]:80 HTTP/1.1", Target),
        (b"GET /a#b HTTP/1.1", Target),
        (b"GET # HTTP/1.1", Target),
        (b"GET http://a/#b HTTP/1.1", Target),
        (b"GET ftp://a/ HTTP/1.1", Target),
        (b"GET http:/a HTTP/1.1", Target),
        (b"GET http:a HTTP/1.1", Target),
        (b"GET ?a HTTP/1.1", Target),
        (b"GET ?http://a/ HTTP/1.1", Target),
        (b"GET httpx://a/ HTTP/1.1", Target),
        ("GET /é HTTP/1.1".as_bytes(), Target),
        (b"GET /\xff HTTP/1.1", Target),
        (b"GET /\x7f HTTP/1.1", Target),
        (b"GET /\x01 HTTP/1.1", Target),
        (b"GET /a\tb HTTP/1.1", Target),
        (b"GET http://u@a/ HTTP/1.1", Host),
        (b"GET http://u:p@a/ HTTP/1.1", Host),
        (b"GET http:/// HTTP/1.1", Host),
        (b"GET http://a:99999/ HTTP/1.1", Host),
    ];
    for (line, expected) in table {
        bad_request([line, b"\r\nHost: a\r\n\r\n"].concat(), expected);
    }
    let connect = ["a:443", "[::1]:443", "a", "/", "*", "http://a/"];
    for target in connect {
        let text = format!("CONNECT {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        bad_request(text, Connect);
    }
    assert_eq!(Connect.status(), 501);
}

#[test]
fn bad_request_lines() {
    use RequestError::*;
    let table: [(&[u8], RequestError, u16); 30] = [
        (b"GET /", RequestLine, 400),
        (b"GET", RequestLine, 400),
        (b"GET ", RequestLine, 400),
        (b"", RequestLine, 400),
        (b" GET / HTTP/1.1", Method, 400),
        (b"GET  / HTTP/1.1", RequestLine, 400),
        (b"GET /  HTTP/1.1", RequestLine, 400),
        (b"GET / HTTP/1.1 ", RequestLine, 400),
        (b"GET / HTTP/1.1 x", RequestLine, 400),
        (b"GET /a b HTTP/1.1", RequestLine, 400),
        (b"GET\t/ HTTP/1.1", Method, 400),
        (b"GET /\tHTTP/1.1", Target, 400),
        (b"G\x00T / HTTP/1.1", Method, 400),
        (b"G(T / HTTP/1.1", Method, 400),
        ("GÉT / HTTP/1.1".as_bytes(), Method, 400),
        (b"\x16\x03\x01\x02\x00\x01", Method, 400),
        (b"GET / http/1.1", RequestLine, 400),
        (b"GET / HTTP/1.1.1", RequestLine, 400),
        (b"GET / HTTP/11.1", RequestLine, 400),
        (b"GET / HTTP/1,1", RequestLine, 400),
        (b"GET / HTTP/", RequestLine, 400),
        (b"GET / HTTPS/1.1", RequestLine, 400),
        (b"GET / HTTP/ 1.1", RequestLine, 400),
        (b"GET / HTTP/+1.1", RequestLine, 400),
        (b"GET / HTTP/x.1", RequestLine, 400),
        (b"GET / HTTP/1.2", Version, 505),
        (b"GET / HTTP/2.0", Version, 505),
        (b"GET / HTTP/0.9", Version, 505),
        (b"GET / HTTP/3", Version, 505),
        (b"PRI * HTTP/2.0", Version, 505),
    ];
    for (line, expected, status) in table {
        bad_request([line, b"\r\nHost: a\r\n\r\n"].concat(), expected);
        assert_eq!(expected.status(), status);
    }
    // The version is known to be wrong before the line is whole.
    let got = request("GET / HTTP/2").map(|it| it.0);
    assert_eq!(got, Err(Version));
    // HTTP/0.9 is answered without waiting for a head that won't come.
    assert_eq!(request("GET /\r\n").map(|it| it.0), Err(RequestLine));
}

#[test]
fn unknown_methods_are_requests_too() {
    let text = "PURGE /a HTTP/1.1\r\nHost: a\r\n\r\n";
    let head = good_request(text);
    assert_eq!(head.method, Method::Other);
    assert_eq!(head.view(text.as_bytes()).method_text(), b"PURGE");
    let text = "M-SEARCH! /a HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(good_request(text).method, Method::Other);
    // Case matters.
    let head = good_request("get / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(head.method, Method::Other);
}

#[test]
fn empty_lines_before_a_request_are_counted_by_the_caller() {
    assert_eq!(leading_crlf(b"\r\n\r\nGET"), 4);
    assert_eq!(leading_crlf(b"\r\n\r"), 2);
    assert_eq!(leading_crlf(b"\n\r\n"), 0);
    assert_eq!(leading_crlf(b"GET"), 0);
    assert_eq!(leading_crlf(b""), 0);
    bad_request(
        "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        RequestError::RequestLine,
    );
    bad_request(
        "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        RequestError::RequestLine,
    );
    assert_eq!(request("\r").map(|it| it.0), Ok(Decoded::Partial));
}

#[test]
fn hosts() {
    use RequestError::*;
    bad_request("GET / HTTP/1.1\r\n\r\n", MissingHost);
    bad_request("GET / HTTP/1.1\r\nX: y\r\n\r\n", MissingHost);
    bad_request("GET http://a/ HTTP/1.1\r\n\r\n", MissingHost);
    bad_request("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", RepeatedHost);
    bad_request(
        "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nhOST: b\r\n\r\n",
        RepeatedHost,
    );
    bad_request("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", RepeatedHost);
    bad_request("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", HostMismatch);
    bad_request("GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n", HostMismatch);
    bad_request(
        "GET https://a/ HTTP/1.1\r\nHost: a:80\r\n\r\n",
        HostMismatch,
    );
    for host in [
        "", "a b", "a,b", "a@b", "a/b", "a\\b", "a?b", "a#b", "[::1", "a:b", "a%2e", "\u{e9}",
    ] {
        bad_request(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"), Host);
        bad_request(format!("GET / HTTP/1.0\r\nHost: {host}\r\n\r\n"), Host);
        bad_request(
            format!("GET http://a/ HTTP/1.1\r\nHost: {host}\r\n\r\n"),
            Host,
        );
    }
    for error in [MissingHost, RepeatedHost, HostMismatch, Host] {
        assert_eq!(error.status(), 400);
    }
    for line in ["Host: a:80", "Host:A", "Host: a:", "HOST: \t a \t "] {
        good_request(format!("GET http://a/ HTTP/1.1\r\n{line}\r\n\r\n"));
    }
}

#[test]
fn http_1_0() {
    let text = "GET /x HTTP/1.0\r\n\r\n";
    let head = good_request(text);
    assert_eq!(head.version, Version::Http10);
    assert!(head.authority.is_empty());
    assert!(!head.keep_alive);
    let head = good_request("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
    assert!(head.keep_alive);
    // Expectations and upgrades of HTTP/1.0 clients are ignored (RFC 9110 sections 10.1.1 and 7.8).
    let text =
        "GET / HTTP/1.0\r\nExpect: 100-continue\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
    let head = good_request(text);
    assert!(!head.expect_continue && !head.upgrade);
    good_request("GET / HTTP/1.0\r\nExpect: wonders\r\n\r\n");
}

#[test]
fn connection_options() {
    let table = [
        ("X: y", true, false),
        ("Connection: close", false, false),
        ("Connection: CLOSE", false, false),
        ("Connection: keep-alive", true, false),
        ("Connection: keep-alive, close", false, false),
        ("Connection: x\r\nConnection: , close ,", false, false),
        ("Connection: closed", true, false),
        ("Connection: \"close\"", true, false),
        ("Connection:", true, false),
        ("Connection: Upgrade\r\nUpgrade: websocket", true, true),
        ("Upgrade: websocket", true, false),
        ("Connection: upgrade", true, false),
        ("Connection: upgrade\r\nUpgrade:", true, false),
        ("Upgrade: h2c\r\nConnection: close, upgrade", false, true),
    ];
    for (lines, keep_alive, upgrade) in table {
        let head = good_request(with_lines(lines));
        assert_eq!(
            (head.keep_alive, head.upgrade),
            (keep_alive, upgrade),
            "{lines}"
        );
    }
}

#[test]
fn hop_by_hop_fields_are_marked() {
    let text = with_lines(
        "Connection: X-Mine, keep-alive,,\tx-other , Host, Content-Length\r\nX-MINE: 1\r\nX-Mine-Not: 2\r\n\
         Keep-Alive: 5\r\nProxy-Connection: x\r\nTE: trailers\r\nTrailer: a\r\nUpgrade: x\r\nVia: 1.1 a\r\n\
         HTTP2-Settings: x\r\nProxy-Authorization: x\r\nx-mine: 3\r\nX-Other: 4\r\nConnection: via\r\n\
         Content-Length: 0\r\nAuthorization: b",
    );
    let head = good_request(&text);
    assert!(head.te_trailers);
    assert_eq!(
        end_to_end(&head.fields, text.as_bytes()),
        [
            "Host",
            "X-Mine-Not",
            "Trailer",
            "Content-Length",
            "Authorization"
        ]
    );
    let many = |count: usize| with_lines(&format!("Connection: {}", "a,".repeat(count)));
    good_request(many(32));
    bad_request(many(33), MessageError::TooManyConnectionOptions.into());
}

#[test]
fn te_lists_trailers() {
    for (line, expected) in [
        ("TE: trailers", true),
        ("TE: deflate;q=0.5, Trailers", true),
        ("TE: deflate", false),
        ("TE:", false),
        ("TE: trailersx", false),
    ] {
        assert_eq!(
            good_request(with_lines(line)).te_trailers,
            expected,
            "{line}"
        );
    }
}

#[test]
fn expectations() {
    let head = good_request(with_lines("Expect: 100-Continue\r\nContent-Length: 1"));
    assert!(head.expect_continue);
    for line in [
        "Expect: x",
        "Expect:",
        "Expect: 100-continue, x",
        "Expect: 100-continue\r\nExpect: 200-ok",
    ] {
        bad_request(with_lines(line), RequestError::Expectation);
    }
    assert_eq!(RequestError::Expectation.status(), 417);
}

#[test]
fn values_keep_their_inner_bytes_and_lose_the_space_around() {
    let bytes = b"GET / HTTP/1.1\r\nHost: a\r\nA:\t x\ty  z \t\r\nB:\r\nC:   \r\nD: \xe9\xff\r\nE::\r\nF: :a:\r\n!#$%&'*+-.^_`|~09: t\r\n\r\n";
    let head = good_request(bytes);
    let values: Vec<_> = head
        .view(bytes)
        .fields()
        .map(|(_, _, value)| value)
        .collect();
    let expected: [&[u8]; 8] = [b"a", b"x\ty  z", b"", b"", b"\xe9\xff", b":", b":a:", b"t"];
    assert_eq!(values, expected);
}

#[test]
fn every_byte_in_a_value_is_judged() {
    for byte in 0..=255u8 {
        for pad in 0..40 {
            let mut bytes = b"GET / HTTP/1.1\r\nHost: a\r\nX: ".to_vec();
            bytes.extend(std::iter::repeat_n(b'v', pad));
            bytes.push(byte);
            bytes.extend_from_slice(b"w\r\n\r\n");
            let allowed = byte == b'\t' || (byte >= b' ' && byte != 0x7f);
            assert_eq!(request(&bytes).is_ok(), allowed, "{byte:#x} after {pad}");
        }
    }
}

#[test]
fn every_byte_in_a_name_is_judged() {
    for byte in 0..=255u8 {
        for pad in 1..20 {
            let mut bytes = b"GET / HTTP/1.1\r\nHost: a\r\n".to_vec();
            bytes.extend(std::iter::repeat_n(b'n', pad));
            bytes.push(byte);
            bytes.extend_from_slice(b"n: v\r\n\r\n");
            let token = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            // A colon ends the name early, which is another name and fine.
            assert_eq!(request(&bytes).is_ok(), token || byte == b':', "{byte:#x}");
        }
    }
}

#[test]
fn limits() {
    let limits = HeadLimits {
        max_head_bytes: 100,
        max_target_bytes: 20,
        max_fields: 3,
        switching_protocols: false,
    };
    let decode = |text: &str| {
        let mut head = RequestHead::new();
        decode_request(text.as_bytes(), &mut head, &limits)
    };
    let start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    let exact = format!("{start}{}\r\n\r\n", "v".repeat(96 - start.len()));
    assert_eq!(exact.len(), 100);
    assert_eq!(decode(&exact), Ok(Decoded::Complete));
    assert_eq!(decode(&format!("{exact}body")), Ok(Decoded::Complete));
    assert_eq!(decode(&exact[..99]), Ok(Decoded::Partial));
    let longer = format!("{start}{}\r\n\r\n", "v".repeat(97 - start.len()));
    let too_large = Err(MessageError::HeadTooLarge.into());
    assert_eq!(decode(&longer[..99]), Ok(Decoded::Partial));
    assert_eq!(decode(&longer[..100]), too_large);
    assert_eq!(decode(&longer), too_large);
    assert_eq!(decode(&"G".repeat(100)), too_large);

    let target = |length: usize| {
        format!(
            "GET /{} HTTP/1.1\r\nHost: a\r\n\r\n",
            "p".repeat(length - 1)
        )
    };
    let too_long = Err(RequestError::TargetTooLong);
    assert_eq!(decode(&target(20)), Ok(Decoded::Complete));
    assert_eq!(decode(&target(21)), too_long);
    assert_eq!(decode(&target(21)[..25]), too_long);
    assert_eq!(decode(&target(500)), too_long);
    assert_eq!(RequestError::TargetTooLong.status(), 414);

    let fields = |count: usize| {
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
            "X: y\r\n".repeat(count - 1)
        )
    };
    let too_many = Err(MessageError::TooManyFields.into());
    assert_eq!(decode(&fields(3)), Ok(Decoded::Complete));
    assert_eq!(decode(&fields(4)), too_many);
    assert_eq!(decode(fields(4).trim_end()), Ok(Decoded::Partial));
    assert_eq!(decode(&fields(10)[..60]), too_many);
    assert_eq!(
        RequestError::from(MessageError::TooManyFields).status(),
        431
    );
    assert_eq!(RequestError::from(MessageError::HeadTooLarge).status(), 431);
}

#[test]
fn a_long_target_is_414_even_when_the_head_never_ends() {
    let text = format!("GET /{}", "a".repeat(9000));
    assert_eq!(
        request(&text).map(|it| it.0),
        Err(RequestError::TargetTooLong)
    );
    let wide = HeadLimits {
        max_target_bytes: 64 * 1024,
        ..LIMITS
    };
    let mut head = RequestHead::new();
    let text = format!("GET /{}", "a".repeat(20_000));
    let got = decode_request(text.as_bytes(), &mut head, &wide);
    assert_eq!(got, Err(RequestError::TargetTooLong));
}

#[test]
fn more_fields_than_the_parser_holds_are_refused_whatever_the_limits_say() {
    let limits = HeadLimits {
        max_fields: usize::MAX,
        ..LIMITS
    };
    let text = |count: usize| {
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
            "X: y\r\n".repeat(count - 1)
        )
    };
    let mut head = RequestHead::new();
    assert_eq!(
        decode_request(text(256).as_bytes(), &mut head, &limits),
        Ok(Decoded::Complete)
    );
    let got = decode_request(text(257).as_bytes(), &mut head, &limits);
    assert_eq!(got, Err(MessageError::TooManyFields.into()));
}

#[test]
fn a_head_is_reused_without_remembering() {
    let mut head = RequestHead::new();
    let first = b"POST http://a/b?c HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n";
    assert_eq!(
        decode_request(first, &mut head, &LIMITS),
        Ok(Decoded::Complete)
    );
    let room = head.fields.capacity();
    let second = b"GET / HTTP/1.0\r\n\r\n";
    assert_eq!(
        decode_request(second, &mut head, &LIMITS),
        Ok(Decoded::Complete)
    );
    assert!(head.fields.is_empty() && head.fields.capacity() == room);
    assert!(head.authority.is_empty() && !head.has_query && !head.expect_continue);
    assert_eq!(head.body, BodyLength::None);
}
