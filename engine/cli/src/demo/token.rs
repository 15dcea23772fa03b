//! Mints the demo's token: a JSON Web Token signed with HS256 (RFC 7515, RFC 7519). Checking tokens is
//! `policy`'s; this signs one, for a secret that lives as long as the process.

use policy::crypto::sha256;

/// Bytes of a SHA-256 block.
const BLOCK: usize = 64;

/// A signed token with these claims.
pub(super) fn mint(claims: &serde_json::Value, secret: &[u8]) -> String {
    let header = br#"{"alg":"HS256","typ":"JWT"}"#;
    let claims = claims.to_string();
    let signed = format!("{}.{}", base64url(header), base64url(claims.as_bytes()));
    let signature = base64url(&hmac_sha256(secret, signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// HMAC (RFC 2104) for keys up to one block; ours has 32 bytes.
fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    assert!(key.len() <= BLOCK, "the demo's secret is shorter");
    let padded = |pad: u8| {
        let mut block = vec![pad; BLOCK];
        for (place, byte) in block.iter_mut().zip(key) {
            *place ^= byte;
        }
        block
    };
    let inner = sha256(&[&padded(0x36), message].concat());
    sha256(&[padded(0x5c).as_slice(), &inner].concat())
}

/// Base64 with the alphabet of RFC 4648 section 5, without padding.
fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().enumerate().fold(0_u32, |bits, (at, byte)| {
            bits | u32::from(*byte) << (16 - 8 * at)
        });
        for digit in 0..=group.len() {
            let index = bits >> (18 - 6 * digit) & 63;
            out.push(char::from(ALPHABET[index as usize]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231 section 4.3 and RFC 7515 appendix A.1's way of joining the parts.
    #[test]
    fn hmac_is_that_of_rfc_4231() {
        let mac = hmac_sha256(b"Jefe", b"what do ya want for nothing?");
        let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn base64_is_that_of_rfc_4648() {
        let cases = [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"),
        ];
        for (bytes, text) in cases {
            assert_eq!(base64url(bytes.as_bytes()), text, "{bytes}");
        }
        assert_eq!(base64url(&[0xfb, 0xff]), "-_8");
    }
}
