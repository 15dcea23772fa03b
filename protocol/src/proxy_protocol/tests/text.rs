//! Version 1: lines that are taken, and each way in which one is refused.

use super::*;
use crate::limits::MAX_PROXY_V1_BYTES;

#[test]
fn lines() {
    let widest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    let table = [
        // The specification's example and its longest lines (section 2.1).
        (
            "TCP4 192.168.0.1 192.168.0.11 56324 443".to_owned(),
            tcp("192.168.0.1:56324", "192.168.0.11:443"),
        ),
        (
            "TCP4 255.255.255.255 255.255.255.255 65535 65535".to_owned(),
            tcp("255.255.255.255:65535", "255.255.255.255:65535"),
        ),
        (
            format!("TCP6 {widest} {widest} 65535 65535"),
            tcp(&format!("[{widest}]:65535"), &format!("[{widest}]:65535")),
        ),
        (
            "TCP6 2001:db8::1 ::1 0 1".to_owned(),
            tcp("[2001:db8::1]:0", "[::1]:1"),
        ),
        (
            "TCP6 2001:DB8::A ::ffff:10.0.0.1 1 2".to_owned(),
            tcp("[2001:db8::a]:1", "[::ffff:10.0.0.1]:2"),
        ),
        (
            "TCP4 0.0.0.0 127.0.0.1 0 0".to_owned(),
            tcp("0.0.0.0:0", "127.0.0.1:0"),
        ),
        ("UNKNOWN".to_owned(), Origin::Unknown),
        ("UNKNOWN ".to_owned(), Origin::Unknown),
        ("UNKNOWN \0 anything at all".to_owned(), Origin::Unknown),
        (
            format!("UNKNOWN {widest} {widest} 65535 65535"),
            Origin::Unknown,
        ),
    ];
    for (line, origin) in table {
        let line = format!("PROXY {line}\r\n");
        let whole = [line.as_bytes(), b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"].concat();
        let (len, header) = done(&whole);
        assert_eq!((len, header.origin), (line.len(), origin), "{line}");
        assert_eq!(header.tlvs, Tlvs::EMPTY);
        for cut in 0..line.len() {
            assert_eq!(decode(&whole[..cut]), Ok(Decoded::More), "{line} to {cut}");
        }
    }
}

#[test]
fn bad_lines() {
    use HeaderError::{Address, Line, LineEnd, Port};
    let table: [(&str, HeaderError); 56] = [
        ("\r\n", Line),
        (" \r\n", Line),
        ("TCP4\r\n", Line),
        ("TCP5 1.1.1.1 2.2.2.2 1 2\r\n", Line),
        ("tcp4 1.1.1.1 2.2.2.2 1 2\r\n", Line),
        ("TCP 1.1.1.1 2.2.2.2 1 2\r\n", Line),
        ("UDP4 1.1.1.1 2.2.2.2 1 2\r\n", Line),
        ("UNKNOWN\t1\r\n", Line),
        ("UNKNOWNS\r\n", Line),
        ("unknown\r\n", Line),
        (" TCP4 1.1.1.1 2.2.2.2 1 2\r\n", Line),
        ("TCP4  1.1.1.1 2.2.2.2 1 2\r\n", Line),
        ("TCP4 1.1.1.1  2.2.2.2 1 2\r\n", Line),
        ("TCP4 1.1.1.1 2.2.2.2  1 2\r\n", Line),
        ("TCP4 1.1.1.1 2.2.2.2 1  2\r\n", Line),
        ("TCP4 1.1.1.1 2.2.2.2 1 2 \r\n", Line),
        ("TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n", Line),
        ("TCP4 1.1.1.1 2.2.2.2 1\r\n", Line),
        ("TCP4\t1.1.1.1 2.2.2.2 1 2\r\n", Line),
        ("TCP4 1.1.1.1\t2.2.2.2 1 2\r\n", Line),
        ("TCP4 1.1.1 2.2.2.2 1 2\r\n", Address),
        ("TCP4 1.1.1.1.1 2.2.2.2 1 2\r\n", Address),
        ("TCP4 01.1.1.1 2.2.2.2 1 2\r\n", Address),
        ("TCP4 1.1.1.00 2.2.2.2 1 2\r\n", Address),
        ("TCP4 256.1.1.1 2.2.2.2 1 2\r\n", Address),
        ("TCP4 0x1.1.1.1 2.2.2.2 1 2\r\n", Address),
        ("TCP4 16843009 2.2.2.2 1 2\r\n", Address),
        ("TCP4 -1.1.1.1 2.2.2.2 1 2\r\n", Address),
        ("TCP4 +1.1.1.1 2.2.2.2 1 2\r\n", Address),
        ("TCP4 1.1.1.1\0 2.2.2.2 1 2\r\n", Address),
        ("TCP4 1.1.1.1 2.2.2.2. 1 2\r\n", Address),
        ("TCP4 localhost 2.2.2.2 1 2\r\n", Address),
        ("TCP4 ::1 ::1 1 2\r\n", Address),
        ("TCP4 1.1.1.1 ::1 1 2\r\n", Address),
        ("TCP4 ::ffff:1.1.1.1 2.2.2.2 1 2\r\n", Address),
        ("TCP6 1.1.1.1 2.2.2.2 1 2\r\n", Address),
        ("TCP6 ::1 2.2.2.2 1 2\r\n", Address),
        ("TCP6 [::1] ::1 1 2\r\n", Address),
        ("TCP6 ::1%1 ::1 1 2\r\n", Address),
        ("TCP6 1::2::3 ::1 1 2\r\n", Address),
        ("TCP6 1:2:3:4:5:6:7 ::1 1 2\r\n", Address),
        ("TCP6 1:2:3:4:5:6:7:8:9 ::1 1 2\r\n", Address),
        ("TCP6 00001:: ::1 1 2\r\n", Address),
        ("TCP6 g:: ::1 1 2\r\n", Address),
        ("TCP4 1.1.1.1 2.2.2.2 65536 2\r\n", Port),
        ("TCP4 1.1.1.1 2.2.2.2 1 99999\r\n", Port),
        ("TCP4 1.1.1.1 2.2.2.2 01 2\r\n", Port),
        ("TCP4 1.1.1.1 2.2.2.2 00 2\r\n", Port),
        ("TCP4 1.1.1.1 2.2.2.2 +1 2\r\n", Port),
        ("TCP4 1.1.1.1 2.2.2.2 1 -2\r\n", Port),
        ("TCP4 1.1.1.1 2.2.2.2 1 0x2\r\n", Port),
        ("TCP4 1.1.1.1 2.2.2.2 1 2\t\r\n", Port),
        ("TCP4 1.1.1.1 2.2.2.2 1 2\n", LineEnd),
        ("TCP4 1.1.1.1 2.2.2.2 1 2\rx", LineEnd),
        ("TCP4 1.1.1.1 2.2.2.2 1 2\r\r\n", LineEnd),
        ("UNKNOWN a\nb\r\n", LineEnd),
    ];
    for (line, expected) in table {
        refused(format!("PROXY {line}").as_bytes(), expected);
    }
    refused(b"PROXY TCP4 \xff.1.1.1 2.2.2.2 1 2\r\n", Address);
    refused(b"PROXY TCP4 1.1.1.1 2.2.2.2 1 \xb2\r\n", Port);
}

#[test]
fn the_longest_line_is_taken_and_no_longer_one() {
    let line = |len: usize| {
        let start = "PROXY UNKNOWN ";
        format!("{start}{}\r\n", "x".repeat(len - start.len() - 2))
    };
    let longest = line(MAX_PROXY_V1_BYTES);
    assert_eq!(done(longest.as_bytes()).0, 107);
    let longer = line(MAX_PROXY_V1_BYTES + 1);
    refused(longer.as_bytes(), HeaderError::LineTooLong);
    assert_eq!(decode(&longer.as_bytes()[..106]), Ok(Decoded::More));
    let first = decode(&longer.as_bytes()[..107]);
    assert_eq!(first, Err(HeaderError::LineTooLong));
}

#[test]
fn lines_as_they_are_written() {
    let check = |origin: &Origin<'_>, expected: &str| {
        let mut out = b"before".to_vec();
        encode_v1(origin, &mut out);
        assert_eq!(out, format!("before{expected}").as_bytes());
    };
    check(
        &tcp("192.168.0.1:56324", "192.168.0.11:443"),
        "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n",
    );
    check(
        &tcp("[2001:db8::1]:1", "[::1]:65535"),
        "PROXY TCP6 2001:db8::1 ::1 1 65535\r\n",
    );
    check(
        &tcp("10.0.0.1:1", "[::1]:2"),
        "PROXY TCP6 ::ffff:10.0.0.1 ::1 1 2\r\n",
    );
    for origin in [
        Origin::Local,
        Origin::Unknown,
        Origin::Unix {
            source: b"/a",
            destination: b"/b",
        },
    ] {
        check(&origin, "PROXY UNKNOWN\r\n");
    }
}
