//! What one worker holds of the node's tokens: leases it spends from without touching shared
//! memory, and keys it knows to be empty.
//!
//! A table of sets of eight slots, indexed by the key's digest: bounded, one line of tags and
//! one slot per look-up, no allocation but for growth between ticks. A key that is used once in
//! a tick borrows nothing: its lease would only have to be brought back. Invariant: `held +
//! spent` of a slot is exactly what the ledger has out for this worker and key; after a tick
//! both are 0 everywhere, so no lease outlives one reconciliation.

use super::digest::Digest;
use super::ledger::{Leased, Ledger, Returned, Terms};

const WAYS: usize = 8;
const FIRST_SETS: usize = 32;
const MOST_SETS: usize = 4_096;

/// A key goes without leases after so many that it did not use.
const PATIENCE: u8 = 2;

/// The leases of one worker.
pub struct Local {
    /// A power of two of them.
    sets: Vec<Set>,
    /// Slots with something to report, each once; room for all of them.
    listed: Vec<u32>,
    /// Keys that pushed a slot aside that was used since the last tick.
    crowded: usize,
    /// Counts ticks; wraps.
    ticks: u32,
}

/// What came of a request for tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Taken {
    /// Whether the cost was paid.
    pub admitted: bool,
    /// Tokens left, as far as this worker knows.
    pub remaining: u64,
    /// When refused: the instant at which refill will have made up the cost.
    pub refilled_at: u64,
    /// Paid from what this worker holds, rather than by the ledger.
    from_lease: bool,
}

#[derive(Clone)]
struct Set {
    /// Lower halves of the digests; 0: free.
    tags: [u64; WAYS],
    slots: [Slot; WAYS],
}

/// What is held of one key.
#[derive(Clone, Copy, Default)]
struct Slot {
    /// Upper half of the digest.
    high: u64,
    limit: u64,
    /// Tokens on lease, not yet spent.
    held: u32,
    /// Tokens of the lease that are spent, not yet reported.
    spent: u32,
    /// Tokens that the node's bucket had left when it was asked last.
    level: u64,
    /// Known to be empty until then; 0 when not.
    until: u64,
    refilled_at: u64,
    /// Which terms all this is by.
    stamp: u32,
    /// The tick in which the ledger was asked last.
    asked: u32,
    /// Above 0: it is lent something when the ledger is asked. From [`PATIENCE`] down by one for each
    /// lease that nothing was spent of.
    habit: u8,
    /// Whether it stands in `listed`.
    listed: bool,
}

impl Local {
    /// Nothing held.
    pub fn new() -> Local {
        Local::with_sets(FIRST_SETS)
    }

    fn with_sets(sets: usize) -> Local {
        let set = Set {
            tags: [0; WAYS],
            slots: [Slot::default(); WAYS],
        };
        Local {
            sets: vec![set; sets],
            listed: Vec::with_capacity(sets * WAYS),
            crowded: 0,
            // A slot that was never used was not used in this tick.
            ticks: 1,
        }
    }

    /// Pays `cost` tokens for a request of this key, or says when it could.
    #[inline]
    pub fn take(
        &mut self,
        ledger: &dyn Ledger,
        terms: &Terms,
        key: Digest,
        cost: u64,
        now: u64,
    ) -> Taken {
        if let Some(slot) = self.find(key)
            && slot.stamp == terms.stamp
        {
            if u64::from(slot.held) >= cost {
                return slot.spend(cost as u32);
            }
            if now < slot.until {
                return Taken::refused(slot.level, slot.refilled_at);
            }
        }
        self.lease(ledger, terms, key, cost, now)
    }

    /// Asks the ledger, handing back what was left of the lease.
    fn lease(
        &mut self,
        ledger: &dyn Ledger,
        terms: &Terms,
        key: Digest,
        cost: u64,
        now: u64,
    ) -> Taken {
        let tick = self.ticks;
        let Some((number, slot)) = self.place(ledger, terms.limit, key, now) else {
            let none = Returned::default();
            return match ledger.lease(terms, key, cost, none, now) {
                Leased::Granted { level, .. } => Taken::paid(level),
                Leased::Empty {
                    level, refilled_at, ..
                } => Taken::refused(level, refilled_at),
            };
        };
        slot.stamp = terms.stamp;
        if std::mem::replace(&mut slot.asked, tick) == tick {
            slot.habit = PATIENCE;
        }
        let back = slot.hand_back();
        let leased = match slot.habit {
            0 => ledger.pay(terms, key, cost, back, now),
            _ => ledger.lease(terms, key, cost, back, now),
        };
        match leased {
            Leased::Granted { lent, level } => {
                slot.held = lent as u32;
                slot.level = level;
                slot.until = 0;
                let unlisted = lent > 0 && !slot.listed;
                slot.listed |= unlisted;
                if unlisted {
                    self.listed.push(number);
                }
                Taken::paid(level + lent)
            }
            Leased::Empty {
                level,
                until,
                refilled_at,
            } => {
                slot.level = level;
                slot.until = until;
                slot.refilled_at = refilled_at;
                Taken::refused(level, refilled_at)
            }
        }
    }

