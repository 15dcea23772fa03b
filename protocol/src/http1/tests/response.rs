//! Status lines, body lengths by status and method, and when a connection may be used again.

use super::*;
use crate::message::{BodyLength, Version};

#[test]
fn a_plain_answer() {
    let bytes = b"HTTP/1.1 200 OK then\r\nContent-Length: 5\r\nServer: x\r\n\r\nhello";
    let head = good_response(Method::Get, bytes);
    let view = head.view(bytes);
    assert_eq!((view.status(), view.reason()), (200, b"OK then".as_slice()));
    assert_eq!(head.version, Version::Http11);
    assert_eq!(head.body, BodyLength::Exact(5));
    assert!(head.keep_alive);
    assert_eq!(&bytes[head.len..], b"hello");
    for end in 0..head.len {
        let got = response(Method::Get, &bytes[..end]).map(|it| it.0);
        assert_eq!(got, Ok(Decoded::Partial), "{end}");
    }
}

#[test]
fn status_lines() {
    let table: [(&[u8], u16, &[u8]); 6] = [
        (b"HTTP/1.1 200", 200, b""),
        (b"HTTP/1.1 200 ", 200, b""),
        (b"HTTP/1.1 404 Not  Found ", 404, b"Not  Found "),
        (b"HTTP/1.0 200 \xe9t\xe9", 200, b"\xe9t\xe9"),
        (b"HTTP/1.1 999 ?", 999, b"?"),
        (b"HTTP/1.1 100 Continue", 100, b"Continue"),
    ];
    for (line, status, reason) in table {
        let bytes = [line, b"\r\n\r\n"].concat();
        let head = good_response(Method::Get, &bytes);
        assert_eq!(head.status, status);
        assert_eq!(head.view(&bytes).reason(), reason);
    }
    use ResponseError::*;
    let table: [(&[u8], ResponseError); 19] = [
        (b"HTTP/1.1 20", StatusLine),
        (b"HTTP/1.1 2000 OK", StatusLine),
        (b"HTTP/1.1 +20 OK", StatusLine),
        (b"HTTP/1.1  200 OK", StatusLine),
        (b"HTTP/1.1 200\tOK", StatusLine),
        (b"HTTP/1.1 OK", StatusLine),
        (b"HTTP/1.1 200 a\x01b", StatusLine),
        (
            b"HTTP/1.1 200 a\rb",
            Message(MessageError::BareCarriageReturn),
        ),
        (b"HTTP/1.1 200 a\0b", Message(MessageError::ZeroByte)),
        (b"HTTP/1.1 099 x", Status),
        (b"HTTP/1.1 000 x", Status),
        (b"HTTP/2.0 200 OK", Version),
        (b"HTTP/1.2 200 OK", Version),
        (b"HTTP/1.1200 OK", Version),
        (b"http/1.1 200 OK", Version),
        (b"ICY 200 OK", Version),
        (b" HTTP/1.1 200 OK", Version),
        (b"", StatusLine),
        (b"HTTP/1.1 101 Switching Protocols", SwitchingProtocols),
    ];
    for (line, expected) in table {
        bad_response([line, b"\r\n\r\n"].concat(), expected);
    }
    bad_response("<html>", Version);
    bad_response("\nHTTP/1.1 200 OK\r\n\r\n", StatusLine);
}

