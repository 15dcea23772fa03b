//! Frames as they are followed: where they end, what is noticed, and each header that is refused.

use super::*;
use crate::http1::{Decoded, decode_response};
use crate::limits::HeadLimits;
use crate::message::{Method, ResponseHead};

fn server(extensions: Extensions) -> Follower {
    Follower::new(Sender::Server, extensions)
}

#[test]
fn a_tunnel_begins_between_frames() {
    let mut follower = server(Extensions::None);
    assert!(follower.is_between_frames() && follower.may_close());
    assert_eq!(follower.follow(b""), Ok(()));
    assert_eq!(follower.follow_to_boundary(b""), Ok(0));
    assert_eq!((follower.frames(), follower.has_closed()), (0, false));
}

#[test]
fn boundaries_byte_by_byte() {
    // Per byte: whether a frame ends with it.
    let table: [(Sender, &[u8], &str); 7] = [
        (Sender::Server, b"\x81\x05Hello\x89\x00", "000000101"),
        (Sender::Server, b"\x01\x03Hel\x80\x02lo", "000010001"),
        (Sender::Server, b"\x01\x01H\x89\x00\x80\x01i", "00101001"),
        (
            Sender::Client,
            b"\x81\x80\x01\x02\x03\x04\x82\x81\x01\x02\x03\x04x",
            "0000010000001",
        ),
        (Sender::Server, b"\x82\x00\x82\x00", "0101"),
        (Sender::Server, b"\x01\x00\x80\x00\x02\x00", "010101"),
        (Sender::Server, b"\x88\x02\x03\xe8", "0001"),
    ];
    for (sender, bytes, ends) in table {
        let label = bytes.escape_ascii();
        let mut follower = Follower::new(sender, Extensions::None);
        let got: String = bytes
            .iter()
            .map(|byte| {
                follower.follow(&[*byte]).unwrap();
                if follower.is_between_frames() {
                    '1'
                } else {
                    '0'
                }
            })
            .collect();
        assert_eq!(got, ends, "{label}");
        let expected = ends.matches('1').count() as u64;
        assert_eq!(follower.frames(), expected, "{label}");
        // All at once, boundary by boundary.
        let mut follower = Follower::new(sender, Extensions::None);
        let mut at = 0;
        for (place, _) in ends.match_indices('1') {
            assert_eq!(
                follower.follow_to_boundary(&bytes[at..]),
                Ok(place + 1 - at)
            );
            at = place + 1;
        }
    }
}

