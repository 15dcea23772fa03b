//! Private keys: how they are laid out, what they sign with, and the public key that they belong to.

use super::pem::reason;
use crate::snapshot::{KeyForm, KeyKind, PrivateKey};
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
};
use policy_keys::Secret;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::{self, PemObject};
use std::sync::Arc;

/// The first private key of a PEM file, and the bits of the public key that it belongs to. The error is
/// a clause about the file.
pub(crate) fn private_key(bytes: &[u8]) -> Result<(PrivateKey, Vec<u8>), String> {
    let key = PrivateKeyDer::from_pem_slice(bytes).map_err(|error| match error {
        _ if is_encrypted(bytes) => ENCRYPTED.to_owned(),
        pem::Error::NoItemsFound => "holds no private key (PEM)".to_owned(),
        other => format!("is broken: {}", reason(&other)),
    })?;
    let form = match &key {
        PrivateKeyDer::Pkcs8(_) => KeyForm::Pkcs8,
        PrivateKeyDer::Pkcs1(_) => KeyForm::Pkcs1,
        PrivateKeyDer::Sec1(_) => KeyForm::Sec1,
        _ => return Err(UNUSABLE.to_owned()),
    };
    let der = key.secret_der();
    let (kind, public) = understood(form, der).ok_or(UNUSABLE)?;
    let der = Arc::new(Secret::new(der));
    Ok((PrivateKey { form, kind, der }, public))
}

/// OpenSSL's older form says so in a header of its own, the newer one in the section's name.
fn is_encrypted(bytes: &[u8]) -> bool {
    let marks: [&[u8]; 2] = [b"BEGIN ENCRYPTED PRIVATE KEY", b"Proc-Type: 4,ENCRYPTED"];
    marks
        .iter()
        .any(|mark| bytes.windows(mark.len()).any(|part| part == *mark))
}

/// What the key signs with, and the bits of its public key.
fn understood(form: KeyForm, der: &[u8]) -> Option<(KeyKind, Vec<u8>)> {
    let rsa = match form {
        KeyForm::Pkcs8 => rsa::KeyPair::from_pkcs8(der).ok(),
        KeyForm::Pkcs1 => rsa::KeyPair::from_der(der).ok(),
        KeyForm::Sec1 => None,
    };
    if let Some(rsa) = rsa {
        return Some((KeyKind::Rsa, rsa.public_key().as_ref().to_vec()));
    }
    if form == KeyForm::Pkcs1 {
        return None;
    }
    let curves: [(KeyKind, &'static EcdsaSigningAlgorithm); 3] = [
        (KeyKind::P256, &ECDSA_P256_SHA256_ASN1_SIGNING),
        (KeyKind::P384, &ECDSA_P384_SHA384_ASN1_SIGNING),
        (KeyKind::P521, &ECDSA_P521_SHA512_ASN1_SIGNING),
    ];
    for (kind, curve) in curves {
        if let Ok(pair) = EcdsaKeyPair::from_private_key_der(curve, der) {
            return Some((kind, pair.public_key().as_ref().to_vec()));
        }
    }
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok()?;
    Some((KeyKind::Ed25519, pair.public_key().as_ref().to_vec()))
}

const ENCRYPTED: &str = "holds an encrypted private key: decrypt it with `openssl pkey`, or the gateway can't start by itself";
const UNUSABLE: &str = "holds a private key that can't be used: RSA of 2048 to 8192 bits, ECDSA on P-256, P-384 or P-521, or Ed25519 is needed";
