//! What a scenario's text says: a tree of words and values, each with its place.
//!
//! The syntax is the `toml` crate's, which recovers from errors, so that one pass finds all of them. What the words
//! mean lives in the other files.

use super::problem::{Fault, Place, Report};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A word and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub text: String,
    pub place: Place,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub kind: Kind,
    pub place: Place,
}

/// `key = value`.
pub(super) type Entry = (Word, Value);

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    List(Vec<Value>),
    Table(Vec<Entry>),
    /// A date, or a number that does not fit.
    Other,
}

impl Value {
    /// A text from the command line.
    pub(super) fn text(text: &str, place: Place) -> Value {
        Value {
            kind: Kind::Text(text.to_owned()),
            place,
        }
    }

    /// What it is, for `expected …, found …`.
    pub(super) fn what(&self) -> String {
        match &self.kind {
            Kind::Text(text) if text.len() <= 40 => format!("\"{text}\""),
            Kind::Text(_) => "a longer text".to_owned(),
            Kind::Integer(number) => number.to_string(),
            Kind::Float(number) => number.to_string(),
            Kind::Boolean(said) => said.to_string(),
            Kind::List(_) => "a list".to_owned(),
            Kind::Table(_) => "a table".to_owned(),
            Kind::Other => "something else".to_owned(),
        }
    }
}

/// Reads a text; its name and content are in the report already.
pub(super) fn read(report: &mut Report, text: &str, whole: Place) -> Vec<Entry> {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let place = Place {
            text: whole.text,
            start: span.start,
            end: span.end,
        };
        let fault = Fault::at(place, error.message().replace('\n', ", "));
        report.add(match error.message().contains("dotted key") {
            true => fault.note("write a name with a dot in quotes, as in \"p99.9\" = \"< 5ms\""),
            false => fault,
        });
    }
    entries(table.get_ref(), whole.text)
}

/// The entries of a table in the order in which they are written.
fn entries(table: &DeTable<'_>, text: usize) -> Vec<Entry> {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, entry)| {
            let word = Word {
                text: key.get_ref().to_string(),
                place: placed(key, text),
            };
            (word, value(entry, text))
        })
        .collect();
    entries.sort_by_key(|(word, _)| word.place);
    entries
}

fn value(value_of: &Spanned<DeValue<'_>>, text: usize) -> Value {
    let kind = match value_of.get_ref() {
        DeValue::String(said) => Kind::Text(said.to_string()),
        DeValue::Integer(said) => {
            i64::from_str_radix(said.as_str(), said.radix()).map_or(Kind::Other, Kind::Integer)
        }
        DeValue::Float(said) => said.as_str().parse().map_or(Kind::Other, Kind::Float),
        DeValue::Boolean(said) => Kind::Boolean(*said),
        DeValue::Datetime(_) => Kind::Other,
        DeValue::Array(items) => Kind::List(items.iter().map(|item| value(item, text)).collect()),
        DeValue::Table(table) => Kind::Table(entries(table, text)),
    };
    Value {
        kind,
        place: placed(value_of, text),
    }
}

fn placed<T>(spanned: &Spanned<T>, text: usize) -> Place {
    let span = spanned.span();
    Place {
        text,
        start: span.start,
        end: span.end,
    }
}

/// Where a part of a text value stands; the whole value, where it is written with escapes.
pub(super) fn inside(report: &Report, value: &Value, part: &str) -> Place {
    let place = value.place;
    match report.source(place).find(part) {
        Some(at) if !part.is_empty() => Place {
            start: place.start + at,
            end: place.start + at + part.len(),
            ..place
        },
        _ => place,
    }
}

/// Sets a key of a nameless table, which is added when it is absent.
pub(super) fn set(root: &mut Vec<Entry>, kind: &str, key: &str, value: Value) {
    let place = value.place;
    let word = |text: &str| Word {
        text: text.to_owned(),
        place,
    };
    let at = match root.iter().position(|(word, _)| word.text == kind) {
        Some(at) => at,
        None => {
            let kind_of = Kind::Table(Vec::new());
            let table = Value {
                kind: kind_of,
                place,
            };
            root.push((word(kind), table));
            root.len() - 1
        }
    };
    if let Kind::Table(entries) = &mut root[at].1.kind {
        entries.retain(|(word, _)| word.text != key);
        entries.push((word(key), value));
    }
}

