//! Whose certificates: `"cn:alice"`, `"dns:*.svc.example -> orders"`, `"uri:spiffe://example/ns/*/sa/web"`.
//!
//! Reading a certificate lives elsewhere; here its texts are matched. Invariant: `*` never reaches over the
//! character that parts what a name belongs to, so that no rule admits more than it shows.

use super::name::Name;
use super::{Mismatch, Raw, Shape, Value, text};
use std::fmt;

/// One line of `subjects`: which certificates it fits, and who comes with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Which of a certificate's texts is looked at.
    pub field: SubjectField,
    /// The `[consumer.NAME]` that comes with such a certificate.
    pub consumer: Option<Name>,
    parts: Vec<Part>,
}

/// A text in a certificate (RFC 5280 sections 4.1.2.6 and 4.2.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectField {
    /// The common name of the subject.
    CommonName,
    /// An alternative name of type dNSName; compared without case.
    Dns,
    /// An alternative name of type uniformResourceIdentifier.
    Uri,
    /// An alternative name of type rfc822Name.
    Email,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// These characters.
    Text(String),
    /// `*`: one character or more, without the field's separator.
    Within,
    /// `**`: one character or more, any.
    Any,
}

const FIELDS: [(&str, SubjectField); 4] = [
    ("cn", SubjectField::CommonName),
    ("dns", SubjectField::Dns),
    ("uri", SubjectField::Uri),
    ("email", SubjectField::Email),
];

impl SubjectField {
    /// As it is written before the colon.
    pub fn as_str(self) -> &'static str {
        let field = FIELDS.iter().find(|(_, field)| *field == self);
        field.map_or("", |(word, _)| word)
    }

    /// What `*` does not reach over.
    fn separator(self) -> Option<u8> {
        match self {
            SubjectField::CommonName => None,
            SubjectField::Dns => Some(b'.'),
            SubjectField::Uri => Some(b'/'),
            SubjectField::Email => Some(b'@'),
        }
    }
}

impl Subject {
    /// Reads a line, or says what is wrong with it.
    pub fn parse(text: &str) -> Result<Subject, Mismatch> {
        let (rule, consumer) = match text.split_once("->") {
            Some((rule, consumer)) => (rule, Some(named(text, consumer)?)),
            None => (text, None),
        };
        let (word, pattern) = rule
            .split_once(':')
            .ok_or_else(|| Mismatch::text(&Self::SHAPE, text))?;
        let (word, pattern) = (word.trim(), pattern.trim());
        let Some((_, field)) = FIELDS.iter().find(|(known, _)| *known == word) else {
            return Err(
                Mismatch::new(format!("`{word}` is no part of a certificate"))
                    .expected("cn, dns, uri or email before the colon"),
            );
        };
        let mut parts = Vec::new();
        let mut rest = pattern;
        while !rest.is_empty() {
            let stars = rest.len() - rest.trim_start_matches('*').len();
            let (part, length) = match stars {
                0 => {
                    let end = rest.find('*').unwrap_or(rest.len());
                    (Part::Text(rest[..end].to_owned()), end)
                }
                1 => (Part::Within, 1),
                2 => (Part::Any, 2),
                _ => return Err(Mismatch::text(&Self::SHAPE, text)),
            };
            parts.push(part);
            rest = &rest[length..];
        }
        if parts.is_empty() {
            return Err(Mismatch::text(&Self::SHAPE, text).hint(format!(
                "write \"{word}:**\" for every certificate that has one"
            )));
        }
        Ok(Subject {
            field: *field,
            consumer,
            parts,
        })
    }

    /// Whether the line fits a text of its field.
    pub fn matches(&self, text: &[u8]) -> bool {
        // The ends that are possible after each part: what `*` took can't be undone, so all are kept.
        let mut ends = vec![false; text.len() + 1];
        if let Some(first) = ends.first_mut() {
            *first = true;
        }
        for part in &self.parts {
            ends = match part {
                Part::Text(wanted) => self.after_text(&ends, text, wanted.as_bytes()),
                Part::Within => after_stars(&ends, text, self.field.separator()),
                Part::Any => after_stars(&ends, text, None),
            };
        }
        ends.last().is_some_and(|end| *end)
    }

