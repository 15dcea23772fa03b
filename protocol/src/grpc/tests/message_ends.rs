//! Where messages end, and bodies that are refused.

use super::*;

fn messages(framing: Framing) -> Messages {
    Messages::new(framing, 1000)
}

#[test]
fn a_body_begins_between_messages() {
    let mut messages = messages(Framing::Grpc);
    let nothing = Followed {
        consumed: 0,
        at_trailers: false,
    };
    assert_eq!(messages.follow(b""), Ok(nothing));
    assert!(messages.is_between_messages());
    assert_eq!(messages.count(), 0);
}

#[test]
fn ends_byte_by_byte() {
    let table: [(&[u8], &str); 5] = [
        (b"\0\0\0\0\0", "00001"),
        (b"\0\0\0\0\x02hi\x01\0\0\0\0", "000000100001"),
        (b"\0\0\0\0\x01\x80\0\0\0\0\x01\x7f", "000001000001"),
        (b"\x01\0\0\0\x01x", "000001"),
        (b"\0\0\0\0\x05\0\0\0\0\0", "0000000001"),
    ];
    for framing in [Framing::Grpc, Framing::Web, Framing::WebText] {
        for (bytes, ends) in table {
            let mut messages = messages(framing);
            let mut got = String::new();
            for byte in bytes {
                let followed = messages.follow(&[*byte]).unwrap();
                assert_eq!((followed.consumed, followed.at_trailers), (1, false));
                got.push(if messages.is_between_messages() {
                    '1'
                } else {
                    '0'
                });
            }
            assert_eq!(got, ends, "{}", bytes.escape_ascii());
            assert_eq!(messages.count(), ends.matches('1').count() as u64);
        }
    }
}

#[test]
fn trailers_stop_it_in_the_web_alone() {
    for flag in [0x80, 0x81] {
        let bytes = [b"\0\0\0\0\x01x".as_slice(), &[flag], b"\0\0\0\0"].concat();
        for framing in [Framing::Web, Framing::WebText] {
            let mut messages = messages(framing);
            let expected = Followed {
                consumed: 6,
                at_trailers: true,
            };
            assert_eq!(messages.follow(&bytes), Ok(expected));
            assert!(messages.is_between_messages());
            let again = Followed {
                consumed: 0,
                at_trailers: true,
            };
            assert_eq!(messages.follow(&bytes[6..]), Ok(again));
        }
        let got = messages(Framing::Grpc).follow(&bytes);
        assert_eq!(got, Err(MessageError::Flag));
    }
}

#[test]
fn flags_without_meaning() {
    for flag in 0..=255u8 {
        for framing in [Framing::Grpc, Framing::Web] {
            let fine = flag <= 1 || (framing == Framing::Web && flag & 0xfe == 0x80);
            let mut messages = messages(framing);
            let got = messages.follow(&[flag]);
            assert_eq!(got.is_ok(), fine, "{flag}");
            if !fine {
                assert_eq!(got, Err(MessageError::Flag));
                assert_eq!(messages.follow(b"\0"), Err(MessageError::Flag));
                assert_eq!(messages.follow(b""), Err(MessageError::Flag));
                assert!(!messages.is_between_messages());
            }
        }
    }
}

#[test]
fn the_longest_message_passes_and_no_longer_one() {
    let mut messages = Messages::new(Framing::Grpc, 1000);
    messages.follow(b"\0\0\0\x03\xe8").unwrap();
    messages.follow(&[0x80; 999]).unwrap();
    assert!(!messages.is_between_messages());
    messages.follow(&[0x80]).unwrap();
    assert!(messages.is_between_messages());
    let got = messages.follow(b"\0\0\0\x03\xe9");
    assert_eq!(got, Err(MessageError::TooLarge));
    let got = Messages::new(Framing::Grpc, 0).follow(b"\0\0\0\0\x01");
    assert_eq!(got, Err(MessageError::TooLarge));
    let mut messages = Messages::new(Framing::Grpc, u32::MAX);
    messages.follow(b"\0\xff\xff\xff\xff").unwrap();
    assert!(!messages.is_between_messages());
}

#[test]
fn messages_of_our_own() {
    let mut out = b"before".to_vec();
    push_message(b"hi", &mut out);
    push_message(b"", &mut out);
    assert_eq!(out, b"before\0\0\0\0\x02hi\0\0\0\0\0");
}
