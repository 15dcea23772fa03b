//! What a head may take: the bounds, what goes beyond them, and that the table stays in step whatever a block came to.

use super::*;
use crate::limits::BLOCK_BOUND;

const SMALL: BlockLimits = BlockLimits {
    max_list_bytes: 400,
    max_target_bytes: 20,
    max_fields: 3,
    extended_connect: true,
};

/// What the four pseudo-fields of [`with_get`] count (RFC 9113 section 6.5.2).
const PSEUDO: usize = 7 + 3 + 7 + 5 + 5 + 1 + 10 + 9 + 4 * 32;

#[test]
fn the_list_counts_as_the_setting_says() {
    let room = SMALL.max_list_bytes - PSEUDO - 32 - 1;
    let (fits, too_long) = ("v".repeat(room), "v".repeat(room + 1));
    request_with(&with_get(&[("x", &fits)]), End::Here, &SMALL).unwrap();
    let got = request_with(&with_get(&[("x", &too_long)]), End::Here, &SMALL);
    assert_eq!(got.err(), Some(HeadError::TooLarge));
    assert_eq!(HeadError::TooLarge.status(), 431);
    assert!(!HeadError::TooLarge.ends_connection());
}

#[test]
fn pseudo_fields_do_not_count_as_fields() {
    let field = ("x", "y");
    request_with(&with_get(&[field; 3]), End::Here, &SMALL).unwrap();
    let got = request_with(&with_get(&[field; 4]), End::Here, &SMALL);
    assert_eq!(got.err(), Some(HeadError::TooLarge));
}

#[test]
fn a_long_target_has_an_answer_of_its_own() {
    let longest = format!("/{}", "p".repeat(19));
    let mut list = with_get(&[]);
    list[2].1 = &longest;
    request_with(&list, End::Here, &SMALL).unwrap();
    let longer = format!("{longest}p");
    list[2].1 = &longer;
    let got = request_with(&list, End::Here, &SMALL);
    assert_eq!(got.err(), Some(HeadError::TargetTooLong));
    assert_eq!(HeadError::TargetTooLong.status(), 414);
}

/// A decoder that has read these blocks, and what each came to.
fn after(blocks: &[&[u8]], limits: &BlockLimits) -> (Decoder, Vec<Result<(), HeadError>>) {
    let mut decoder = Decoder::new(4096);
    let (mut head, mut arena) = (RequestHead::new(), Vec::new());
    let results = blocks
        .iter()
        .map(|block| decoder.request(block, true, limits, &mut head, &mut arena))
        .collect();
    (decoder, results)
}

/// `a: 1` and `b: 2` enter the table.
const ENTERING: &[u8] = b"\x40\x01a\x011\x40\x01b\x012";

#[test]
fn the_table_is_in_step_after_every_fault() {
    let list = with_get(&[]);
    let sound = block(&list);
    let bad: [(Vec<u8>, HeadError); 5] = [
        (block(&[("A", "x")]), Malformed::UppercaseName.into()),
        (block(&[(":path", "/a b")]), Malformed::Path.into()),
        (block(&[("x", "y".repeat(500))]), HeadError::TooLarge),
        (
            block(&[(":method", "CONNECT"), (":authority", "a:1")]),
            HeadError::Connect,
        ),
        (block(&[("expect", "x")]), HeadError::Expectation),
    ];
    for (fault, expected) in bad {
        // Before, behind and on both sides of what enters the table.
        let first = [&fault, ENTERING].concat();
        let last = [&sound, ENTERING, &fault].concat();
        for block in [first, last] {
            let expected = match &block {
                // A connect without more is only seen to be one at the end.
                block if block.starts_with(&sound) && expected == HeadError::Connect => {
                    Malformed::LatePseudoField.into()
                }
                block if block.starts_with(&sound) && fault.starts_with(b"\x00\x05:path") => {
                    Malformed::LatePseudoField.into()
                }
                _ => expected,
            };
            let (mut decoder, results) = after(&[&block], &SMALL);
            assert_eq!(results, [Err(expected)]);
            let next = [&sound[..], b"\xbe\xbf"].concat();
            let (mut head, mut arena) = (RequestHead::new(), Vec::new());
            let got = decoder.request(&next, true, &SMALL, &mut head, &mut arena);
            assert_eq!(got, Ok(()), "{expected:?}");
            assert_eq!(
                fields(&head.fields, &arena)[1..],
                [("b", "2"), ("a", "1")],
                "{expected:?}"
            );
        }
    }
}

