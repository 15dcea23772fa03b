//! Keys that sign: from PEM or DER to a signature, and to the JWK that verifies it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256,
    RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
};
use ring::{hmac, rsa};
use serde_json::json;

/// A signature algorithm of RFC 7518 or RFC 8037.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Hs256,
    Hs384,
    Hs512,
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    EdDsa,
}

const NAMES: [(&str, Algorithm); 12] = [
    ("HS256", Algorithm::Hs256),
    ("HS384", Algorithm::Hs384),
    ("HS512", Algorithm::Hs512),
    ("RS256", Algorithm::Rs256),
    ("RS384", Algorithm::Rs384),
    ("RS512", Algorithm::Rs512),
    ("PS256", Algorithm::Ps256),
    ("PS384", Algorithm::Ps384),
    ("PS512", Algorithm::Ps512),
    ("ES256", Algorithm::Es256),
    ("ES384", Algorithm::Es384),
    ("EdDSA", Algorithm::EdDsa),
];

impl Algorithm {
    pub(super) fn names() -> [&'static str; 12] {
        NAMES.map(|(name, _)| name)
    }

    pub(super) fn named(text: &str) -> Option<Algorithm> {
        let mut found = NAMES.iter().filter(|(name, _)| *name == text);
        found.next().map(|(_, algorithm)| *algorithm)
    }

    pub(super) fn name(self) -> &'static str {
        let mut found = NAMES.iter().filter(|(_, algorithm)| *algorithm == self);
        found.next().map_or("", |(name, _)| name)
    }

    /// Whether signer and verifier share the key.
    pub(super) fn is_shared(self) -> bool {
        matches!(self, Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512)
    }
}

/// A key and what it signs with.
#[derive(Debug)]
pub(super) struct Key {
    algorithm: Algorithm,
    material: Material,
    random: SystemRandom,
}

