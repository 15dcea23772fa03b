//! The code against the appendix, and decoding against a decoder that goes bit by bit.

mod appendix_b;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn decoded(coded: &[u8]) -> Option<Vec<u8>> {
    let mut out = b"before".to_vec();
    decode(coded, &mut out)?;
    Some(out.strip_prefix(b"before").unwrap().to_vec())
}

fn encoded(text: &[u8]) -> Vec<u8> {
    let mut out = b"before".to_vec();
    encode(text, &mut out);
    let coded = out.strip_prefix(b"before").unwrap().to_vec();
    assert_eq!(coded.len(), encoded_len(text));
    coded
}

/// What the appendix and section 5.2 say, as simply as can be.
fn decoded_by_bits(coded: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (mut code, mut len) = (0u32, 0);
    for at in 0..coded.len() * 8 {
        code = code << 1 | u32::from(coded[at / 8] >> (7 - at % 8) & 1);
        len += 1;
        if let Some(symbol) = appendix_b::CODES.iter().position(|it| *it == (code, len)) {
            out.push(u8::try_from(symbol).ok()?);
            (code, len) = (0, 0);
        }
    }
    (len < 8 && code == (1 << len) - 1).then_some(out)
}

#[test]
fn the_code_is_that_of_appendix_b() {
    for (symbol, (bits, len)) in appendix_b::CODES.into_iter().enumerate() {
        assert_eq!(CODES[symbol], code::Code { bits, len }, "{symbol}");
    }
}

#[test]
fn every_byte_alone_and_beside_every_other() {
    for first in 0..=u8::MAX {
        assert_eq!(decoded(&encoded(&[first])), Some(vec![first]));
        for second in 0..=u8::MAX {
            let text = [first, second, first];
            assert_eq!(decoded(&encoded(&text)), Some(text.to_vec()));
        }
    }
    assert_eq!(decoded(b""), Some(vec![]));
}

#[test]
fn strings_end_in_ones_and_hold_no_end_symbol() {
    let table: [(&[u8], Option<&[u8]>); 12] = [
        // `0` and three bits of padding, which must all be set.
        (b"\x07", Some(b"0")),
        (b"\x06", None),
        (b"\x03", None),
        (b"\x00", None),
        // Five bits `0`, then `2` (00010) cut in the middle.
        (b"\x02", None),
        // `&`, eight bits: no padding, then a whole byte of it.
        (b"\xf8", Some(b"&")),
        (b"\xf8\xff", None),
        // Only padding.
        (b"\xff", None),
        (b"\xff\xff", None),
        // The end symbol, with padding and before a symbol.
        (b"\xff\xff\xff\xff", None),
        (b"\x07\xff\xff\xff\xff", None),
        (b"\xff\xff\xff\xfc\x07\xff", None),
    ];
    for (coded, expected) in table {
        assert_eq!(decoded(coded).as_deref(), expected, "{coded:02x?}");
        assert_eq!(decoded_by_bits(coded).as_deref(), expected, "{coded:02x?}");
    }
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(text in vec(any::<u8>(), 0..300)) {
        let coded = encoded(&text);
        prop_assert_eq!(decoded(&coded), Some(text));
    }

    #[test]
    fn plain_text_too(text in "[ -~]{0,200}") {
        let coded = encoded(text.as_bytes());
        prop_assert_eq!(decoded(&coded), Some(text.into_bytes()));
    }

    #[test]
    fn any_bytes_mean_what_they_mean_bit_by_bit(coded in vec(any::<u8>(), 0..40)) {
        prop_assert_eq!(decoded(&coded), decoded_by_bits(&coded));
    }

    #[test]
    fn bytes_near_to_a_code_do(text in vec(any::<u8>(), 0..20), at: prop::sample::Index, bit in 0..8u8) {
        let mut coded = encoded(&text);
        if !coded.is_empty() {
            let at = at.index(coded.len());
            coded[at] ^= 1 << bit;
        }
        prop_assert_eq!(decoded(&coded), decoded_by_bits(&coded));
    }
}