#[test]
fn a_bad_field_in_the_table_stays_bad() {
    let sound = block(&with_get(&[]));
    let entering = [&sound[..], b"\x40\x01A\x011\x40\x01b\x03c\nd"].concat();
    let again = |index: &[u8]| [&sound[..], index].concat();
    let (_, results) = after(
        &[
            &entering,
            &again(b"\xbe"),
            &again(b"\xbf"),
            // The bad name with another value, the sound name with another value.
            &again(b"\x0f\x30\x01x"),
            &again(b"\x0f\x2f\x01x"),
        ],
        &LIMITS,
    );
    assert_eq!(
        results,
        [
            Err(Malformed::UppercaseName.into()),
            Err(Malformed::FieldValue.into()),
            Err(Malformed::UppercaseName.into()),
            Err(Malformed::UppercaseName.into()),
            Ok(()),
        ]
    );
}

#[test]
fn a_bomb_ends_the_connection_and_takes_no_memory() {
    // One entry of nearly the whole table, then a byte for each time it is meant.
    let mut bomb = b"\x40\x01x\x7f\xd1\x1e".to_vec();
    let value = 127 + 0x51 + 0x1e * 128;
    bomb.extend(std::iter::repeat_n(b'v', value));
    let line = 1 + value + 32;
    let sent = |times: usize| [&bomb[..], &vec![0xbe; times]].concat();
    let limits = BlockLimits {
        max_list_bytes: 8 * 1024,
        ..LIMITS
    };
    let most = BLOCK_BOUND * limits.max_list_bytes / line;
    let (mut head, mut arena) = (RequestHead::new(), Vec::new());
    let mut decode = |times| {
        let got = Decoder::new(4096).request(&sent(times), true, &limits, &mut head, &mut arena);
        (got, arena.capacity())
    };
    let (got, _) = decode(most - 2);
    assert_eq!(got, Err(HeadError::TooLarge));
    for times in [most + 1, 100_000] {
        let (got, capacity) = decode(times);
        assert_eq!(got, Err(HeadError::Bomb));
        assert!(HeadError::Bomb.ends_connection());
        assert!(capacity <= 4 * limits.max_list_bytes, "{capacity}");
    }
}

#[test]
fn memory_that_a_huge_field_took_is_given_back() {
    let sent = block(&[("x", "v".repeat(60_000))]);
    let (mut head, mut arena) = (RequestHead::new(), Vec::new());
    let got = Decoder::new(4096).request(&sent, true, &LIMITS, &mut head, &mut arena);
    assert_eq!(got, Err(HeadError::TooLarge));
    assert!(arena.capacity() <= LIMITS.max_list_bytes);
}

#[test]
fn what_cannot_be_read_comes_before_what_is_not_allowed() {
    let (_, results) = after(&[b"\x00\x01A\x01b\xff"], &LIMITS);
    assert_eq!(results, [Err(CompressionError::Integer.into())]);
    let error = HeadError::Compression(CompressionError::Integer);
    assert!(error.ends_connection());
    assert_eq!(error.cause(), "hpack_integer");
}

#[test]
fn a_table_smaller_than_the_initial_one_is_insisted_on() {
    let mut decoder = Decoder::new(0);
    let (mut list, mut arena) = (Vec::new(), Vec::new());
    let mut trailers = |decoder: &mut Decoder, block: &[u8]| {
        decoder.trailers(block, &LIMITS, &mut list, &mut arena)
    };
    assert_eq!(trailers(&mut decoder, ENTERING), Ok(()));
    decoder.settings_acknowledged();
    let missing = CompressionError::MissingTableSize;
    assert_eq!(trailers(&mut decoder, b""), Err(missing.into()));
    assert_eq!(trailers(&mut decoder, b"\x20"), Ok(()));
    let gone = CompressionError::Index;
    assert_eq!(trailers(&mut decoder, b"\xbe"), Err(gone.into()));
}

#[test]
fn once_grown_nothing_grows() {
    let mut encoder = Encoder::new();
    let mut decoder = Decoder::new(4096);
    let (mut head, mut arena) = (RequestHead::new(), Vec::new());
    let (mut text, mut out) = (Vec::new(), Vec::new());
    let mut after_warming = (0, 0, 0);
    for number in 0..3000u32 {
        text.clear();
        text.extend_from_slice(b"GET /some/path HTTP/1.1\r\nHost: a.example\r\nAccept: */*\r\n");
        // Some come again, some never.
        for value in [number % 7, number % 40, number] {
            text.extend_from_slice(format!("X-Value: {value:0>9}\r\n").as_bytes());
        }
        text.extend_from_slice(b"\r\n");
        out.clear();
        encoder.request(&text, b"https", &mut out);
        let got = decoder.request(&out, true, &LIMITS, &mut head, &mut arena);
        assert_eq!(got, Ok(()));
        let capacities = (out.capacity(), arena.capacity(), head.fields.capacity());
        if number == 100 {
            after_warming = capacities;
        }
        assert!(number < 100 || capacities == after_warming);
    }
}
