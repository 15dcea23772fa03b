//! The token bucket of one key on one node, with part of its tokens out on lease.
//!
//! Pure arithmetic over a [`Plan`]; who owns buckets and locks them is the ledger's affair.
//! Invariant: `level + out <= burst` after every call (but for what was out when a burst
//! shrank), with no fraction beside it when equal; and every change of `out` is preceded by a
//! refill that knew the old one.

use super::ledger::Returned;
use super::plan::Plan;

/// No lease is larger, so that a worker counts in 32 bits.
const MAX_LEASE: u64 = 1 << 31;

/// A bucket as of an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Whole tokens that may be drawn.
    level: u64,
    /// Units earned towards the next token; fewer than a token has.
    fraction: u64,
    /// Tokens in the hands of workers, spent or not, until they report.
    out: u64,
    /// Monotonic nanoseconds: what was earned until then is in `level`. Never goes back.
    at: u64,
}

/// What a draw took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// Tokens lent on top of the cost; now part of what is out.
    pub lent: u64,
    /// Tokens left in the bucket.
    pub level: u64,
}

/// Why a draw took nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// Tokens left in the bucket, fewer than the cost.
    pub level: u64,
    /// The instant at which refill alone will have made up the cost.
    pub refilled_at: u64,
    /// Whether tokens are out that may come back before.
    pub lent_elsewhere: bool,
}

impl Bucket {
    /// A bucket that lacks `debt` tokens of being full at `now`.
    pub fn new(plan: &Plan, debt: u64, now: u64) -> Bucket {
        Bucket {
            level: plan.burst().saturating_sub(debt),
            fraction: 0,
            out: 0,
            at: now,
        }
    }

    /// Whether workers hold tokens of it.
    pub fn has_leases(&self) -> bool {
        self.out > 0
    }

    /// Tokens that may be drawn as of the last call.
    pub fn level(&self) -> u64 {
        self.level
    }

    /// Tokens missing of a full bucket, the started one included.
    pub fn debt(&self, plan: &Plan) -> u64 {
        plan.burst().saturating_sub(self.level)
    }

    /// The instant at which it will be full, seen from its last refill or `now`, whichever is
    /// later. Refill is taken as if nothing were out.
    pub fn full_at(&self, plan: &Plan, now: u64) -> u64 {
        let wait = plan.time_for(self.debt(plan), self.fraction);
        self.at.max(now).saturating_add(wait)
    }

    /// Adds what was earned since the last call, up to the burst less what is out. An earlier
    /// `now` than the last one changes nothing.
    pub fn refill(&mut self, plan: &Plan, now: u64) {
        let elapsed = now.saturating_sub(self.at);
        self.at = self.at.max(now);
        let room = self.ceiling(plan).saturating_sub(self.level);
        let (earned, fraction) = match room {
            0 => (0, 0),
            _ => plan.earned(elapsed, self.fraction),
        };
        if earned >= room {
            self.level = self.ceiling(plan);
            self.fraction = 0;
        } else {
            self.level += earned;
            self.fraction = fraction;
        }
    }

    /// Takes back what a worker held. The caller has refilled at the same instant.
    fn settle(&mut self, plan: &Plan, back: Returned) {
        debug_assert!(
            self.out >= back.spent + back.unspent,
            "more came back than was lent"
        );
        self.out = self.out.saturating_sub(back.spent + back.unspent);
        self.deposit(plan, back.unspent);
    }

    /// Adds tokens, never beyond the burst less what is out.
    fn deposit(&mut self, plan: &Plan, tokens: u64) {
        let ceiling = self.ceiling(plan);
        self.level = self.level.saturating_add(tokens);
        if self.level >= ceiling {
            self.level = ceiling;
            self.fraction = 0;
        }
    }

    /// Reconciliation: what a worker spent of its lease and what it brings back.
    pub fn give_back(&mut self, plan: &Plan, back: Returned, now: u64) {
        self.refill(plan, now);
        self.settle(plan, back);
    }

    /// Puts back tokens of a draw whose request was refused by someone else.
    pub fn refund(&mut self, plan: &Plan, tokens: u64, now: u64) {
        self.refill(plan, now);
        self.deposit(plan, tokens);
    }

    /// Takes `back` in, then draws `cost` tokens, spent at once, and lends a `share`-th of the
    /// rest in whole multiples of the cost.
    pub fn draw(
        &mut self,
        plan: &Plan,
        cost: u64,
        back: Returned,
        share: u64,
        now: u64,
    ) -> Result<Drawn, Shortage> {
        self.refill(plan, now);
        self.settle(plan, back);
        let Some(rest) = self.level.checked_sub(cost) else {
            let wait = plan.time_for(cost - self.level, self.fraction);
            return Err(Shortage {
                level: self.level,
                refilled_at: self.at.saturating_add(wait),
                lent_elsewhere: self.out > 0,
            });
        };
        let lot = (rest / share.max(1)).min(MAX_LEASE);
        let lent = lot - lot % cost.max(1);
        self.level = rest - lent;
        self.out += lent;
        Ok(Drawn {
            lent,
            level: self.level,
        })
    }

    /// Goes over to another plan without minting: when exactly plans changed is not known, so
    /// the time since the last call earns by `least`, the least of all plans since then, and a
    /// started token is dropped.
    pub fn change(&mut self, least: &Plan, now: u64) {
        // Units of one plan are not units of another: none is carried in or out.
        self.fraction = 0;
        self.refill(least, now);
        self.fraction = 0;
    }

    /// How far refill may go.
    fn ceiling(&self, plan: &Plan) -> u64 {
        plan.burst().saturating_sub(self.out)
    }
}

#[cfg(test)]
mod tests;
