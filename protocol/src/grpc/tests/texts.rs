//! The text mode of gRPC-Web: what is decoded, what is refused, what is written.

use super::*;

/// Decodes a whole body, then the same byte by byte.
fn decode(text: &[u8]) -> Result<Vec<u8>, TextError> {
    let run = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let (mut decoder, mut out) = (TextDecoder::new(), Vec::new());
        for piece in pieces {
            decoder.decode(piece, &mut out)?;
        }
        decoder.finish().map(|()| out)
    };
    let whole = run(&mut [text].into_iter());
    assert_eq!(run(&mut text.chunks(1)), whole, "{}", text.escape_ascii());
    whole
}

#[test]
fn bodies() {
    let table: [(&str, &[u8]); 13] = [
        ("", b""),
        ("Zg==", b"f"),
        ("Zm8=", b"fo"),
        ("Zm9v", b"foo"),
        ("Zm9vYmFy", b"foobar"),
        // Chunks with padding of their own, one behind the other.
        ("Zg==Zg==", b"ff"),
        ("Zm8=Zm9vZg==Zm8=", b"fofooffo"),
        ("Zm9vZg==Zm9v", b"fooffoo"),
        (
            "AAAAAAA=gAAAABBncnBjLXN0YXR1czogMA0K",
            b"\0\0\0\0\0\x80\0\0\0\x10grpc-status: 0\r\n",
        ),
        ("////", b"\xff\xff\xff"),
        ("+/+/", b"\xfb\xff\xbf"),
        // Bits left over are not looked at.
        ("Zh==", b"f"),
        ("Zm9=", b"fo"),
    ];
    for (text, expected) in table {
        assert_eq!(decode(text.as_bytes()).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn bad_bodies() {
    use TextError::{Cut, Digit, Padding};
    let table: [(&[u8], TextError); 24] = [
        (b"Z", Cut),
        (b"Zg", Cut),
        (b"Zm8", Cut),
        (b"Zg=", Cut),
        (b"Zm9vZ", Cut),
        (b"=", Padding),
        (b"====", Padding),
        (b"Z=", Padding),
        (b"Z===", Padding),
        (b"Zg=g", Padding),
        (b"Zg=gZg==", Padding),
        (b"Zg===", Padding),
        (b"Zm8==", Padding),
        (b"Zm9v=", Padding),
        (b"Zm9v\n", Digit),
        (b"Zm9v\r\nZm9v", Digit),
        (b"Zm 9v", Digit),
        (b" Zm9v", Digit),
        (b"Zm9-", Digit),
        (b"Zm9_", Digit),
        (b"Zm9\0", Digit),
        (b"Zm9\xff", Digit),
        (b"Zg=\n", Digit),
        (b"\x80\0\0\0\0", Digit),
    ];
    for (text, expected) in table {
        assert_eq!(decode(text), Err(expected), "{}", text.escape_ascii());
    }
}

#[test]
fn what_is_written() {
    let (mut encoder, mut out) = (TextEncoder::new(), Vec::new());
    encoder.flush(&mut out);
    assert_eq!(out, b"", "nothing held, nothing flushed");
    encoder.encode(b"f", &mut out);
    assert_eq!(out, b"");
    encoder.encode(b"o", &mut out);
    assert_eq!(out, b"");
    encoder.encode(b"ob", &mut out);
    assert_eq!(out, b"Zm9v");
    encoder.encode(b"", &mut out);
    encoder.flush(&mut out);
    assert_eq!(out, b"Zm9vYg==");
    encoder.flush(&mut out);
    assert_eq!(out, b"Zm9vYg==");
    encoder.encode(b"foobarfo", &mut out);
    assert_eq!(out, b"Zm9vYg==Zm9vYmFy");
    encoder.flush(&mut out);
    assert_eq!(out, b"Zm9vYg==Zm9vYmFyZm8=");
}
