//! What a matched pattern's `{name}`s and tail stood for. A fixed array of ranges of
//! the canonical path, so that a look-up needs no allocation.
//!
//! Invariant: after a successful `Table::find` there are exactly as many captures as
//! the winning pattern has names, in the pattern's order.

use super::pattern::MAX_NAMES;
use protocol::message::Span;

/// The parts of a path that the names and the tail of the matched pattern stood for.
/// One value per connection is enough; each look-up overwrites it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Captures {
    spans: [Span; MAX_NAMES],
    len: u8,
    tail: Option<Span>,
}

impl Captures {
    /// No captures.
    pub fn new() -> Captures {
        Captures::default()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.len = 0;
        self.tail = None;
    }

    /// How many names were captured.
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// Whether no name was captured.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What the pattern's name at `index` stood for, as a range of the path.
    pub fn name(&self, index: usize) -> Option<Span> {
        self.spans.get(..self.len())?.get(index).copied()
    }

    /// What the pattern's `*` stood for, as a range of the path: everything after the
    /// slash before it, or nothing. `None` when the pattern has no tail.
    pub fn tail(&self) -> Option<Span> {
        self.tail
    }

    pub(super) fn push(&mut self, span: Span) {
        if let Some(slot) = self.spans.get_mut(usize::from(self.len)) {
            *slot = span;
            self.len += 1;
        }
    }

    pub(super) fn put_tail(&mut self, span: Span) {
        self.tail = Some(span);
    }
}
