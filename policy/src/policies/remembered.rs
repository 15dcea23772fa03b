//! What was made of credentials, found again by all of their bytes: bounded, no allocation on a hit.
//!
//! Entries lie in sets of eight; a new one takes an empty place of its set, else that of a stale one, else that of the
//! one unused for longest. Which set is told by a seeded hash, so that nobody outside can tell which share one. What is
//! still good of what was found, the caller judges.

/// Entries in a set.
pub(super) const WAYS: usize = 8;

/// How many bytes at the end are hashed. Of tokens and certificates they are signature, and differ.
pub(super) const HASHED: usize = 64;

/// What was made of some bytes, for a bounded number of them.
pub(super) struct Remembered<T> {
    seed: u64,
    /// Counts uses; wraps.
    clock: u32,
    sets: Box<[Set<T>]>,
}

struct Set<T> {
    hashes: [u64; WAYS],
    used: [u32; WAYS],
    entries: [Option<Entry<T>>; WAYS],
}

struct Entry<T> {
    bytes: Box<[u8]>,
    value: T,
}

impl<T> Remembered<T> {
    /// Room for so many entries, rounded up to whole sets.
    pub(super) fn new(entries: usize, seed: u64) -> Remembered<T> {
        let sets = entries.div_ceil(WAYS).max(1);
        let empty = || Set {
            hashes: [0; WAYS],
            used: [0; WAYS],
            entries: [const { None }; WAYS],
        };
        Remembered {
            seed,
            clock: 0,
            sets: std::iter::repeat_with(empty).take(sets).collect(),
        }
    }

    /// What was made of these bytes.
    #[inline]
    pub(super) fn known(&mut self, bytes: &[u8]) -> Option<&T> {
        let hash = hash(self.seed, bytes);
        self.clock = self.clock.wrapping_add(1);
        let clock = self.clock;
        let set = self.set(hash)?;
        let places = set.hashes.iter().zip(&mut set.used).zip(&set.entries);
        for ((known, used), entry) in places {
            if *known == hash
                && let Some(entry) = entry
                && *entry.bytes == *bytes
            {
                *used = clock;
                return Some(&entry.value);
            }
        }
        None
    }

    /// Remembers what was made of some bytes, once.
    pub(super) fn remember(&mut self, bytes: &[u8], value: T, stale: impl Fn(&T) -> bool) {
        let hash = hash(self.seed, bytes);
        let clock = self.clock;
        let Some(set) = self.set(hash) else { return };
        let places = set
            .hashes
            .iter_mut()
            .zip(&mut set.used)
            .zip(&mut set.entries);
        let place = places.max_by_key(|((_, used), entry)| match entry {
            Some(entry) if *entry.bytes == *bytes => (3, 0),
            None => (2, 0),
            Some(entry) if stale(&entry.value) => (1, 0),
            Some(_) => (0, clock.wrapping_sub(**used)),
        });
        if let Some(((known, used), entry)) = place {
            *known = hash;
            *used = clock;
            *entry = Some(Entry {
                bytes: bytes.into(),
                value,
            });
        }
    }

    /// Drops what was made of some bytes.
    pub(super) fn forget(&mut self, bytes: &[u8]) {
        let hash = hash(self.seed, bytes);
        let Some(set) = self.set(hash) else { return };
        for entry in &mut set.entries {
            if entry.as_ref().is_some_and(|entry| *entry.bytes == *bytes) {
                *entry = None;
            }
        }
    }

    #[inline]
    fn set(&mut self, hash: u64) -> Option<&mut Set<T>> {
        // The upper half of hash times count: even, and without a division.
        let at = (u128::from(hash) * self.sets.len() as u128) >> 64;
        self.sets.get_mut(at as usize)
    }

    /// How many entries it holds.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let entries = self.sets.iter().flat_map(|set| &set.entries);
        entries.flatten().count()
    }
}

/// A seeded hash of the end and the length of some bytes.
#[inline]
pub(super) fn hash(seed: u64, bytes: &[u8]) -> u64 {
    const A: u64 = 0x9e37_79b9_7f4a_7c15;
    const B: u64 = 0xe703_7ed1_a0b4_28db;
    let mix = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        (product >> 64) as u64 ^ product as u64
    };
    let end = bytes
        .get(bytes.len().saturating_sub(HASHED)..)
        .unwrap_or(bytes);
    let (words, rest) = end.as_chunks::<8>();
    let mut state = seed ^ mix(bytes.len() as u64 ^ A, seed ^ B);
    for word in words {
        state = mix(state ^ u64::from_le_bytes(*word), A ^ seed.rotate_left(32));
    }
    for byte in rest {
        state = mix(state ^ u64::from(*byte), B);
    }
    mix(state ^ A, B)
}