    /// Undoes a [`Local::take`] that admitted, in the same instant: another limit refused.
    pub fn refund(
        &mut self,
        ledger: &dyn Ledger,
        terms: &Terms,
        key: Digest,
        cost: u64,
        taken: &Taken,
        now: u64,
    ) {
        if taken.from_lease
            && let Some(slot) = self.find(key)
            && u64::from(slot.spent) >= cost
        {
            slot.spent -= cost as u32;
            slot.held += cost as u32;
            return;
        }
        ledger.refund(terms.limit, key, cost, now);
    }

    /// Reconciliation: every lease goes back to the ledger. `now` is not before that of any
    /// call so far.
    pub fn tick(&mut self, ledger: &dyn Ledger, now: u64) {
        let busy = self.listed.len();
        for number in self.listed.drain(..) {
            let (set, way) = (number as usize / WAYS, number as usize % WAYS);
            let Some(set) = self.sets.get_mut(set) else {
                continue;
            };
            let (Some(slot), Some(tag)) = (set.slots.get_mut(way), set.tags.get(way)) else {
                continue;
            };
            slot.listed = false;
            slot.habit = match slot.spent {
                0 => slot.habit.saturating_sub(1),
                _ => PATIENCE,
            };
            slot.report(ledger, *tag, now);
        }
        let sets = self.sets.len();
        let full = busy > sets * WAYS / 2 || self.crowded > sets / 4;
        self.crowded = 0;
        if full && sets < MOST_SETS {
            // Nothing is held just now, so nothing but memory of empty keys and of habits is lost.
            *self = Local::with_sets(sets * 2);
        }
        self.ticks = self.ticks.wrapping_add(1);
    }

    #[inline]
    fn find(&mut self, key: Digest) -> Option<&mut Slot> {
        let at = key.low() as usize & self.sets.len().wrapping_sub(1);
        let set = self.sets.get_mut(at)?;
        let way = set.tags.iter().position(|tag| *tag == key.low())?;
        set.slots
            .get_mut(way)
            .filter(|slot| slot.high == key.high())
    }

    /// The slot of a key and its number, making room when there is none. `None` never happens;
    /// it spares an index.
    fn place(
        &mut self,
        ledger: &dyn Ledger,
        limit: u64,
        key: Digest,
        now: u64,
    ) -> Option<(u32, &mut Slot)> {
        let (at, tick) = (
            key.low() as usize & self.sets.len().wrapping_sub(1),
            self.ticks,
        );
        let Set { tags, slots } = self.sets.get_mut(at)?;
        let known = tags
            .iter()
            .zip(slots.iter())
            .position(|(tag, slot)| *tag == key.low() && slot.high == key.high());
        let way = match known {
            Some(way) => way,
            None => {
                // One that was not used since the last tick and remembers no refusal can go: most. One that is asked
                // for tick after tick stays if another can go.
                let idle = |slot: &Slot| slot.asked != tick && !slot.in_use(now);
                let spare = slots.iter().position(|slot| slot.habit == 0 && idle(slot));
                match spare.or_else(|| slots.iter().position(idle)) {
                    Some(way) => way,
                    None => {
                        self.crowded += 1;
                        let each = slots.iter().enumerate();
                        each.min_by_key(|(_, slot)| slot.worth(now))
                            .map(|(way, _)| way)?
                    }
                }
            }
        };
        let (tag, slot) = (tags.get_mut(way)?, slots.get_mut(way)?);
        if known.is_none() {
            slot.report(ledger, *tag, now);
            *tag = key.low();
            *slot = Slot {
                high: key.high(),
                limit,
                asked: tick.wrapping_sub(1),
                listed: slot.listed,
                ..Slot::default()
            };
        }
        Some(((at * WAYS + way) as u32, slot))
    }
}

impl Default for Local {
    fn default() -> Local {
        Local::new()
    }
}

impl Slot {
    fn spend(&mut self, cost: u32) -> Taken {
        self.held -= cost;
        self.spent += cost;
        Taken {
            from_lease: true,
            ..Taken::paid(self.level + u64::from(self.held))
        }
    }

    /// What the ledger has out for this slot; from now on nothing.
    fn hand_back(&mut self) -> Returned {
        Returned {
            spent: std::mem::take(&mut self.spent).into(),
            unspent: std::mem::take(&mut self.held).into(),
        }
    }

    /// Gives the lease back, if there is one.
    fn report(&mut self, ledger: &dyn Ledger, tag: u64, now: u64) {
        let back = self.hand_back();
        if back != Returned::default() {
            ledger.give_back(self.limit, Digest::of_halves(tag, self.high), back, now);
        }
    }

    fn in_use(&self, now: u64) -> bool {
        self.held > 0 || self.spent > 0 || now < self.until
    }

    /// What is lost by giving the slot to another key: least for those that only were used lately, then
    /// for refusals that end soon, most for leases.
    fn worth(&self, now: u64) -> (u8, u64) {
        match (self.held > 0 || self.spent > 0, now < self.until) {
            (true, _) => (2, u64::from(self.held)),
            (false, true) => (1, self.until),
            (false, false) => (0, 0),
        }
    }
}

impl Taken {
    pub(super) fn paid(remaining: u64) -> Taken {
        Taken {
            admitted: true,
            remaining,
            refilled_at: 0,
            from_lease: false,
        }
    }

    pub(super) fn refused(remaining: u64, refilled_at: u64) -> Taken {
        Taken {
            admitted: false,
            remaining,
            refilled_at,
            from_lease: false,
        }
    }
}

#[cfg(test)]
mod tests;
