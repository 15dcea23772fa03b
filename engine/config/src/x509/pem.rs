//! The sections of PEM files (RFC 7468).
//!
//! What is no section of the kind that is asked for is passed over: one file may hold a chain and its
//! key. Invariant: messages name the file and count sections, and quote nothing.

use crate::snapshot::Der;
use rustls_pki_types::pem::{self, PemObject, SliceIter};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};

/// Every certificate of a file, at least one. The error is a clause about the file.
pub(crate) fn certificates(bytes: &[u8]) -> Result<Vec<Der>, String> {
    all::<CertificateDer<'_>>(bytes, "certificate").map_err(|why| match why {
        // DER begins with a SEQUENCE that is longer than 255 bytes.
        Wrong::NoneThere if bytes.starts_with(&[0x30, 0x82]) => {
            "is not PEM; it looks like DER (`openssl x509 -inform der` turns it into PEM)"
                .to_owned()
        }
        Wrong::NoneThere => "holds no certificate".to_owned(),
        Wrong::Broken(which) => which,
    })
}

/// Every revocation list of a PEM file, or the one that the file is.
pub(crate) fn revocation_lists(bytes: &[u8]) -> Result<Vec<Der>, String> {
    let lists = match all::<CertificateRevocationListDer<'_>>(bytes, "revocation list") {
        Err(Wrong::NoneThere) if bytes.first() == Some(&0x30) => vec![Der::new(bytes)],
        Err(Wrong::NoneThere) => return Err("holds no revocation list".to_owned()),
        Err(Wrong::Broken(which)) => return Err(which),
        Ok(lists) => lists,
    };
    for (at, list) in lists.iter().enumerate() {
        webpki::BorrowedCertRevocationList::from_der(list).map_err(|why| {
            let nth = nth(at);
            format!("has a {nth} revocation list that can't be used ({why})")
        })?;
    }
    Ok(lists)
}

enum Wrong {
    NoneThere,
    Broken(String),
}

fn all<'b, T: PemObject + AsRef<[u8]>>(bytes: &'b [u8], what: &str) -> Result<Vec<Der>, Wrong> {
    let mut found = Vec::new();
    let sections: SliceIter<'b, T> = T::pem_slice_iter(bytes);
    for section in sections {
        match section {
            Ok(section) => found.push(Der::new(section.as_ref())),
            Err(pem::Error::NoItemsFound) => break,
            Err(why) => {
                let place = match found.len() {
                    0 => format!("before or in the first {what}"),
                    count => format!("after the {} {what}", nth(count - 1)),
                };
                let why = reason(&why);
                return Err(Wrong::Broken(format!("is broken {place}: {why}")));
            }
        }
    }
    match found.is_empty() {
        true => Err(Wrong::NoneThere),
        false => Ok(found),
    }
}

/// Why a section can't be read; the library's own words may quote its bytes.
pub(super) fn reason(error: &pem::Error) -> &'static str {
    match error {
        pem::Error::MissingSectionEnd { .. } => "a section has no `-----END …-----` line",
        pem::Error::IllegalSectionStart { .. } => "a `-----BEGIN …` line does not end in `-----`",
        pem::Error::Base64Decode(_) => "a section is not base64",
        pem::Error::SectionTooLarge => "a section is too large",
        _ => "it can't be read",
    }
}

/// `1st`, counted from 0.
pub(crate) fn nth(at: usize) -> String {
    let number = at + 1;
    let ending = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}
