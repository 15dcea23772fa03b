//! Streams that have closed: how the last few did, and what may be said of all others by their number alone.
//!
//! It matters for frames that come late. A peer whose stream we reset may have sent more before it knew; one that
//! ended or reset the stream itself may not (RFC 9113 section 5.1, "closed").

/// How a stream closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum How {
    /// Both sides ended it.
    Ended,
    /// The peer reset it.
    ByPeer,
    /// We reset it.
    ByUs,
    /// It was never opened, and can't be any more: one with a higher number was.
    Skipped,
    /// Too long ago to know.
    Forgotten,
}

/// How many are remembered. What is older is treated as leniently as what we reset.
const REMEMBERED: usize = 32;

/// A ring of the last few.
#[derive(Debug)]
pub(crate) struct Closed {
    ring: [(u32, How); REMEMBERED],
    next: usize,
    /// The highest number that has left the ring: what lies below and isn't in it may have been anything.
    forgotten: u32,
}

impl Default for Closed {
    fn default() -> Self {
        Closed {
            ring: [(0, How::Skipped); REMEMBERED],
            next: 0,
            forgotten: 0,
        }
    }
}

impl Closed {
    #[inline]
    pub(crate) fn push(&mut self, number: u32, how: How) {
        if let Some(place) = self.ring.get_mut(self.next) {
            self.forgotten = self.forgotten.max(place.0);
            *place = (number, how);
        }
        self.next = (self.next + 1) % REMEMBERED;
    }

    /// How the stream with this number closed, given that it is neither idle nor open.
    pub(crate) fn how(&self, number: u32) -> How {
        match self.ring.iter().find(|entry| entry.0 == number) {
            Some((_, how)) => *how,
            None if number <= self.forgotten => How::Forgotten,
            None => How::Skipped,
        }
    }
}