/// Takes a key out of a nameless table.
pub(super) fn unset(root: &mut [Entry], kind: &str, key: &str) {
    for (_, value) in root.iter_mut().filter(|(word, _)| word.text == kind) {
        if let Kind::Table(entries) = &mut value.kind {
            entries.retain(|(word, _)| word.text != key);
        }
    }
}

/// The tables of a kind that has names: `[request.NAME]`. What is no table is told.
pub(super) fn named<'s>(
    root: &'s [Entry],
    kind: &str,
    report: &mut Report,
) -> Vec<(&'s Word, Section<'s>)> {
    let Some((word, value)) = root.iter().find(|(word, _)| word.text == kind) else {
        return Vec::new();
    };
    let Kind::Table(entries) = &value.kind else {
        let fault = Fault::at(word.place, format!("`{kind}` is not a key here"));
        report.add(fault.note(format!("write [{kind}.NAME] and what belongs to it below")));
        return Vec::new();
    };
    let mut sections = Vec::new();
    for (name, value) in entries {
        let good = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if name.text.is_empty() || name.text.len() > 64 || !name.text.bytes().all(good) {
            let fault = Fault::at(name.place, format!("`{}` is not a name", name.text));
            report.add(fault.note("names are letters, digits, `_` and `-`, at most 64"));
        } else if let Kind::Table(entries) = &value.kind {
            sections.push((name, Section::new(entries)));
        } else {
            let fault = Fault::at(name.place, format!("[{kind}] has no keys of its own"));
            report.add(fault.note(format!("write [{kind}.NAME] and what belongs to it below")));
        }
    }
    sections
}

/// The table of a kind that has no names: `[load]`. What is no table is told.
pub(super) fn single<'s>(root: &'s [Entry], kind: &str, report: &mut Report) -> Section<'s> {
    match root.iter().find(|(word, _)| word.text == kind) {
        Some((_, value)) if matches!(value.kind, Kind::Table(_)) => match &value.kind {
            Kind::Table(entries) => Section::new(entries),
            _ => Section::new(&[]),
        },
        Some((word, _)) => {
            report.add(Fault::at(
                word.place,
                format!("write [{kind}] and what belongs to it below"),
            ));
            Section::new(&[])
        }
        None => Section::new(&[]),
    }
}

/// A table while it is read: what nobody asks for is told at the end.
pub(super) struct Section<'s> {
    entries: &'s [Entry],
    asked: Vec<&'static str>,
}

impl<'s> Section<'s> {
    fn new(entries: &'s [Entry]) -> Section<'s> {
        Section {
            entries,
            asked: Vec::new(),
        }
    }

    /// A table that says nothing.
    pub(super) fn empty() -> Section<'static> {
        Section::new(&[])
    }

    /// The value of a key.
    pub(super) fn take(&mut self, key: &'static str) -> Option<&'s Value> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        let mut found = self.entries.iter().filter(|(word, _)| word.text == key);
        found.next().map(|(_, value)| value)
    }

    /// All that it says.
    pub(super) fn entries(&self) -> &'s [Entry] {
        self.entries
    }

    /// Tells of every key that nobody has asked for.
    pub(super) fn finish(self, report: &mut Report) {
        for (word, _) in self.entries {
            if !self.asked.contains(&word.text.as_str()) {
                let fault = Fault::at(word.place, format!("unknown key `{}`", word.text));
                report.add(
                    match super::problem::nearest(&word.text, self.asked.iter().copied()) {
                        Some(near) => fault.note(format!("did you mean `{near}`?")),
                        None => fault.note(format!("the keys here are {}", self.asked.join(", "))),
                    },
                );
            }
        }
    }
}
