//! Base64 with the standard alphabet and padding (RFC 4648 section 4), a group of four at a time.
//!
//! For what the crate's protocols are made of: WebSocket keys and gRPC-Web's text. Bits that padding leaves over are
//! not looked at (section 3.5 allows either).

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What fills up the last group.
pub(crate) const PAD: u8 = b'=';

/// In [`VALUES`], for what is no digit.
const NO_DIGIT: u8 = 0xff;

/// Each byte's value as a digit.
#[expect(clippy::indexing_slicing, reason = "evaluated when compiled")]
static VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut at = 0;
    while at < ALPHABET.len() {
        values[ALPHABET[at] as usize] = at as u8;
        at += 1;
    }
    values
};

/// A digit's value, below 64.
#[inline]
pub(crate) fn value(digit: u8) -> Option<u8> {
    let value = VALUES.get(usize::from(digit)).copied();
    value.filter(|value| *value != NO_DIGIT)
}

/// The group for three bytes.
#[inline]
pub(crate) fn group([a, b, c]: [u8; 3]) -> [u8; 4] {
    let bits = u32::from_be_bytes([0, a, b, c]);
    [18, 12, 6, 0].map(|shift| {
        let value = (bits >> shift & 0x3f) as usize;
        ALPHABET.get(value).copied().unwrap_or(PAD)
    })
}

/// The last group: of one byte or two, padded. Of none, no group.
pub(crate) fn last_group(bytes: &[u8]) -> Option<[u8; 4]> {
    match *bytes {
        [a] => {
            let [first, second, ..] = group([a, 0, 0]);
            Some([first, second, PAD, PAD])
        }
        [a, b] => {
            let [first, second, third, _] = group([a, b, 0]);
            Some([first, second, third, PAD])
        }
        _ => None,
    }
}

/// Appends all bytes, padded.
pub(crate) fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    let (groups, rest) = bytes.as_chunks::<3>();
    for three in groups {
        out.extend_from_slice(&group(*three));
    }
    out.extend_from_slice(last_group(rest).as_ref().map_or(&[], |it| it));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_of_rfc_4648() {
        let table = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (bytes, expected) in table {
            let mut out = b"before".to_vec();
            encode(bytes.as_bytes(), &mut out);
            assert_eq!(out, format!("before{expected}").as_bytes());
        }
    }

    #[test]
    fn digits_and_nothing_else_have_values() {
        let mut digits = 0;
        for byte in 0..=255u8 {
            match value(byte) {
                Some(value) => {
                    assert_eq!(ALPHABET[usize::from(value)], byte);
                    digits += 1;
                }
                None => assert!(!byte.is_ascii_alphanumeric() && !b"+/".contains(&byte)),
            }
        }
        assert_eq!(digits, 64);
    }
}
