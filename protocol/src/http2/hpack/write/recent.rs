//! What was written lately: where the table's entries are, by hash, and which hashes were met before.
//!
//! Nothing here is exact but the count: whoever asks compares what is found with what was meant. So eviction needs no
//! clearing up, and slots may be overwritten.

const BUCKETS: usize = 64;
const MET: usize = 128;

/// Entries are known by their count: that of the first one that was ever added is 1.
#[derive(Debug)]
pub(super) struct Recent {
    /// Number of entries added so far.
    added: u64,
    /// The last entry whose hash of name and value falls here; 0 for none.
    fields: [u64; BUCKETS],
    /// The last entry whose hash of the name falls here; 0 for none.
    names: [u64; BUCKETS],
    /// Hashes that were asked for.
    met: [u32; MET],
}

impl Recent {
    pub(super) fn new() -> Recent {
        Recent {
            added: 0,
            fields: [0; BUCKETS],
            names: [0; BUCKETS],
            met: [0; MET],
        }
    }

    /// Whether the hash was met since another took its slot; it is from now on.
    #[inline]
    pub(super) fn met(&mut self, hash: u32) -> bool {
        match self.met.get_mut(hash as usize % MET) {
            Some(slot) => std::mem::replace(slot, hash) == hash,
            None => false,
        }
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
