//! The buffers that reads fill and writes empty: one block with headroom, pooled by thread.
//!
//! No parsing, no sockets. Invariant of every buffer: `0 <= start <= end <= block.len()`; `block[start..end]` is the data,
//! in front of it lies the headroom, behind it the room. A buffer is owned by one place at a time: the kernel's operation
//! while one is posted, else the caller.

use std::marker::PhantomData;

mod pool;

pub use pool::{Stats, stats, trim};

/// Bytes kept free in front of the data, so that a head can be put before a body without moving it.
pub const HEADROOM: usize = 1024;
/// Room of a [`Buffer::standard`]: with the headroom five pages, and so a body of 16 KiB comes with its head in one read.
pub const STANDARD: usize = 19 * 1024;
/// Room of a [`Buffer::large`].
pub const LARGE: usize = 128 * 1024;

/// Owned bytes that travel through reads and writes and come back; dropping one gives it back to its thread's pool.
pub struct Buffer {
    block: Box<[u8]>,
    start: u32,
    end: u32,
    // Pools and their statistics belong to one worker.
    _local: PhantomData<*const ()>,
}

/// The two sizes, as the pool knows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Standard,
    Large,
}

impl Kind {
    const fn bytes(self) -> usize {
        match self {
            Kind::Standard => HEADROOM + STANDARD,
            Kind::Large => HEADROOM + LARGE,
        }
    }
}

impl Buffer {
    /// An empty buffer of 19 KiB.
    pub fn standard() -> Buffer {
        Buffer::of(Kind::Standard)
    }

    /// An empty buffer of 128 KiB, for bodies under load.
    pub fn large() -> Buffer {
        Buffer::of(Kind::Large)
    }

    fn of(kind: Kind) -> Buffer {
        Buffer {
            block: pool::take(kind),
            start: HEADROOM as u32,
            end: HEADROOM as u32,
            _local: PhantomData,
        }
    }

    /// The data.
    pub fn filled(&self) -> &[u8] {
        self.block
            .get(self.start as usize..self.end as usize)
            .unwrap_or(&[])
    }

    /// The data, to be changed in place.
    pub fn filled_mut(&mut self) -> &mut [u8] {
        self.block
            .get_mut(self.start as usize..self.end as usize)
            .unwrap_or(&mut [])
    }

    /// Bytes of data.
    pub fn len(&self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether there is no data.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Bytes free behind the data: what a read may add.
    pub fn room(&self) -> usize {
        self.block.len() - self.end as usize
    }

    /// The room itself.
    pub(crate) fn room_mut(&mut self) -> &mut [u8] {
        self.block.get_mut(self.end as usize..).unwrap_or(&mut [])
    }

    /// A read has filled `n` bytes of the room.
    pub(crate) fn received(&mut self, n: usize) {
        debug_assert!(n <= self.room());
        self.end += n.min(self.room()) as u32;
    }

    /// Bytes free in front of the data: what [`Buffer::prepend`] may add.
    pub fn headroom(&self) -> usize {
        self.start as usize
    }

    /// Whether this is a large one.
    pub fn is_large(&self) -> bool {
        self.block.len() > Kind::Standard.bytes()
    }

    /// Drops `n` bytes from the front (all of them, if there are fewer); an emptied buffer starts afresh.
    pub fn consume(&mut self, n: usize) {
        debug_assert!(n <= self.len(), "consumed {n} of {}", self.len());
        if n >= self.len() {
            self.clear();
        } else {
            self.start += n as u32;
        }
    }

    /// Keeps the first `len` bytes of data.
    pub fn truncate(&mut self, len: usize) {
        if len < self.len() {
            self.end = self.start + len as u32;
        }
    }

    /// Takes `before` bytes of the headroom and `after` bytes of the room into the data, their contents arbitrary; as many
    /// as there are.
    pub(crate) fn widen(&mut self, before: usize, after: usize) {
        debug_assert!(before <= self.headroom() && after <= self.room());
        self.start -= before.min(self.headroom()) as u32;
        self.end += after.min(self.room()) as u32;
    }

    /// Keeps the data from the first number to the second, counted from their front, where they are.
    pub(crate) fn narrow(&mut self, from: usize, to: usize) {
        debug_assert!(from <= to && to <= self.len());
        self.truncate(to);
        self.start += from.min(self.len()) as u32;
    }

    /// Drops all data and restores the full room and headroom.
    pub fn clear(&mut self) {
        self.start = HEADROOM.min(self.block.len()) as u32;
        self.end = self.start;
    }

    /// Moves the data back behind the full headroom, which leaves the most room.
    pub fn compact(&mut self) {
        let (start, end) = (self.start as usize, self.end as usize);
        // Data that was prepended may be longer than what fits behind the headroom: it stays where it is.
        if start > HEADROOM {
            self.block.copy_within(start..end, HEADROOM);
            self.start = HEADROOM as u32;
            self.end = (HEADROOM + end - start) as u32;
        }
    }

    /// Puts `bytes` before the data; false, and nothing changed, when the headroom is too small.
    pub fn prepend(&mut self, bytes: &[u8]) -> bool {
        let Some(start) = (self.start as usize).checked_sub(bytes.len()) else {
            return false;
        };
        let Some(place) = self.block.get_mut(start..self.start as usize) else {
            return false;
        };
        place.copy_from_slice(bytes);
        self.start = start as u32;
        true
    }

    /// Puts `bytes` behind the data; false, and nothing changed, when the room is too small.
    pub fn extend(&mut self, bytes: &[u8]) -> bool {
        let end = self.end as usize;
        let Some(place) = self.block.get_mut(end..end.saturating_add(bytes.len())) else {
            return false;
        };
        place.copy_from_slice(bytes);
        self.end += bytes.len() as u32;
        true
    }
}

impl Default for Buffer {
    /// A stand-in without any room, for the moment that the real one is lent to an operation.
    fn default() -> Buffer {
        Buffer {
            block: Box::default(),
            start: 0,
            end: 0,
            _local: PhantomData,
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.block.is_empty() {
            return;
        }
        let kind = if self.is_large() {
            Kind::Large
        } else {
            Kind::Standard
        };
        pool::put(kind, std::mem::take(&mut self.block));
    }
}

impl std::fmt::Debug for Buffer {
    // The data are a peer's and may be secret: only the arithmetic is shown.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Buffer")
            .field("headroom", &self.headroom())
            .field("len", &self.len())
            .field("room", &self.room())
            .finish()
    }
}

// SAFETY: the pointer leads into the boxed block, which stays where it is when the `Buffer` moves, and
// `start..end` lies within it.
unsafe impl monoio::buf::IoBuf for Buffer {
    fn read_ptr(&self) -> *const u8 {
        self.filled().as_ptr()
    }

    fn bytes_init(&self) -> usize {
        self.len()
    }
}

// SAFETY: as above; `write_ptr` is followed by exactly `room()` bytes of the block, all initialised, and no operation that
// writes through it uses `IoBuf` on the same buffer.
unsafe impl monoio::buf::IoBufMut for Buffer {
    fn write_ptr(&mut self) -> *mut u8 {
        self.room_mut().as_mut_ptr()
    }

    fn bytes_total(&mut self) -> usize {
        self.room()
    }

    unsafe fn set_init(&mut self, read: usize) {
        self.received(read);
    }
}

#[cfg(test)]
mod tests;
