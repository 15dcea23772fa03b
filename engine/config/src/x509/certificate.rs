//! What a configuration must know of a certificate; the reading itself is `policy::certificate`.

use crate::snapshot::Der;
use policy::certificate::{Alternative, Certificate};
use std::net::IpAddr;

/// What a configuration must know of a certificate.
#[derive(Debug)]
pub(crate) struct Facts {
    /// Its first second, in Unix time; 0 when that is earlier.
    pub not_before: u64,
    /// Its last second, in Unix time; 0 when that is earlier.
    pub not_after: u64,
    /// Who vouches for it: a Name, encoded.
    pub issuer: Vec<u8>,
    /// Whom it is about: a Name, encoded.
    pub subject: Vec<u8>,
    /// The bits of the public key.
    pub public_key: Vec<u8>,
    /// The DNS names and addresses that it is good for, as a URL would write them; the common name when
    /// it has no list of them.
    pub names: Vec<String>,
}

impl Facts {
    /// Reads a certificate. The error is what is wrong with it.
    pub(crate) fn of(der: &Der) -> Result<Facts, &'static str> {
        let read = Certificate::read(der).ok_or("it is not laid out as one")?;
        let names = match read.alternatives() {
            Some(alternatives) => alternatives.filter_map(served).collect(),
            None => read.common_name().map(String::from).into_iter().collect(),
        };
        Ok(Facts {
            not_before: read.not_before,
            not_after: read.not_after,
            issuer: read.issuer.to_vec(),
            subject: read.subject.to_vec(),
            public_key: read.public_key.to_vec(),
            names,
        })
    }
}

/// Whether the TLS library takes a certificate as a server's or client's own; those that follow it in a
/// chain are only passed on.
pub(crate) fn check_own(der: &Der) -> Result<(), String> {
    let der = rustls_pki_types::CertificateDer::from(&**der);
    let checked = webpki::EndEntityCert::try_from(&der);
    checked.map(|_| ()).map_err(|why| match why {
        webpki::Error::UnsupportedCertVersion => "it is not of X.509 version 3".to_owned(),
        other => other.to_string(),
    })
}

/// A name that a server can be asked for.
fn served(name: Alternative<'_>) -> Option<String> {
    match name {
        Alternative::Dns(name) => Some(name.to_owned()),
        Alternative::Address(IpAddr::V4(address)) => Some(address.to_string()),
        Alternative::Address(IpAddr::V6(address)) => Some(format!("[{address}]")),
        Alternative::Uri(_) | Alternative::Email(_) | Alternative::Other => None,
    }
}
