//! What all sources together say: sections with their entries, later sources laid over earlier ones.
//!
//! Here kinds and keys are told apart from misspelt ones, and [`Reading`] hands the values of one
//! section to the declarations of `keys/`. What they mean lives in `resolve/`. Invariant: each entry
//! keeps the place where it was said, whichever source that was.

use crate::keys::{LATER_KINDS, SCOPES, scopes_of};
use crate::outside::Outside;
use crate::problem::{Place, Problem, Report};
use crate::text::{Entry, Table, Word};
use policy_keys::{Key, Mismatch, Name, Raw, Section};
use std::collections::BTreeMap;

pub(crate) mod overlay;
mod strangers;

pub(crate) use strangers::{refuse_unknown, scope_of, title};

/// One section, all sources together.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// `listener`.
    pub kind: String,
    /// Empty for kinds without names.
    pub name: String,
    /// Where it is first said.
    pub place: Place,
    /// By key.
    pub entries: BTreeMap<String, Entry>,
}

impl Block {
    /// What a section that is not there says: nothing.
    pub(crate) fn absent() -> Block {
        Block {
            kind: String::new(),
            name: String::new(),
            place: Place {
                text: 0,
                start: 0,
                end: 0,
            },
            entries: BTreeMap::new(),
        }
    }

    /// `[listener.public]`.
    pub(crate) fn title(&self) -> String {
        match self.name.as_str() {
            "" => format!("[{}]", self.kind),
            name => format!("[{}.{name}]", self.kind),
        }
    }

    /// Where a key's value stands: the item of the list, if one is given, else all of it; the
    /// section's header when the key is absent.
    pub(crate) fn place(&self, key: &str, item: Option<usize>) -> Place {
        let Some(entry) = self.entries.get(key) else {
            return self.place;
        };
        let item = item.and_then(|item| entry.value.items.get(item));
        *item.unwrap_or(&entry.value.place)
    }

    /// The text of a key's value, if it is one.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match &self.entries.get(key)?.value.raw {
            Some(Raw::Text(text)) => Some(text),
            _ => None,
        }
    }
}

/// Everything that is said, by kind and name.
#[derive(Default)]
pub(crate) struct Said {
    pub blocks: BTreeMap<(String, String), Block>,
}

impl Said {
    /// Lays the tables of one text over what is said already.
    pub(crate) fn lay(&mut self, report: &mut Report, tables: Vec<Table>) {
        for table in tables {
            let Some((kind, name)) = headed(report, &table.header, table.place) else {
                continue;
            };
            let block = self.block(&kind, &name, table.place);
            for entry in table.entries {
                block.entries.insert(entry.key.text.clone(), entry);
            }
        }
    }

    fn block(&mut self, kind: &str, name: &str, place: Place) -> &mut Block {
        let fresh = || Block {
            kind: kind.to_owned(),
            name: name.to_owned(),
            place,
            entries: BTreeMap::new(),
        };
        self.blocks
            .entry((kind.to_owned(), name.to_owned()))
            .or_insert_with(fresh)
    }

    /// The sections of one kind, in the order of their names.
    pub(crate) fn of(&self, kind: &str) -> Vec<Block> {
        let of_kind = self.blocks.values().filter(|block| block.kind == kind);
        of_kind.cloned().collect()
    }

    /// The names of the sections of one kind.
    pub(crate) fn names<'s>(&'s self, kind: &'s str) -> impl Iterator<Item = &'s str> {
        self.blocks
            .values()
            .filter(move |block| block.kind == kind)
            .map(|block| block.name.as_str())
    }

    /// Two names of a kind that an environment variable could not tell apart.
    pub(crate) fn refuse_lookalikes(&self, report: &mut Report) {
        let mut seen: BTreeMap<(&str, String), &Block> = BTreeMap::new();
        for block in self.blocks.values() {
            let folded = (block.kind.as_str(), block.name.replace('-', "_"));
            match seen.get(&folded) {
                Some(other) => report.error(
                    Problem::at(
                        block.place,
                        format!(
                            "the names of {} and {} differ only by `-` and `_`",
                            other.title(),
                            block.title()
                        ),
                    )
                    .note("an environment variable could not tell them apart"),
                ),
                None => {
                    seen.insert(folded, block);
                }
            }
        }
    }
}

