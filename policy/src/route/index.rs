//! A frozen hash table from (scope, bytes) to a number: the children of a path tree's
//! nodes, and the hosts. Look-ups allocate nothing; one costs a few nanoseconds.
//!
//! Every key comes from the configuration and none from a peer, so nobody can flood
//! the table; a peer can only ask for keys that probe the longest run there is, and
//! `build` keeps the seed with the shortest one.
//!
//! Invariant: at most half of the slots are taken, so that every search ends.

use crate::words::words;

/// The table.
#[derive(Debug)]
pub(super) struct Index {
    slots: Box<[Slot]>,
    /// The number of slots less one; the number is a power of two.
    mask: usize,
    seed: u64,
    /// The bytes of all keys, one after the other.
    text: Box<[u8]>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    /// The upper half of the key's hash.
    tag: u32,
    scope: u32,
    /// `FREE` in a slot that holds nothing.
    value: u32,
    start: u32,
    end: u32,
}

impl Index {
    /// Freezes `keys`, of which no two are equal and no value is `u32::MAX`.
    pub(super) fn build(keys: &[(u32, &[u8], u32)]) -> Index {
        let mut best = Index::with_seed(keys, 0);
        for seed in 1..SEEDS {
            if best.1 <= SHORT_RUN {
                break;
            }
            let next = Index::with_seed(keys, seed);
            if next.1 < best.1 {
                best = next;
            }
        }
        best.0
    }

    /// The value of a key.
    pub(super) fn find(&self, scope: u32, key: &[u8]) -> Option<u32> {
        let hash = hash(self.seed, scope, key);
        let mut at = hash as usize & self.mask;
        loop {
            let slot = self.slots.get(at)?;
            if slot.value == FREE {
                return None;
            }
            if slot.tag == (hash >> 32) as u32
                && slot.scope == scope
                && self.text.get(slot.start as usize..slot.end as usize) == Some(key)
            {
                return Some(slot.value);
            }
            at = (at + 1) & self.mask;
        }
    }

    /// The table with this seed, and the longest run of slots that a search walks.
    fn with_seed(keys: &[(u32, &[u8], u32)], seed: u64) -> (Index, usize) {
        let seed = fold(seed ^ FIRST, SECOND);
        let count = (keys.len() * 2).next_power_of_two().max(2);
        let free = Slot {
            tag: 0,
            scope: 0,
            value: FREE,
            start: 0,
            end: 0,
        };
        let mut slots = vec![free; count];
        let mut text = Vec::new();
        let mask = count - 1;
        let mut longest = 0;
        for &(scope, key, value) in keys {
            let hash = hash(seed, scope, key);
            let mut run = 0;
            // The mask keeps the index in range, and half of the slots are free.
            let slot = loop {
                match slots.get_mut((hash as usize).wrapping_add(run) & mask) {
                    Some(slot) if slot.value == FREE => break slot,
                    _ => run += 1,
                }
            };
            let start = text.len() as u32;
            text.extend_from_slice(key);
            *slot = Slot {
                tag: (hash >> 32) as u32,
                scope,
                value,
                start,
                end: text.len() as u32,
            };
            longest = longest.max(run);
        }
        let index = Index {
            slots: slots.into(),
            mask,
            seed,
            text: text.into(),
        };
        (index, longest)
    }
}

/// Multiplies and folds eight bytes at a time.
fn hash(seed: u64, scope: u32, key: &[u8]) -> u64 {
    let (words, last) = words(key);
    let mut state = seed ^ (u64::from(scope) << 32 | key.len() as u64);
    for word in words {
        state = fold(state ^ u64::from_le_bytes(*word), FIRST);
    }
    fold(state ^ last, SECOND)
}

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

const FREE: u32 = u32::MAX;
/// From the binary expansions of the golden ratio and of the square root of two.
const FIRST: u64 = 0x9E37_79B9_7F4A_7C15;
const SECOND: u64 = 0x6A09_E667_F3BC_C909;
/// How many seeds are tried, and the run that needs no better seed.
const SEEDS: u64 = 16;
const SHORT_RUN: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_all_keys_and_no_other() {
        let texts: Vec<String> = (0..10_000).map(|n| format!("segment-{n}")).collect();
        let keys: Vec<(u32, &[u8], u32)> = texts
            .iter()
            .enumerate()
            .map(|(n, text)| (n as u32 % 3, text.as_bytes(), n as u32))
            .collect();
        let index = Index::build(&keys);
        for &(scope, key, value) in &keys {
            assert_eq!(index.find(scope, key), Some(value));
            assert_eq!(index.find(scope + 3, key), None);
        }
        assert_eq!(index.find(0, b"segment-"), None);
        assert_eq!(index.find(0, b""), None);
    }

    #[test]
    fn runs_stay_short() {
        let texts: Vec<String> = (0..10_000).map(|n| format!("r{n}")).collect();
        let keys: Vec<(u32, &[u8], u32)> =
            texts.iter().map(|text| (7, text.as_bytes(), 0)).collect();
        let longest = (0..SEEDS).map(|seed| Index::with_seed(&keys, seed).1).min();
        assert!(longest.unwrap() <= 24, "{longest:?}");
    }

    #[test]
    fn empty() {
        assert_eq!(Index::build(&[]).find(0, b"a"), None);
    }
}
