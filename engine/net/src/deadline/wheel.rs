//! The wheel itself: entries in a slab, linked into slots by intrusive lists, time passed in.
//!
//! A slot holds the entries armed for one tick (one grain of time). Setting an armed entry to a later time only stores that
//! time: when its slot comes up it is linked again where it now belongs. Invariants: every linked entry's tick lies in
//! `turned + 1 ..= turned + SLOTS - 1`, so that a slot stands for one tick only, and is no later than the tick its time
//! falls into; `occupied` has the bit of every slot that is not empty.

use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::Strike;
use crate::clock;
use crate::conn::Shared;

/// Nanoseconds of a tick as a power of two: 4.2 ms.
pub(super) const SHIFT: u32 = 22;
/// Slots of the wheel; with the grain, one turn is 17 s. A later deadline is looked at once a turn.
pub(super) const SLOTS: u64 = 4096;
const WORDS: usize = (SLOTS / 64) as usize;
/// No entry.
const NIL: u32 = u32::MAX;
/// Not linked into any slot.
const UNLINKED: u16 = u16::MAX;
/// The time of an entry that is not set.
const NEVER: u64 = u64::MAX;

/// An entry's place in the slab, as long as its owner lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id(u32);

/// What an entry holds on to; dropped by the caller, outside the wheel's borrow.
pub(super) type Held = (Option<Rc<Shared>>, Option<Waker>);

pub(super) struct Wheel {
    entries: Vec<Entry>,
    /// First free entry, linked through `next`.
    free: u32,
    /// First entry of each slot; empty until the first is armed.
    heads: Vec<u32>,
    occupied: [u64; WORDS],
    /// Every tick up to this one has been dealt with.
    turned: u64,
    /// Linked entries.
    armed: usize,
    /// The tick the driving task rests until; 0 while it does not rest.
    resting_until: u64,
    /// Something earlier than that was armed.
    disturbed: bool,
    driver: Option<Waker>,
    /// Entries of the slots that are due; kept for its capacity.
    due: Vec<u32>,
}

struct Entry {
    /// When to strike; `NEVER` when not set.
    at: u64,
    conn: Option<Rc<Shared>>,
    waker: Option<Waker>,
    next: u32,
    prev: u32,
    slot: u16,
    strike: Strike,
    struck: bool,
}

/// A deadline that has struck: what to do, outside the wheel's borrow.
pub(super) struct Fired {
    pub(super) strike: Strike,
    pub(super) conn: Option<Rc<Shared>>,
    pub(super) waker: Option<Waker>,
}

/// Entries that are due in one turn, usually at most.
const DUE_ROOM: usize = 256;

impl Wheel {
    pub(super) const fn new() -> Wheel {
        Wheel {
            entries: Vec::new(),
            free: NIL,
            heads: Vec::new(),
            occupied: [0; WORDS],
            turned: 0,
            armed: 0,
            resting_until: 0,
            disturbed: false,
            driver: None,
            due: Vec::new(),
        }
    }

    pub(super) fn insert(&mut self, conn: Option<Rc<Shared>>) -> Id {
        let entry = Entry {
            at: NEVER,
            conn,
            waker: None,
            next: NIL,
            prev: NIL,
            slot: UNLINKED,
            strike: Strike::Wake,
            struck: false,
        };
        let free = self.free;
        if let Some(place) = self.entries.get_mut(free as usize) {
            self.free = place.next;
            *place = entry;
            return Id(free);
        }
        self.entries.push(entry);
        Id((self.entries.len() - 1) as u32)
    }

    pub(super) fn remove(&mut self, id: Id) -> Held {
        self.unlink(id.0);
        let free = self.free;
        let Some(entry) = self.entries.get_mut(id.0 as usize) else {
            return (None, None);
        };
        entry.at = NEVER;
        entry.next = free;
        self.free = id.0;
        (entry.conn.take(), entry.waker.take())
    }