#[derive(Debug)]
enum Material {
    Shared(hmac::Key),
    Rsa(Box<RsaKeyPair>, &'static dyn RsaEncoding),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// What is wrong with a key, and a note or nothing.
type Wrong = (String, &'static str);

const TO_PKCS8: &str =
    "`openssl pkey -in key.pem -out pkcs8.pem` writes the form that is read here";

impl Key {
    /// Reads a shared secret, or a private key in PEM or DER (PKCS #8, PKCS #1, SEC 1).
    pub(super) fn read(algorithm: Algorithm, bytes: &[u8]) -> Result<Key, Wrong> {
        let random = SystemRandom::new();
        let material = match algorithm {
            Algorithm::Hs256 => shared(hmac::HMAC_SHA256, bytes)?,
            Algorithm::Hs384 => shared(hmac::HMAC_SHA384, bytes)?,
            Algorithm::Hs512 => shared(hmac::HMAC_SHA512, bytes)?,
            Algorithm::Rs256 => rsa(&RSA_PKCS1_SHA256, bytes)?,
            Algorithm::Rs384 => rsa(&RSA_PKCS1_SHA384, bytes)?,
            Algorithm::Rs512 => rsa(&RSA_PKCS1_SHA512, bytes)?,
            Algorithm::Ps256 => rsa(&RSA_PSS_SHA256, bytes)?,
            Algorithm::Ps384 => rsa(&RSA_PSS_SHA384, bytes)?,
            Algorithm::Ps512 => rsa(&RSA_PSS_SHA512, bytes)?,
            Algorithm::Es256 | Algorithm::Es384 => {
                let (curve, oid): (_, &[u8]) = match algorithm {
                    Algorithm::Es256 => (&ECDSA_P256_SHA256_FIXED_SIGNING, P256),
                    _ => (&ECDSA_P384_SHA384_FIXED_SIGNING, P384),
                };
                let der = match private(bytes)? {
                    Private::Pkcs8(der) => der,
                    Private::Sec1(der) => wrapped(&der, oid),
                    Private::Pkcs1(_) => return Err(other_kind(algorithm)),
                };
                let key = EcdsaKeyPair::from_pkcs8(curve, &der, &random);
                Material::Ecdsa(key.map_err(|why| rejected(algorithm, &why.to_string()))?)
            }
            Algorithm::EdDsa => {
                let Private::Pkcs8(der) = private(bytes)? else {
                    return Err(other_kind(algorithm));
                };
                let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der);
                Material::Ed25519(key.map_err(|why| rejected(algorithm, &why.to_string()))?)
            }
        };
        Ok(Key {
            algorithm,
            material,
            random,
        })
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Signs; `None` when the system gives no random numbers.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match &self.material {
            Material::Shared(key) => Some(hmac::sign(key, message).as_ref().to_vec()),
            Material::Rsa(key, encoding) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(*encoding, &self.random, message, &mut signature)
                    .ok()?;
                Some(signature)
            }
            Material::Ecdsa(key) => Some(key.sign(&self.random, message).ok()?.as_ref().to_vec()),
            Material::Ed25519(key) => Some(key.sign(message).as_ref().to_vec()),
        }
    }

    /// The public half as a JWK without a name; a shared key has none.
    pub(super) fn jwk(&self) -> Option<serde_json::Value> {
        let alg = self.algorithm.name();
        let code = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        Some(match &self.material {
            Material::Shared(_) => return None,
            Material::Rsa(key, _) => {
                let public = rsa::PublicKeyComponents::<Vec<u8>>::from(key.public());
                json!({ "kty": "RSA", "use": "sig", "alg": alg, "n": code(&public.n), "e": code(&public.e) })
            }
            Material::Ecdsa(key) => {
                // 0x04, then both coordinates.
                let (x, y) = key
                    .public_key()
                    .as_ref()
                    .get(1..)?
                    .split_at_checked(self.coordinate())?;
                let crv = if alg == "ES256" { "P-256" } else { "P-384" };
                json!({ "kty": "EC", "use": "sig", "alg": alg, "crv": crv, "x": code(x), "y": code(y) })
            }
            Material::Ed25519(key) => {
                let x = code(key.public_key().as_ref());
                json!({ "kty": "OKP", "use": "sig", "alg": alg, "crv": "Ed25519", "x": x })
            }
        })
    }

    fn coordinate(&self) -> usize {
        if self.algorithm == Algorithm::Es256 {
            32
        } else {
            48
        }
    }
}

fn shared(algorithm: hmac::Algorithm, bytes: &[u8]) -> Result<Material, Wrong> {
    match bytes {
        [] => Err(("the key is empty".to_owned(), "")),
        _ => Ok(Material::Shared(hmac::Key::new(algorithm, bytes))),
    }
}

fn rsa(encoding: &'static dyn RsaEncoding, bytes: &[u8]) -> Result<Material, Wrong> {
    let key = match private(bytes)? {
        Private::Pkcs8(der) => RsaKeyPair::from_pkcs8(&der),
        Private::Pkcs1(der) => RsaKeyPair::from_der(&der),
        Private::Sec1(_) => return Err(other_kind(Algorithm::Rs256)),
    };
    let key = key.map_err(|why| rejected(Algorithm::Rs256, &why.to_string()))?;
    Ok(Material::Rsa(Box::new(key), encoding))
}

fn other_kind(algorithm: Algorithm) -> Wrong {
    rejected(algorithm, "WrongAlgorithm")
}

fn rejected(algorithm: Algorithm, why: &str) -> Wrong {
    let fits = match algorithm {
        Algorithm::Es256 => {
            "`openssl ecparam -name prime256v1 -genkey -out key.pem` makes one that fits"
        }
        Algorithm::Es384 => {
            "`openssl ecparam -name secp384r1 -genkey -out key.pem` makes one that fits"
        }
        Algorithm::EdDsa => "`openssl genpkey -algorithm ed25519 -out key.pem` makes one that fits",
        _ => "`openssl genrsa -out key.pem 2048` makes one that fits; 2048 bits are the least",
    };
    (
        format!("the key is not one for this algorithm: {why}"),
        fits,
    )
}

/// A private key in one of its wrappings.
enum Private {
    Pkcs8(Vec<u8>),
    Pkcs1(Vec<u8>),
    Sec1(Vec<u8>),
}

/// Takes the first private key of a PEM text; what is not PEM is DER.
fn private(bytes: &[u8]) -> Result<Private, Wrong> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Ok(Private::Pkcs8(bytes.to_vec()));
    };
    let mut rest = text;
    while let Some((_, begun)) = rest.split_once("-----BEGIN ") {
        let broken = || ("the key is not whole PEM".to_owned(), TO_PKCS8);
        let (label, after) = begun.split_once("-----").ok_or_else(broken)?;
        let (body, after) = after.split_once("-----END ").ok_or_else(broken)?;
        rest = after;
        if label == "ENCRYPTED PRIVATE KEY" || body.contains("ENCRYPTED") {
            return Err(("the key is encrypted".to_owned(), TO_PKCS8));
        }
        let wrapping = match label {
            "PRIVATE KEY" => Private::Pkcs8,
            "RSA PRIVATE KEY" => Private::Pkcs1,
            "EC PRIVATE KEY" => Private::Sec1,
            // Such as EC PARAMETERS, before the key itself.
            _ => continue,
        };
        let base64: String = body.split_whitespace().collect();
        return STANDARD.decode(base64).map(wrapping).map_err(|_| broken());
    }
    let note = "the key of this algorithm is a private key in PEM, most often \"file:key.pem\"";
    Err(("there is no private key".to_owned(), note))
}

/// The object identifiers of the curves, in DER.
const P256: &[u8] = &[0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22];
/// Of elliptic curve keys.
const EC_PUBLIC_KEY: &[u8] = &[0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];

/// A SEC 1 key (RFC 5915) wrapped as PKCS #8 (RFC 5208), which is the only form that ring reads.
fn wrapped(sec1: &[u8], curve: &[u8]) -> Vec<u8> {
    let algorithm = tagged(0x30, &[EC_PUBLIC_KEY, curve].concat());
    let version = tagged(0x02, &[0]);
    tagged(0x30, &[version, algorithm, tagged(0x04, sec1)].concat())
}

/// A DER value with its tag and length.
fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        length @ 0..128 => out.push(length as u8),
        length => {
            let bytes = length.to_be_bytes();
            let bytes = &bytes[length.leading_zeros() as usize / 8..];
            out.push(0x80 | bytes.len() as u8);
            out.extend_from_slice(bytes);
        }
    }
    out.extend_from_slice(content);
    out
}

#[cfg(test)]
mod tests;
