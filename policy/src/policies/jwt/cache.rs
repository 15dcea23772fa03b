//! Verified tokens of one worker: found by all of their bytes, bounded, no allocation on a
//! hit.
//!
//! How good tokens are kept lives in `remembered`. Refused tokens lie in a table of their own
//! and as digests, so that no flood of garbage can evict a good token or grow the memory. The
//! caller checks the times of what it finds.

use std::rc::Rc;

use super::{Rejection, Verified, Verifier};
use crate::context::View;
use crate::policies::remembered::Remembered;
use crate::policies::slots::Slots;

/// Refused tokens that are remembered.
const REFUSED: usize = 1024;

/// How long a refusal is remembered, in nanoseconds.
const REFUSED_FOR: u64 = 60_000_000_000;

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
    good: Remembered<Rc<Verified>>,
    /// Empty until something is refused.
    refused: Vec<Option<Refused>>,
}

#[derive(Clone)]
struct Refused {
    digest: [u8; 32],
    until: u64,
    rejection: Rejection,
}

impl Cache {
    fn new(entries: usize, seed: u64) -> Cache {
        Cache {
            good: Remembered::new(entries, seed),
            refused: Vec::new(),
        }
    }

    /// A token that held when it was first seen.
    #[inline]
    pub(super) fn known(&mut self, token: &[u8]) -> Option<&Rc<Verified>> {
        self.good.known(token)
    }

    /// Remembers a token that held, once.
    pub(super) fn remember(&mut self, token: &[u8], verified: &Rc<Verified>, unix: u64) {
        let expired = |entry: &Rc<Verified>| unix >= entry.expires();
        self.good.remember(token, Rc::clone(verified), expired);
    }

    /// Drops a token.
    pub(super) fn forget(&mut self, token: &[u8]) {
        self.good.forget(token);
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

    /// How many good tokens it holds.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.good.len()
    }
}

/// Where a digest is remembered.
fn place(digest: &[u8; 32]) -> usize {
    let [a, b, ..] = *digest;
    usize::from(u16::from_be_bytes([a, b])) % REFUSED
}

#[cfg(test)]
mod tests;