/// The kind and name that a header says, if they can be.
fn headed(report: &mut Report, header: &[Word], place: Place) -> Option<(String, String)> {
    let (kind, rest) = header.split_first()?;
    let word = kind.text.as_str();
    if let Some((_, about)) = LATER_KINDS.iter().find(|(later, _)| *later == word) {
        let message = format!("[{word}] sections are not built yet: {about} comes later");
        report.error(Problem::at(kind.place, message));
        return None;
    }
    let Some(scope) = scopes_of(word).next() else {
        let known = SCOPES.iter().map(|scope| scope.kind);
        report.error(
            Problem::at(kind.place, format!("unknown kind of section `{word}`"))
                .meant(
                    word,
                    known.chain(LATER_KINDS.iter().map(|(later, _)| *later)),
                )
                .note(format!("the kinds are {}", kinds())),
        );
        return None;
    };
    match (scope.named, rest) {
        (false, []) => Some((word.to_owned(), String::new())),
        (false, _) => {
            report.error(
                Problem::at(place, format!("[{word}] has no name")).note(format!("write [{word}]")),
            );
            None
        }
        (true, []) => {
            let message = format!("a section of kind `{word}` needs a name");
            report.error(Problem::at(place, message).note(format!("write [{word}.NAME]")));
            None
        }
        (true, [name]) => match Name::parse(&name.text) {
            Ok(_) => Some((word.to_owned(), name.text.clone())),
            Err(mismatch) => {
                report.error(told(name.place, mismatch, &name.text));
                None
            }
        },
        (true, [_, third, ..]) => {
            let last = rest.last().map_or(third.place, |word| word.place);
            let place = Place {
                end: last.end,
                ..third.place
            };
            report.error(
                Problem::at(place, "sections are flat: [kind.name]")
                    .note("names hold letters a-z, digits, `-` and `_`, and no dots"),
            );
            None
        }
    }
}

fn kinds() -> String {
    let mut kinds: Vec<&str> = SCOPES.iter().map(|scope| scope.kind).collect();
    kinds.dedup();
    kinds.join(", ")
}

/// A mismatch as a problem at a place.
pub(crate) fn told(place: Place, mismatch: Mismatch, word: &str) -> Problem {
    let mut problem = Problem::at(place, mismatch.what);
    problem = problem.meant(word, mismatch.candidates.iter().copied());
    if !mismatch.expected.is_empty() {
        problem = problem.note(format!("expected {}", mismatch.expected));
    }
    match mismatch.hint {
        Some(hint) => problem.note(hint),
        None => problem,
    }
}

/// One section while its keys are read.
pub(crate) struct Reading<'r, 'o> {
    pub block: &'r Block,
    pub report: &'r mut Report,
    pub outside: &'r mut Outside<'o>,
}

impl Section for Reading<'_, '_> {
    fn value(&mut self, key: &'static Key) -> Option<Raw> {
        let given = &self.block.entries.get(key.name)?.value;
        let raw = given.raw.clone()?;
        if !key.shape.secret {
            return Some(raw);
        }
        match raw {
            Raw::Text(text) => self.expand(&text, given.place).map(Raw::Text),
            Raw::List(list) => {
                let places = given
                    .items
                    .iter()
                    .copied()
                    .chain(std::iter::repeat(given.place));
                let expanded = list
                    .into_iter()
                    .zip(places)
                    .map(|(item, place)| match item {
                        Raw::Text(text) => self.expand(&text, place).map(Raw::Text),
                        other => Some(other),
                    });
                expanded.collect::<Option<Vec<Raw>>>().map(Raw::List)
            }
            other => Some(other),
        }
    }

    fn mismatch(&mut self, key: &'static Key, mismatch: Mismatch) {
        let problem = self.block.mismatch(self.report, key.name, mismatch);
        self.report.error(problem);
    }

    fn missing(&mut self, key: &'static Key) {
        let block = self.block;
        let problem = Problem::at(
            block.place,
            format!("{} lacks `{}`", block.title(), key.name),
        );
        self.report.error(problem.note(format!(
            "expected {} = {}",
            key.name,
            crate::reference::example(key)
        )));
    }

    fn has(&self, key: &'static Key) -> bool {
        self.block.entries.contains_key(key.name)
    }
}

impl Reading<'_, '_> {
    fn expand(&mut self, text: &str, place: Place) -> Option<String> {
        let folder = self.report.texts[place.text].folder.clone();
        match self.outside.secret(text, &folder) {
            Ok(expanded) => Some(expanded),
            Err(message) => {
                self.report.error(Problem::at(place, message));
                None
            }
        }
    }
}

impl Block {
    /// A mismatch of a key's value, as a problem at the narrowest place there is.
    pub(crate) fn mismatch(&self, report: &Report, key: &str, mismatch: Mismatch) -> Problem {
        let item = mismatch.item.map(|item| item as usize);
        let mut place = self.place(key, item);
        let text = match (
            self.entries
                .get(key)
                .and_then(|entry| entry.value.raw.as_ref()),
            item,
        ) {
            (Some(Raw::Text(text)), _) => text.as_str(),
            (Some(Raw::List(list)), Some(item)) => match list.get(item) {
                Some(Raw::Text(text)) => text.as_str(),
                _ => "",
            },
            _ => "",
        };
        if let Some(at) = &mismatch.at {
            place = within(report, place, text, at);
        }
        told(place, mismatch, text)
    }
}

/// The part of a value's place that some bytes of its text take, if the text stands there as it is.
fn within(report: &Report, place: Place, text: &str, at: &std::ops::Range<usize>) -> Place {
    let source = &report.texts[place.text].text[place.start..place.end];
    let inner = source.trim_matches(['"', '\'']);
    match inner == text {
        true => place.part(&{
            let quote = (source.len() - inner.len()) / 2;
            at.start + quote..at.end.max(at.start + 1) + quote
        }),
        false => place,
    }
}
