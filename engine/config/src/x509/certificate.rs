//! What stands in a certificate (RFC 5280 section 4.1): names, dates, public key.

use super::der::{
    BIT_STRING, BOOLEAN, GENERALIZED_TIME, INTEGER, OBJECT_ID, OCTET_STRING, Reader, SEQUENCE, SET,
    UTC_TIME, explicit, implicit,
};
use crate::date::unix_seconds;
use crate::snapshot::Der;
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
        certificate(der).ok_or("it is not laid out as one")
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

fn certificate(der: &[u8]) -> Option<Facts> {
    let mut signed = Reader::new(der).open(SEQUENCE)?;
    let mut body = signed.open(SEQUENCE)?;
    body.take(explicit(0)); // version
    body.take(INTEGER)?; // serial number
    body.take(SEQUENCE)?; // signature algorithm
    let issuer = body.take(SEQUENCE)?;
    let mut validity = body.open(SEQUENCE)?;
    let (not_before, not_after) = (time(&mut validity)?, time(&mut validity)?);
    let subject = body.take(SEQUENCE)?;
    let mut public_key = body.open(SEQUENCE)?;
    public_key.take(SEQUENCE)?; // its algorithm
    // The first byte counts the bits that are left over: none.
    let (_, public_key) = public_key.take(BIT_STRING)?.split_first()?;
    let alternatives = body.find(explicit(3)).and_then(subject_alternatives);
    Some(Facts {
        not_before,
        not_after,
        issuer: issuer.to_vec(),
        subject: subject.to_vec(),
        public_key: public_key.to_vec(),
        names: alternatives.unwrap_or_else(|| common_name(subject).into_iter().collect()),
    })
}

impl<'b> Reader<'b> {
    /// What the first of the remaining elements with this tag holds.
    fn find(mut self, tag: u8) -> Option<&'b [u8]> {
        while let Some((found, content)) = self.next() {
            if found == tag {
                return Some(content);
            }
        }
        None
    }
}

/// RFC 5280 section 4.1.2.5.
fn time(validity: &mut Reader<'_>) -> Option<u64> {
    let (tag, text) = validity.next()?;
    let text = std::str::from_utf8(text).ok()?;
    let (year, rest) = text.split_at_checked(match tag {
        UTC_TIME => 2,
        GENERALIZED_TIME => 4,
        _ => return None,
    })?;
    let year = match (tag, number(year)?) {
        (UTC_TIME, year) if year < 50 => 2000 + year,
        (UTC_TIME, year) => 1900 + year,
        (_, year) => year,
    };
    let digits = rest.strip_suffix('Z').filter(|digits| digits.len() == 10)?;
    let part = |at: usize| number(digits.get(at..at + 2)?);
    let date = [year, part(0)?, part(2)?];
    let time = [part(4)?, part(6)?, part(8)?];
    match year {
        ..1970 => Some(0),
        _ => unix_seconds(date, time),
    }
}

fn number(digits: &str) -> Option<u64> {
    let all = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| all)
}

/// The names of the extension subjectAltName (RFC 5280 section 4.2.1.6), if there is one.
fn subject_alternatives(extensions: &[u8]) -> Option<Vec<String>> {
    let mut extensions = Reader::new(extensions).open(SEQUENCE)?;
    while let Some(mut extension) = extensions.open(SEQUENCE) {
        let id = extension.take(OBJECT_ID)?;
        extension.take(BOOLEAN); // critical
        let value = extension.take(OCTET_STRING)?;
        if id == SUBJECT_ALT_NAME {
            let mut general = Reader::new(value).open(SEQUENCE)?;
            let mut names = Vec::new();
            while let Some((tag, content)) = general.next() {
                names.extend(match tag {
                    DNS_NAME => String::from_utf8(content.to_vec()).ok(),
                    IP_ADDRESS => address(content),
                    _ => None,
                });
            }
            return Some(names);
        }
    }
    None
}

fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::from(v4).to_string());
    }
    let v6 = <[u8; 16]>::try_from(bytes).ok()?;
    Some(format!("[{}]", IpAddr::from(v6)))
}

/// The last common name of a Name.
fn common_name(name: &[u8]) -> Option<String> {
    let (mut parts, mut found) = (Reader::new(name), None);
    while let Some(mut part) = parts.open(SET) {
        while let Some(mut attribute) = part.open(SEQUENCE) {
            if attribute.take(OBJECT_ID)? == COMMON_NAME {
                let (_, text) = attribute.next()?;
                found = String::from_utf8(text.to_vec()).ok();
            }
        }
    }
    found
}

const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const DNS_NAME: u8 = implicit(2);
const IP_ADDRESS: u8 = implicit(7);
