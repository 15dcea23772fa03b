//! Trailers in the body of gRPC-Web: exact bytes both ways, and what is refused.

use super::*;
use crate::limits::MAX_GRPC_WEB_TRAILER_BYTES;

fn framed(flag: u8, lines: &[u8]) -> Vec<u8> {
    let len = u32::try_from(lines.len()).unwrap().to_be_bytes();
    [&[flag], len.as_slice(), lines].concat()
}

#[test]
fn they_are_written() {
    let check = |lines: &[u8], expected: &[u8]| {
        let mut out = b"before".to_vec();
        encode_trailers(lines, &mut out);
        assert_eq!(out, [b"before", framed(0x80, expected).as_slice()].concat());
    };
    check(b"", b"");
    check(b"\r\n", b"");
    check(b"grpc-status: 0\r\n", b"grpc-status: 0\r\n");
    check(
        b"Grpc-Status: 5\r\nGRPC-Message: No Such Thing\r\nX-Bin: AbC=\r\n\r\n",
        b"grpc-status: 5\r\ngrpc-message: No Such Thing\r\nx-bin: AbC=\r\n",
    );
    check(b"a: b: C\r\nempty: \r\n", b"a: b: C\r\nempty: \r\n");
}

#[test]
fn they_are_read() {
    let check = |lines: &[u8], expected: &[u8]| {
        let bytes = [framed(0x80, lines), b"more".to_vec()].concat();
        for len in 0..bytes.len() - 4 {
            let mut out = Vec::new();
            assert_eq!(decode_trailers(&bytes[..len], &mut out), Ok(None));
            assert_eq!(out, b"");
        }
        let mut out = b"before".to_vec();
        let taken = decode_trailers(&bytes, &mut out);
        assert_eq!(taken, Ok(Some(bytes.len() - 4)));
        assert_eq!(
            out.escape_ascii().to_string(),
            [b"before", expected].concat().escape_ascii().to_string()
        );
    };
    check(b"", b"");
    check(b"grpc-status: 0\r\n", b"grpc-status: 0\r\n");
    check(
        b"grpc-status:0\r\nGrpc-Message:\t a  b \r\n",
        b"grpc-status: 0\r\ngrpc-message: a  b\r\n",
    );
    check(
        b"a: b:c\r\nempty:\r\nx: \xc3\xa9\t1\r\n",
        b"a: b:c\r\nempty: \r\nx: \xc3\xa9\t1\r\n",
    );
    // What would be a field of another meaning has no business here.
    check(
        b"Content-Length: 5\r\nx: 1\r\ntransfer-encoding: chunked\r\nHost: a\r\nset-cookie: a\r\n",
        b"x: 1\r\n",
    );
}

#[test]
fn bad_trailers() {
    use TrailerError::{Compressed, Flag, Line, TooLarge};
    let lines: [&[u8]; 19] = [
        b"\r\n",
        b"x: 1\r\n\r\n",
        b"x: 1",
        b"x: 1\n",
        b"x: 1\r",
        b"x: 1\r\ny: 2",
        b"x: 1\ny: 2\r\n",
        b"x: 1\ry: 2\r\n",
        b"x: a\0b\r\n",
        b"x: \x7f\r\n",
        b"x\r\n",
        b": 1\r\n",
        b"x : 1\r\n",
        b" x: 1\r\n",
        b"x y: 1\r\n",
        b"\xc3\xa9: 1\r\n",
        b"x: 1\r\n y\r\n",
        b"x(: 1\r\n",
        b":status: 200\r\n",
    ];
    for lines in lines {
        let got = decode_trailers(&framed(0x80, lines), &mut Vec::new());
        assert_eq!(got, Err(Line), "{}", lines.escape_ascii());
    }
    for flag in 0..=255u8 {
        let expected = match flag {
            0x80 => continue,
            0x81 => Compressed,
            _ => Flag,
        };
        let got = decode_trailers(&[flag], &mut Vec::new());
        assert_eq!(got, Err(expected));
    }
    let value = "y".repeat(MAX_GRPC_WEB_TRAILER_BYTES - 5);
    let longest = framed(0x80, format!("x: {value}\r\n").as_bytes());
    let got = decode_trailers(&longest, &mut Vec::new());
    assert_eq!(got, Ok(Some(longest.len())));
    let longer = framed(0x80, format!("x: {value}y\r\n").as_bytes());
    assert_eq!(
        decode_trailers(&longer[..5], &mut Vec::new()),
        Err(TooLarge)
    );
    assert_eq!(
        decode_trailers(b"\x80\xff\xff\xff\xff", &mut Vec::new()),
        Err(TooLarge)
    );
}
