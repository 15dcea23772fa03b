//! What was written lately: where the table's entries are, by hash, and which hashes were met before.
//!
//! Nothing here is exact but the count: whoever asks compares what is found with what was meant. So eviction needs no
//! clearing up, and slots may be overwritten.

const BUCKETS: usize = 64;
const SETS: usize = 32;
/// Hashes that a set holds: with as many repeating fields as a head has, more than these hardly ever share one. If they
/// did, none would be found, since they come in turn.
const WAYS: usize = 8;

/// Entries are known by their count: that of the first one that was ever added is 1.
#[derive(Debug)]
pub(super) struct Recent {
    /// Number of entries added so far.
    added: u64,
    /// The last entry whose hash of name and value falls here; 0 for none.
    fields: [u64; BUCKETS],
    /// The last entry whose hash of the name falls here; 0 for none.
    names: [u64; BUCKETS],
    /// The upper halves of hashes that were asked for, those of a set from the newest to the oldest.
    met: [[u16; WAYS]; SETS],
}

impl Recent {
    pub(super) fn new() -> Recent {
        Recent {
            added: 0,
            fields: [0; BUCKETS],
            names: [0; BUCKETS],
            met: [[0; WAYS]; SETS],
        }
    }

    /// Whether the hash was met before, a while ago at most; it is from now on.
    #[inline]
    pub(super) fn met(&mut self, hash: u32) -> bool {
        let Some(set) = self.met.get_mut(hash as usize % SETS) else {
            return false;
        };
        let upper = (hash >> 16) as u16;
        if set.contains(&upper) {
            return true;
        }
        set.copy_within(..WAYS - 1, 1);
        set[0] = upper;
        false
    }

    /// The last entry that may be this field.
    #[inline]
    pub(super) fn field(&self, hash: u32) -> u64 {
        let at = hash as usize % BUCKETS;
        self.fields.get(at).copied().unwrap_or(0)
    }

    /// The last entry that may have this name.
    #[inline]
    pub(super) fn name(&self, hash: u32) -> u64 {
        let at = hash as usize % BUCKETS;
        self.names.get(at).copied().unwrap_or(0)
    }

    /// How many entries were added after this one; `None` if it is none.
    #[inline]
    pub(super) fn age(&self, entry: u64) -> Option<usize> {
        if entry == 0 {
            return None;
        }
        self.added.checked_sub(entry).map(|age| age as usize)
    }

    /// An entry was added.
    pub(super) fn add(&mut self, field: u32, name: u32) {
        self.added += 1;
        if let Some(slot) = self.fields.get_mut(field as usize % BUCKETS) {
            *slot = self.added;
        }
        if let Some(slot) = self.names.get_mut(name as usize % BUCKETS) {
            *slot = self.added;
        }
    }
}
