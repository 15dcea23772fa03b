//! Heads and bodies, whole, in pieces, and broken.

use proptest::prelude::*;

use super::*;

fn head(text: &str, asked: Asked) -> Result<Option<Head>, Malformed> {
    Head::read(text.as_bytes(), asked)
}

#[test]
fn a_head_says_how_long_the_body_is_and_whether_the_connection_lives_on() {
    let check = |asked, text: &str, status, length, reusable| {
        let text = format!("{text}\r\n\r\n");
        let expected = Head {
            status,
            len: text.len(),
            length,
            reusable,
        };
        assert_eq!(head(&text, asked), Ok(Some(expected)), "{text:?}");
    };
    use Asked::{Head as OfHead, Other};
    use Length::{Chunked, Exactly, UntilClose};
    check(Other, "HTTP/1.1 200 OK", 200, UntilClose, false);
    check(
        Other,
        "HTTP/1.1 200\r\nContent-Length:5 ",
        200,
        Exactly(5),
        true,
    );
    check(
        Other,
        "HTTP/1.1 200 \r\ncontent-LENGTH: 0",
        200,
        Exactly(0),
        true,
    );
    check(
        Other,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked",
        200,
        Chunked,
        true,
    );
    check(
        Other,
        "HTTP/1.1 404 No\r\nContent-Length: 7\r\nConnection: x, Close",
        404,
        Exactly(7),
        false,
    );
    check(
        Other,
        "HTTP/1.0 200 OK\r\nContent-Length: 7",
        200,
        Exactly(7),
        false,
    );
    check(
        Other,
        "HTTP/1.0 200 OK\r\nContent-Length: 7\r\nConnection: Keep-Alive",
        200,
        Exactly(7),
        true,
    );
    check(
        OfHead,
        "HTTP/1.1 200 OK\r\nContent-Length: 700",
        200,
        Exactly(0),
        true,
    );
    check(
        OfHead,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked",
        200,
        Exactly(0),
        true,
    );
    check(
        Other,
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 700",
        304,
        Exactly(0),
        true,
    );
    check(Other, "HTTP/1.1 204 No Content", 204, Exactly(0), true);
    check(Other, "HTTP/1.1 100 Continue", 100, Exactly(0), true);
    check(
        Other,
        "HTTP/1.1 999 Odd\r\nX: \t\u{fc}\r\nContent-Length: 1",
        999,
        Exactly(1),
        true,
    );
}

