//! The dynamic table (RFC 7541 section 4): entries in the order they came, evicted exactly as its size says.
//!
//! An entry's text is one slice. The texts lie one after the other in a buffer of at most twice the table's size; when its
//! end is reached, what is live moves to the front, which costs no more than adding the texts did.

use std::collections::VecDeque;

use super::ENTRY_OVERHEAD;

/// The table; `N` is what is noted of each entry.
#[derive(Debug)]
pub(super) struct Dynamic<N> {
    /// Texts from the oldest entry that still takes room to the newest.
    texts: Vec<u8>,
    /// From the oldest to the newest.
    entries: VecDeque<Entry<N>>,
    /// Sum of the entries' sizes; `size <= max`.
    size: usize,
    max: usize,
}

#[derive(Clone, Copy, Debug)]
struct Entry<N> {
    /// Where its text begins in `texts`.
    start: u32,
    /// Bytes of its text, which never exceed its size.
    len: u32,
    /// Name, value and overhead.
    size: u32,
    note: N,
}

impl<N: Copy> Dynamic<N> {
    pub(super) fn new(max: usize) -> Dynamic<N> {
        Dynamic {
            texts: Vec::new(),
            entries: VecDeque::new(),
            size: 0,
            max,
        }
    }

    pub(super) fn max(&self) -> usize {
        self.max
    }

    /// Number of entries.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The entry with this index, 0 being the newest.
    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<(&[u8], N)> {
        let at = self.entries.len().checked_sub(index + 1)?;
        let entry = self.entries.get(at)?;
        let start = entry.start as usize;
        let text = self.texts.get(start..start + entry.len as usize)?;
        Some((text, entry.note))
    }

    /// Sets the size it may have; what does not fit goes.
    pub(super) fn resize(&mut self, max: usize) {
        self.max = max;
        self.make_room(0);
    }

    /// Adds an entry whose name and value have `bytes` bytes together, and whose text is `parts`, no longer than its
    /// size. An entry larger than the table empties it (section 4.4). Whether it stands in the table.
    #[inline]
    pub(super) fn insert<const PARTS: usize>(
        &mut self,
        bytes: usize,
        parts: [&[u8]; PARTS],
        note: N,
    ) -> bool {
        let size = bytes + ENTRY_OVERHEAD;
        self.make_room(size);
        if size > self.max {
            return false;
        }
        self.make_space(size);
        let start = self.texts.len();
        for part in parts {
            self.texts.extend_from_slice(part);
        }
        let len = self.texts.len() - start;
        debug_assert!(len <= size);
        self.size += size;
        self.entries.push_back(Entry {
            start: start as u32,
            len: len as u32,
            size: size as u32,
            note,
        });
        self.check();
        true
    }

    /// Evicts until an entry of this size fits, or nothing is left.
    fn make_room(&mut self, size: usize) {
        while self.size + size > self.max {
            let Some(oldest) = self.entries.pop_front() else {
                break;
            };
            self.size -= oldest.size as usize;
        }
    }

    /// Sees to it that the next text finds space, without more memory than the table can come to need.
    #[inline]
    fn make_space(&mut self, size: usize) {
        let most = 2 * self.max;
        if self.texts.len() + size > most {
            self.move_to_front();
        }
        let needed = self.texts.len() + size;
        if needed > self.texts.capacity() {
            let wanted = (2 * needed).min(most);
            self.texts.reserve_exact(wanted - self.texts.len());
        }
    }

    fn move_to_front(&mut self) {
        let first = match self.entries.front() {
            Some(oldest) => oldest.start as usize,
            None => self.texts.len(),
        };
        self.texts.drain(..first);
        for entry in &mut self.entries {
            entry.start -= first as u32;
        }
    }

    /// What must hold after each change.
    fn check(&self) {
        debug_assert!(self.size <= self.max);
        debug_assert_eq!(
            self.size,
            self.entries
                .iter()
                .map(|entry| entry.size as usize)
                .sum::<usize>()
        );
        debug_assert!(self.texts.len() <= 2 * self.max);
    }

    /// Bytes of memory for texts.
    #[cfg(test)]
    pub(super) fn space(&self) -> usize {
        self.texts.capacity()
    }

    /// Bytes in use (RFC 7541 section 4.1).
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.size
    }
}
