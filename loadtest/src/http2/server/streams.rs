//! Requests under way: a slab, and the way from a stream's identifier to its place.
//!
//! Clients may leave identifiers out, so that the way is a search among those under way, which come in order.

/// A request under way.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pub(super) id: u32,
    /// What may be sent on it.
    pub(super) window: i64,
    /// What has been received since the client was last told to go on.
    pub(super) received: u32,
    /// How long its body must be, and has been so far.
    pub(super) length: Option<u64>,
    pub(super) got: u64,
    /// Whether the request is whole.
    pub(super) ended: bool,
}

#[derive(Debug, Default)]
pub(super) struct Streams {
    slots: Vec<Option<Stream>>,
    free: Vec<u32>,
    /// Identifiers and places, in order.
    by_id: Vec<(u32, u32)>,
    /// The identifier that came last.
    last: u32,
}

impl Streams {
    pub(super) fn count(&self) -> usize {
        self.by_id.len()
    }

    /// The greatest identifier that has been used.
    pub(super) fn last(&self) -> u32 {
        self.last
    }

    /// This identifier has been used, whether the stream is taken in or not.
    pub(super) fn used(&mut self, id: u32) {
        self.last = self.last.max(id);
    }

    /// Takes one in, whose identifier is greater than any before it, and says where it is.
    #[inline]
    pub(super) fn insert(&mut self, stream: Stream) -> usize {
        debug_assert!(self.by_id.last().is_none_or(|(id, _)| *id < stream.id));
        self.used(stream.id);
        let id = stream.id;
        let place = match self.free.pop() {
            Some(place) => place,
            None => {
                self.slots.push(None);
                (self.slots.len() - 1) as u32
            }
        };
        if let Some(slot) = self.slots.get_mut(place as usize) {
            *slot = Some(stream);
        }
        self.by_id.push((id, place));
        place as usize
    }

    /// Where a stream is, if it is under way.
    #[inline]
    pub(super) fn place(&self, id: u32) -> Option<usize> {
        let at = self.by_id.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.by_id.get(at).map(|(_, place)| *place as usize)
    }

    #[inline]
    pub(super) fn get(&mut self, place: usize) -> Option<&mut Stream> {
        self.slots.get_mut(place)?.as_mut()
    }

    #[inline]
    pub(super) fn remove(&mut self, place: usize) -> Option<Stream> {
        let stream = self.slots.get_mut(place)?.take()?;
        self.free.push(place as u32);
        if let Ok(at) = self.by_id.binary_search_by_key(&stream.id, |(id, _)| *id) {
            self.by_id.remove(at);
        }
        Some(stream)
    }

    /// All that are under way.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.slots.iter_mut().filter_map(Option::as_mut)
    }
}
