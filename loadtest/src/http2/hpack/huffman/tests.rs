//! The code against the RFC's examples, itself, and what it forbids.

use proptest::prelude::*;

use super::*;

fn decoded(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    decode(bytes, &mut out).then_some(out)
}

fn encoded(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode(bytes, &mut out);
    out
}

#[test]
fn the_examples_of_the_rfc() {
    // RFC 7541 appendices C.4 and C.6.
    let check = |text: &str, code: &[u8]| {
        assert_eq!(encoded(text.as_bytes()), code, "{text}");
        assert_eq!(decoded(code).as_deref(), Some(text.as_bytes()), "{text}");
    };
    check(
        "www.example.com",
        &[
            0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff,
        ],
    );
    check("no-cache", &[0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf]);
    check(
        "custom-value",
        &[0x25, 0xa8, 0x49, 0xe9, 0x5b, 0xb8, 0xe8, 0xb4, 0xbf],
    );
    check("302", &[0x64, 0x02]);
    check("307", &[0x64, 0x0e, 0xff]);
    check("", &[]);
}

#[test]
fn padding_is_less_than_a_byte_of_ones() {
    // "0" is 00000: the rest of its byte must be ones.
    assert_eq!(decoded(&[0b0000_0111]), Some(b"0".to_vec()));
    assert_eq!(decoded(&[0b0000_0110]), None);
    assert_eq!(decoded(&[0b0000_0111, 0xff]), None);
    assert_eq!(decoded(&[0xff]), None);
    // The code of the end.
    assert_eq!(decoded(&[0xff; 4]), None);
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(decoded(&encoded(&bytes)), Some(bytes));
    }

    #[test]
    fn what_is_decoded_was_encoded_so(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
        if let Some(text) = decoded(&bytes) {
            prop_assert_eq!(encoded(&text), bytes);
        }
    }
}
