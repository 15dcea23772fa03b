//! Text without case, as machine words: compared in a few instructions instead of byte by byte.
//!
//! Two texts of up to [`LONGEST`] bytes are equal here exactly when they differ in the case of letters alone; a longer
//! one equals none of those.

/// The longest text that is taken in whole.
pub(crate) const LONGEST: usize = 24;

/// A text in lower case. The words overlap where the text is shorter than they are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Folded {
    first: u64,
    /// Bytes 8 to 16 of a text that the outer words don't cover.
    middle: u64,
    last: u64,
    length: usize,
}

impl Folded {
    /// Takes a text in.
    #[inline]
    pub(crate) const fn of(text: &[u8]) -> Folded {
        let length = text.len();
        if let (Some(start), Some(end)) = (text.first_chunk(), text.last_chunk()) {
            let middle = match text.first_chunk() {
                Some(wide) if length > 16 => lower((u128::from_le_bytes(*wide) >> 64) as u64),
                _ => 0,
            };
            return Folded {
                first: lower(u64::from_le_bytes(*start)),
                middle,
                last: lower(u64::from_le_bytes(*end)),
                length,
            };
        }
        let first = match (text.first_chunk(), text.last_chunk(), text) {
            (Some(start), Some(end), _) => {
                u32::from_le_bytes(*start) as u64 | (u32::from_le_bytes(*end) as u64) << 32
            }
            (_, _, [a, b, c, ..]) => *a as u64 | (*b as u64) << 8 | (*c as u64) << 16,
            (_, _, [a, b]) => *a as u64 | (*b as u64) << 8,
            (_, _, [a]) => *a as u64,
            (_, _, []) => 0,
        };
        Folded {
            first: lower(first),
            middle: 0,
            last: 0,
            length,
        }
    }

    /// `bits` bits that a multiplier makes of it; the words between the ends say too little to take part.
    #[inline]
    pub(crate) const fn hash(self, multiplier: u64, bits: u32) -> usize {
        let mixed = (self.first ^ self.last.rotate_left(7)).wrapping_add(self.length as u64);
        (mixed.wrapping_mul(multiplier) >> (64 - bits)) as usize
    }
}

/// Sets the bit for lower case in each byte from `@` upwards, in which it is all that tells two cases apart. What is
/// none of the letters may change too, but not into what is one, nor into a digit or a hyphen.
#[inline]
const fn lower(word: u64) -> u64 {
    word | (word & 0x4040_4040_4040_4040) >> 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What stands in field names that the gateway knows.
    fn is_plain(byte: u8) -> bool {
        byte.is_ascii_alphanumeric() || byte == b'-'
    }

    proptest! {
        #[test]
        fn equal_means_equal_but_for_case(
            text in "[a-zA-Z0-9-]{0,24}", other in prop::collection::vec(any::<u8>(), 0..26),
        ) {
            let text = text.as_bytes();
            let same = Folded::of(text) == Folded::of(&other);
            prop_assert_eq!(same, text.eq_ignore_ascii_case(&other));
        }

        #[test]
        fn one_byte_more_or_less_or_another_is_seen(
            text in "[a-zA-Z0-9-]{1,24}", at: prop::sample::Index, byte: u8,
        ) {
            let text = text.as_bytes();
            let mut other = text.to_vec();
            other[at.index(text.len())] = byte;
            let same = Folded::of(text) == Folded::of(&other);
            prop_assert_eq!(same, text.eq_ignore_ascii_case(&other));
            let shorter = &text[..text.len() - 1];
            prop_assert!(Folded::of(text) != Folded::of(shorter));
            prop_assert!(Folded::of(&text.to_ascii_uppercase()) == Folded::of(&text.to_ascii_lowercase()));
        }
    }

    #[test]
    fn no_byte_is_taken_for_a_plain_one() {
        for plain in (0..=u8::MAX).filter(|byte| is_plain(*byte)) {
            for byte in 0..=u8::MAX {
                let same = Folded::of(&[plain; 5]) == Folded::of(&[byte; 5]);
                assert_eq!(same, plain.eq_ignore_ascii_case(&byte), "{plain} {byte}");
            }
        }
    }
}
