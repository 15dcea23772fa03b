//! Handshakes and frames, whole, in pieces, and broken.

use proptest::prelude::*;

use super::*;
use crate::origin::head::parse;

/// A client's frame: its first byte, and its payload under a mask.
pub(super) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..126 => bytes.push(0x80 | short as u8),
        medium @ 126..0x1_0000 => {
            bytes.push(0x80 | 126);
            bytes.extend((medium as u16).to_be_bytes());
        }
        long => {
            bytes.push(0x80 | 127);
            bytes.extend((long as u64).to_be_bytes());
        }
    }
    let mask = [7, 77, 177, 217];
    bytes.extend(mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b));
    bytes
}

/// What comes of bytes that arrive in pieces of this length.
fn read(bytes: &[u8], piece: usize) -> Result<Vec<(Kind, Vec<u8>)>, Fault> {
    let mut messages = Messages::default();
    let (mut held, mut found) = (Vec::new(), Vec::new());
    for piece in bytes.chunks(piece) {
        held.extend_from_slice(piece);
        loop {
            let (used, whole) = messages.take(&held)?;
            held.drain(..used);
            if let Some(kind) = whole {
                found.push((kind, messages.payload(kind).to_vec()));
                if kind == Kind::Close {
                    messages.farewell()?;
                }
            } else if used == 0 {
                break;
            }
        }
    }
    Ok(found)
}

fn shake(fields: &str) -> Result<Handshake, Refusal> {
    let text = format!("GET /ws HTTP/1.1\r\nHost: x\r\n{fields}\r\n");
    let head = parse(text.as_bytes()).expect("a good head");
    Handshake::read(&head.expect("a whole head"))
}

#[test]
fn a_handshake_is_proved() {
    let good = "Upgrade: h2c, WebSocket\r\nConnection: keep-alive, upgrade\r\nSec-WebSocket-Version: 13\r\n";
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    // The example of RFC 6455 section 1.3.
    let shaken = shake(&format!("{good}{key}")).expect("a handshake");
    assert_eq!(shaken.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_eq!(shaken.protocol, None);
    let chat = shake(&format!(
        "{good}{key}Sec-WebSocket-Protocol: chat, other\r\n"
    ));
    assert_eq!(chat.expect("a handshake").protocol.as_deref(), Some("chat"));
    assert_eq!(shake(good), Err(BAD_KEY));
    assert_eq!(
        shake(&format!("{good}Sec-WebSocket-Key: dGhl\r\n")),
        Err(BAD_KEY)
    );
    assert_eq!(shake(key), Err(NO_UPGRADE));
    let old = good.replace("13", "8");
    assert_eq!(shake(&format!("{old}{key}")), Err(BAD_VERSION));
}

#[test]
fn messages_are_put_together_whatever_stands_between() {
    let mut bytes = frame(0x81, "héllo".as_bytes());
    bytes.extend(frame(0x01, &"é".as_bytes()[..1]));
    bytes.extend(frame(0x89, b"are you there"));
    bytes.extend(frame(0x00, &"é".as_bytes()[1..]));
    bytes.extend(frame(0x80, b"!"));
    bytes.extend(frame(0x82, &[0xff; 70_000]));
    bytes.extend(frame(0x81, b""));
    bytes.extend(frame(0x8a, b"unasked"));
    bytes.extend(frame(0x88, b"\x03\xe8bye"));
    let expected = [
        (Kind::Text, "héllo".into()),
        (Kind::Ping, b"are you there".to_vec()),
        (Kind::Text, "é!".into()),
        (Kind::Binary, vec![0xff; 70_000]),
        (Kind::Text, Vec::new()),
        (Kind::Pong, b"unasked".to_vec()),
        (Kind::Close, b"\x03\xe8bye".to_vec()),
    ];
    for piece in [1, 2, 3, 7, 1000, bytes.len()] {
        assert_eq!(read(&bytes, piece).as_deref(), Ok(&expected[..]), "{piece}");
    }
}

#[test]
fn each_fault_has_its_code() {
    let check = |code, frames: &[Vec<u8>]| {
        assert_eq!(read(&frames.concat(), 5), Err(Fault(code)), "{frames:?}");
    };
    let mut unmasked = frame(0x81, b"");
    unmasked[1] &= 0x7f;
    check(1002, &[unmasked]);
    // A reserved opcode, an extension's bit, a control frame that is in pieces or long.
    check(1002, &[frame(0x83, b"a")]);
    check(1002, &[frame(0xc1, b"a")]);
    check(1002, &[frame(0x09, b"a")]);
    check(1002, &[frame(0x89, &[0; 126])]);
    // A message within a message, and a rest of none.
    check(1002, &[frame(0x01, b"a"), frame(0x81, b"b")]);
    check(1002, &[frame(0x80, b"a")]);
    check(1007, &[frame(0x81, b"a\xff")]);
    check(1007, &[frame(0x01, b"\xc3"), frame(0x80, b"a")]);
    check(1007, &[frame(0x01, b"\xc3"), frame(0x80, b"")]);
    // Told of before the frame is whole.
    check(1007, &[frame(0x01, &[0xff; 100])[..20].to_vec()]);
    check(
        1009,
        &[
            frame(0x02, &[0; 9]),
            vec![0x80, 0xff, 0, 0, 0, 0, 4, 0, 0, 0, 1, 2, 3, 4],
        ],
    );
    check(1002, &[frame(0x88, b"\x03")]);
    check(1002, &[frame(0x88, b"\x03\xed")]);
    check(1007, &[frame(0x88, b"\x03\xe8\xff")]);
}

#[test]
fn lengths_are_written_in_the_shortest_form() {
    let written = |length| {
        let (bytes, len) = header(Kind::Binary, length);
        bytes[..len].to_vec()
    };
    assert_eq!(written(125), [0x82, 125]);
    assert_eq!(written(126), [0x82, 126, 0, 126]);
    assert_eq!(written(0xffff), [0x82, 126, 0xff, 0xff]);
    assert_eq!(written(0x1_0000), [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
}

proptest! {
    #[test]
    fn any_bytes_in_any_pieces_read_alike(
        bytes in prop::collection::vec(any::<u8>(), 0..200), piece in 1_usize..20,
    ) {
        let whole = read(&bytes, bytes.len().max(1));
        let parts = read(&bytes, piece);
        // In pieces a text may be found out before its frame's last byte.
        prop_assert_eq!(whole, parts);
    }
}
