//! What one worker remembers for each verifier, between requests and across reloads.
//!
//! A slot is found by the verifier's fingerprint, a digest of everything that could change
//! what is remembered. A verifier of the same name with another fingerprint takes the slot
//! over, empty: nothing outlives the keys it was verified with.

use std::sync::Arc;

/// How long a slot may go unused: a removed verifier's memory is given back after this.
const FORGET_AFTER: u64 = 600_000_000_000;

/// How often the slots are looked through.
const LOOK_EVERY: u64 = 10_000_000_000;

/// A digest of a verifier's name, keys and settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint(pub(crate) [u8; 32]);

/// The slots of one worker.
pub(crate) struct Slots<T> {
    slots: Vec<Slot<T>>,
    looked: u64,
}

struct Slot<T> {
    fingerprint: Fingerprint,
    name: Arc<str>,
    used: u64,
    value: T,
}

impl<T> Slots<T> {
    pub(crate) const fn new() -> Slots<T> {
        Slots {
            slots: Vec::new(),
            looked: 0,
        }
    }

    /// The slot of a verifier, made when there is none. `None` never happens; it spares the
    /// callers an index.
    #[inline]
    pub(crate) fn of(
        &mut self,
        fingerprint: &Fingerprint,
        name: &Arc<str>,
        now: u64,
        make: impl FnOnce() -> T,
    ) -> Option<&mut T> {
        let known = self
            .slots
            .iter()
            .position(|s| s.fingerprint == *fingerprint);
        let at = match known {
            Some(at) => at,
            None => self.insert(fingerprint, name, now, make()),
        };
        let slot = self.slots.get_mut(at)?;
        slot.used = now;
        Some(&mut slot.value)
    }

    /// Puts a slot in the place of any other of the same name.
    #[cold]
    fn insert(&mut self, of: &Fingerprint, name: &Arc<str>, now: u64, value: T) -> usize {
        self.slots.retain(|slot| slot.name != *name);
        self.slots.push(Slot {
            fingerprint: *of,
            name: Arc::clone(name),
            used: now,
            value,
        });
        self.slots.len() - 1
    }

    /// Gives back the memory of slots that nothing has used for long.
    pub(crate) fn tick(&mut self, now: u64) {
        if now.saturating_sub(self.looked) < LOOK_EVERY {
            return;
        }
        self.looked = now;
        self.slots
            .retain(|slot| now.saturating_sub(slot.used) < FORGET_AFTER);
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }
}

/// Collects what a fingerprint is made of. Every part is written with its length, so that no
/// two lists of parts give the same bytes.
#[derive(Default)]
pub(crate) struct Fingerprinter(Vec<u8>);

impl Fingerprinter {
    pub(crate) fn part(&mut self, bytes: &[u8]) -> &mut Self {
        self.0
            .extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn parts<'a>(&mut self, parts: impl IntoIterator<Item = &'a [u8]>) -> &mut Self {
        let before = self.0.len();
        for part in parts {
            self.part(part);
        }
        let length = (self.0.len() - before) as u64;
        self.0.extend_from_slice(&length.to_be_bytes());
        self
    }

    pub(crate) fn optional(&mut self, part: Option<&[u8]>) -> &mut Self {
        self.parts(part)
    }

    pub(crate) fn finish(&self) -> Fingerprint {
        Fingerprint(crate::crypto::sha256(&self.0))
    }
}
