//! Exact outcomes of good and bad chunks, trailers, and where scanning stops.

use super::*;
use crate::message::Name;

const LIMITS: HeadLimits = HeadLimits::DEFAULT;

fn unframe(rules: Rules, text: &[u8]) -> Result<(Vec<u8>, Unframed), ChunkError> {
    let mut bytes = text.to_vec();
    let done = Chunked::new(rules).unframe(&mut bytes)?;
    bytes.truncate(done.payload);
    Ok((bytes, done))
}

#[test]
fn framing_is_taken_away_in_place() {
    let table: [(&[u8], &[u8], usize, bool); 10] = [
        (b"", b"", 0, false),
        (b"5\r\nhello\r\n0\r\n\r\n", b"hello", 10, true),
        (
            b"5\r\nhello\r\n6\r\n world\r\n0\r\n",
            b"hello world",
            21,
            true,
        ),
        (b"005\r\nhello\r\n", b"hello", 12, false),
        (b"A\r\n0123456789\r\n000\r\n", b"0123456789", 15, true),
        (b"a\r\n01234", b"01234", 8, false),
        (b"5\r\nhello\r", b"hello", 9, false),
        (b"5\r", b"", 0, false),
        (b"5", b"", 0, false),
        (b"2\r\n\r\n\r\n1", b"\r\n", 7, false),
    ];
    for (text, payload, consumed, at_last_chunk) in table {
        for rules in [Rules::Request, Rules::Response] {
            let (got, done) = unframe(rules, text).unwrap();
            assert_eq!(got, payload);
            assert_eq!(
                (done.consumed, done.at_last_chunk),
                (consumed, at_last_chunk),
                "{}",
                text.escape_ascii()
            );
        }
    }
}

#[test]
fn bad_chunks() {
    use ChunkError::*;
    let table: [(&[u8], ChunkError); 28] = [
        (b"\r\n", Size),
        (b"\r\nhello", Size),
        (b"x\r\n", Size),
        (b"-1\r\n", Size),
        (b"+5\r\nhello\r\n", Size),
        (b" 5\r\nhello\r\n", Size),
        (b"\t5\r\n", Size),
        (b"5 \r\nhello\r\n", Size),
        (b"5\t\r\nhello\r\n", Size),
        (b"0x5\r\nhello\r\n", Size),
        (b"5h\r\nhello\r\n", Size),
        (b"5_\r\n", Size),
        (b"5,\r\n", Size),
        (b"5\nhello\n", Size),
        (b"5\rhello", Size),
        (b"5\r\rhello", Size),
        (b"\x005\r\n", Size),
        (b"5\r\nhello0\r\n\r\n", DataEnd),
        (b"5\r\nhello\n0\r\n\r\n", DataEnd),
        (b"5\r\nhello\r0", DataEnd),
        (b"5\r\nhello\n\n", DataEnd),
        (b"3\r\nhello\r\n", DataEnd),
        (b"5\r\nhello \r\n", DataEnd),
        (b"8000000000000000\r\n", SizeTooLarge),
        (b"ffffffffffffffff\r\n", SizeTooLarge),
        (b"10000000000000005\r\nhello\r\n", SizeTooLarge),
        (b"00000000000000005\r\nhello\r\n", SizeTooLarge),
        (b"000000000000000000", SizeTooLarge),
    ];
    for (text, expected) in table {
        for rules in [Rules::Request, Rules::Response] {
            let label = text.escape_ascii();
            assert_eq!(unframe(rules, text).err(), Some(expected), "{label}");
            let scanned = Chunked::new(rules).scan(text);
            assert_eq!(scanned.err(), Some(expected), "{label}");
        }
        assert_eq!(expected.status(), 400);
    }
}

