//! Bodies, in every cut.

use super::*;

/// What a body gives, fed in pieces of `step` bytes: its data and what is left behind it.
fn feed(framing: Framing, bytes: &[u8], step: usize) -> Result<(Vec<u8>, usize, bool), Refusal> {
    let mut body = Body::new(framing);
    let (mut data, mut taken) = (Vec::new(), 0);
    for piece in bytes.chunks(step) {
        let here = body.take(piece, |it| data.extend_from_slice(it))?;
        taken += here;
        if here < piece.len() {
            break;
        }
    }
    Ok((data, bytes.len() - taken, body.is_over()))
}

#[test]
fn every_cut_gives_the_same() {
    let chunked =
        b"5;a=\"b\"\r\nhello\r\n01\r\n \r\n00005 \r\nworld\r\n0\r\nA: b\r\nC: d\r\n\r\nNEXT";
    for step in 1..=chunked.len() {
        let fed = feed(Framing::Chunked, chunked, step);
        assert!(fed.is_ok(), "{step}");
        let (data, left, over) = fed.expect("checked");
        assert_eq!(
            (data.as_slice(), over),
            (&b"hello world"[..], true),
            "{step}"
        );
        // Of the last piece only what was given can be left.
        assert!(left >= 4, "{step}");
        let fed = feed(Framing::Length(9), chunked, step);
        assert_eq!(fed.map(|it| (it.0.len(), it.2)), Ok((9, true)));
    }
    assert_eq!(feed(Framing::Length(0), b"x", 1), Ok((vec![], 1, true)));
    assert_eq!(
        feed(Framing::Length(2), b"x", 1),
        Ok((b"x".to_vec(), 0, false))
    );
}

#[test]
fn malformed_chunks_are_refused() {
    let long = format!("1;{}\r\n", "x".repeat(5000));
    let trailer = format!("0\r\n{}", "A: b\r\n".repeat(2000));
    for text in [
        "\r\n",
        "g\r\n",
        "-1\r\n",
        "0x5\r\n",
        "5\nhello",
        "5\r\nhelloX",
        "5\r\nhello\n",
        ";\r\n",
        "5\rX",
        "1000000000000000\r\n",
        "0\r\nA\x01: b\r\n\r\n",
        "0\r\nA: b\rc\r\n\r\n",
        "0\r\n\rX",
        &long,
        &trailer,
    ] {
        let fed = feed(Framing::Chunked, text.as_bytes(), 7).map_err(|it| it.0);
        assert_eq!(fed, Err(400), "{text:?}");
    }
}

proptest::proptest! {
    #[test]
    fn any_cut_of_anything_gives_the_same(
        pieces in proptest::collection::vec(
            proptest::sample::select(vec!["0", "1", "a", "5", "\r\n", "\r", "\n", ";", "x", "hello", "\0"]), 0..20),
        step in 1_usize..9,
    ) {
        let bytes = pieces.concat().into_bytes();
        let whole = feed(Framing::Chunked, &bytes, bytes.len().max(1));
        let cut = feed(Framing::Chunked, &bytes, step);
        // What is left over is told by the piece it stands in.
        let same = |it: Result<(Vec<u8>, usize, bool), Refusal>| it.map(|it| (it.0, it.2));
        proptest::prop_assert_eq!(same(whole), same(cut));
    }
}
