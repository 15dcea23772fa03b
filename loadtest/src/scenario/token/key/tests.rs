//! Tests of keys: every wrapping is read, and what is signed verifies by the key's own JWK. The keys in `data/` guard
//! nothing.

use super::*;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};

const RSA: &[u8] = include_bytes!("../../../../../tests/data/rs256.pk8");
const RSA_PKCS1: &[u8] = include_bytes!("data/rsa-pkcs1.pem");
const P256: &[u8] = include_bytes!("data/p256.pem");
const P256_SEC1: &[u8] = include_bytes!("data/p256-sec1.pem");
const P384_SEC1: &[u8] = include_bytes!("data/p384-sec1.pem");
const ED25519: &[u8] = include_bytes!("data/ed25519.pem");

fn verifies(algorithm: &str, bytes: &[u8]) {
    let algorithm = Algorithm::named(algorithm).expect("an algorithm");
    let key = Key::read(algorithm, bytes).unwrap_or_else(|(why, _)| panic!("{why}"));
    let signed = key.sign(b"message").expect("a signature");
    let jwk = key.jwk().expect("a public key");
    assert_eq!(jwk["alg"], algorithm.name());
    let part = |name: &str| {
        URL_SAFE_NO_PAD
            .decode(jwk[name].as_str().expect("a text"))
            .expect("base64")
    };
    let point = || [&[4], &part("x")[..], &part("y")].concat();
    let verified = match algorithm {
        Algorithm::Rs256 | Algorithm::Ps512 => {
            let (n, e) = (part("n"), part("e"));
            let with = match algorithm {
                Algorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
                _ => &signature::RSA_PSS_2048_8192_SHA512,
            };
            RsaPublicKeyComponents { n, e }.verify(with, b"message", &signed)
        }
        Algorithm::Es256 => UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point())
            .verify(b"message", &signed),
        Algorithm::Es384 => UnparsedPublicKey::new(&signature::ECDSA_P384_SHA384_FIXED, point())
            .verify(b"message", &signed),
        _ => UnparsedPublicKey::new(&signature::ED25519, part("x")).verify(b"message", &signed),
    };
    verified.expect("the signature verifies");
}

#[test]
fn what_is_signed_verifies() {
    verifies("RS256", RSA);
    verifies("RS256", RSA_PKCS1);
    verifies("PS512", RSA_PKCS1);
    verifies("ES256", P256);
    verifies("ES256", P256_SEC1);
    verifies("ES384", P384_SEC1);
    verifies("EdDSA", ED25519);
}

#[test]
fn a_shared_key_signs_and_has_no_public_half() {
    let key = Key::read(Algorithm::Hs256, b"secret").unwrap_or_else(|(why, _)| panic!("{why}"));
    let signed = key.sign(b"message").expect("a signature");
    // printf message | openssl dgst -sha256 -hmac secret
    assert_eq!(
        URL_SAFE_NO_PAD.encode(signed),
        "i19IcCmVwVmMVz2x4hhmqbgl1KeU0WnXBgoDYFeWNgs"
    );
    assert!(key.jwk().is_none());
}

#[test]
fn keys_that_do_not_fit_are_told() {
    let why = |algorithm, bytes: &[u8]| Key::read(algorithm, bytes).expect_err("no key").0;
    assert!(why(Algorithm::Rs256, P256).contains("not one for this algorithm"));
    assert!(why(Algorithm::Rs256, P256_SEC1).contains("not one for this algorithm"));
    assert!(why(Algorithm::Es256, P384_SEC1).contains("not one for this algorithm"));
    assert!(why(Algorithm::Es256, RSA_PKCS1).contains("not one for this algorithm"));
    assert!(why(Algorithm::EdDsa, P256).contains("not one for this algorithm"));
    assert!(why(Algorithm::Rs256, b"hello").contains("no private key"));
    assert!(why(Algorithm::Rs256, &[0x30, 0x82, 0xFF]).contains("not one for this algorithm"));
    assert!(why(Algorithm::Rs256, b"-----BEGIN PRIVATE KEY-----\nAAAA").contains("not whole"));
    assert!(
        why(
            Algorithm::Rs256,
            b"-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----"
        )
        .contains("not whole")
    );
    let encrypted =
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----";
    assert!(why(Algorithm::Rs256, encrypted).contains("encrypted"));
    assert!(why(Algorithm::Hs256, b"").contains("empty"));
}

#[test]
fn names_and_algorithms_go_both_ways() {
    for name in Algorithm::names() {
        assert_eq!(Algorithm::named(name).map(Algorithm::name), Some(name));
    }
    assert!(Algorithm::named("none").is_none());
}
