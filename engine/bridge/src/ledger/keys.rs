//! The keys of one limit in one shard: which are remembered exactly, and what becomes of the
//! debts of those that are not.
//!
//! Each key has a bucket while there is room. To make room a refilled key is forgotten, else
//! the debt of the one soonest paid is folded into the sketch; a key with tokens on lease
//! stays. Invariant: a key is never given more than its bucket would have held: a debt read
//! from the sketch is never smaller than the one written.

use std::collections::HashMap;

use super::tier::Tier;
use policy::limit::{Bucket, Digest, Leased, Plan, RECONCILE_EVERY, Returned, Sketch, Terms};

use super::{Counts, Known};

/// How many keys are looked at to find one that may be forgotten.
const LOOK_AT: usize = 16;

#[derive(Default)]
pub(super) struct Keys {
    entries: Vec<Entry>,
    /// Where a key stands in `entries`.
    index: HashMap<Digest, u32, Known>,
    /// Where to look next for a key to forget.
    hand: usize,
    /// Few, and never removed: one per tier name the limit ever had.
    tiers: Vec<Tier>,
    /// Whether the plans are those of the live snapshot. If not, nobody has told, and they are
    /// those of the last lease.
    adopted: bool,
    /// Made when the first debt is folded.
    sketch: Option<Sketch>,
    refilled: u64,
    folded: u64,
    sketched: u64,
}

struct Entry {
    key: Digest,
    bucket: Bucket,
    /// Where its tier stands in `tiers`.
    tier: usize,
    /// Which of the tier's plans the bucket goes by.
    version: u64,
}

impl Keys {
    /// What [`policy::limit::Ledger::lease`] promises; `room` is how many keys may be
    /// remembered here, and a lease is at most one `share`-th of what is left.
    #[expect(clippy::too_many_arguments, reason = "one call from one place")]
    pub(super) fn lease(
        &mut self,
        terms: &Terms,
        room: usize,
        key: Digest,
        cost: u64,
        back: Returned,
        share: u64,
        now: u64,
    ) -> Leased {
        let tier = self.tier(terms, now);
        let at = match self.index.get(&key).copied() {
            Some(at) => at as usize,
            None if self.make_room(room, now) => self.remember(tier, key, now),
            None => return self.draw_from_sketch(tier, room, key, cost, now),
        };
        let plan = self.bring_up(at, now);
        match self.entries[at].bucket.draw(&plan, cost, back, share, now) {
            Ok(drawn) => Leased::Granted {
                lent: drawn.lent,
                level: drawn.level,
            },
            Err(shortage) => Leased::Empty {
                level: shortage.level,
                // What other workers hold may be back by their next tick.
                until: match shortage.lent_elsewhere {
                    true => shortage
                        .refilled_at
                        .min(now.saturating_add(RECONCILE_EVERY)),
                    false => shortage.refilled_at,
                },
                refilled_at: shortage.refilled_at,
            },
        }
    }

    /// From now on the tiers go by these plans.
    pub(super) fn adopt(&mut self, plans: &[(u64, Plan)], now: u64) {
        self.adopted = true;
        for (number, plan) in plans {
            match self.tiers.iter().position(|tier| tier.number == *number) {
                Some(at) => self.change(at, *plan, now),
                None => self.tiers.push(Tier::new(*number, *plan)),
            }
        }
    }

    pub(super) fn give_back(&mut self, key: Digest, back: Returned, now: u64) {
        let known = self.index.get(&key).copied();
        debug_assert!(known.is_some(), "a key on lease was forgotten");
        if let Some(at) = known {
            let plan = self.bring_up(at as usize, now);
            self.entries[at as usize].bucket.give_back(&plan, back, now);
        }
    }

    /// What the sketch alone has counted can't be put back: its cells are shared.
    pub(super) fn refund(&mut self, key: Digest, cost: u64, now: u64) {
        if let Some(at) = self.index.get(&key).copied() {
            let plan = self.bring_up(at as usize, now);
            self.entries[at as usize].bucket.refund(&plan, cost, now);
        }
    }

    pub(super) fn any_leases(&self) -> bool {
        self.entries.iter().any(|entry| entry.bucket.has_leases())
    }

    pub(super) fn counts(&self, now: u64) -> Counts {
        let (cells_live, cells) = self.sketch.as_ref().map_or((0, 0), |s| s.load(now));
        Counts {
            keys: self.entries.len(),
            refilled: self.refilled,
            folded: self.folded,
            sketched: self.sketched,
            cells_live,
            cells,
        }
    }

    /// Where the tier of these terms stands.
    fn tier(&mut self, terms: &Terms, now: u64) -> usize {
        let known = self.tiers.iter().position(|tier| tier.number == terms.tier);
        match known {
            Some(at) if self.adopted => at,
            Some(at) => {
                self.change(at, terms.plan, now);
                at
            }
            None => {
                self.tiers.push(Tier::new(terms.tier, terms.plan));
                self.tiers.len() - 1
            }
        }
    }

