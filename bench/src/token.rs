//! RS256 tokens, signed with the key that the end-to-end tests use and that guards nothing.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::json;

/// The key set with the public half.
pub fn jwks() -> Vec<u8> {
    let public = PublicKeyComponents::<Vec<u8>>::from(key().public());
    let key = json!({"kty": "RSA", "kid": "one", "alg": "RS256",
        "n": encode(public.n), "e": encode(public.e)});
    json!({ "keys": [key] }).to_string().into_bytes()
}

/// A token of this subject, good for a day.
pub fn sign(subject: &str) -> String {
    let header = json!({"alg": "RS256", "kid": "one"}).to_string();
    let claims = json!({"iss": "https://issuer.example", "aud": "api", "sub": subject,
        "exp": now() + 86_400, "scope": "read write", "tenant": "acme"});
    let input = format!("{}.{}", encode(header), encode(claims.to_string()));
    let key = key();
    let mut signature = vec![0; key.public().modulus_len()];
    let random = SystemRandom::new();
    let signed = key.sign(&RSA_PKCS1_SHA256, &random, input.as_bytes(), &mut signature);
    signed.expect("the room fits the key");
    format!("{input}.{}", encode(signature))
}

/// Unix seconds.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("the clock is right").as_secs()
}

fn key() -> RsaKeyPair {
    let key = RsaKeyPair::from_pkcs8(include_bytes!("../../tests/data/rs256.pk8"));
    key.expect("the file is a key")
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
