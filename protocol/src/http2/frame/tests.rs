//! Frames by the tables of RFC 9113 section 6: what is written is read back, and what is not allowed is told.

use super::code::ErrorCode;
use super::data::{Parts, parts};
use super::headers::{dependency, write_block};
use super::settings::Parameter;
use super::*;

fn header(kind: Kind, flags: u8, stream: u32, len: u32) -> Header {
    Header {
        len,
        kind,
        flags,
        stream,
    }
}

#[test]
fn a_header_is_nine_bytes_and_its_reserved_bit_is_ignored() {
    let bytes = [1, 2, 3, 9, 0x25, 0xff, 0xff, 0xff, 0xfe];
    let parsed = Header::parse(&bytes).unwrap();
    assert_eq!(
        parsed,
        header(Kind::Continuation, 0x25, 0x7fff_fffe, 0x01_02_03)
    );
    let mut out = Vec::new();
    parsed.write(&mut out);
    assert_eq!(out, [1, 2, 3, 9, 0x25, 0x7f, 0xff, 0xff, 0xfe]);
    for short in 0..HEADER_LEN {
        assert_eq!(Header::parse(&bytes[..short]), None);
    }
}

#[test]
fn every_type_is_known_by_its_number() {
    for number in 0..=255 {
        let kind = Kind::of(number);
        assert!(kind == Kind::Unknown || kind as u8 == number);
        assert_eq!(
            kind == Kind::Unknown,
            (10..=255).contains(&number) && number != 16
        );
    }
}

#[test]
fn lengths_and_streams_of_each_type() {
    let check = |kind, flags, stream, len| header(kind, flags, stream, len).check(16_384);
    let size = Err((ErrorCode::FRAME_SIZE_ERROR, "frame_size"));
    let stream = Err((ErrorCode::PROTOCOL_ERROR, "frame_on_wrong_stream"));
    // What is allowed, beside what is not.
    let on_streams = [
        (Kind::Data, 0..16_385),
        (Kind::Headers, 0..16_385),
        (Kind::Continuation, 0..16_385),
        (Kind::Priority, 5..6),
        (Kind::ResetStream, 4..5),
    ];
    for (kind, lens) in on_streams {
        for len in [0, 3, 4, 5, 6, 16_384] {
            let expected = if lens.contains(&len) { Ok(()) } else { size };
            assert_eq!(check(kind, 0, 1, len), expected, "{kind:?} {len}");
            assert_eq!(check(kind, 0, 0, len), stream, "{kind:?} {len}");
        }
    }
    let on_connection = [
        (Kind::Ping, 8..9),
        (Kind::Goaway, 8..16_385),
        (Kind::PriorityUpdate, 4..16_385),
    ];
    for (kind, lens) in on_connection {
        for len in [0, 3, 4, 7, 8, 9, 16_384] {
            let expected = if lens.contains(&len) { Ok(()) } else { size };
            assert_eq!(check(kind, 0, 0, len), expected, "{kind:?} {len}");
            assert_eq!(check(kind, 0, 1, len), stream, "{kind:?} {len}");
        }
    }
    for (len, expected) in [(0, Ok(())), (5, size), (6, Ok(())), (7, size), (12, Ok(()))] {
        assert_eq!(check(Kind::Settings, 0, 0, len), expected);
    }
    assert_eq!(check(Kind::Settings, flag::ACK, 0, 0), Ok(()));
    assert_eq!(check(Kind::Settings, flag::ACK, 0, 6), size);
    assert_eq!(check(Kind::Settings, 0, 1, 6), stream);
    for stream in [0, 1] {
        assert_eq!(check(Kind::WindowUpdate, 0, stream, 4), Ok(()));
        assert_eq!(check(Kind::WindowUpdate, 0, stream, 3), size);
        assert_eq!(check(Kind::Unknown, 0xff, stream, 77), Ok(()));
        assert_eq!(
            check(Kind::PushPromise, 0, stream, 10),
            Err((ErrorCode::PROTOCOL_ERROR, "push_promise"))
        );
        assert_eq!(
            check(Kind::Unknown, 0, stream, 16_385),
            Err((ErrorCode::FRAME_SIZE_ERROR, "frame_too_large"))
        );
    }
}

#[test]
fn padding_and_priority_are_set_apart() {
    let check = |kind, flags, len, payload: &[u8]| {
        let header = header(kind, flags, 1, len);
        let mut frame = Vec::new();
        header.write(&mut frame);
        frame.extend_from_slice(payload);
        parts(header, &frame)
    };
    let divided = |start, data, padding| {
        Ok(Some(Parts {
            start,
            data,
            padding,
        }))
    };
    let padded = flag::PADDED;
    let both = flag::PADDED | flag::PRIORITY;
    assert_eq!(check(Kind::Data, 0, 7, b""), divided(9, 7, 0));
    assert_eq!(check(Kind::Data, padded, 7, b"\x02"), divided(10, 4, 2));
    assert_eq!(check(Kind::Data, padded, 7, b"\x06"), divided(10, 0, 6));
    assert_eq!(check(Kind::Data, padded, 1, b"\0"), divided(10, 0, 0));
    assert_eq!(
        check(Kind::Headers, both, 9, b"\x03....."),
        divided(15, 0, 3)
    );
    // Priority is a flag of HEADERS alone.
    assert_eq!(check(Kind::Data, flag::PRIORITY, 3, b""), divided(9, 3, 0));
    // Too long by one, by all (section 6.1).
    let long = Err((ErrorCode::PROTOCOL_ERROR, "padding_too_long"));
    assert_eq!(check(Kind::Data, padded, 7, b"\x07"), long);
    assert_eq!(check(Kind::Headers, both, 9, b"\x04....."), long);
    assert_eq!(check(Kind::Data, padded, 1, b"\xff"), long);
    // No room for what the flags promise.
    let size = Err((ErrorCode::FRAME_SIZE_ERROR, "frame_size"));
    assert_eq!(check(Kind::Data, padded, 0, b""), size);
    assert_eq!(check(Kind::Headers, flag::PRIORITY, 4, b"...."), size);
    assert_eq!(check(Kind::Headers, both, 5, b"....."), size);
    // Not there yet.
    assert_eq!(check(Kind::Data, padded, 7, b""), Ok(None));
    assert_eq!(check(Kind::Headers, both, 9, b"\x03...."), Ok(None));
}

