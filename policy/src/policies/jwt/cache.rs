//! Verified tokens of one worker: found by all of their bytes, bounded, no allocation on a
//! hit.
//!
//! Good tokens lie in sets of eight; a new one takes an empty place of its set, else that of
//! an expired one, else that of the one unused for longest. Refused tokens lie in a table of
//! their own and as digests, so that no flood of garbage can evict a good token or grow the
//! memory. The caller checks the times of what it finds.

use std::rc::Rc;

use super::{Rejection, Verified, Verifier};
use crate::context::View;
use crate::policies::slots::Slots;

/// Tokens in a set.
const WAYS: usize = 8;

/// Refused tokens that are remembered.
const REFUSED: usize = 1024;

/// How long a refusal is remembered, in nanoseconds.
const REFUSED_FOR: u64 = 60_000_000_000;

/// How many bytes at the end of a token are hashed. They are signature, and differ.
const HASHED: usize = 64;

/// The caches of one worker, one for each verifier.
pub struct Caches {
    slots: Slots<Cache>,
    /// From the first request's random number: nobody outside can tell which tokens share a
    /// set.
    seed: Option<u64>,
}

impl Default for Caches {
    fn default() -> Caches {
        Caches::new()
    }
}

impl Caches {
    /// Empty ones.
    pub fn new() -> Caches {
        Caches {
            slots: Slots::new(),
            seed: None,
        }
    }

    /// The cache of a verifier; `None` when it wants none.
    #[inline]
    pub(super) fn of(&mut self, verifier: &Verifier, view: &View<'_>) -> Option<&mut Cache> {
        if verifier.cache == 0 {
            return None;
        }
        let seed = *self.seed.get_or_insert(view.random);
        let make = || Cache::new(verifier.cache, seed);
        self.slots
            .of(&verifier.fingerprint, &verifier.name, view.now, make)
    }

    /// Gives back the memory of verifiers that are gone.
    pub fn tick(&mut self, now: u64) {
        self.slots.tick(now);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }
}

/// The cache of one verifier.
pub(super) struct Cache {
    seed: u64,
    /// Counts uses; wraps.
    clock: u32,
    sets: Box<[Set]>,
    /// Empty until something is refused.
    refused: Vec<Option<Refused>>,
}

#[derive(Default)]
struct Set {
    hashes: [u64; WAYS],
    used: [u32; WAYS],
    entries: [Option<Entry>; WAYS],
}

struct Entry {
    token: Box<[u8]>,
    verified: Rc<Verified>,
}

#[derive(Clone)]
struct Refused {
    digest: [u8; 32],
    until: u64,
    rejection: Rejection,
}

impl Cache {
    fn new(entries: usize, seed: u64) -> Cache {
        let sets = entries.div_ceil(WAYS).max(1);
        Cache {
            seed,
            clock: 0,
            sets: std::iter::repeat_with(Set::default).take(sets).collect(),
            refused: Vec::new(),
        }
    }

    /// A token that held when it was first seen.
    #[inline]
    pub(super) fn known(&mut self, token: &[u8]) -> Option<&Rc<Verified>> {
        let hash = hash(self.seed, token);
        self.clock = self.clock.wrapping_add(1);
        let clock = self.clock;
        let set = self.set(hash)?;
        let places = set.hashes.iter().zip(&mut set.used).zip(&set.entries);
        for ((known, used), entry) in places {
            if *known == hash
                && let Some(entry) = entry
                && *entry.token == *token
            {
                *used = clock;
                return Some(&entry.verified);
            }
        }
        None
    }

    /// Remembers a token that held, once.
    pub(super) fn remember(&mut self, token: &[u8], verified: &Rc<Verified>, unix: u64) {
        let hash = hash(self.seed, token);
        let clock = self.clock;
        let Some(set) = self.set(hash) else { return };
        let places = set
            .hashes
            .iter_mut()
            .zip(&mut set.used)
            .zip(&mut set.entries);
        let place = places.max_by_key(|((_, used), entry)| match entry {
            Some(entry) if *entry.token == *token => (3, 0),
            None => (2, 0),
            Some(entry) if unix >= entry.verified.expires() => (1, 0),
            Some(_) => (0, clock.wrapping_sub(**used)),
        });
        if let Some(((known, used), entry)) = place {
            *known = hash;
            *used = clock;
            *entry = Some(Entry {
                token: token.into(),
                verified: Rc::clone(verified),
            });
        }
    }

    /// Drops a token.
    pub(super) fn forget(&mut self, token: &[u8]) {
        let hash = hash(self.seed, token);
        let Some(set) = self.set(hash) else { return };
        for entry in &mut set.entries {
            if entry.as_ref().is_some_and(|entry| *entry.token == *token) {
                *entry = None;
            }
        }
    }

    /// Why a token with this digest was refused not long ago.
    pub(super) fn refused(&self, digest: &[u8; 32], now: u64) -> Option<Rejection> {
        let refused = self.refused.get(place(digest))?.as_ref()?;
        (refused.digest == *digest && now < refused.until).then_some(refused.rejection)
    }

    /// Remembers a refusal in place of another.
    pub(super) fn refuse(&mut self, digest: [u8; 32], rejection: Rejection, now: u64) {
        if self.refused.is_empty() {
            self.refused.resize(REFUSED, None);
        }
        if let Some(refused) = self.refused.get_mut(place(&digest)) {
            *refused = Some(Refused {
                digest,
                until: now.saturating_add(REFUSED_FOR),
                rejection,
            });
        }
    }

    #[inline]
    fn set(&mut self, hash: u64) -> Option<&mut Set> {
        // The upper half of hash times count: even, and without a division.
        let at = (u128::from(hash) * self.sets.len() as u128) >> 64;
        self.sets.get_mut(at as usize)
    }

    /// How many good tokens it holds.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let entries = self.sets.iter().flat_map(|set| &set.entries);
        entries.flatten().count()
    }
}

/// Where a digest is remembered.
fn place(digest: &[u8; 32]) -> usize {
    let [a, b, ..] = *digest;
    usize::from(u16::from_be_bytes([a, b])) % REFUSED
}

/// A seeded hash of a token's end and length.
#[inline]
fn hash(seed: u64, token: &[u8]) -> u64 {
    const A: u64 = 0x9e37_79b9_7f4a_7c15;
    const B: u64 = 0xe703_7ed1_a0b4_28db;
    let mix = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        (product >> 64) as u64 ^ product as u64
    };
    let end = token
        .get(token.len().saturating_sub(HASHED)..)
        .unwrap_or(token);
    let (words, rest) = end.as_chunks::<8>();
    let mut state = seed ^ mix(token.len() as u64 ^ A, seed ^ B);
    for word in words {
        state = mix(state ^ u64::from_le_bytes(*word), A ^ seed.rotate_left(32));
    }
    for byte in rest {
        state = mix(state ^ u64::from(*byte), B);
    }
    mix(state ^ A, B)
}

#[cfg(test)]
mod tests;
