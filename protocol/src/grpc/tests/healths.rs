//! The two messages of the health checking protocol, byte for byte.

use super::health::{
    Serving, WireError, decode_request, decode_response, encode_request, encode_response,
};

#[test]
fn requests() {
    let long = "s".repeat(300);
    let prefix = |prefix: &[u8], text: &str| [prefix, text.as_bytes()].concat();
    for (service, expected) in [
        ("", b"".to_vec()),
        ("a.B", prefix(b"\x0a\x03", "a.B")),
        (&long, prefix(b"\x0a\xac\x02", &long)),
    ] {
        let mut out = Vec::new();
        encode_request(service, &mut out);
        assert_eq!(out, expected);
        assert_eq!(decode_request(&out), Ok(service));
    }
}

#[test]
fn responses() {
    for (serving, expected) in [
        (Serving::Unknown, b"".as_slice()),
        (Serving::Serving, b"\x08\x01"),
        (Serving::NotServing, b"\x08\x02"),
        (Serving::ServiceUnknown, b"\x08\x03"),
    ] {
        let mut out = Vec::new();
        encode_response(serving, &mut out);
        assert_eq!(out, expected);
        assert_eq!(decode_response(&out), Ok(serving));
    }
}

#[test]
fn what_is_not_known_is_skipped() {
    let table: [(&[u8], Serving); 13] = [
        (b"\x08\x00", Serving::Unknown),
        (b"\x08\x04", Serving::Unknown),
        (b"\x08\x81\x00", Serving::Serving),
        (b"\x88\x00\x01", Serving::Serving),
        (
            b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            Serving::Unknown,
        ),
        // The last one counts.
        (b"\x08\x01\x08\x02", Serving::NotServing),
        (b"\x08\x02\x08\x01", Serving::Serving),
        // Other fields, of each type, before and behind.
        (b"\x10\x02\x08\x01\x18\x02", Serving::Serving),
        (b"\x11\0\0\0\0\0\0\0\0\x08\x01", Serving::Serving),
        (b"\x08\x01\x15\0\0\0\0", Serving::Serving),
        (b"\x08\x01\x12\x02\x08\x02", Serving::Serving),
        // Field 1 of another type is another field.
        (b"\x08\x01\x0a\x01\x02\x0d\0\0\0\0", Serving::Serving),
        (b"\xf8\xff\xff\xff\x0f\x02\x08\x01", Serving::Serving),
    ];
    for (bytes, expected) in table {
        let got = decode_response(bytes);
        assert_eq!(got, Ok(expected), "{}", bytes.escape_ascii());
    }
    assert_eq!(decode_request(b"\x0a\x01a\x0a\x01b\x10\x07"), Ok("b"));
    assert_eq!(decode_request(b"\x0a\x01a\x08\x07"), Ok("a"));
    assert_eq!(decode_request(b"\x0a\x01a\x0a\x00"), Ok(""));
}

#[test]
fn bad_messages() {
    use WireError::{Cut, Field, Number};
    let table: [(&[u8], WireError); 20] = [
        (b"\x08", Cut),
        (b"\x08\x80", Cut),
        (b"\x80", Cut),
        (b"\x0a", Cut),
        (b"\x0a\x01", Cut),
        (b"\x12\x02x", Cut),
        (b"\x11\0\0\0\0\0\0\0", Cut),
        (b"\x15\0\0\0", Cut),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", Cut),
        (b"\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02", Number),
        (b"\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", Number),
        (b"\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x81\x00", Number),
        (b"\x00\x01", Field),
        (b"\x0b\x0c", Field),
        (b"\x0c", Field),
        (b"\x0e", Field),
        (b"\x0f", Field),
        (b"\x1b\x1c", Field),
        (b"\x80\x80\x80\x80\x10\x01", Field),
        (b"\x08\x01\x00", Field),
    ];
    for (bytes, expected) in table {
        let label = bytes.escape_ascii();
        assert_eq!(decode_response(bytes), Err(expected), "{label}");
        assert_eq!(decode_request(bytes), Err(expected), "{label}");
    }
    assert_eq!(decode_request(b"\x0a\x01\xff"), Err(WireError::Text));
    assert_eq!(decode_response(b"\x0a\x01\xff"), Ok(Serving::Unknown));
}
