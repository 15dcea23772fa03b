//! The streams of one connection that are not closed yet, in a slab without locks, and what became of those that are.
//!
//! A frame names its stream by number. Numbers grow, and those alive at once lie close together, so a table by the
//! low bits of the number says where to look first; a scan of the slab, which is short, finds what the table has
//! forgotten. Callers hold a [`StreamId`], which names the slot as well and needs neither.

mod closed;
mod state;
mod window;

pub(crate) use closed::{Closed, How};
pub(crate) use state::{Half, Stream};
pub(crate) use window::{ReceiveWindow, SendWindow};

/// One stream, as its owner refers to it: the number that frames carry, and the place where its state is kept. Goes
/// stale when the stream closes, and is never mistaken for another then, since numbers don't come back.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct StreamId {
    number: u32,
    slot: u32,
}

impl StreamId {
    /// The stream identifier of RFC 9113 section 5.1.1.
    #[inline]
    pub fn number(self) -> u32 {
        self.number
    }

    /// An index below the number of streams that were ever open at once. No two open streams have the same, so an
    /// owner may keep its own state in a `Vec` by it; it is used again when the stream has closed.
    #[inline]
    pub fn slot(self) -> usize {
        self.slot as usize
    }
}

/// Smallest table of hints.
const MIN_HINTS: usize = 16;

/// The slab.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    slots: Vec<Stream>,
    free: Vec<u32>,
    /// By the low bits of half the number: the slot of the stream that last had them. A power of two long.
    hints: Vec<u32>,
    pub(crate) closed: Closed,
}

impl Streams {
    pub(crate) fn new() -> Self {
        Streams::default()
    }

    /// Streams that are not closed.
    #[inline]
    pub(crate) fn active(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Puts a stream in. Its number must be higher than any before.
    pub(crate) fn insert(&mut self, stream: Stream) -> StreamId {
        let number = stream.number;
        let slot = match self.free.pop() {
            Some(slot) => {
                if let Some(place) = self.slots.get_mut(slot as usize) {
                    *place = stream;
                }
                slot
            }
            None => {
                self.slots.push(stream);
                self.grow_hints();
                (self.slots.len() - 1) as u32
            }
        };
        self.hint(number, slot);
        StreamId { number, slot }
    }

    /// The stream with this number, if it is not closed.
    #[inline]
    pub(crate) fn find(&mut self, number: u32) -> Option<StreamId> {
        debug_assert!(number != 0, "0 is the connection, and marks free slots");
        let slot = self.hints.get(self.place(number)).copied()?;
        match self.slots.get(slot as usize) {
            Some(stream) if stream.number == number => Some(StreamId { number, slot }),
            _ => self.search(number),
        }
    }

    #[cold]
    fn search(&mut self, number: u32) -> Option<StreamId> {
        let slot = self.slots.iter().position(|s| s.number == number)? as u32;
        self.hint(number, slot);
        Some(StreamId { number, slot })
    }

    /// The stream itself, unless it has closed.
    #[inline]
    pub(crate) fn get(&self, id: StreamId) -> Option<&Stream> {
        self.slots
            .get(id.slot as usize)
            .filter(|stream| stream.number == id.number)
    }

    /// The stream itself, unless it has closed.
    #[inline]
    pub(crate) fn get_mut(&mut self, id: StreamId) -> Option<&mut Stream> {
        self.slots
            .get_mut(id.slot as usize)
            .filter(|stream| stream.number == id.number)
    }

    /// Takes a stream out and remembers how it closed.
    pub(crate) fn remove(&mut self, id: StreamId, how: How) -> Option<Stream> {
        let place = self.slots.get_mut(id.slot as usize)?;
        if place.number != id.number {
            return None;
        }
        let stream = std::mem::replace(place, Stream::VACANT);
        self.free.push(id.slot);
        self.closed.push(id.number, how);
        Some(stream)
    }

    /// All that are not closed.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.slots.iter_mut().filter(|stream| stream.number != 0)
    }

    /// Some stream with a number above `last`.
    pub(crate) fn above(&self, last: u32) -> Option<StreamId> {
        let slot = self.slots.iter().position(|s| s.number > last)?;
        let number = self.slots.get(slot)?.number;
        let slot = slot as u32;
        Some(StreamId { number, slot })
    }

    #[inline]
    fn place(&self, number: u32) -> usize {
        (number >> 1) as usize & self.hints.len().wrapping_sub(1)
    }

    fn hint(&mut self, number: u32, slot: u32) {
        let place = self.place(number);
        if let Some(hint) = self.hints.get_mut(place) {
            *hint = slot;
        }
    }

    /// Keeps the table at twice the slab or more. What it forgets, `search` finds.
    fn grow_hints(&mut self) {
        let wanted = (self.slots.len() * 2).next_power_of_two().max(MIN_HINTS);
        if self.hints.len() < wanted {
            self.hints.clear();
            self.hints.resize(wanted, 0);
        }
    }

    /// Slots and counts agree.
    #[cfg(debug_assertions)]
    pub(crate) fn check_invariants(&self) {
        let mut live = 0;
        for stream in self.slots.iter().filter(|stream| stream.number != 0) {
            live += 1;
            stream.check_invariants();
        }
        debug_assert_eq!(live, self.active());
        debug_assert!(self.hints.is_empty() || self.hints.len() >= self.slots.len());
    }
}

#[cfg(test)]
mod tests;
