//! From what is said to what is meant: names become indices, texts become compiled policies.
//!
//! One file per group of kinds below `resolve/`. Every problem goes to the report and the work goes
//! on, so that one pass finds them all. Invariant: what a resolver returns is only used when the
//! report holds no error; then every index that it gave out is in range.

use crate::outside::Outside;
use crate::problem::{Place, Problem, Report};
use crate::said::{Block, Reading, Said, refuse_unknown};
use policy_keys::{Mismatch, Scope, Section};
use std::collections::BTreeSet;
use std::path::PathBuf;

mod auth;
mod certificate;
mod headers;
mod limit;
mod listener;
mod process;
mod route;
mod upstream;
mod whole;

pub(crate) use whole::resolve;

/// What all resolvers share.
pub(crate) struct Resolver<'r, 'o> {
    pub report: &'r mut Report,
    pub outside: &'r mut Outside<'o>,
    pub said: &'r Said,
    /// The sections that some other section refers to, by kind and name.
    used: BTreeSet<(String, String)>,
    roots: upstream::Roots,
}

impl<'r, 'o> Resolver<'r, 'o> {
    pub(crate) fn new(
        report: &'r mut Report,
        outside: &'r mut Outside<'o>,
        said: &'r Said,
    ) -> Self {
        Resolver {
            report,
            outside,
            said,
            used: BTreeSet::new(),
            roots: upstream::Roots::default(),
        }
    }

    /// Reads the keys of a section by their declarations.
    fn read<T>(
        &mut self,
        block: &Block,
        scope: &'static Scope,
        read: fn(&mut dyn Section) -> Option<T>,
    ) -> Option<T> {
        refuse_unknown(self.report, block, scope);
        read(&mut Reading {
            block,
            report: self.report,
            outside: self.outside,
        })
    }

    /// Takes note of an error in a key's value.
    fn wrong(&mut self, block: &Block, key: &str, mismatch: Mismatch) {
        let problem = block.mismatch(self.report, key, mismatch);
        self.report.error(problem);
    }

    /// Takes note of an error in one item of a key's list, told by another room.
    fn wrong_item(&mut self, block: &Block, key: &str, item: usize, what: impl Into<String>) {
        self.wrong(block, key, Mismatch::new(what).item(item));
    }

    /// Parses every item of a list; the ones that can't be are told.
    fn items<T>(
        &mut self,
        block: &Block,
        key: &str,
        texts: &[String],
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let mut parsed = Vec::with_capacity(texts.len());
        for (item, text) in texts.iter().enumerate() {
            match parse(text) {
                Ok(value) => parsed.push(value),
                Err(what) => self.wrong_item(block, key, item, what),
            }
        }
        parsed
    }

    /// The index of the section that a key names, if there is one.
    fn refer(
        &mut self,
        block: &Block,
        key: &str,
        item: Option<usize>,
        kind: &str,
        name: &str,
    ) -> Option<usize> {
        self.used.insert((kind.to_owned(), name.to_owned()));
        let index = self.said.names(kind).position(|there| there == name);
        if index.is_none() {
            let names: Vec<&str> = self.said.names(kind).collect();
            let problem = Problem::at(
                block.place(key, item),
                format!("there is no [{kind}.{name}]"),
            );
            let problem = match (
                crate::problem::nearest(name, names.iter().copied()),
                names.is_empty(),
            ) {
                (Some(near), _) => problem.note(format!("did you mean `{near}`?")),
                (None, true) => {
                    problem.note(format!("no section of kind `{kind}` is there at all"))
                }
                (None, false) => problem.note(format!("expected one of {}", names.join(", "))),
            };
            self.report.error(problem);
        }
        index
    }

    /// The indices of the sections that a list names; one named twice is an error.
    fn refer_all(
        &mut self,
        block: &Block,
        key: &str,
        kind: &str,
        names: &[policy_keys::Name],
    ) -> Vec<usize> {
        let mut indices = Vec::with_capacity(names.len());
        for (item, name) in names.iter().enumerate() {
            match self.refer(block, key, Some(item), kind, name.as_str()) {
                Some(index) if indices.contains(&index) => {
                    self.wrong_item(
                        block,
                        key,
                        item,
                        format!("`{}` stands here twice", name.as_str()),
                    );
                }
                Some(index) => indices.push(index),
                None => {}
            }
        }
        indices
    }

    /// What relative paths in a key's value start from.
    fn folder(&self, block: &Block, key: &str) -> PathBuf {
        self.report.texts[block.place(key, None).text]
            .folder
            .clone()
    }

    /// Takes note of what is right but looks like a mistake.
    fn warn(&mut self, place: Place, message: impl Into<String>) {
        self.report.warn(Problem::at(place, message));
    }
}

/// A position in a list of one kind, as the snapshot keeps it.
fn id16(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX)
}
