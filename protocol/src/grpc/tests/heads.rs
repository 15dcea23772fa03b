//! What stands in heads and trailers: content types, statuses, time-outs, status messages.

use super::*;

#[test]
fn content_types() {
    use Framing::{Grpc, Web, WebText};
    type Row<'a> = (&'a str, Option<(Framing, Option<&'a str>)>);
    let table: [Row<'_>; 40] = [
        ("application/grpc", Some((Grpc, None))),
        ("application/grpc+proto", Some((Grpc, Some("proto")))),
        ("application/grpc+json", Some((Grpc, Some("json")))),
        (
            "application/grpc+x.y-z_1+json",
            Some((Grpc, Some("x.y-z_1+json"))),
        ),
        ("Application/GRPC+Proto", Some((Grpc, Some("Proto")))),
        ("application/grpc; charset=utf-8", Some((Grpc, None))),
        ("application/grpc+proto ;a=b", Some((Grpc, Some("proto")))),
        ("\tapplication/grpc ", Some((Grpc, None))),
        ("application/grpc;", Some((Grpc, None))),
        ("application/grpc-web", Some((Web, None))),
        ("application/grpc-web+proto", Some((Web, Some("proto")))),
        ("APPLICATION/grpc-WEB+json", Some((Web, Some("json")))),
        ("application/grpc-web-text", Some((WebText, None))),
        (
            "application/grpc-web-text+proto",
            Some((WebText, Some("proto"))),
        ),
        ("application/grpc-web-text-base64", Some((WebText, None))),
        (
            "application/grpc-web-text-base64+proto",
            Some((WebText, Some("proto"))),
        ),
        ("", None),
        (";", None),
        ("application/grpc+", None),
        ("application/grpc-web+", None),
        ("application/grpc-web-text+", None),
        ("application/grpcs", None),
        ("application/grpc-", None),
        ("application/grpc-webs", None),
        ("application/grpc-web-", None),
        ("application/grpc-web-texts", None),
        ("application/grpc-web-text-base32", None),
        ("application/grpc-base64", None),
        ("application/grpc.proto", None),
        ("application/grpc proto", None),
        ("application/grpc+pro to", None),
        ("application/grpc+a/b", None),
        ("application/grpc+\"proto\"", None),
        ("application/grpc, application/grpc", None),
        ("application /grpc", None),
        ("application/json", None),
        ("application/gr", None),
        ("text/application/grpc", None),
        ("xapplication/grpc", None),
        ("*/*", None),
    ];
    for (value, expected) in table {
        let expected = expected.map(|(framing, format)| ContentType {
            framing,
            format: format.map(str::as_bytes),
        });
        assert_eq!(ContentType::parse(value.as_bytes()), expected, "{value}");
        let Some(parsed) = expected else { continue };
        // In each framing, the same format.
        for framing in [Grpc, Web, WebText] {
            let mut out = Vec::new();
            parsed.write_as(framing, &mut out);
            let format = parsed.format;
            assert_eq!(
                ContentType::parse(&out),
                Some(ContentType { framing, format })
            );
        }
    }
    let mut out = Vec::new();
    let web = ContentType::parse(b"application/grpc-web-text+proto").unwrap();
    web.write_as(Grpc, &mut out);
    assert_eq!(out, b"application/grpc+proto");
}

#[test]
fn codes() {
    let names = [
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    ];
    for (number, name) in names.iter().enumerate() {
        let code = Code::parse(number.to_string().as_bytes()).unwrap();
        assert_eq!((usize::from(code.number()), code.as_str()), (number, *name));
    }
    for number in ["17", "99", "4294967296", "99999999999999999999999"] {
        assert_eq!(Code::parse(number.as_bytes()), Some(Code::Unknown));
    }
    for text in [
        "", "00", "01", "-1", "+1", " 1", "1 ", "1.0", "OK", "0x1", "\u{664}",
    ] {
        assert_eq!(Code::parse(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn http_statuses_as_codes() {
    let table = [
        (400, 13),
        (401, 16),
        (403, 7),
        (404, 12),
        (408, 4),
        (413, 8),
        (429, 8),
        (499, 1),
        (500, 13),
        (501, 12),
        (502, 14),
        (503, 14),
        (504, 4),
    ];
    for status in 0..1000 {
        let row = table.iter().find(|(it, _)| *it == status);
        let expected = row.map_or(2, |(_, code)| *code);
        assert_eq!(Code::from_http(status).number(), expected, "{status}");
    }
}

#[test]
fn resets_as_codes() {
    let codes = [13, 13, 13, 13, 13, 13, 13, 14, 1, 13, 13, 8, 7, 2];
    for (error, code) in (0..).zip(codes) {
        assert_eq!(Code::from_reset(error).number(), code, "{error}");
    }
    assert_eq!(Code::from_reset(u32::MAX), Code::Unknown);
}

#[test]
fn timeouts_are_read() {
    let table: [(&str, Option<u64>); 33] = [
        ("1n", Some(1)),
        ("1u", Some(1_000)),
        ("1m", Some(1_000_000)),
        ("1S", Some(1_000_000_000)),
        ("1M", Some(60_000_000_000)),
        ("1H", Some(3_600_000_000_000)),
        ("0n", Some(0)),
        ("0H", Some(0)),
        ("007m", Some(7_000_000)),
        ("99999999n", Some(99_999_999)),
        ("99999999S", Some(99_999_999_000_000_000)),
        ("99999999M", Some(5_999_999_940_000_000_000)),
        ("5124095H", Some(5_124_095 * 3_600_000_000_000)),
        ("5124096H", Some(u64::MAX)),
        ("99999999H", Some(u64::MAX)),
        ("", None),
        ("n", None),
        ("1", None),
        ("100000000n", None),
        ("000000001n", None),
        ("1s", None),
        ("1h", None),
        ("1U", None),
        ("1N", None),
        ("1ms", None),
        ("1 m", None),
        (" 1m", None),
        ("1m ", None),
        ("-1m", None),
        ("+1m", None),
        ("1.5S", None),
        ("1e3m", None),
        ("m1", None),
    ];
    for (value, expected) in table {
        assert_eq!(parse_timeout(value.as_bytes()), expected, "{value}");
    }
}

#[test]
fn timeouts_are_written() {
    let table = [
        (0, "1n"),
        (1, "1n"),
        (99_999_999, "99999999n"),
        (100_000_000, "100000u"),
        (100_000_999, "100000u"),
        (5_000_000_000, "5000000u"),
        (99_999_999_999, "99999999u"),
        (100_000_000_000, "100000m"),
        (99_999_999_999_999, "99999999m"),
        (100_000_000_000_000, "100000S"),
        (99_999_999_999_999_999, "99999999S"),
        (100_000_000_000_000_000, "1666666M"),
        (5_999_999_999_999_999_999, "99999999M"),
        (6_000_000_000_000_000_000, "1666666H"),
        (u64::MAX, "5124095H"),
    ];
    for (nanos, expected) in table {
        let mut out = b"before".to_vec();
        encode_timeout(nanos, &mut out);
        assert_eq!(out, format!("before{expected}").as_bytes());
    }
}

#[test]
fn status_messages() {
    let table = [
        ("", ""),
        ("no such thing", "no such thing"),
        ("~ !$&", "~ !$&"),
        ("100%", "100%25"),
        ("a\r\nb\tc\0", "a%0D%0Ab%09c%00"),
        ("\u{7f}", "%7F"),
        ("é€😀", "%C3%A9%E2%82%AC%F0%9F%98%80"),
    ];
    for (text, value) in table {
        let mut out = Vec::new();
        encode_status_message(text, &mut out);
        assert_eq!(out, value.as_bytes());
        let mut back = Vec::new();
        decode_status_message(&out, &mut back);
        assert_eq!(back, text.as_bytes());
    }
    let lenient: [(&[u8], &[u8]); 9] = [
        (b"%c3%a9", "é".as_bytes()),
        (b"%", b"%"),
        (b"%4", b"%4"),
        (b"%zz", b"%zz"),
        (b"%4%41", b"%4A"),
        (b"%%41", b"%A"),
        (b"%+1", b"%+1"),
        (b"%ff", b"\xff"),
        (b"\xc3\xa9", "é".as_bytes()),
    ];
    for (value, expected) in lenient {
        let mut out = Vec::new();
        decode_status_message(value, &mut out);
        assert_eq!(out, expected, "{}", value.escape_ascii());
    }
}
