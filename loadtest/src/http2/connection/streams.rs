//! Requests under way: a slab, and the way from a stream's identifier to its place.

use std::collections::VecDeque;

/// A request under way.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pub(super) id: u32,
    /// What may be sent on it.
    pub(super) window: i64,
    /// What of its body has not been sent, and from where.
    pub(super) unsent: Vec<u8>,
    pub(super) sent: usize,
    /// What has been received since the server was last told to go on.
    pub(super) received: u32,
    /// Whether the answer's head has come.
    pub(super) answered: bool,
    /// How long the answer's body must be, and has been so far.
    pub(super) length: Option<u64>,
    pub(super) got: u64,
    pub(super) head: bool,
    /// What became of the call, if the answer says it as gRPC does.
    pub(super) grpc: Option<u8>,
    pub(super) wants_headers: bool,
}

/// No place.
const NONE: u32 = u32::MAX;

#[derive(Debug, Default)]
pub(super) struct Streams {
    slots: Vec<Option<Stream>>,
    free: Vec<u32>,
    /// The places of the streams from `base` on, by their order.
    by_id: VecDeque<u32>,
    /// How many streams came before the first of those.
    base: u32,
    count: usize,
    /// Those that have something unsent.
    pub(super) sending: usize,
}

impl Streams {
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The identifier of the next stream.
    #[inline]
    pub(super) fn next_id(&self) -> u32 {
        (self.base + self.by_id.len() as u32) * 2 + 1
    }

    /// Takes one in, which gets the next identifier, and says where it is.
    #[inline]
    pub(super) fn insert(&mut self, mut stream: Stream) -> usize {
        stream.id = self.next_id();
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
        self.by_id.push_back(place);
        self.count += 1;
        place as usize
    }

    /// Where a stream is, if it is under way.
    #[inline]
    pub(super) fn place(&self, id: u32) -> Option<usize> {
        let at = (id / 2).checked_sub(self.base)?;
        let place = self.by_id.get(at as usize)?;
        (*place != NONE).then_some(*place as usize)
    }

    #[inline]
    pub(super) fn get(&mut self, place: usize) -> Option<&mut Stream> {
        self.slots.get_mut(place)?.as_mut()
    }

    #[inline]
    pub(super) fn remove(&mut self, place: usize) -> Option<Stream> {
        let stream = self.slots.get_mut(place)?.take()?;
        self.free.push(place as u32);
        self.count -= 1;
        self.sending -= usize::from(!stream.unsent.is_empty());
        if let Some(at) = (stream.id / 2).checked_sub(self.base)
            && let Some(entry) = self.by_id.get_mut(at as usize)
        {
            *entry = NONE;
        }
        while self.by_id.front() == Some(&NONE) {
            self.by_id.pop_front();
            self.base += 1;
        }
        Some(stream)
    }

    /// All that are under way, with their places.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (usize, &mut Stream)> {
        let slots = self.slots.iter_mut().enumerate();
        slots.filter_map(|(place, slot)| Some((place, slot.as_mut()?)))
    }
}
