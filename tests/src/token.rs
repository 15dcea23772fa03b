//! JSON Web Tokens made by hand: header, claims and signature are whatever a test wants them to be.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
    RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// A shared secret, long enough for every HMAC.
pub const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Unix seconds.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("the clock is right").as_secs()
}

/// Base64url without padding.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Header and claims as the signing input.
pub fn input(header: &Value, claims: &Value) -> String {
    format!(
        "{}.{}",
        encode(header.to_string()),
        encode(claims.to_string())
    )
}

/// Claims that hold for an hour.
pub fn claims(subject: &str) -> Value {
    json!({"sub": subject, "exp": now() + 3600})
}

/// Signs with HS256 and [`SECRET`].
pub fn hs256(claims: &Value) -> String {
    hmac(
        &json!({"alg": "HS256", "typ": "JWT"}),
        claims,
        SECRET.as_bytes(),
    )
}

/// Signs with an HMAC: the one that the header's `alg` names, SHA-256 for any other `alg`.
pub fn hmac(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let input = input(header, claims);
    hmac_of(&input, header["alg"].as_str().unwrap_or_default(), secret)
}

/// Signs a signing input that is there already.
pub fn hmac_of(input: &str, algorithm: &str, secret: &[u8]) -> String {
    let algorithm = match algorithm {
        "HS384" => hmac::HMAC_SHA384,
        "HS512" => hmac::HMAC_SHA512,
        _ => hmac::HMAC_SHA256,
    };
    let key = hmac::Key::new(algorithm, secret);
    let tag = hmac::sign(&key, input.as_bytes());
    format!("{input}.{}", encode(tag))
}

/// A key pair with its id.
pub struct Key {
    pair: Pair,
    id: String,
}

enum Pair {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Key {
    /// The RSA key of the tests, which guards nothing.
    pub fn rsa(id: &str) -> Key {
        let pair = RsaKeyPair::from_pkcs8(include_bytes!("../data/rs256.pk8"));
        Key::new(Pair::Rsa(pair.expect("the file is a key")), id)
    }

    /// A new key for ES256.
    pub fn p256(id: &str) -> Key {
        Key::new(Pair::P256(elliptic(&ECDSA_P256_SHA256_FIXED_SIGNING)), id)
    }

    /// A new key for ES384.
    pub fn p384(id: &str) -> Key {
        Key::new(Pair::P384(elliptic(&ECDSA_P384_SHA384_FIXED_SIGNING)), id)
    }

    /// A new key for EdDSA.
    pub fn ed25519(id: &str) -> Key {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("random bytes");
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref());
        Key::new(Pair::Ed25519(pair.expect("a key of our own")), id)
    }

    fn new(pair: Pair, id: &str) -> Key {
        Key {
            pair,
            id: id.to_owned(),
        }
    }

    /// The public half as a JWK, without `alg` and `use`.
    pub fn jwk(&self) -> Value {
        let half = |point: &[u8], length: usize, crv: &str| {
            let (x, y) = point[1..].split_at(length);
            json!({"kty": "EC", "crv": crv, "kid": self.id, "x": encode(x), "y": encode(y)})
        };
        match &self.pair {
            Pair::Rsa(pair) => {
                let public = PublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({"kty": "RSA", "kid": self.id, "n": encode(public.n), "e": encode(public.e)})
            }
            Pair::P256(pair) => half(pair.public_key().as_ref(), 32, "P-256"),
            Pair::P384(pair) => half(pair.public_key().as_ref(), 48, "P-384"),
            Pair::Ed25519(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "kid": self.id, "x": encode(pair.public_key())})
            }
        }
    }

    /// The modulus as the key set shows it; only of an RSA key.
    pub fn public_text(&self) -> String {
        self.jwk()["n"].as_str().unwrap_or_default().to_owned()
    }

    /// Signs claims under this algorithm, with the key's id in the header.
    pub fn sign(&self, algorithm: &str, claims: &Value) -> String {
        self.sign_under(&json!({"alg": algorithm, "kid": self.id}), claims)
    }

    /// Signs claims under this header; the signature is the one that its `alg` names.
    pub fn sign_under(&self, header: &Value, claims: &Value) -> String {
        let input = input(header, claims);
        let algorithm = header["alg"].as_str().unwrap_or_default();
        let signature = self.signature(algorithm, input.as_bytes());
        format!("{input}.{}", encode(signature))
    }

    fn signature(&self, algorithm: &str, input: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let encoding: &'static dyn RsaEncoding = match algorithm {
                    "RS384" => &RSA_PKCS1_SHA384,
                    "RS512" => &RSA_PKCS1_SHA512,
                    "PS256" => &RSA_PSS_SHA256,
                    "PS384" => &RSA_PSS_SHA384,
                    "PS512" => &RSA_PSS_SHA512,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public().modulus_len()];
                let signed = pair.sign(encoding, &random, input, &mut signature);
                signed.expect("the room fits the key");
                signature
            }
            Pair::P256(pair) | Pair::P384(pair) => {
                let signature = pair.sign(&random, input).expect("random bytes");
                signature.as_ref().to_vec()
            }
            Pair::Ed25519(pair) => pair.sign(input).as_ref().to_vec(),
        }
    }
}

fn elliptic(algorithm: &'static EcdsaSigningAlgorithm) -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("random bytes");
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random);
    pair.expect("a key of our own")
}

/// A JWK Set.
pub fn set(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}
