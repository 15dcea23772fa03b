//! JSON Web Tokens made by hand: header, claims and signature are whatever a test wants them to be.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
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

/// Signs with HS256 and [`SECRET`].
pub fn hs256(claims: &Value) -> String {
    hs256_with(
        &json!({"alg": "HS256", "typ": "JWT"}),
        claims,
        SECRET.as_bytes(),
    )
}

/// Signs with HMAC-SHA-256, whatever the header says.
pub fn hs256_with(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let input = input(header, claims);
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let tag = hmac::sign(&key, input.as_bytes());
    format!("{input}.{}", encode(tag))
}

/// Claims that hold for an hour.
pub fn claims(subject: &str) -> Value {
    json!({"sub": subject, "exp": now() + 3600})
}

/// An ES256 key with its id.
pub struct Es256 {
    pair: EcdsaKeyPair,
    id: String,
}

impl Es256 {
    /// A new key.
    pub fn new(id: &str) -> Es256 {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("random bytes");
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random);
        Es256 {
            pair: pair.expect("a key of our own"),
            id: id.to_owned(),
        }
    }

    /// The public key as a JWK.
    pub fn jwk(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        json!({"kty": "EC", "crv": "P-256", "kid": self.id, "use": "sig", "alg": "ES256",
            "x": encode(&point[1..33]), "y": encode(&point[33..65])})
    }

    /// Signs claims.
    pub fn sign(&self, claims: &Value) -> String {
        let input = input(&json!({"alg": "ES256", "kid": self.id}), claims);
        let signature = self.pair.sign(&SystemRandom::new(), input.as_bytes());
        format!("{input}.{}", encode(signature.expect("random bytes")))
    }
}

/// An EdDSA key with its id.
pub struct Ed25519 {
    pair: Ed25519KeyPair,
    id: String,
}

impl Ed25519 {
    /// A new key.
    pub fn new(id: &str) -> Ed25519 {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("random bytes");
        Ed25519 {
            pair: Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).expect("a key of our own"),
            id: id.to_owned(),
        }
    }

    /// The public key as a JWK.
    pub fn jwk(&self) -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "kid": self.id, "x": encode(self.pair.public_key())})
    }

    /// Signs claims.
    pub fn sign(&self, claims: &Value) -> String {
        let input = input(&json!({"alg": "EdDSA", "kid": self.id}), claims);
        format!("{input}.{}", encode(self.pair.sign(input.as_bytes())))
    }
}