#[test]
fn extensions() {
    use ChunkError::*;
    // text, as a request, as an answer
    let long = [b"1;".as_slice(), &[b'x'; 300]].concat();
    let longest = [b"1;".as_slice(), &[b'x'; 252], b"\r\na\r\n"].concat();
    type Row<'a> = (&'a [u8], ChunkError, Result<&'a [u8], ChunkError>);
    let table: [Row<'_>; 15] = [
        (b"5;a=b\r\nhello\r\n", Extension, Ok(b"hello")),
        (b"5;\r\nhello\r\n", Extension, Ok(b"hello")),
        (b"5 ;a\r\nhello\r\n", Size, Ok(b"hello")),
        (b"5\t; a=\"b;c\"\r\nhello\r\n", Size, Ok(b"hello")),
        (b"5;\xff\r\nhello\r\n", Extension, Ok(b"hello")),
        (b"5 a\r\nhello\r\n", Size, Err(Size)),
        (b"5;a\nhello\r\n", Extension, Err(Extension)),
        (b"5;a\rb\r\n", Extension, Err(Extension)),
        (b"5;a\0b\r\n", Extension, Err(Extension)),
        (b"5;a\x7f\r\n", Extension, Err(Extension)),
        (b"5;a\n\r\nhello", Extension, Err(Extension)),
        (b"5;a", Extension, Ok(b"")),
        (b"0;a=b\r\n\r\n", Extension, Ok(b"")),
        (&long, Extension, Err(LineTooLong)),
        (&longest, Extension, Ok(b"a")),
    ];
    for (text, request, answer) in table {
        let label = text.escape_ascii();
        let strict = unframe(Rules::Request, text).err();
        assert_eq!(strict, Some(request), "{label}");
        let lenient = unframe(Rules::Response, text).map(|it| it.0);
        assert_eq!(lenient, answer.map(<[u8]>::to_vec), "{label}");
    }
}

#[test]
fn scanning_stops_where_bytes_may_not_go_on_as_they_are() {
    let check = |text: &[u8], consumed, payload, verbatim, at_last_chunk| {
        let scanned = Chunked::new(Rules::Response).scan(text).unwrap();
        let expected = Scanned {
            consumed,
            payload,
            verbatim,
            at_last_chunk,
        };
        assert_eq!(scanned, expected, "{}", text.escape_ascii());
    };
    check(b"5\r\nhello\r\n0\r\n\r\n", 10, 5, true, true);
    check(b"5\r\nhello\r\n0", 10, 5, true, false);
    check(b"5\r\nhel", 6, 3, true, false);
    check(b"5\r\nhello\r\n3;x\r\nabc\r\n", 10, 5, false, false);
    check(b"3;x\r\nabc\r\n", 0, 0, false, false);
    check(b"3;x", 0, 0, true, false);
    check(b"0;x\r\n\r\n", 0, 0, true, true);
}

#[test]
fn an_extension_after_a_scan_is_taken_by_unframe() {
    let mut chunked = Chunked::new(Rules::Response);
    let text = b"5\r\nhello\r\n3;x\r\nabc\r\n1\r\nd";
    let first = chunked.scan(&text[..7]).unwrap();
    assert_eq!((first.consumed, first.verbatim), (7, true));
    assert!(!chunked.is_between_chunks());
    let second = chunked.scan(&text[7..]).unwrap();
    assert_eq!((second.consumed, second.verbatim), (3, false));
    assert!(chunked.is_between_chunks());
    let mut rest = text[10..].to_vec();
    let done = chunked.unframe(&mut rest).unwrap();
    assert_eq!(&rest[..done.payload], b"abcd");
}

fn trailers(text: &[u8]) -> Result<(Option<usize>, Vec<Field>), ChunkError> {
    let mut chunked = Chunked::new(Rules::Response);
    let mut fields = Vec::new();
    let taken = chunked.trailers(text, &mut fields, &LIMITS)?;
    assert_eq!(chunked.is_done(), taken.is_some());
    Ok((taken, fields))
}