#[test]
fn the_stream_that_headers_depend_on() {
    let check = |flags, payload: &[u8]| {
        let header = header(Kind::Headers, flags, 1, payload.len() as u32);
        let mut frame = Vec::new();
        header.write(&mut frame);
        frame.extend_from_slice(payload);
        let parts = parts(header, &frame).unwrap().unwrap();
        dependency(header, &frame, parts)
    };
    assert_eq!(check(0, b"\0\0\0\x01\x10"), None);
    assert_eq!(check(flag::PRIORITY, b"\x80\0\0\x01\x10"), Some(1));
    let both = flag::PADDED | flag::PRIORITY;
    assert_eq!(check(both, b"\x01\0\0\x02\x01\x10block."), Some(0x201));
}

#[test]
fn blocks_are_split_by_the_peers_frame_size() {
    for (len, frames) in [
        (0, &[0][..]),
        (9, &[9]),
        (10, &[10]),
        (11, &[10, 1]),
        (20, &[10, 10]),
        (35, &[10, 10, 10, 5]),
    ] {
        let block: Vec<u8> = (0..len).collect();
        let mut out = b"before".to_vec();
        write_block(3, true, 10, &mut out, |out| out.extend_from_slice(&block));
        let mut rest = &out[6..];
        let mut joined = Vec::new();
        for (at, frame_len) in frames.iter().enumerate() {
            let header = Header::parse(rest).unwrap();
            let (first, last) = (at == 0, at == frames.len() - 1);
            let kind = if first {
                Kind::Headers
            } else {
                Kind::Continuation
            };
            assert_eq!((header.kind, header.stream), (kind, 3));
            assert_eq!(header.len, *frame_len);
            assert_eq!(header.has(flag::END_HEADERS), last);
            assert_eq!(header.has(flag::END_STREAM), first);
            let end = HEADER_LEN + header.len as usize;
            joined.extend_from_slice(&rest[HEADER_LEN..end]);
            rest = &rest[end..];
        }
        assert_eq!((joined, rest), (block, &b""[..]), "{len}");
    }
}

#[test]
fn small_frames_on_the_wire() {
    let mut out = Vec::new();
    control::write_reset(5, ErrorCode::CANCEL, &mut out);
    control::write_window_update(0, 0x0102_0304, &mut out);
    control::write_ping(true, *b"12345678", &mut out);
    control::write_goaway(7, ErrorCode(0x99), b"why", &mut out);
    settings::write(&[(Parameter::EnableConnectProtocol, 1)], &mut out);
    settings::write_ack(&mut out);
    data::write_header(9, 0x0102, true, &mut out);
    let expected: [&[u8]; 7] = [
        b"\0\0\x04\x03\0\0\0\0\x05\0\0\0\x08",
        b"\0\0\x04\x08\0\0\0\0\0\x01\x02\x03\x04",
        b"\0\0\x08\x06\x01\0\0\0\x0012345678",
        b"\0\0\x0b\x07\0\0\0\0\0\0\0\0\x07\0\0\0\x99why",
        b"\0\0\x06\x04\0\0\0\0\0\0\x08\0\0\0\x01",
        b"\0\0\0\x04\x01\0\0\0\0",
        b"\0\x01\x02\0\x01\0\0\0\x09",
    ];
    assert_eq!(out, expected.concat());
    assert_eq!(
        control::goaway(b"\x80\0\0\x07\0\0\0\x99why"),
        Some((7, ErrorCode(0x99)))
    );
    assert_eq!(control::goaway(b"\0\0\0\x07\0\0\0"), None);
}

#[test]
fn parameters_are_known_by_their_number() {
    for number in 0..20_u16 {
        let mut bytes = number.to_be_bytes().to_vec();
        bytes.extend_from_slice(&[0xff, 0, 0, 1]);
        let (parameter, value) = settings::entry(&bytes).unwrap();
        assert_eq!(value, 0xff00_0001);
        let known = matches!(number, 1..=6 | 8 | 9);
        assert_eq!(parameter.map(|known| known as u16), known.then_some(number));
    }
    assert_eq!(settings::entry(&[0; 5]), None);
}

#[test]
fn codes_have_words_of_their_own() {
    let words: Vec<&str> = (0..=0xd).map(|code| ErrorCode(code).as_str()).collect();
    for (at, word) in words.iter().enumerate() {
        assert!(!words[..at].contains(word), "{word} twice");
        assert_ne!(*word, ErrorCode(0xe).as_str());
    }
}