#[test]
fn long_payload_is_skipped_by_its_length() {
    for (header, len) in [
        (b"\x82\x7e\x00\x7e".as_slice(), 126u64),
        (b"\x82\x7e\xff\xff", 65535),
        (b"\x82\x7f\0\0\0\0\0\x01\0\0", 65536),
        (b"\x82\x7f\0\0\0\0\0\x10\0\0", 1 << 20),
    ] {
        let mut follower = server(Extensions::None);
        follower.follow(header).unwrap();
        let payload = vec![0x88; len as usize];
        follower.follow(&payload[1..]).unwrap();
        assert!(!follower.is_between_frames());
        assert_eq!(follower.follow_to_boundary(b"\xff\xff"), Ok(1));
        assert_eq!((follower.frames(), follower.has_closed()), (1, false));
    }
    let mut follower = server(Extensions::None);
    follower
        .follow(b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff")
        .unwrap();
    follower.follow(&[0; 1000]).unwrap();
    assert_eq!(follower.frames(), 0);
}

#[test]
fn a_close_may_stand_between_frames_and_once() {
    let mut follower = server(Extensions::None);
    follower.follow(b"\x01\x02h").unwrap();
    assert!(!follower.may_close());
    follower.follow(b"i").unwrap();
    assert!(follower.may_close(), "within a message, between frames");
    follower.follow(b"\x88").unwrap();
    assert!(!follower.may_close() && !follower.has_closed());
    follower.follow(b"\x02").unwrap();
    assert!(!follower.may_close() && follower.has_closed());
    follower.follow(b"\x03\xe8").unwrap();
    assert!(!follower.may_close() && follower.has_closed() && follower.is_between_frames());
    assert_eq!(follower.follow(b"\x89\x00"), Err(FrameError::AfterClose));
}

/// Each refused header: as a server's, unless it is masked.
#[test]
fn bad_headers() {
    use FrameError::*;
    let table: [(&[u8], FrameError); 31] = [
        (b"\xc1\x00", ReservedBit),
        (b"\xa1\x00", ReservedBit),
        (b"\x91\x00", ReservedBit),
        (b"\xc9\x00", ReservedBit),
        (b"\x83\x00", Opcode),
        (b"\x84\x00", Opcode),
        (b"\x85\x00", Opcode),
        (b"\x86\x00", Opcode),
        (b"\x87\x00", Opcode),
        (b"\x8b\x00", Opcode),
        (b"\x8c\x00", Opcode),
        (b"\x8d\x00", Opcode),
        (b"\x8e\x00", Opcode),
        (b"\x8f\x00", Opcode),
        (b"\x08\x00", FragmentedControl),
        (b"\x09\x00", FragmentedControl),
        (b"\x0a\x00", FragmentedControl),
        (b"\x88\x7e", LongControl),
        (b"\x89\x7f", LongControl),
        (b"\x8a\x7e", LongControl),
        (b"\x88\x01", CloseLength),
        (b"\x80\x00", Continuation),
        (b"\x00\x00", Continuation),
        (b"\x81\x00\x80\x00", Continuation),
        (b"\x01\x00\x80\x00\x80\x00", Continuation),
        (b"\x82\x7e\x00\x7d", LengthForm),
        (b"\x82\x7e\x00\x00", LengthForm),
        (b"\x82\x7f\0\0\0\0\0\0\xff\xff", LengthForm),
        (b"\x82\x7f\x80\0\0\0\0\0\0\0", LengthTooLarge),
        (b"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", LengthTooLarge),
        (b"\x01\x00\x81\x00", Interleaved),
    ];
    for (bytes, expected) in table {
        let label = bytes.escape_ascii();
        let mut follower = server(Extensions::None);
        let last = bytes.len() - 1;
        assert_eq!(follower.follow(&bytes[..last]), Ok(()), "{label}");
        assert_eq!(follower.follow(&bytes[last..]), Err(expected), "{label}");
        // From here on nobody knows.
        assert_eq!(follower.follow(b"\x81\x00"), Err(expected));
        assert_eq!(follower.follow_to_boundary(b"\x81\x00"), Err(expected));
        assert_eq!(follower.follow(b""), Err(expected));
        assert!(!follower.is_between_frames() && !follower.may_close());
    }
    let mut follower = server(Extensions::None);
    assert_eq!(follower.follow(b"\x01\x00\x02\x00"), Err(Interleaved));
    for (sender, bytes) in [
        (Sender::Server, b"\x81\x80"),
        (Sender::Client, b"\x81\x00"),
        (Sender::Client, b"\x88\x00"),
    ] {
        let got = Follower::new(sender, Extensions::None).follow(bytes);
        assert_eq!(got, Err(Mask));
    }
}

#[test]
fn all_pairs_of_first_bytes_are_judged() {
    for first in 0..=255u8 {
        for second in 0..=255u8 {
            let (reserved, opcode, len) = (first & 0x70, first & 15, second & 0x7f);
            let is_final = first & 0x80 != 0;
            let control_is_sound = is_final && len <= 125 && !(opcode == 8 && len == 1);
            let sound = match opcode {
                1 | 2 => true,
                8..=10 => control_is_sound,
                _ => false,
            };
            for (sender, masked) in [(Sender::Client, true), (Sender::Server, false)] {
                let is_masked = second & 0x80 != 0;
                let expected = sound && reserved == 0 && masked == is_masked;
                let mut follower = Follower::new(sender, Extensions::None);
                let got = follower.follow(&[first, second]).is_ok();
                assert_eq!(got, expected, "{first:02x} {second:02x} {sender:?}");
            }
        }
    }
}

#[test]
fn extensions_may_use_reserved_bits() {
    use Extensions::{Deflate, None, Other};
    let table: [(&[u8], Extensions, bool); 14] = [
        (b"\xc1\x00", None, false),
        (b"\xc1\x00", Deflate, true),
        (b"\xc2\x00", Deflate, true),
        (b"\x41\x00\x80\x00", Deflate, true),
        (b"\x41\x00\xc0\x00", Deflate, false),
        (b"\xc9\x00", Deflate, false),
        (b"\xa1\x00", Deflate, false),
        (b"\x91\x00", Deflate, false),
        (b"\x83\x00", Deflate, false),
        (b"\xf1\x00", Other, true),
        (b"\xf9\x00", Other, true),
        (b"\x83\x00", Other, true),
        (b"\x09\x00", Other, false),
        (b"\x89\x7e", Other, false),
    ];
    for (bytes, extensions, fine) in table {
        let got = server(extensions).follow(bytes);
        assert_eq!(got.is_ok(), fine, "{} {extensions:?}", bytes.escape_ascii());
    }
}

#[test]
fn what_was_agreed() {
    use Extensions::{Deflate, None, Other};
    let table = [
        ("", None),
        ("Sec-WebSocket-Extensions:\r\n", None),
        ("Sec-WebSocket-Extensions: , ,\r\n", None),
        ("Sec-WebSocket-Extensions: permessage-deflate\r\n", Deflate),
        (
            "sec-websocket-extensions: PerMessage-Deflate ; server_max_window_bits=10; x\r\n",
            Deflate,
        ),
        (
            "Sec-WebSocket-Extensions: x-webkit-deflate-frame\r\n",
            Other,
        ),
        ("Sec-WebSocket-Extensions: permessage-deflate2\r\n", Other),
        (
            "Sec-WebSocket-Extensions: permessage-deflate, other\r\n",
            Other,
        ),
        (
            "Sec-WebSocket-Extensions: other, permessage-deflate\r\n",
            Other,
        ),
        (
            "Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Extensions: a\r\n",
            Other,
        ),
        (
            "Sec-WebSocket-Extensions: a;b=\",permessage-deflate\"\r\n",
            Other,
        ),
    ];
    for (fields, expected) in table {
        let text = format!("HTTP/1.1 101 Switching Protocols\r\n{fields}\r\n");
        let mut head = ResponseHead::new();
        let limits = HeadLimits {
            switching_protocols: true,
            ..HeadLimits::DEFAULT
        };
        let decoded = decode_response(text.as_bytes(), &mut head, Method::Get, &limits);
        assert_eq!(decoded, Ok(Decoded::Complete));
        let got = Extensions::agreed(head.view(text.as_bytes()));
        assert_eq!(got, expected, "{fields}");
    }
}