    fn after_text(&self, ends: &[bool], text: &[u8], wanted: &[u8]) -> Vec<bool> {
        let mut after = vec![false; ends.len()];
        for (start, _) in ends.iter().enumerate().filter(|(_, end)| **end) {
            let end = start + wanted.len();
            let fits = text.get(start..end).is_some_and(|part| match self.field {
                SubjectField::Dns => part.eq_ignore_ascii_case(wanted),
                _ => part == wanted,
            });
            if let Some(slot) = after.get_mut(end) {
                *slot = fits || *slot;
            }
        }
        after
    }
}

/// The name behind the arrow, which the text ends with.
fn named(text: &str, consumer: &str) -> Result<Name, Mismatch> {
    let start = text.len() - consumer.trim_start().len();
    Name::parse(consumer.trim()).map_err(|mismatch| match mismatch.at.clone() {
        Some(at) => mismatch.at(start + at.start..start + at.end),
        None => mismatch,
    })
}

/// Every end that lies one byte or more behind a possible one, with no separator between.
fn after_stars(ends: &[bool], text: &[u8], separator: Option<u8>) -> Vec<bool> {
    let mut after = Vec::with_capacity(ends.len());
    after.push(false);
    let mut reaches = false;
    for (end, byte) in ends.iter().zip(text) {
        reaches = (reaches || *end) && Some(*byte) != separator;
        after.push(reaches);
    }
    after
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.field.as_str())?;
        for part in &self.parts {
            f.write_str(match part {
                Part::Text(text) => text,
                Part::Within => "*",
                Part::Any => "**",
            })?;
        }
        match &self.consumer {
            Some(consumer) => write!(f, " -> {}", consumer.as_str()),
            None => Ok(()),
        }
    }
}

impl Value for Subject {
    const SHAPE: Shape = Shape::text(
        "certificate subject",
        "a part of a certificate and what stands there, such as \"cn:alice\" or \"dns:*.svc.example -> orders\"",
        "^ *(cn|dns|uri|email) *:.+$",
    );

    fn read(raw: &Raw) -> Result<Self, Mismatch> {
        Subject::parse(text(&Self::SHAPE, raw)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, fits: &[&str], not: &[&str]) {
        let subject = Subject::parse(line).unwrap();
        for text in fits {
            assert!(subject.matches(text.as_bytes()), "{line} fits {text}");
        }
        for text in not {
            assert!(!subject.matches(text.as_bytes()), "{line} fits not {text}");
        }
        assert_eq!(Subject::parse(&subject.to_string()), Ok(subject));
    }

    #[test]
    fn a_line_fits_what_it_shows() {
        check("cn:alice", &["alice"], &["", "Alice", "alice2", "xalice"]);
        check("cn:a*", &["ab", "a.b/c@d"], &["a", "ba"]);
        check(
            "dns:*.svc.example",
            &["a.svc.example", "A.SVC.example"],
            &[
                "svc.example",
                ".svc.example",
                "b.a.svc.example",
                "a.svc.example.org",
            ],
        );
        check(
            "uri:spiffe://example/ns/*/sa/web",
            &["spiffe://example/ns/prod/sa/web"],
            &[
                "spiffe://example/ns/a/b/sa/web",
                "spiffe://example/ns//sa/web",
            ],
        );
        check(
            "uri:spiffe://example/** -> mesh",
            &["spiffe://example/a/b"],
            &["spiffe://example/", "spiffe://example.org/a"],
        );
        check(
            "email:*@example.org",
            &["a.b@example.org"],
            &["a@b@example.org", "@example.org"],
        );
        check("cn:*a*b**", &["xaxbx", "aaab!"], &["ab", "axb", "xab"]);
        check("cn:**", &["x", "é"], &[""]);
    }

    #[test]
    fn the_consumer_stands_behind_the_arrow() {
        let subject = Subject::parse(" dns : a.example->acme ").unwrap();
        assert_eq!(subject.field, SubjectField::Dns);
        assert_eq!(subject.consumer.as_ref().map(Name::as_str), Some("acme"));
        assert_eq!(subject.to_string(), "dns:a.example -> acme");
    }

    #[test]
    fn what_is_no_subject_says_so() {
        for wrong in [
            "",
            "alice",
            "cn:",
            "cn: -> acme",
            "ip:10.0.0.1",
            "cn:***",
            "cn:a -> B",
        ] {
            assert!(Subject::parse(wrong).is_err(), "{wrong}");
        }
        let mismatch = Subject::parse("cn:a ->  B").unwrap_err();
        assert_eq!(mismatch.at, Some(9..10));
        let hint = Subject::parse("dns:").unwrap_err().hint.unwrap();
        assert_eq!(hint, "write \"dns:**\" for every certificate that has one");
    }
}
