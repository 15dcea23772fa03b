//! What one worker has made of certificates, so that none is taken apart twice.
//!
//! Bounded: with ordinary certificates an entry is about 3 KiB, so that a full cache is about 6 MiB for each auth and worker.
//! One more certificate than it holds costs no more than reading it again.

use std::rc::Rc;

use super::{Presented, Verifier};
use crate::context::View;
use crate::policies::remembered::Remembered;
use crate::policies::slots::Slots;

/// Certificates that are remembered for each verifier.
const ENTRIES: usize = 2048;

/// The caches of one worker, one for each verifier.
pub struct Caches {
    slots: Slots<Remembered<Rc<Presented>>>,
    /// From the first request's random number.
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

    /// What is to be made of a certificate.
    #[inline]
    pub(super) fn presented(
        &mut self,
        verifier: &Verifier,
        der: &[u8],
        view: &View<'_>,
    ) -> Rc<Presented> {
        let seed = *self.seed.get_or_insert(view.random);
        let make = || Remembered::new(ENTRIES, seed);
        let slots = &mut self.slots;
        let slot = slots.of(&verifier.fingerprint, &verifier.name, view.now, make);
        let Some(known) = slot else {
            return Rc::new(Presented::new(verifier, der));
        };
        match known.known(der) {
            Some(presented) => Rc::clone(presented),
            None => take_apart(verifier, der, known, view.unix),
        }
    }

    /// Gives back the memory of verifiers that are gone.
    pub fn tick(&mut self, now: u64) {
        self.slots.tick(now);
    }
}

#[cold]
fn take_apart(
    verifier: &Verifier,
    der: &[u8],
    known: &mut Remembered<Rc<Presented>>,
    unix: u64,
) -> Rc<Presented> {
    let presented = Rc::new(Presented::new(verifier, der));
    // What is too long to be read is not kept either: to say so costs nothing.
    if der.len() <= super::presented::MAX_DER {
        let expired = |it: &Rc<Presented>| unix > it.not_after();
        known.remember(der, Rc::clone(&presented), expired);
    }
    presented
}
