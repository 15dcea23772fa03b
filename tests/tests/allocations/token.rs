//! RS256 tokens for the gateway job, signed with a key that guards nothing.

use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::json;
use tests::token;

/// The key that signs, and whose public half the gateway knows.
pub(crate) struct Rs256(RsaKeyPair);

impl Rs256 {
    pub(crate) fn new() -> Rs256 {
        let key = RsaKeyPair::from_pkcs8(include_bytes!("../../data/rs256.pk8"));
        Rs256(key.expect("the file is a key"))
    }

    /// The key set with the public half.
    pub(crate) fn jwks(&self) -> Vec<u8> {
        let public = PublicKeyComponents::<Vec<u8>>::from(self.0.public());
        let key = json!({"kty": "RSA", "kid": "one", "alg": "RS256",
            "n": token::encode(public.n),
            "e": token::encode(public.e)});
        json!({ "keys": [key] }).to_string().into_bytes()
    }

    /// A token of this subject, good for an hour.
    pub(crate) fn sign(&self, subject: &str) -> String {
        let mut claims = token::claims(subject);
        claims["iss"] = json!("https://issuer.example");
        claims["aud"] = json!("api");
        let input = token::input(&json!({"alg": "RS256", "kid": "one"}), &claims);
        let mut signature = vec![0; self.0.public().modulus_len()];
        let signed = self.0.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            input.as_bytes(),
            &mut signature,
        );
        signed.expect("the room fits the key");
        format!("{input}.{}", token::encode(signature))
    }
}
