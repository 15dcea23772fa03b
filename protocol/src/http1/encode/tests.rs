//! Exact bytes of what is written.

use super::*;
use crate::http1::{Decoded, decode_request};
use crate::limits::HeadLimits;
use crate::message::RequestHead;
use proptest::prelude::*;

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

/// Decodes a head of these lines, passes on the fields that `keep` says, and gives what was written.
fn passed(lines: &str, keep: impl Fn(usize) -> bool) -> (String, String) {
    let bytes = format!("GET / HTTP/1.1\r\n{lines}\r\n");
    let mut head = RequestHead::new();
    let decoded = decode_request(bytes.as_bytes(), &mut head, &HeadLimits::default());
    assert_eq!(decoded, Ok(Decoded::Complete), "{bytes:?}");
    let (mut together, mut each) = (Vec::new(), Vec::new());
    let mut fields = Passed::new(bytes.as_bytes(), &mut together);
    for (number, (it, name, value)) in head.view(bytes.as_bytes()).fields().enumerate() {
        if keep(number) {
            fields.field(it);
            field(&mut each, name, value);
        }
    }
    fields.finish();
    [together, each]
        .map(|text| String::from_utf8(text).unwrap())
        .into()
}

#[test]
fn fields_are_passed_on_in_one_spelling() {
    let lines = "Host: a\r\nA:b\r\nC: d \r\nE:\tf\r\nG: h\r\nI: \r\nJ:\r\nK:  l\r\n";
    let expected = "Host: a\r\nA: b\r\nC: d\r\nE: f\r\nG: h\r\nI: \r\nJ: \r\nK: l\r\n";
    assert_eq!(passed(lines, |_| true).0, expected);
    let (together, _) = passed("Host: a\r\nB: 1\r\nC: 2\r\nD: 3\r\n", |it| it != 2);
    assert_eq!(together, "Host: a\r\nB: 1\r\nD: 3\r\n");
}

#[test]
fn what_stands_between_fields_comes_between_them() {
    let bytes = b"GET / HTTP/1.1\r\nHost: a\r\nB: 1\r\n\r\n";
    let (mut head, mut out) = (RequestHead::new(), Vec::new());
    decode_request(bytes, &mut head, &HeadLimits::default()).unwrap();
    let mut fields = Passed::new(bytes, &mut out);
    fields.field(&head.fields[0]);
    fields.out().extend_from_slice(b"X: y\r\n");
    fields.field(&head.fields[1]);
    fields.finish();
    assert_eq!(out, b"Host: a\r\nX: y\r\nB: 1\r\n");
}

proptest! {
    #[test]
    fn copying_lines_together_writes_what_copying_each_does(
        lines in prop::collection::vec(("[a-zA-Z-]{1,12}", "[ \t]{0,2}", "[!-~]{0,9}", "[ \t]{0,2}"), 0..9),
        kept: u16,
    ) {
        let lines = lines.iter().map(|(name, before, value, after)| {
            format!("X-{name}:{before}{value}{after}\r\n")
        });
        let lines: String = std::iter::once("Host: a\r\n".to_owned()).chain(lines).collect();
        let (together, each) = passed(&lines, |number| kept >> number & 1 != 0);
        prop_assert_eq!(together, each);
    }
}
