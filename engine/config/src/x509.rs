//! What the files of TLS hold, as far as a configuration must know: PEM sections, a certificate's names,
//! dates and public key, private keys and what belongs to them.
//!
//! Each object is held against the rules of the library that will use it (rustls-webpki, aws-lc-rs), so
//! that `check` finds what would fail at the start. What lives elsewhere: which key names which file
//! (`resolve/`), verifying peers (`engine/net`). Invariant: no message shows a byte of a private key.

mod certificate;
mod key;
mod pem;

pub(crate) use certificate::{Facts, check_own};
pub(crate) use key::private_key;
pub(crate) use pem::{certificates, nth, revocation_lists};

use crate::snapshot::Der;
use policy::certificate::der;

/// An authority's certificate, as far as verifying needs it to be right.
pub(crate) fn check_authority(der: &Der) -> Result<(), String> {
    let der = rustls_pki_types::CertificateDer::from(&**der);
    let anchor = webpki::anchor_from_trusted_cert(&der);
    anchor.map(|_| ()).map_err(|why| why.to_string())
}

/// An OCSP response that is worth sending: RFC 6960 section 4.2.1, `successful`.
pub(crate) fn ocsp_response(bytes: &[u8]) -> Result<Der, &'static str> {
    let mut outer = der::Reader::new(bytes);
    let response = outer.take(der::SEQUENCE).filter(|_| outer.is_empty());
    let Some(response) = response else {
        return Err("is not an OCSP response (DER)");
    };
    match der::Reader::new(response).take(der::ENUMERATED) {
        Some([0]) => Ok(Der::new(bytes)),
        Some(_) => Err("holds an OCSP error, not an answer about a certificate"),
        None => Err("is not an OCSP response (DER)"),
    }
}

#[cfg(test)]
mod tests;
