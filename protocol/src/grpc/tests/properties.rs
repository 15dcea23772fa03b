//! What must hold for all bytes: no panic, one answer however they arrive, and what is written is read back.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Cuts bytes into pieces of these sizes, cycled.
fn pieces<'a>(bytes: &'a [u8], sizes: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = bytes;
    let mut sizes = sizes.iter().copied().cycle();
    std::iter::from_fn(move || {
        let size = sizes.next()?.min(rest.len());
        let (piece, after) = rest.split_at(size);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    vec(1..9usize, 1..6)
}

/// Bytes that lie close to bodies.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let words: [&[u8]; 10] = [
        b"\0\0\0\0\0",
        b"\x01\0\0\0\x02hi",
        b"\0\0\0\x01\0",
        b"\x80\0\0\0\x05a: b\r\n",
        b"\x80\0\0\0\x06a: b\r\n",
        b"grpc-status: 0\r\n",
        b"\x80",
        b"\0",
        b"\x02",
        b"x",
    ];
    let word = prop_oneof![
        8 => proptest::sample::select(words.to_vec()).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 1..4),
    ];
    vec(word, 0..16).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn messages_do_not_depend_on_arrival(bytes in hostile(), sizes in sizes(), web in any::<bool>()) {
        let framing = if web { Framing::Web } else { Framing::Grpc };
        let mut at_once = Messages::new(framing, 300);
        let whole = at_once.follow(&bytes);
        let (mut in_pieces, mut consumed) = (Messages::new(framing, 300), 0);
        let mut last = Ok(Followed { consumed: 0, at_trailers: false });
        for piece in pieces(&bytes, &sizes) {
            last = in_pieces.follow(piece);
            match last {
                Ok(followed) => {
                    consumed += followed.consumed;
                    prop_assert!(followed.at_trailers || followed.consumed == piece.len());
                    if followed.at_trailers {
                        break;
                    }
                }
                Err(_) => break,
            }
        }
        let last = last.map(|followed| Followed { consumed, ..followed });
        prop_assert_eq!(last, whole);
        prop_assert_eq!(in_pieces, at_once);
    }

    #[test]
    fn messages_of_our_own_are_followed(bodies in vec(vec(any::<u8>(), 0..200), 0..6), sizes in sizes()) {
        let mut out = Vec::new();
        for body in &bodies {
            push_message(body, &mut out);
        }
        let mut messages = Messages::new(Framing::Grpc, 200);
        for piece in pieces(&out, &sizes) {
            prop_assert!(messages.follow(piece).is_ok());
        }
        prop_assert!(messages.is_between_messages());
        prop_assert_eq!(messages.count(), bodies.len() as u64);
    }

    #[test]
    fn texts_are_read_back(bytes in vec(any::<u8>(), 0..200), sizes in sizes(), flushes in sizes()) {
        let (mut encoder, mut text) = (TextEncoder::new(), Vec::new());
        for (number, piece) in pieces(&bytes, &sizes).enumerate() {
            encoder.encode(piece, &mut text);
            if number % flushes[0] == 0 {
                encoder.flush(&mut text);
                prop_assert_eq!(text.len() % 4, 0);
            }
        }
        encoder.flush(&mut text);
        let (mut decoder, mut out) = (TextDecoder::new(), Vec::new());
        for piece in pieces(&text, &flushes) {
            prop_assert_eq!(decoder.decode(piece, &mut out), Ok(()));
        }
        prop_assert_eq!(decoder.finish(), Ok(()));
        prop_assert_eq!(out, bytes);
    }

    #[test]
    fn texts_do_not_depend_on_arrival(
        text in prop_oneof!["[A-Za-z=]{0,24}", "([A-Za-z]{4}|[a-z]{2}==|[a-z]{3}=|[ -~]){0,8}"],
        sizes in sizes(),
    ) {
        let run = |sizes: &[usize]| {
            let (mut decoder, mut out) = (TextDecoder::new(), Vec::new());
            for piece in pieces(text.as_bytes(), sizes) {
                if let Err(error) = decoder.decode(piece, &mut out) {
                    return (out, Err(error));
                }
            }
            (out, decoder.finish())
        };
        prop_assert_eq!(run(&sizes), run(&[1000]));
    }

    #[test]
    fn trailers_are_read_back(fields in vec(("x-[a-z]{1,8}", "([!-~]([ -~]{0,20}[!-~])?)?"), 0..6)) {
        let lines: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let (mut framed, mut out) = (Vec::new(), Vec::new());
        encode_trailers(lines.to_uppercase().as_bytes(), &mut framed);
        prop_assert_eq!(decode_trailers(&framed, &mut out), Ok(Some(framed.len())));
        let expected: String =
            fields.iter().map(|(name, value)| format!("{name}: {}\r\n", value.to_uppercase())).collect();
        prop_assert_eq!(out, expected.into_bytes());
    }

    /// What comes out is sound lines, whatever went in.
    #[test]
    fn trailers_come_out_sound(body in vec(prop_oneof![
        Just(b"a: b\r\n".to_vec()), Just(b"\r\n".to_vec()), Just(b":".to_vec()), vec(any::<u8>(), 0..3),
    ], 0..8)) {
        let body = body.concat();
        let framed = [&[0x80], (body.len() as u32).to_be_bytes().as_slice(), &body].concat();
        let mut out = Vec::new();
        if decode_trailers(&framed, &mut out).is_ok() {
            let text = out.split_inclusive(|byte| *byte == b'\n');
            for line in text {
                let line = line.strip_suffix(b"\r\n");
                prop_assert!(line.is_some_and(|line| line.windows(2).any(|it| it == b": ")));
                prop_assert!(line.is_some_and(|line| !line.iter().any(|byte| b"\r\n\0".contains(byte))));
            }
        }
    }

    /// A deadline never grows by being passed on, and loses at most one part in a hundred thousand.
    #[test]
    fn timeouts_only_shrink(nanos in prop_oneof![any::<u64>(), 1..1_000_000_000_000u64]) {
        let mut out = Vec::new();
        encode_timeout(nanos, &mut out);
        prop_assert!(out.len() <= 9);
        let read = parse_timeout(&out).unwrap();
        prop_assert!(read > 0 && read <= nanos.max(1));
        prop_assert!(nanos - read <= nanos / 100_000);
        let mut again = Vec::new();
        encode_timeout(read, &mut again);
        prop_assert_eq!(parse_timeout(&again), Some(read));
    }

    #[test]
    fn status_messages_are_read_back(text in any::<String>()) {
        let (mut value, mut back) = (Vec::new(), Vec::new());
        encode_status_message(&text, &mut value);
        prop_assert!(value.iter().all(|byte| (b' '..=b'~').contains(byte)));
        decode_status_message(&value, &mut back);
        prop_assert_eq!(back, text.into_bytes());
    }

    #[test]
    fn nothing_panics(bytes in vec(any::<u8>(), 0..40)) {
        let mut out = Vec::new();
        let _ = ContentType::parse(&bytes);
        let _ = Code::parse(&bytes);
        let _ = parse_timeout(&bytes);
        decode_status_message(&bytes, &mut out);
        let _ = decode_trailers(&bytes, &mut out);
        let _ = health::decode_request(&bytes);
        let _ = health::decode_response(&bytes);
    }
}
