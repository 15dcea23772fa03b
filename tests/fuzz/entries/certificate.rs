//! X.509 certificates: whatever they hold, what is said of them stands in them, in texts that can be shown.

use policy::certificate::der::{Reader, SEQUENCE};
use policy::certificate::{Alternative, Certificate, MAX_TEXT};

use crate::entry::{Entry, entry, outcome};

/// All of the crate `policy`.
pub(crate) const ENTRIES: &[Entry] = &[entry("certificate", certificate)];

/// A start of the bytes is no certificate, and what stands behind one changes nothing.
fn certificate(bytes: &[u8]) -> u64 {
    walk(bytes, 0);
    let whole = Certificate::read(bytes);
    let mut outer = Reader::new(bytes);
    let end = match outer.take(SEQUENCE) {
        Some(_) => Reader::new(bytes).up_to(&outer).len(),
        None => usize::MAX,
    };
    for len in (0..bytes.len()).step_by(bytes.len() / 256 + 1) {
        let start = Certificate::read(&bytes[..len]);
        assert_eq!(
            start.is_some(),
            whole.is_some() && len >= end,
            "of {len} bytes"
        );
    }
    let Some(read) = whole else {
        return outcome(depth(bytes));
    };
    for part in [read.serial, read.issuer, read.subject, read.public_key] {
        let within = bytes.as_ptr_range();
        let own = part.as_ptr_range();
        assert!(within.start <= own.start && own.end <= within.end);
    }
    let behind = [bytes, b"\x30\x80more"].concat();
    let again = Certificate::read(&behind).expect("it is the same");
    let facts = |of: &Certificate<'_>| {
        (
            (of.serial.to_vec(), of.issuer.to_vec(), of.subject.to_vec()),
            (of.not_before, of.not_after, of.public_key.to_vec()),
            of.alternatives().map(|names| names.count()),
        )
    };
    assert_eq!(facts(&again), facts(&read));
    let shown = |text: &str| !text.chars().any(char::is_control) && text.len() <= MAX_TEXT;
    let name = read.common_name();
    assert!(name.as_deref().is_none_or(shown));
    for most in [0, 10, 300] {
        let text = read.subject_text(most);
        let fits = |text: &String| {
            text.len() <= most && text.bytes().all(|it| (b' '..=b'~').contains(&it))
        };
        assert!(text.as_ref().is_none_or(fits), "{text:?}");
        if let Some(text) = text {
            assert_eq!(
                read.subject_text(most + 1),
                Some(text),
                "more room changes nothing"
            );
        }
    }
    let digits = read.serial_text();
    assert!(
        digits
            .bytes()
            .all(|it| it.is_ascii_digit() || (b'A'..=b'F').contains(&it))
    );
    assert_eq!(digits.len() % 2, 0);
    let mut kinds = Vec::new();
    for alternative in read.alternatives().into_iter().flatten() {
        kinds.push(std::mem::discriminant(&alternative));
        match alternative {
            Alternative::Dns(text) | Alternative::Uri(text) | Alternative::Email(text) => {
                assert!(shown(text) && !text.is_empty() && !text.contains(' '));
            }
            Alternative::Address(_) | Alternative::Other => {}
        }
    }
    kinds.truncate(5);
    outcome((
        kinds,
        name.is_some(),
        read.subject.is_empty(),
        read.not_after > 1 << 31,
    ))
}

/// Through all elements, and what they hold: each lies within the one before, and none is met twice.
fn walk(bytes: &[u8], depth: usize) {
    let (mut reader, mut held) = (Reader::new(bytes), 0);
    while let Some((tag, content)) = reader.next() {
        held += content.len() + 2;
        assert!(held <= bytes.len());
        if tag & 0x20 != 0 && depth < 20 {
            walk(content, depth + 1);
        }
    }
}

/// How far one gets into something that is no certificate.
fn depth(bytes: &[u8]) -> (usize, usize) {
    let (mut reader, mut deep) = (Reader::new(bytes), 0);
    while let Some(inner) = reader.open(SEQUENCE) {
        (reader, deep) = (inner, deep + 1);
    }
    let mut elements = 0;
    while reader.next().is_some() {
        elements += 1;
    }
    (deep, elements.min(20))
}
