//! What stands in an X.509 certificate (RFC 5280 section 4.1): whom it is about, its names, dates, key and number.
//!
//! Only read here; whether anybody vouches for it is judged by the TLS library before. Invariants: nothing is read
//! beyond the bytes that were handed over, no bytes whatever make it panic, and a text that two readers could take for
//! two things (control characters, bytes that are no text) is no text at all.

use std::borrow::Cow;

use self::der::{
    BIT_STRING, BOOLEAN, GENERALIZED_TIME, INTEGER, OBJECT_ID, OCTET_STRING, Reader, SEQUENCE,
    UTC_TIME, explicit,
};
use crate::crypto;
use crate::date::unix_seconds;

mod alternative;
pub mod der;
mod name;

pub use alternative::{Alternative, Alternatives};
pub use name::MAX_TEXT;

/// A certificate that has been taken apart; borrows its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Certificate<'d> {
    /// All of it.
    pub der: &'d [u8],
    /// Its number among those of its issuer, the highest byte first; a number above 127 in that byte has a zero before it.
    pub serial: &'d [u8],
    /// Who vouches for it: what its Name holds, encoded.
    pub issuer: &'d [u8],
    /// Its first second, in Unix time; 0 when that is earlier.
    pub not_before: u64,
    /// Its last second, in Unix time; 0 when that is earlier.
    pub not_after: u64,
    /// Whom it is about: what its Name holds, encoded.
    pub subject: &'d [u8],
    /// The bits of the public key.
    pub public_key: &'d [u8],
    /// What the GeneralNames of subjectAltName hold, well-formed.
    alternatives: Option<&'d [u8]>,
}

impl<'d> Certificate<'d> {
    /// Takes a certificate apart; `None` when it is not laid out as one, or has two lists of names.
    pub fn read(der: &'d [u8]) -> Option<Certificate<'d>> {
        let mut signed = Reader::new(der).open(SEQUENCE)?;
        let mut body = signed.open(SEQUENCE)?;
        body.take(explicit(0)); // version
        let serial = body.take(INTEGER)?;
        body.take(SEQUENCE)?; // signature algorithm
        let issuer = body.take(SEQUENCE)?;
        let mut validity = body.open(SEQUENCE)?;
        let (not_before, not_after) = (time(&mut validity)?, time(&mut validity)?);
        let subject = body.take(SEQUENCE)?;
        let mut public_key = body.open(SEQUENCE)?;
        public_key.take(SEQUENCE)?; // its algorithm
        // The first byte counts the bits that are left over: none.
        let (_, public_key) = public_key.take(BIT_STRING)?.split_first()?;
        let alternatives = match extensions(body)? {
            Some(extensions) => subject_alternatives(extensions)?,
            None => None,
        };
        Some(Certificate {
            der,
            serial,
            issuer,
            not_before,
            not_after,
            subject,
            public_key,
            alternatives,
        })
    }

    /// The last, most specific, common name of the subject.
    pub fn common_name(&self) -> Option<Cow<'d, str>> {
        name::common_name(self.subject)
    }

    /// The subject as RFC 4514 writes it, in ASCII: `CN=alice,O=Acme`. Empty for an empty one; `None` when it can't be
    /// written, or only in more than `most` bytes.
    pub fn subject_text(&self, most: usize) -> Option<String> {
        name::text_of(self.subject, most)
    }

    /// The alternative names of the subject (RFC 5280 section 4.2.1.6); `None` when there is no list of them.
    pub fn alternatives(&self) -> Option<Alternatives<'d>> {
        self.alternatives.map(Alternatives::of)
    }

    /// The serial number as OpenSSL prints it: hex digits in upper case, two for each byte, without leading zero bytes.
    pub fn serial_text(&self) -> String {
        let zeros = self.serial.iter().take_while(|byte| **byte == 0).count();
        // The number zero keeps its one byte.
        let zeros = zeros.min(self.serial.len().saturating_sub(1));
        let digits = self.serial.get(zeros..).unwrap_or_default();
        crypto::hex(digits).to_ascii_uppercase()
    }

    /// SHA-256 over the whole, as OpenSSL's fingerprint.
    pub fn fingerprint(&self) -> [u8; 32] {
        crypto::sha256(self.der)
    }
}

/// What follows the public key: two numbers that nobody uses any more, then the extensions.
fn extensions(mut rest: Reader<'_>) -> Option<Option<&[u8]>> {
    while let Some((tag, content)) = rest.next() {
        if tag == explicit(3) {
            return Some(Some(content));
        }
    }
    rest.is_empty().then_some(None)
}

/// What the one extension subjectAltName holds, if there is one. The outer `None`: these are no extensions.
fn subject_alternatives(extensions: &[u8]) -> Option<Option<&[u8]>> {
    let mut extensions = Reader::new(extensions).open(SEQUENCE)?;
    let mut found = None;
    while let Some(mut extension) = extensions.open(SEQUENCE) {
        let id = extension.take(OBJECT_ID)?;
        extension.take(BOOLEAN); // critical
        let value = extension.take(OCTET_STRING)?;
        if id == SUBJECT_ALT_NAME {
            let names = Reader::new(value).take(SEQUENCE)?;
            if found.is_some() || !alternative::is_list(names) {
                return None;
            }
            found = Some(names);
        }
    }
    extensions.is_empty().then_some(found)
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

const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];

#[cfg(test)]
mod tests;
