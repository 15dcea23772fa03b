//! What an entry is: a parser under a name, for fuzzers to call with any bytes.
//!
//! An entry panics if something doesn't hold; beyond "no panic" that is mostly that bytes mean the same however they
//! arrive, and that what is written is read back. It gives a number for what came of the bytes, such that unlike outcomes
//! mostly have unlike ones: a fuzzer without insight into the program goes by that.

use std::hash::{DefaultHasher, Hash, Hasher};

/// A parser's entry.
pub(crate) struct Entry {
    /// The name of its target in `fuzz_targets`, and of its folder in `corpus`.
    pub(crate) name: &'static str,
    /// Panics if something doesn't hold; gives what came of the bytes.
    pub(crate) run: fn(&[u8]) -> u64,
}

pub(crate) const fn entry(name: &'static str, run: fn(&[u8]) -> u64) -> Entry {
    Entry { name, run }
}

/// Runs the entry of this name.
pub(crate) fn run<'e>(
    entries: impl IntoIterator<Item = &'e Entry>,
    name: &str,
    bytes: &[u8],
) -> u64 {
    let entry = entries.into_iter().find(|entry| entry.name == name);
    (entry.expect("a name of the list").run)(bytes)
}

/// A number for an outcome.
pub(crate) fn outcome(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}
