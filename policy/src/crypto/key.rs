//! Keys that verify, each built once and knowing its own type.
//!
//! A key refuses every algorithm that does not fit its type or is too strong for its size;
//! this is what makes confusing an RSA public key with an HMAC secret impossible. No `Debug`:
//! half of them are secrets.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;

use super::algorithm::{Algorithm, Family};

/// Smallest RSA modulus, in bits (RFC 7518 section 3.3), and the largest that is worth the
/// time it costs to verify with.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// A curve of RFC 7518 section 6.2.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// `P-256`.
    P256,
    /// `P-384`.
    P384,
}

/// A key that verifies signatures or MACs.
pub struct Key(Kind);

enum Kind {
    /// The three keys are one secret for three hash functions; `None` where it is too short.
    Hmac(Box<[Option<ring::hmac::Key>; 3]>),
    Public(Family, Box<DecodingKey>),
}

/// A decoded signature, both as it stood in the token and as bytes.
#[derive(Clone, Copy)]
pub struct Signature<'a> {
    /// Strict base64url.
    pub text: &'a str,
    /// What it stands for.
    pub bytes: &'a [u8],
}

/// Why some bytes are not a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyError(pub String);

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for KeyError {}

impl Key {
    /// A shared secret of at least 32 bytes.
    pub fn secret(bytes: &[u8]) -> Result<Key, KeyError> {
        let hmac = |algorithm: Algorithm, theirs| {
            (bytes.len() >= algorithm.min_secret()).then(|| ring::hmac::Key::new(theirs, bytes))
        };
        if bytes.len() < Algorithm::Hs256.min_secret() {
            return Err(KeyError(format!(
                "the secret has {} bytes; HS256 needs at least 32 (RFC 7518 section 3.2)",
                bytes.len()
            )));
        }
        Ok(Key(Kind::Hmac(Box::new([
            hmac(Algorithm::Hs256, ring::hmac::HMAC_SHA256),
            hmac(Algorithm::Hs384, ring::hmac::HMAC_SHA384),
            hmac(Algorithm::Hs512, ring::hmac::HMAC_SHA512),
        ]))))
    }

    /// An RSA public key, big-endian and without leading zeros.
    pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Key, KeyError> {
        let leading = modulus
            .first()
            .map_or(8, |byte| byte.leading_zeros() as usize);
        let bits = modulus.len().saturating_mul(8).saturating_sub(leading);
        if leading >= 8 {
            return Err(KeyError(
                "the RSA modulus begins with a zero byte".to_owned(),
            ));
        }
        if !RSA_BITS.contains(&bits) {
            return Err(KeyError(format!(
                "the RSA modulus has {bits} bits; between 2048 and 8192 are accepted"
            )));
        }
        if modulus.last().is_none_or(|byte| byte & 1 == 0) {
            return Err(KeyError("the RSA modulus is even".to_owned()));
        }
        let odd = exponent.last().is_some_and(|byte| byte & 1 == 1);
        let one = exponent == [1];
        if !odd || one || exponent.first() == Some(&0) || exponent.len() > 4 {
            return Err(KeyError(
                "the RSA exponent is not an odd number from 3 to 2^32 - 1".to_owned(),
            ));
        }
        Ok(Key(Kind::Public(
            Family::Rsa,
            Box::new(DecodingKey::from_rsa_raw_components(modulus, exponent)),
        )))
    }

    /// A point on a curve, both coordinates at full length (RFC 7518 section 6.2.1.2).
    pub fn ec(curve: Curve, x: &[u8], y: &[u8]) -> Result<Key, KeyError> {
        let (family, length, name) = match curve {
            Curve::P256 => (Family::P256, 32, "P-256"),
            Curve::P384 => (Family::P384, 48, "P-384"),
        };
        if x.len() != length || y.len() != length {
            return Err(KeyError(format!(
                "the coordinates of a {name} key have {length} bytes each"
            )));
        }
        let key =
            DecodingKey::from_ec_components(&URL_SAFE_NO_PAD.encode(x), &URL_SAFE_NO_PAD.encode(y));
        let key = key.map_err(|error| KeyError(error.to_string()))?;
        Ok(Key(Kind::Public(family, Box::new(key))))
    }

    /// An Ed25519 public key (RFC 8037).
    pub fn ed25519(x: &[u8]) -> Result<Key, KeyError> {
        if x.len() != 32 {
            return Err(KeyError("an Ed25519 key has 32 bytes".to_owned()));
        }
        Ok(Key(Kind::Public(
            Family::Ed25519,
            Box::new(DecodingKey::from_ed_der(x)),
        )))
    }

    /// Whether the key is of the algorithm's type and large enough for it.
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        match &self.0 {
            Kind::Hmac(keys) => hmac_of(keys, algorithm).is_some(),
            Kind::Public(family, _) => *family == algorithm.family(),
        }
    }

    /// Whether it is a shared secret.
    pub fn is_secret(&self) -> bool {
        matches!(self.0, Kind::Hmac(_))
    }

    /// Whether the signature over `message` holds. An algorithm that does not fit never does.
    pub fn verify(&self, algorithm: Algorithm, message: &[u8], signature: Signature<'_>) -> bool {
        match &self.0 {
            Kind::Hmac(keys) => hmac_of(keys, algorithm)
                .is_some_and(|key| ring::hmac::verify(key, message, signature.bytes).is_ok()),
            Kind::Public(family, key) if *family == algorithm.family() => {
                algorithm.theirs().is_some_and(|theirs| {
                    let holds = jsonwebtoken::crypto::verify(signature.text, message, key, theirs);
                    matches!(holds, Ok(true))
                })
            }
            Kind::Public(..) => false,
        }
    }
}

/// The HMAC key for an algorithm, if it is one of the three and the secret is long enough.
fn hmac_of(
    [hs256, hs384, hs512]: &[Option<ring::hmac::Key>; 3],
    algorithm: Algorithm,
) -> Option<&ring::hmac::Key> {
    match algorithm {
        Algorithm::Hs256 => hs256.as_ref(),
        Algorithm::Hs384 => hs384.as_ref(),
        Algorithm::Hs512 => hs512.as_ref(),
        _ => None,
    }
}
