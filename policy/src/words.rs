//! Bytes as machine words, eight at a time: what look-ups and escapes have in common. Names, paths and values
//! are short, so that a search with set-up costs more than it saves.
//!
//! Invariant: a word's bytes are those of the text, in its order, the first one lowest.

/// A one in each byte of a word, and each byte's high bit.
pub(crate) const EACH: u64 = 0x0101_0101_0101_0101;
pub(crate) const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// A text's words, and one for the bytes that are left: it overlaps with the one before, or where there is
/// none, holds all bytes of the text and zeros. Texts of one length are equal when these are.
#[inline]
pub(crate) fn words(bytes: &[u8]) -> (&[[u8; 8]], u64) {
    let (words, _) = bytes.as_chunks::<8>();
    match bytes.last_chunk::<8>() {
        Some(last) => (words, u64::from_le_bytes(*last)),
        None => (words, short(bytes, 0)),
    }
}

/// At most seven bytes as a word, `filler` in the place of those that aren't there. Some may stand in it
/// twice, so that only words of equally long texts can be compared.
#[inline]
pub(crate) fn short(bytes: &[u8], filler: u8) -> u64 {
    if let (Some(start), Some(end)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return u64::from(u32::from_le_bytes(*start)) | u64::from(u32::from_le_bytes(*end)) << 32;
    }
    let mut word = [filler; 8];
    match bytes {
        [] => {}
        [a] => word[0] = *a,
        [a, b] => [word[0], word[1]] = [*a, *b],
        [a, b, c, ..] => [word[0], word[1], word[2]] = [*a, *b, *c],
    }
    u64::from_le_bytes(word)
}

/// Where a byte stands first.
#[inline]
pub(crate) fn find(bytes: &[u8], wanted: u8) -> Option<usize> {
    let Some(last) = bytes.last_chunk::<8>() else {
        return bytes.iter().position(|byte| *byte == wanted);
    };
    let (words, _) = bytes.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        if let Some(at) = find_in_word(word, wanted) {
            return Some(number * 8 + at);
        }
    }
    // It overlaps with what has been looked through, where there is none.
    find_in_word(last, wanted).map(|at| bytes.len() - 8 + at)
}

#[inline]
fn find_in_word(word: &[u8; 8], wanted: u8) -> Option<usize> {
    let differs = u64::from_le_bytes(*word) ^ (EACH * u64::from(wanted));
    // The lowest high bit is the first zero byte's; those above it may be a carry's.
    let zeros = differs.wrapping_sub(EACH) & !differs & HIGH_BITS;
    (zeros != 0).then_some(zeros.trailing_zeros() as usize / 8)
}

/// Whether any byte is an upper-case letter of ASCII.
#[inline]
pub(crate) fn has_upper_case(bytes: &[u8]) -> bool {
    let upper = |word: u64| {
        let low = word & !HIGH_BITS;
        let from_a = low + EACH * u64::from(0x80 - b'A');
        let beyond_z = low + EACH * u64::from(0x80 - b'Z' - 1);
        from_a & !beyond_z & !word & HIGH_BITS
    };
    let (words, last) = words(bytes);
    let all = words.iter().map(|word| upper(u64::from_le_bytes(*word)));
    all.fold(upper(last), |all, one| all | one) != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finding_agrees_with_a_loop(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0x2du8..0x32], 0..40), wanted in 0x2du8..0x32,
        ) {
            prop_assert_eq!(find(&bytes, wanted), bytes.iter().position(|byte| *byte == wanted));
        }

        #[test]
        fn upper_case_agrees_with_a_loop(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0x5bu8..0x7b, 0x30u8..0x41], 0..20),
        ) {
            prop_assert_eq!(has_upper_case(&bytes), bytes.iter().any(u8::is_ascii_uppercase));
        }

        #[test]
        fn words_tell_texts_of_one_length_apart(
            bytes in prop::collection::vec(any::<u8>(), 0..20), at: prop::sample::Index, byte: u8,
        ) {
            let mut other = bytes.clone();
            if !other.is_empty() {
                other[at.index(bytes.len())] = byte;
            }
            prop_assert_eq!(words(&bytes) == words(&other), bytes == other);
        }
    }

    #[test]
    fn letters_at_the_edges() {
        for byte in 0..=u8::MAX {
            for length in [1, 3, 7, 8, 9, 17] {
                let mut bytes = vec![b'-'; length];
                bytes[length / 2] = byte;
                assert_eq!(
                    has_upper_case(&bytes),
                    byte.is_ascii_uppercase(),
                    "{byte} of {length}"
                );
            }
        }
    }
}
