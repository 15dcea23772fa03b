//! The Huffman code of HPACK (RFC 7541 appendix B), from the lengths alone: it is canonical, so that codes of one
//! length are consecutive in the order of their symbols.

/// How many bits the code of each symbol has; the last is EOS.
#[rustfmt::skip]
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];

/// EOS, which is never sent.
const EOS: usize = 256;

/// Each symbol's code, aligned to the lowest bit, and its length.
fn codes() -> Vec<(u32, u8)> {
    let mut order: Vec<usize> = (0..LENGTHS.len()).collect();
    order.sort_by_key(|symbol| (LENGTHS[*symbol], *symbol));
    let mut codes = vec![(0, 0); LENGTHS.len()];
    let (mut next, mut bits) = (0_u32, 0);
    for symbol in order {
        next <<= LENGTHS[symbol] - bits;
        bits = LENGTHS[symbol];
        codes[symbol] = (next, bits);
        next += 1;
    }
    codes
}

/// Text in the code, padded with the first bits of EOS.
pub(super) fn encode(text: &[u8]) -> Vec<u8> {
    let codes = codes();
    let (mut held, mut count, mut out) = (0_u64, 0, Vec::new());
    for byte in text {
        let (code, bits) = codes[usize::from(*byte)];
        held = held << bits | u64::from(code);
        count += bits;
        while count >= 8 {
            count -= 8;
            out.push((held >> count) as u8);
        }
    }
    if count > 0 {
        let padding = 8 - count;
        out.push((held << padding) as u8 | ((1 << padding) - 1));
    }
    out
}

/// The text that stands in the code; none when it is not valid.
pub(super) fn decode(bytes: &[u8]) -> Option<Vec<u8>> {
    let codes = codes();
    let (mut held, mut count, mut out) = (0_u32, 0_u8, Vec::new());
    for byte in bytes {
        for bit in (0..8).rev() {
            held = held << 1 | u32::from(byte >> bit & 1);
            count += 1;
            if let Some(symbol) = codes.iter().position(|code| *code == (held, count)) {
                if symbol == EOS {
                    return None;
                }
                out.push(u8::try_from(symbol).ok()?);
                (held, count) = (0, 0);
            }
        }
    }
    (count < 8 && held == (1 << count) - 1).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_7541_appendix_c() {
        for (text, code) in [
            ("www.example.com", "f1e3c2e5f23a6ba0ab90f4ff"),
            ("custom-value", "25a849e95bb8e8b4bf"),
            (
                "Mon, 21 Oct 2013 20:13:21 GMT",
                "d07abe941054d444a8200595040b8166e082a62d1bff",
            ),
        ] {
            let hex: String = encode(text.as_bytes())
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect();
            assert_eq!(hex, code);
            assert_eq!(
                decode(&encode(text.as_bytes())).as_deref(),
                Some(text.as_bytes())
            );
        }
        assert_eq!(decode(&[0xff, 0xff, 0xff, 0xff]), None, "EOS");
        assert_eq!(decode(&[0x00]), None, "padding of zeros");
    }
}