    /// Changes the plan of a tier. Buckets follow when they are next used; debts in the sketch,
    /// whose tiers are not known, last as long as they would if they were of this one.
    fn change(&mut self, tier: usize, plan: Plan, now: u64) {
        let old = self.tiers[tier].plan;
        if let Some(sketch) = &mut self.sketch
            && !old.is_no_faster_than(&plan)
        {
            sketch.stretch(now, |left| plan.time_for(old.tokens_in(left), 0));
        }
        self.tiers[tier].go_by(plan);
    }

    /// Brings a bucket to the plan that its tier goes by, and returns that.
    fn bring_up(&mut self, at: usize, now: u64) -> Plan {
        let entry = &mut self.entries[at];
        let tier = &self.tiers[entry.tier];
        if entry.version != tier.version {
            entry.bucket.change(&tier.least_since(entry.version), now);
            entry.version = tier.version;
        }
        tier.plan
    }

    /// Adds a key that is not there, less what it may owe.
    fn remember(&mut self, tier: usize, key: Digest, now: u64) -> usize {
        let Tier { plan, version, .. } = self.tiers[tier];
        let debt = self.owed(tier, key, now);
        let at = self.entries.len();
        self.index.insert(key, at as u32);
        self.entries.push(Entry {
            key,
            bucket: Bucket::new(&plan, debt, now),
            tier,
            version,
        });
        at
    }

    /// No less than the tokens that a forgotten key owes.
    fn owed(&self, tier: usize, key: Digest, now: u64) -> u64 {
        let paid_at = self.sketch.as_ref().map_or(0, |sketch| sketch.paid_at(key));
        match paid_at.saturating_sub(now) {
            0 => 0,
            left => self.tiers[tier].plan.tokens_in(left),
        }
    }

    /// Makes room for one more key if it can. Two steps, so that a table that was made smaller
    /// by a reload shrinks bit by bit.
    fn make_room(&mut self, room: usize, now: u64) -> bool {
        for _ in 0..2 {
            if self.entries.len() < room {
                return true;
            }
            let Some(at) = self.choose(now) else {
                return false;
            };
            self.forget(at, room, now);
        }
        self.entries.len() < room
    }

    /// The first refilled key from the hand on, else the one that is soonest paid; none that is
    /// on lease.
    fn choose(&mut self, now: u64) -> Option<usize> {
        let mut best = None;
        for _ in 0..LOOK_AT.min(self.entries.len()) {
            self.hand = (self.hand + 1) % self.entries.len();
            let at = self.hand;
            if self.entries[at].bucket.has_leases() {
                continue;
            }
            let plan = self.bring_up(at, now);
            let bucket = &mut self.entries[at].bucket;
            bucket.refill(&plan, now);
            if bucket.debt(&plan) == 0 {
                return Some(at);
            }
            let full_at = bucket.full_at(&plan, now);
            if best.is_none_or(|(soonest, _)| full_at < soonest) {
                best = Some((full_at, at));
            }
        }
        best.map(|(_, at)| at)
    }

    /// Removes a key that [`Keys::choose`] chose; what it owes goes into the sketch.
    fn forget(&mut self, at: usize, room: usize, now: u64) {
        let plan = self.bring_up(at, now);
        let Entry { key, bucket, .. } = self.entries.swap_remove(at);
        self.index.remove(&key);
        if let Some(moved) = self.entries.get(at) {
            self.index.insert(moved.key, at as u32);
        }
        if bucket.debt(&plan) == 0 {
            self.refilled += 1;
            return;
        }
        self.folded += 1;
        let sketch = self.sketch.get_or_insert_with(|| Sketch::new(room));
        sketch.raise(key, bucket.full_at(&plan, now));
    }

    /// Counts a request in the sketch alone: the way of a generic cell rate algorithm.
    fn draw_from_sketch(
        &mut self,
        tier: usize,
        room: usize,
        key: Digest,
        cost: u64,
        now: u64,
    ) -> Leased {
        self.sketched += 1;
        let plan = self.tiers[tier].plan;
        let owed = self.owed(tier, key, now);
        let owes = owed.saturating_add(cost);
        if let short @ 1.. = owes.saturating_sub(plan.burst()) {
            let refilled_at = now.saturating_add(plan.time_for(short, 0));
            return Leased::Empty {
                level: plan.burst().saturating_sub(owed),
                until: refilled_at,
                refilled_at,
            };
        }
        let paid_at = now.saturating_add(plan.time_for(owes, 0));
        let sketch = self.sketch.get_or_insert_with(|| Sketch::new(room));
        sketch.raise(key, paid_at);
        Leased::Granted {
            lent: 0,
            level: plan.burst() - owes,
        }
    }
}
