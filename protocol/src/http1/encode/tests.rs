//! Exact bytes of what is written.

use super::*;

#[test]
fn heads() {
    let mut out = Vec::new();
    request_line(&mut out, b"GET", b"/a?b");
    field(&mut out, b"Host", b"a");
    field_u64(&mut out, b"Content-Length", 0);
    field_u64(&mut out, b"X", u64::MAX);
    field(&mut out, b"Empty", b"");
    let expected = "GET /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nX: 18446744073709551615\r\nEmpty: \r\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn status_lines() {
    let table: [(Version, u16, Option<&[u8]>, &str); 5] = [
        (Version::Http11, 200, None, "HTTP/1.1 200 OK\r\n"),
        (Version::Http10, 404, None, "HTTP/1.0 404 Not Found\r\n"),
        (Version::Http11, 299, None, "HTTP/1.1 299 \r\n"),
        (Version::Http11, 200, Some(b"Fine"), "HTTP/1.1 200 Fine\r\n"),
        (Version::Http2, 500, Some(b""), "HTTP/1.1 500 \r\n"),
    ];
    for (version, status, reason, expected) in table {
        let mut out = Vec::new();
        status_line(&mut out, version, status, reason);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}

#[test]
fn clean_values() {
    for byte in 0..=255u8 {
        let clean = byte == b'\t' || (byte >= b' ' && byte != 0x7f);
        assert_eq!(is_clean_value(&[b'a', byte]), clean);
    }
}