#[test]
fn body_lengths() {
    use BodyLength::*;
    use Method::{Get, Head};
    // status line's code, fields, request method, body, keep-alive
    let table = [
        (200, "", Get, UntilClose, false),
        (200, "Connection: keep-alive\r\n", Get, UntilClose, false),
        (200, "Content-Length: 0\r\n", Get, Exact(0), true),
        (
            200,
            "Content-Length: 7\r\nConnection: close\r\n",
            Get,
            Exact(7),
            false,
        ),
        (200, "Transfer-Encoding: chunked\r\n", Get, Chunked, true),
        (404, "Content-Length: 7\r\n", Get, Exact(7), true),
        (200, "", Head, None, true),
        (200, "Content-Length: 7\r\n", Head, None, true),
        (200, "Transfer-Encoding: chunked\r\n", Head, None, true),
        (304, "", Get, None, true),
        (304, "Content-Length: 7\r\n", Get, None, true),
        (304, "Transfer-Encoding: chunked\r\n", Get, None, true),
        (204, "", Get, None, true),
        (204, "Content-Length: 0\r\n", Get, None, true),
        // What announces a body that must not be may well be followed by one.
        (204, "Content-Length: 7\r\n", Get, None, false),
        (204, "Transfer-Encoding: chunked\r\n", Get, None, false),
        (204, "Content-Length: 7\r\n", Head, None, true),
        (103, "Link: x\r\n", Get, None, true),
        (100, "Content-Length: 7\r\n", Get, None, false),
        (205, "", Get, UntilClose, false),
    ];
    for (status, fields, request, body, keep_alive) in table {
        let text = format!("HTTP/1.1 {status} X\r\n{fields}\r\n");
        let head = good_response(request, &text);
        assert_eq!((head.body, head.keep_alive), (body, keep_alive), "{text}");
    }
    // Ambiguity is refused even where no body follows.
    let both = "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (status, request) in [(200, Head), (304, Get), (204, Get)] {
        let got = response(request, format!("HTTP/1.1 {status} X\r\n{both}"));
        let expected = MessageError::TransferEncodingWithContentLength.into();
        assert_eq!(got.err(), Some(expected), "{status}");
    }
}

#[test]
fn old_upstreams() {
    let text = "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n";
    let head = good_response(Method::Get, text);
    assert_eq!((head.version, head.keep_alive), (Version::Http10, false));
    let text = "HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n";
    assert!(good_response(Method::Get, text).keep_alive);
}

#[test]
fn fields_that_stay_behind_are_marked() {
    let text = "HTTP/1.1 200 OK\r\nConnection: close, x-a\r\nX-A: 1\r\nKeep-Alive: x\r\nServer: s\r\n\
        Transfer-Encoding: chunked\r\nProxy-Authenticate: x\r\nTrailer: t\r\nUpgrade: h2\r\n\r\n";
    let head = good_response(Method::Get, text);
    assert_eq!(
        end_to_end(&head.fields, text.as_bytes()),
        ["Server", "Trailer"]
    );
    for status in [100, 103, 204] {
        let text = format!("HTTP/1.1 {status} X\r\nContent-Length: 5\r\nServer: s\r\n\r\n");
        let head = good_response(Method::Get, &text);
        assert_eq!(end_to_end(&head.fields, text.as_bytes()), ["Server"]);
    }
    let text = "HTTP/1.1 304 X\r\nContent-Length: 5\r\n\r\n";
    let head = good_response(Method::Get, text);
    assert_eq!(
        end_to_end(&head.fields, text.as_bytes()),
        ["Content-Length"]
    );
}

#[test]
fn switching_protocols_only_when_asked_for() {
    let limits = HeadLimits {
        switching_protocols: true,
        ..LIMITS
    };
    let text = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n";
    let mut head = ResponseHead::new();
    let got = decode_response(text, &mut head, Method::Get, &limits);
    assert_eq!(got, Ok(Decoded::Complete));
    assert_eq!((head.body, head.keep_alive), (BodyLength::None, false));
}

#[test]
fn limits() {
    let limits = HeadLimits {
        max_head_bytes: 3000,
        max_fields: 2,
        ..LIMITS
    };
    let decode = |text: &str| {
        let mut head = ResponseHead::new();
        decode_response(text.as_bytes(), &mut head, Method::Get, &limits)
    };
    let large = format!("HTTP/1.1 200 OK\r\nX: {}", "v".repeat(2980));
    assert_eq!(decode(&large[..2999]), Ok(Decoded::Partial));
    assert_eq!(
        decode(&large[..3000]),
        Err(MessageError::HeadTooLarge.into())
    );
    let many = "HTTP/1.1 200 OK\r\nA: b\r\nA: b\r\nA: b\r\n\r\n";
    assert_eq!(decode(many), Err(MessageError::TooManyFields.into()));
}