    /// Sets the entry; gives back the driving task's waker if it rests too long for this.
    pub(super) fn set(&mut self, id: Id, at: u64, strike: Strike) -> Option<Waker> {
        let entry = self.entries.get_mut(id.0 as usize)?;
        let at = at.min(NEVER - 1);
        entry.strike = strike;
        entry.struck = false;
        if let Some(conn) = &entry.conn {
            conn.forgive();
        }
        // Still linked where it was set to, or earlier than that: nothing else to do if it is to be later.
        let linked = entry.slot != UNLINKED;
        let before = std::mem::replace(&mut entry.at, at);
        if linked && before != NEVER && at >= before {
            return None;
        }
        let slot = entry.slot;
        if linked && self.tick_of_slot(slot) <= tick_of(at) {
            return None;
        }
        self.unlink(id.0);
        if self.armed == 0 {
            // Nothing was armed, so nobody has turned the wheel.
            self.turned = self.turned.max(clock::coarse() >> SHIFT);
        }
        self.link(id.0, tick_of(at))
    }

    pub(super) fn clear(&mut self, id: Id) {
        if let Some(entry) = self.entries.get_mut(id.0 as usize) {
            // It stays linked: its slot will come up and drop it, unless it is set again before.
            entry.at = NEVER;
            entry.struck = false;
            if let Some(conn) = &entry.conn {
                conn.forgive();
            }
        }
    }

    pub(super) fn struck(&self, id: Id) -> bool {
        let entry = self.entries.get(id.0 as usize);
        entry.is_some_and(|entry| entry.struck)
    }

    /// Whether the entry has struck; else the task is remembered. Also gives back the waker it replaces.
    pub(super) fn poll_struck(
        &mut self,
        id: Id,
        cx: &mut Context<'_>,
    ) -> (Poll<()>, Option<Waker>) {
        match self.entries.get_mut(id.0 as usize) {
            Some(entry) if !entry.struck => match &entry.waker {
                Some(waker) if waker.will_wake(cx.waker()) => (Poll::Pending, None),
                _ => (Poll::Pending, entry.waker.replace(cx.waker().clone())),
            },
            _ => (Poll::Ready(()), None),
        }
    }

    /// Linked entries, set or not.
    pub(super) fn armed(&self) -> usize {
        self.armed
    }

    /// Turns the wheel to `now`; what is due goes into `fired`, what is set to later is linked anew.
    pub(super) fn expire(&mut self, now: u64, fired: &mut Vec<Fired>) {
        let target = now >> SHIFT;
        let mut due = std::mem::take(&mut self.due);
        due.reserve(DUE_ROOM);
        while let Some(tick) = self.next_tick().filter(|&tick| tick <= target) {
            self.take_slot(tick, &mut due);
            self.turned = tick;
        }
        self.turned = self.turned.max(target);
        for id in due.drain(..) {
            let Some(entry) = self.entries.get_mut(id as usize) else {
                continue;
            };
            if entry.at <= now {
                fired.push(entry.fire());
            } else if entry.at != NEVER {
                let tick = tick_of(entry.at);
                self.link(id, tick);
            }
        }
        self.due = due;
    }

    /// Strikes what is set to [`Strike::Rest`], whatever its time.
    pub(super) fn strike_resting(&mut self, fired: &mut Vec<Fired>) {
        for entry in &mut self.entries {
            if entry.at != NEVER && entry.strike == Strike::Rest {
                fired.push(entry.fire());
            }
        }
    }

    /// The driving task is about to rest: until which time. It will be woken if something earlier is armed.
    pub(super) fn rest(&mut self) -> Option<u64> {
        let next = self.next_tick();
        self.disturbed = false;
        self.resting_until = next.unwrap_or(u64::MAX);
        next.map(|tick| tick << SHIFT)
    }

