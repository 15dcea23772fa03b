//! Fields that a route sets, adds or removes, on requests or responses. Not here: the
//! fields that the gateway itself manages, and the loop that copies fields.
//!
//! Invariant: no edit touches the fields that say how a message is framed, where it goes
//! or how the connection lives on; the lines are encoded once, when compiled.

/// A compiled list of edits. To apply it, leave out every field that it `drops` and
/// append its `lines`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edits {
    /// Names in lower case that are left out: those removed and those set.
    dropped: Box<[Box<[u8]>]>,
    /// A bit for each length (modulo 64) that a dropped name has.
    lengths: u64,
    /// `Name: value\r\n` for all that is set or added.
    lines: Box<[u8]>,
}

/// Which list of edits, and which of its items, is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditError {
    /// The list.
    pub list: List,
    /// The position in the list.
    pub item: usize,
    /// One sentence without a final full stop.
    pub what: String,
}

/// The lists that edits are made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// Fields that take the place of all of their name.
    Set,
    /// Fields beside those of their name.
    Add,
    /// Names of fields that are left out.
    Remove,
}

impl Edits {
    /// Compiles the lists; the items of `set` and `add` are written `Name: value`, those
    /// of `remove` are names.
    pub fn compile(set: &[String], add: &[String], remove: &[String]) -> Result<Edits, EditError> {
        let mut dropped: Vec<Box<[u8]>> = Vec::new();
        let mut lines = Vec::new();
        let items = numbered(List::Set, set)
            .chain(numbered(List::Add, add))
            .chain(numbered(List::Remove, remove));
        for (list, item, text) in items {
            let fail = |what| Err(EditError { list, item, what });
            let (name, value) = match (list, text.split_once(':')) {
                (List::Remove, _) => (text, None),
                (_, Some((name, value))) => (name, Some(value.trim_matches([' ', '\t']))),
                (_, None) => return fail("a field is written `Name: value`".into()),
            };
            if let Err(what) = check_name(name).and_then(|()| check_value(value.unwrap_or(""))) {
                return fail(what);
            }
            let lower: Box<[u8]> = name.to_ascii_lowercase().into_bytes().into();
            if list != List::Add {
                if dropped.contains(&lower) {
                    return fail(format!("`{name}` is set or removed twice"));
                }
                dropped.push(lower);
            }
            if let Some(value) = value {
                for part in [name, ": ", value, "\r\n"] {
                    lines.extend_from_slice(part.as_bytes());
                }
            }
        }
        Ok(Edits {
            lengths: dropped.iter().fold(0, |bits, name| bits | bit(name.len())),
            dropped: dropped.into(),
            lines: lines.into(),
        })
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.dropped.is_empty() && self.lines.is_empty()
    }

    /// Whether a field with this name is left out. Names have no case.
    pub fn drops(&self, name: &[u8]) -> bool {
        self.lengths & bit(name.len()) != 0
            && self
                .dropped
                .iter()
                .any(|dropped| dropped.eq_ignore_ascii_case(name))
    }

    /// The lines to append, each with its CRLF.
    pub fn lines(&self) -> &[u8] {
        &self.lines
    }
}

impl std::fmt::Display for EditError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = match self.list {
            List::Set => "set",
            List::Add => "add",
            List::Remove => "remove",
        };
        write!(out, "`{list}`, item {}: {}", self.item + 1, self.what)
    }
}

impl std::error::Error for EditError {}

fn numbered(list: List, items: &[String]) -> impl Iterator<Item = (List, usize, &str)> {
    items
        .iter()
        .enumerate()
        .map(move |(item, text)| (list, item, text.as_str()))
}

fn check_name(name: &str) -> Result<(), String> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() {
        return Err("the name of the field is missing".into());
    }
    if let Some(bad) = name.chars().find(|c| !is_token(*c)) {
        return Err(format!("{bad:?} can't stand in the name of a field"));
    }
    match MANAGED
        .iter()
        .find(|known| known.eq_ignore_ascii_case(name))
    {
        Some(known) => Err(format!("`{known}` belongs to the gateway")),
        None => Ok(()),
    }
}

fn check_value(value: &str) -> Result<(), String> {
    match value
        .chars()
        .find(|c| *c != '\t' && !(' '..='~').contains(c))
    {
        Some(bad) => Err(format!("{bad:?} can't stand in the value of a field")),
        None => Ok(()),
    }
}

fn bit(length: usize) -> u64 {
    1 << (length % 64)
}

/// Framing, routing and the connection itself: RFC 9110 sections 7.2, 7.6.1 and 8.6.
const MANAGED: [&str; 12] = [
    "Connection",
    "Content-Length",
    "Expect",
    "Host",
    "Keep-Alive",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "HTTP2-Settings",
    "Via",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn compile(set: &[&str], add: &[&str], remove: &[&str]) -> Result<Edits, EditError> {
        let owned = |list: &[&str]| list.iter().map(|text| text.to_string()).collect::<Vec<_>>();
        Edits::compile(&owned(set), &owned(add), &owned(remove))
    }

    #[test]
    fn edits() {
        let edits = compile(
            &["X-Frame-Options: DENY", "X-Empty:"],
            &["Link:  </a>; rel=next\t"],
            &["Server"],
        )
        .unwrap();
        assert_eq!(
            edits.lines(),
            b"X-Frame-Options: DENY\r\nX-Empty: \r\nLink: </a>; rel=next\r\n"
        );
        for (name, expected) in [
            ("x-frame-options", true),
            ("X-FRAME-OPTIONS", true),
            ("X-Empty", true),
            ("server", true),
            ("Link", false),
            ("Xerver", false),
            ("", false),
        ] {
            assert_eq!(edits.drops(name.as_bytes()), expected, "{name}");
        }
        assert!(!edits.is_empty() && Edits::default().is_empty());
        assert!(!Edits::default().drops(b"Server"));
    }

    #[track_caller]
    fn check(set: &[&str], add: &[&str], remove: &[&str], expected: &str) {
        assert_eq!(compile(set, add, remove).unwrap_err().to_string(), expected);
    }

    #[test]
    fn errors() {
        check(
            &["A"],
            &[],
            &[],
            "`set`, item 1: a field is written `Name: value`",
        );
        check(
            &[],
            &[": b"],
            &[],
            "`add`, item 1: the name of the field is missing",
        );
        check(
            &[],
            &["A: b", "A : b"],
            &[],
            "`add`, item 2: ' ' can't stand in the name of a field",
        );
        check(
            &["A: b\r\nC: d"],
            &[],
            &[],
            "`set`, item 1: '\\r' can't stand in the value of a field",
        );
        check(
            &["A: é"],
            &[],
            &[],
            "`set`, item 1: 'é' can't stand in the value of a field",
        );
        check(
            &[],
            &[],
            &["transfer-encoding"],
            "`remove`, item 1: `Transfer-Encoding` belongs to the gateway",
        );
        check(
            &["A: b"],
            &[],
            &["a"],
            "`remove`, item 1: `a` is set or removed twice",
        );
    }
}
