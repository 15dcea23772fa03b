//! Headers as a scenario writes them, and what may stand in them.

use super::problem::{Fault, Place, Report};
use super::said::{Kind, Value};
use super::values;

/// A header as it is written.
#[derive(Clone)]
pub(super) struct Pair<'v> {
    pub name: String,
    /// Where the name stands.
    pub place: Place,
    /// In which the text stands.
    pub value: &'v Value,
    pub text: String,
}

/// The pairs of `{ Name = "value" }`, or of a list of `"Name: value"`.
pub(super) fn pairs<'v>(report: &mut Report, value: &'v Value) -> Vec<Pair<'v>> {
    let mut found = Vec::new();
    match &value.kind {
        Kind::Table(entries) => {
            for (word, value) in entries {
                if let Some(text) = values::text(report, value) {
                    found.push(Pair {
                        name: word.text.clone(),
                        place: word.place,
                        value,
                        text: text.to_owned(),
                    });
                }
            }
        }
        Kind::List(items) => {
            for item in items {
                let Some(text) = values::text(report, item) else {
                    continue;
                };
                match text.split_once(':') {
                    Some((name, text)) => found.push(Pair {
                        name: name.trim_end().to_owned(),
                        place: item.place,
                        value: item,
                        text: text.trim().to_owned(),
                    }),
                    None => values::mismatch(report, item, "a header such as \"Name: value\""),
                }
            }
        }
        _ => {
            let expected = "headers such as { Accept = \"text/html\" } or [\"Accept: text/html\"]";
            values::mismatch(report, value, expected);
        }
    }
    found
}

/// Whether a text is a token of RFC 9110 section 5.6.2: a method, or a header's name.
pub(super) fn is_token(text: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.len() <= 256 && text.bytes().all(good)
}

/// Tells of a name that can't be sent, or that the generator itself says.
pub(super) fn check_name(report: &mut Report, place: Place, name: &str) -> bool {
    if !is_token(name) {
        let fault = Fault::at(place, format!("{name:?} is not a header's name"));
        report.add(fault.note("names are letters, digits and - _ . and a few other signs"));
        return false;
    }
    let why = match name.to_ascii_lowercase().as_str() {
        "content-length" => "the length of the body is counted and sent by the generator",
        "transfer-encoding" => "bodies are sent with their length",
        "upgrade" => "requests are sent without upgrades",
        _ => return true,
    };
    let fault = Fault::at(place, format!("`{name}` can't be set"));
    report.add(fault.note(why));
    false
}

/// What may not stand in a place, and is refused there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spot {
    /// The target of the request line: visible ASCII without `#`.
    Path,
    /// A header's value: no control characters but the tab.
    Header,
    /// Anything.
    Body,
}

impl Spot {
    /// The first character that may not stand here.
    pub(super) fn foreign(self, text: &str) -> Option<char> {
        text.chars().find(|c| match self {
            Spot::Path => !c.is_ascii_graphic() || *c == '#',
            Spot::Header => c.is_control() && *c != '\t',
            Spot::Body => false,
        })
    }

    /// What to do about one that does.
    pub(super) fn advice(self, c: char) -> String {
        let mut bytes = [0; 4];
        let coded = c.encode_utf8(&mut bytes).bytes();
        let coded: String = coded.map(|b| format!("%{b:02X}")).collect();
        match self {
            Spot::Path => format!("in a path, write {c:?} as `{coded}`"),
            _ => "a line break there would begin another header; nothing of the kind is sent"
                .to_owned(),
        }
    }
}