    /// Ready when something earlier than the end of the rest was armed.
    pub(super) fn poll_disturbed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.disturbed {
            return Poll::Ready(());
        }
        match &self.driver {
            Some(driver) if driver.will_wake(cx.waker()) => {}
            _ => self.driver = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// Unlinks everything and lets go of all tasks; entries stay as long as their owners.
    pub(super) fn disarm(&mut self) -> Vec<Held> {
        let mut held = vec![(None, self.driver.take())];
        self.resting_until = 0;
        for id in 0..self.entries.len() as u32 {
            self.unlink(id);
            if let Some(entry) = self.entries.get_mut(id as usize) {
                entry.at = NEVER;
                held.push((entry.conn.take(), entry.waker.take()));
            }
        }
        held
    }

    /// Links an unlinked entry for the tick, or the nearest one the wheel can hold.
    fn link(&mut self, id: u32, tick: u64) -> Option<Waker> {
        if self.heads.is_empty() {
            self.heads = vec![NIL; SLOTS as usize];
        }
        let tick = tick.clamp(self.turned + 1, self.turned + SLOTS - 1);
        let slot = (tick % SLOTS) as usize;
        let head = self.heads.get_mut(slot)?;
        let entry = self.entries.get_mut(id as usize)?;
        let first = std::mem::replace(head, id);
        entry.next = first;
        entry.prev = NIL;
        entry.slot = slot as u16;
        if let Some(first) = self.entries.get_mut(first as usize) {
            first.prev = id;
        }
        if let Some(word) = self.occupied.get_mut(slot / 64) {
            *word |= 1 << (slot % 64);
        }
        self.armed += 1;
        if tick < self.resting_until {
            self.resting_until = tick;
            self.disturbed = true;
            return self.driver.take();
        }
        None
    }

    fn unlink(&mut self, id: u32) {
        let Some(entry) = self.entries.get_mut(id as usize) else {
            return;
        };
        if entry.slot == UNLINKED {
            return;
        }
        let (slot, next, prev) = (entry.slot as usize, entry.next, entry.prev);
        entry.slot = UNLINKED;
        if let Some(next) = self.entries.get_mut(next as usize) {
            next.prev = prev;
        }
        match self.entries.get_mut(prev as usize) {
            Some(prev) => prev.next = next,
            None => {
                if let Some(head) = self.heads.get_mut(slot) {
                    *head = next;
                }
                if next == NIL {
                    self.vacate(slot);
                }
            }
        }
        self.armed -= 1;
    }

    /// Unlinks all entries of the tick's slot.
    fn take_slot(&mut self, tick: u64, into: &mut Vec<u32>) {
        let slot = (tick % SLOTS) as usize;
        self.vacate(slot);
        let head = self.heads.get_mut(slot);
        let mut id = head.map_or(NIL, |head| std::mem::replace(head, NIL));
        while let Some(entry) = self.entries.get_mut(id as usize) {
            into.push(id);
            entry.slot = UNLINKED;
            id = entry.next;
            self.armed -= 1;
        }
    }

    fn vacate(&mut self, slot: usize) {
        if let Some(word) = self.occupied.get_mut(slot / 64) {
            *word &= !(1 << (slot % 64));
        }
    }

    /// The next tick with a linked entry.
    fn next_tick(&self) -> Option<u64> {
        if self.armed == 0 {
            return None;
        }
        let start = self.turned + 1;
        let (first, bit) = ((start % SLOTS) as usize / 64, start % 64);
        // The word we start in is looked at twice: its later bits first, its earlier ones last.
        for step in 0..=WORDS {
            let index = (first + step) % WORDS;
            let word = *self.occupied.get(index)?;
            let word = match step {
                0 => word & (u64::MAX << bit),
                WORDS => word & !(u64::MAX << bit),
                _ => word,
            };
            if word != 0 {
                let slot = index as u64 * 64 + u64::from(word.trailing_zeros());
                return Some(self.tick_of_slot(slot as u16));
            }
        }
        None
    }

    /// The tick an occupied slot stands for.
    fn tick_of_slot(&self, slot: u16) -> u64 {
        let start = self.turned + 1;
        start + (u64::from(slot).wrapping_sub(start)) % SLOTS
    }
}

impl Entry {
    fn fire(&mut self) -> Fired {
        self.at = NEVER;
        self.struck = true;
        Fired {
            strike: self.strike,
            conn: self.conn.clone(),
            waker: self.waker.take(),
        }
    }
}

/// The first tick that lies wholly at or after the time, so that nothing strikes early.
fn tick_of(at: u64) -> u64 {
    at.div_ceil(1 << SHIFT)
}

#[cfg(test)]
mod tests;
