//! Exact bytes of frames of our own.

use super::*;

#[test]
fn the_examples_of_the_rfc() {
    // Section 5.7.
    let check = |opcode, payload: &[u8], mask, expected: &[u8]| {
        let mut out = b"before".to_vec();
        frame(opcode, payload, mask, &mut out);
        assert_eq!(out, [b"before", expected].concat());
    };
    let mask = Some([0x37, 0xfa, 0x21, 0x3d]);
    check(Opcode::Text, b"Hello", None, b"\x81\x05Hello");
    check(
        Opcode::Text,
        b"Hello",
        mask,
        &[
            0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
        ],
    );
    check(Opcode::Ping, b"Hello", None, b"\x89\x05Hello");
    check(
        Opcode::Pong,
        b"Hello",
        mask,
        &[
            0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
        ],
    );
    let bytes = [7; 256];
    let expected = [b"\x82\x7e\x01\x00".as_slice(), &bytes].concat();
    check(Opcode::Binary, &bytes, None, &expected);
    let bytes = vec![7; 65536];
    let expected = [b"\x82\x7f\0\0\0\0\0\x01\0\0".as_slice(), &bytes].concat();
    check(Opcode::Binary, &bytes, None, &expected);
}

#[test]
fn lengths_are_written_in_the_fewest_bytes() {
    for (len, header) in [
        (0, b"\x82\x00".as_slice()),
        (125, b"\x82\x7d"),
        (126, b"\x82\x7e\x00\x7e"),
        (65535, b"\x82\x7e\xff\xff"),
        (65536, b"\x82\x7f\0\0\0\0\0\x01\0\0"),
    ] {
        let mut out = Vec::new();
        frame(Opcode::Binary, &vec![1; len], None, &mut out);
        assert_eq!(out, [header, &vec![1; len]].concat());
    }
}

#[test]
fn closes() {
    let check = |code, reason: &str, mask, expected: &[u8]| {
        let mut out = Vec::new();
        close_frame(code, reason, mask, &mut out);
        assert_eq!(out, expected, "{reason}");
    };
    check(CloseCode::GoingAway, "", None, b"\x88\x02\x03\xe9");
    check(
        CloseCode::GoingAway,
        "restart",
        None,
        b"\x88\x09\x03\xe9restart",
    );
    check(
        CloseCode::Normal,
        "",
        Some([1, 2, 3, 4]),
        b"\x88\x82\x01\x02\x03\x04\x02\xea",
    );
    let longest = "x".repeat(123);
    let expected = [b"\x88\x7d\x03\xf5".as_slice(), longest.as_bytes()].concat();
    check(CloseCode::TryAgainLater, &longest, None, &expected);
    check(
        CloseCode::TryAgainLater,
        &format!("{longest}x"),
        None,
        &expected,
    );
    // The character that doesn't fit is left out whole.
    let text = format!("{}é", "x".repeat(122));
    let expected = [b"\x88\x7c\x03\xe8".as_slice(), &[b'x'; 122]].concat();
    check(CloseCode::Normal, &text, None, &expected);
}
