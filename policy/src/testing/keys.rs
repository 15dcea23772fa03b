//! Keys that sign test tokens: the RSA key of RFC 7515 appendix A.2, and fresh ones of the
//! other types. Nothing here guards anything.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _,
};
use ring::{hmac, rsa, signature};

use crate::crypto::Algorithm;

pub(crate) const RSA_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const RSA_D: &str = "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ";
const RSA_P: &str = "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc";
const RSA_Q: &str = "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc";
const RSA_DP: &str = "BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0";
const RSA_DQ: &str = "h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU";
const RSA_QI: &str = "IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U";

/// The shared secret of the tests: long enough for every HMAC.
pub(crate) const SECRET: &[u8; 64] =
    b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// One key of every type.
pub(crate) struct Keys {
    rsa: rsa::KeyPair,
    p256: EcdsaKeyPair,
    p384: EcdsaKeyPair,
    ed25519: Ed25519KeyPair,
    random: SystemRandom,
}

impl Keys {
    pub(crate) fn new() -> Keys {
        let random = SystemRandom::new();
        let ec = |algorithm| {
            let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
            EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap()
        };
        let p256 = ec(&ECDSA_P256_SHA256_FIXED_SIGNING);
        let p384 = ec(&ECDSA_P384_SHA384_FIXED_SIGNING);
        let document = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        let components = rsa::KeyPairComponents {
            public_key: rsa::PublicKeyComponents {
                n: decode(RSA_N),
                e: vec![1, 0, 1],
            },
            d: decode(RSA_D),
            p: decode(RSA_P),
            q: decode(RSA_Q),
            dP: decode(RSA_DP),
            dQ: decode(RSA_DQ),
            qInv: decode(RSA_QI),
        };
        Keys {
            rsa: rsa::KeyPair::from_components(&components).unwrap(),
            p256,
            p384,
            ed25519: Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap(),
            random,
        }
    }

    /// The public halves as JWKs, named `rsa`, `p256`, `p384`, `ed25519`, and the secret as
    /// `oct`. `extra` follows the other members.
    pub(crate) fn jwk(&self, name: &str, extra: &str) -> String {
        let point = |crv: &str, key: &EcdsaKeyPair| {
            let (x, y) =
                key.public_key().as_ref()[1..].split_at(if crv == "P-256" { 32 } else { 48 });
            format!(
                r#""kty":"EC","crv":"{crv}","x":"{}","y":"{}""#,
                encode(x),
                encode(y)
            )
        };
        let members = match name {
            "rsa" => format!(r#""kty":"RSA","n":"{RSA_N}","e":"AQAB""#),
            "p256" => point("P-256", &self.p256),
            "p384" => point("P-384", &self.p384),
            "ed25519" => {
                let x = encode(self.ed25519.public_key());
                format!(r#""kty":"OKP","crv":"Ed25519","x":"{x}""#)
            }
            "oct" => format!(r#""kty":"oct","k":"{}""#, encode(SECRET)),
            other => panic!("no key {other}"),
        };
        format!("{{{members}{extra}}}")
    }

    /// A set of these keys, each with its name as `kid`.
    pub(crate) fn jwks(&self, names: &[&str]) -> String {
        let keys: Vec<String> = names
            .iter()
            .map(|name| self.jwk(name, &format!(r#","kid":"{name}""#)))
            .collect();
        format!(r#"{{"keys":[{}]}}"#, keys.join(","))
    }

    /// The signature over a message.
    pub(crate) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        let mac = |theirs| {
            hmac::sign(&hmac::Key::new(theirs, SECRET), message)
                .as_ref()
                .to_vec()
        };
        let rsa = |padding: &'static dyn signature::RsaEncoding| {
            let mut out = vec![0; self.rsa.public().modulus_len()];
            self.rsa
                .sign(padding, &self.random, message, &mut out)
                .unwrap();
            out
        };
        match algorithm {
            Algorithm::Hs256 => mac(hmac::HMAC_SHA256),
            Algorithm::Hs384 => mac(hmac::HMAC_SHA384),
            Algorithm::Hs512 => mac(hmac::HMAC_SHA512),
            Algorithm::Rs256 => rsa(&signature::RSA_PKCS1_SHA256),
            Algorithm::Rs384 => rsa(&signature::RSA_PKCS1_SHA384),
            Algorithm::Rs512 => rsa(&signature::RSA_PKCS1_SHA512),
            Algorithm::Ps256 => rsa(&signature::RSA_PSS_SHA256),
            Algorithm::Ps384 => rsa(&signature::RSA_PSS_SHA384),
            Algorithm::Ps512 => rsa(&signature::RSA_PSS_SHA512),
            Algorithm::Es256 => ec(&self.p256, &self.random, message),
            Algorithm::Es384 => ec(&self.p384, &self.random, message),
            Algorithm::EdDsa => self.ed25519.sign(message).as_ref().to_vec(),
        }
    }

    /// A compact token from the text of its header and claims, signed as it should be.
    pub(crate) fn token(&self, algorithm: Algorithm, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", encode(header), encode(claims));
        let signature = self.sign(algorithm, message.as_bytes());
        format!("{message}.{}", encode(signature))
    }
}

fn ec(key: &EcdsaKeyPair, random: &SystemRandom, message: &[u8]) -> Vec<u8> {
    key.sign(random, message).unwrap().as_ref().to_vec()
}
