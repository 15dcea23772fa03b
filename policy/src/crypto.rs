//! The only door of `policy` to cryptography (ring, jsonwebtoken): digests, HMAC, signatures.
//!
//! Signatures only: claims, times and key selection are decided by `policies::jwt`. A [`Key`]
//! knows its own type, so that a public key can never be taken for an HMAC secret.

mod algorithm;
mod key;

pub use algorithm::{Algorithm, Family};
pub use key::{Curve, Key, KeyError, Signature};

/// SHA-256. Allocates nothing.
#[inline]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    out
}

/// Whether two digests are equal, in a time that does not tell where they differ.
#[inline]
pub fn equal(a: &[u8; 32], b: &[u8; 32]) -> bool {
    let different = a.iter().zip(b).fold(0, |acc, (x, y)| acc | (x ^ y));
    std::hint::black_box(different) == 0
}

/// Two hex digits in lower case for each byte.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(if value < 10 { b'0' } else { b'a' - 10 } + value);
    let pairs = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    pairs.map(digit).collect()
}

/// The 32 bytes of 64 hex digits.
pub fn unhex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 {
        return None;
    }
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    let mut out = [0; 32];
    for (to, pair) in out.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *to = digit(*high)? << 4 | digit(*low)?;
    }
    Some(out)
}

#[cfg(test)]
mod tests;
