//! SHA-1 (RFC 3174), for the handshake's proof that the other side read the key; it protects no secret.

/// Bytes of a block.
const BLOCK: usize = 64;

/// The digest of some bytes. They are few; a copy of them is padded.
pub(super) fn sha1(bytes: &[u8]) -> [u8; 20] {
    let mut padded = bytes.to_vec();
    padded.push(0x80);
    let room_for_length = BLOCK - size_of::<u64>();
    while padded.len() % BLOCK != room_for_length {
        padded.push(0);
    }
    let bits = bytes.len() as u64 * 8;
    padded.extend_from_slice(&bits.to_be_bytes());

    let mut state = [
        0x6745_2301,
        0xefcd_ab89,
        0x98ba_dcfe,
        0x1032_5476,
        0xc3d2_e1f0,
    ];
    for block in padded.as_chunks::<BLOCK>().0 {
        state = after(state, block);
    }
    let mut digest = [0; 20];
    for (place, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *place = word.to_be_bytes();
    }
    digest
}

/// The state after a block (section 6.1).
fn after(state: [u32; 5], block: &[u8; BLOCK]) -> [u32; 5] {
    // The sixteen words that the next ones come from, the oldest first.
    let mut words = [0; 16];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks::<4>().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    let [mut a, mut b, mut c, mut d, mut e] = state;
    for round in 0..80 {
        let (mixed, constant) = match round {
            0..20 => (b & c | !b & d, 0x5a82_7999),
            20..40 => (b ^ c ^ d, 0x6ed9_eba1u32),
            40..60 => (b & c | b & d | c & d, 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6),
        };
        let next = a
            .rotate_left(5)
            .wrapping_add(mixed)
            .wrapping_add(e)
            .wrapping_add(words[0])
            .wrapping_add(constant);
        (a, b, c, d, e) = (next, a, b.rotate_left(30), c, d);
        let word = (words[0] ^ words[2] ^ words[8] ^ words[13]).rotate_left(1);
        words.rotate_left(1);
        words[15] = word;
    }
    let mut sum = state;
    for (sum, word) in sum.iter_mut().zip([a, b, c, d, e]) {
        *sum = sum.wrapping_add(word);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: &str) {
        let hex: String = sha1(bytes).iter().map(|it| format!("{it:02x}")).collect();
        assert_eq!(hex, expected);
    }

    #[test]
    fn published_digests() {
        // FIPS 180-2 appendix A and RFC 3174 section 7.3.
        check(b"", "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        check(b"abc", "a9993e364706816aba3e25717850c26c9cd0d89d");
        check(
            b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
        );
        check(
            &[b'a'; 1_000_000],
            "34aa973cd4c4daa4f61eeb2bdbad27316534016f",
        );
        check(
            &b"01234567".repeat(80),
            "dea356a2cddd90c7a7ecedc5ebb563934f460452",
        );
    }

    #[test]
    fn lengths_around_the_end_of_a_block() {
        for (len, expected) in [
            (55, "cef734ba81a024479e09eb5a75b6ddae62e6abf1"),
            (56, "901305367c259952f4e7af8323f480d59f81335b"),
            (63, "0ddc4e0cccd9a12850deb5abb0853a4425559fec"),
            (64, "bb2fa3ee7afb9f54c6dfb5d021f14b1ffe40c163"),
            (65, "78c741ddc482e4cdf8c474a0876347a0905b6233"),
        ] {
            check(&vec![b'x'; len], expected);
        }
    }
}