#[test]
fn what_is_not_a_head_is_refused() {
    let check = |text: &str, expected: Malformed| {
        assert_eq!(head(text, Asked::Other), Err(expected), "{text:?}");
    };
    check("HTTP/2.0 200 OK\r\n\r\n", Malformed::StatusLine);
    check("HTTP/1.1 20 OK\r\n\r\n", Malformed::StatusLine);
    check("HTTP/1.1 2x0 OK\r\n\r\n", Malformed::StatusLine);
    check("HTTP/1.1 2000 OK\r\n\r\n", Malformed::StatusLine);
    check("HTTP/1.1  200 OK\r\n\r\n", Malformed::StatusLine);
    check("HTTP/1.1 200 O\rK\r\n\r\n", Malformed::StatusLine);
    check("\r\nHTTP/1.1 200 OK\r\n\r\n", Malformed::StatusLine);
    check("HTTP/1.1 099 OK\r\n\r\n", Malformed::Status);
    check("HTTP/1.1 101 Upgrade\r\n\r\n", Malformed::Status);
    check("HTTP/1.1 200 OK\n\n", Malformed::LineEnd);
    check("HTTP/1.1 200 OK\r\nA: b\n\r\n", Malformed::LineEnd);
    let field = |line: &str| format!("HTTP/1.1 200 OK\r\n{line}\r\n\r\n");
    check(&field("No colon"), Malformed::HeaderName);
    check(&field("Colon"), Malformed::HeaderName);
    check(&field(": nameless"), Malformed::HeaderName);
    check(&field("Space : before"), Malformed::HeaderName);
    check(&field("A: b\r\n folded"), Malformed::HeaderName);
    check(&field("A: b\0"), Malformed::HeaderValue);
    check(&field("A: b\rc"), Malformed::HeaderValue);
    check(&field("Content-Length: -1"), Malformed::ContentLength);
    check(&field("Content-Length: +1"), Malformed::ContentLength);
    check(&field("Content-Length: 1, 1"), Malformed::ContentLength);
    check(&field("Content-Length:"), Malformed::ContentLength);
    check(
        &field("Content-Length: 99999999999999999999"),
        Malformed::ContentLength,
    );
    check(
        &field("Content-Length: 1\r\nContent-Length: 1"),
        Malformed::ContentLength,
    );
    check(
        &field("Transfer-Encoding: gzip, chunked"),
        Malformed::TransferEncoding,
    );
    check(
        &field("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
        Malformed::TransferEncoding,
    );
    check(
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        Malformed::TransferEncoding,
    );
    check(
        &field("Transfer-Encoding: chunked\r\nContent-Length: 3"),
        Malformed::TwoLengths,
    );
    check(
        &format!("HTTP/1.1 200 {}", "a".repeat(LONGEST_HEAD)),
        Malformed::LongHead,
    );
}

/// Reads a body that comes in pieces of this size; gives what is left over, and the contents.
fn body(length: Length, wire: &[u8], piece: usize) -> Result<(bool, Vec<u8>, Vec<u8>), Malformed> {
    let mut body = Body::new(length);
    let (mut waiting, mut contents) = (Vec::new(), Vec::new());
    for part in wire.chunks(piece) {
        waiting.extend_from_slice(part);
        let taken = body.take(&waiting, |bytes| contents.extend_from_slice(bytes))?;
        waiting.drain(..taken);
    }
    Ok((body.is_whole(), waiting, contents))
}

#[test]
fn a_body_ends_where_its_framing_says() {
    let check = |length, wire: &str, whole, left: &str, expected: &str| {
        for piece in 1..=wire.len() {
            let read = body(length, wire.as_bytes(), piece).expect(wire);
            let expected = (whole, left.into(), expected.into());
            assert_eq!(read, expected, "{wire:?} by {piece}");
        }
    };
    check(Length::Exactly(3), "abcHTTP", true, "HTTP", "abc");
    check(Length::Exactly(9), "abc", false, "", "abc");
    check(Length::UntilClose, "abc", false, "", "abc");
    check(
        Length::Chunked,
        "3\r\nabc\r\n0a;x=\"y\"\r\n0123456789\r\n0\r\n\r\nHTTP",
        true,
        "HTTP",
        "abc0123456789",
    );
    check(Length::Chunked, "0\r\nA: b\r\nC: d\r\n\r\nX", true, "X", "");
    check(Length::Chunked, "5\r\nabc", false, "", "abc");
}

#[test]
fn broken_chunks_are_refused() {
    let check = |wire: &str, expected| {
        let read = body(Length::Chunked, wire.as_bytes(), wire.len());
        assert_eq!(read, Err(expected), "{wire:?}");
    };
    check("\r\n", Malformed::Chunk);
    check("x\r\n", Malformed::Chunk);
    check("-1\r\n", Malformed::Chunk);
    check("3 3\r\nabc\r\n", Malformed::Chunk);
    check("3\nabc\r\n", Malformed::Chunk);
    check("3;a\rb\r\nabc\r\n", Malformed::Chunk);
    check("3\r\nabcd\r\n", Malformed::Chunk);
    check("3\r\nabc\n", Malformed::Chunk);
    check("fffffffffffffffff\r\n", Malformed::Chunk);
    check("0\r\nno trailer\r\n\r\n", Malformed::Trailer);
    check(&format!("3;{}", "x".repeat(5000)), Malformed::Chunk);
}

proptest! {
    #[test]
    fn nothing_that_comes_is_too_odd(bytes in proptest::collection::vec(any::<u8>(), 0..400), at in 0..40_usize) {
        let mut answer = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nA: b\r\n\r\n".to_vec();
        answer.splice(at..at, bytes.iter().copied());
        for asked in [Asked::Head, Asked::Other] {
            if let Ok(Some(head)) = Head::read(&answer, asked) {
                prop_assert!(head.len <= answer.len());
            }
        }
        let mut body = Body::new(Length::Chunked);
        if let Ok(taken) = body.take(&bytes, |_| {}) {
            prop_assert!(taken <= bytes.len());
        }
    }

    #[test]
    fn a_head_is_the_same_however_much_follows(cut in 0..70_usize, rest in any::<[u8; 8]>()) {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nA: b\r\n\r\n";
        let expected = Head::read(whole, Asked::Other).unwrap();
        let part = &whole[..cut.min(whole.len())];
        let read = Head::read(part, Asked::Other).unwrap();
        prop_assert_eq!(read, if part.len() == whole.len() { expected } else { None });
        let more = [whole.as_slice(), &rest].concat();
        prop_assert_eq!(Head::read(&more, Asked::Other).unwrap(), expected);
    }
}