#[test]
fn trailer_sections() {
    let text = b"0\r\nX-Sum: a b \r\nEmpty:\r\n\r\nGET /";
    for end in 0..text.len() - 5 {
        assert_eq!(trailers(&text[..end]).unwrap().0, None, "{end}");
    }
    let (taken, fields) = trailers(text).unwrap();
    assert_eq!(taken, Some(text.len() - 5));
    let got: Vec<_> = fields
        .iter()
        .map(|field| (field.name.of(text), field.value.of(text)))
        .collect();
    assert_eq!(
        got,
        [(b"X-Sum".as_slice(), b"a b".as_slice()), (b"Empty", b"")]
    );
    for text in [b"0\r\n\r\n".as_slice(), b"000\r\n\r\n", b"0;a=b\r\n\r\n"] {
        let (taken, fields) = trailers(text).unwrap();
        assert_eq!((taken, fields.len()), (Some(text.len()), 0));
    }
}

#[test]
fn trailers_that_stay_behind_are_marked() {
    let text = b"0\r\nContent-Length: 5\r\nHost: x\r\nAuthorization: x\r\nX-A: y\r\nX-Forwarded-For: 1\r\n\
        Transfer-Encoding: chunked\r\nConnection: x-b\r\nX-B: 1\r\ngrpc-status: 0\r\n\r\n";
    let (_, fields) = trailers(text).unwrap();
    let kept: Vec<_> = fields
        .iter()
        .filter(|field| !field.hop_by_hop)
        .map(|field| field.name.of(text))
        .collect();
    assert_eq!(kept, [b"X-A".as_slice(), b"grpc-status"]);
    assert_eq!(fields[0].known, Name::ContentLength);
}

#[test]
fn bad_trailers() {
    use MessageError::*;
    let table: [(&[u8], MessageError); 11] = [
        (b"0\r\nX: y\n\r\n", BareLineFeed),
        (b"0\r\n\n", BareLineFeed),
        (b"0\r\nX: y\r\n\n", BareLineFeed),
        (b"0\r\nX: y\n", BareLineFeed),
        (b"0\r\n\rX", BareCarriageReturn),
        (b"0\r\nX: a\rb\r\n\r\n", BareCarriageReturn),
        (b"0\r\nX : y\r\n\r\n", FieldName),
        (b"0\r\nX: y\r\n z\r\n\r\n", ObsoleteFold),
        (b"0\r\n X: y\r\n\r\n", ObsoleteFold),
        (b"0\r\nX: \x01\r\n\r\n", FieldValue),
        (b"0\r\nGET / HTTP/1.1\r\n\r\n", FieldName),
    ];
    for (text, expected) in table {
        let got = trailers(text).err();
        assert_eq!(
            got,
            Some(ChunkError::Trailers(expected)),
            "{}",
            text.escape_ascii()
        );
    }
    assert_eq!(trailers(b"1\r\n\r\n").err(), Some(ChunkError::Size));
    assert_eq!(trailers(b"0\n\r\n").err(), Some(ChunkError::Size));
    let many = [b"0\r\n".as_slice(), &b"X: y\r\n".repeat(101), b"\r\n"].concat();
    let got = trailers(&many).err();
    assert_eq!(got, Some(ChunkError::Trailers(TooManyFields)));
    let large = [b"0\r\nX: ".as_slice(), &b"y".repeat(17_000)].concat();
    assert_eq!(trailers(&large[..16_000]).unwrap().0, None);
    let got = trailers(&large).err();
    assert_eq!(got, Some(ChunkError::Trailers(HeadTooLarge)));
    assert_eq!(ChunkError::Trailers(HeadTooLarge).status(), 431);
}

#[test]
fn trailers_come_after_the_last_chunk_only() {
    let mut chunked = Chunked::new(Rules::Request);
    let mut fields = Vec::new();
    chunked.scan(b"5\r\nhe").unwrap();
    let got = chunked.trailers(LAST_CHUNK, &mut fields, &LIMITS);
    assert_eq!(got, Err(ChunkError::Size));
}

#[test]
fn size_lines() {
    for (len, expected) in [
        (0, "0\r\n"),
        (9, "9\r\n"),
        (10, "a\r\n"),
        (500, "1f4\r\n"),
        (16384, "4000\r\n"),
        (usize::MAX, "ffffffffffffffff\r\n"),
    ] {
        assert_eq!(chunk_line(len, &mut [0; 18]), expected.as_bytes());
    }
}
