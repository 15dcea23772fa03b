//! Counters by a machine word: the reasons and kinds that the program's own text names.
//! Invariant: bounded places, each word takes one for good; a word that finds none is counted as `other`.

use std::sync::OnceLock;

use super::cell::Counter;

/// Counts by word. The words are `'static`, so no client can invent one.
pub struct Words<const PLACES: usize = 24> {
    /// More than the subject has words; each costs 32 bytes a worker.
    places: [Place; PLACES],
    other: Counter,
}

#[derive(Default)]
struct Place {
    word: OnceLock<&'static str>,
    count: Counter,
}

impl<const PLACES: usize> Default for Words<PLACES> {
    fn default() -> Self {
        Words {
            places: std::array::from_fn(|_| Place::default()),
            other: Counter::default(),
        }
    }
}

impl<const PLACES: usize> Words<PLACES> {
    /// One more of this word.
    pub fn inc(&self, word: &'static str) {
        for place in &self.places {
            if *place.word.get_or_init(|| word) == word {
                return place.count.inc();
            }
        }
        self.other.inc();
    }

    /// Every word counted so far with its count, in order of first appearance.
    pub(super) fn each(&self, mut visit: impl FnMut(&'static str, u64)) {
        for place in &self.places {
            if let Some(word) = place.word.get() {
                visit(word, place.count.value());
            }
        }
        if self.other.value() > 0 {
            visit("other", self.other.value());
        }
    }
}
