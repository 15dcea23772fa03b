//! What a worker asks of the node's ledger, and what it is answered.
//!
//! The ledger is the only thing about limits that workers share. A call may take one shard
//! lock, is O(1), and in steady state allocates nothing.

use std::sync::Arc;

use super::digest::{Digest, Seed, number_of};
use super::plan::Plan;

/// What the ledger needs to know of a limit, as one tier of it has it now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// The limit's number, from its name: the same across reloads.
    pub limit: u64,
    /// The tier's number, from its name; 0 for those of no tier.
    pub tier: u64,
    /// Rate and burst.
    pub plan: Plan,
    /// How many keys of the limit are remembered exactly, over all tiers.
    pub max_keys: usize,
    /// Another number for another plan, so that a worker does not go on refusing by old terms.
    pub(crate) stamp: u32,
}

impl Terms {
    /// The terms of a tier. Limits and tiers are numbered by their names.
    pub fn new(limit: &str, tier: Option<&str>, plan: Plan, max_keys: usize) -> Terms {
        let mixed = plan.mixed();
        Terms {
            limit: number_of(limit),
            tier: tier.map_or(0, number_of),
            plan,
            max_keys,
            stamp: (mixed ^ (mixed >> 32)) as u32,
        }
    }
}

/// What a worker brings back of a lease. Both are part of what is out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Returned {
    /// Tokens spent since the lease.
    pub spent: u64,
    /// Tokens left over.
    pub unspent: u64,
}

/// The answer to a request for tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leased {
    /// The cost is paid.
    Granted {
        /// Tokens to spend beyond the cost, until the next reconciliation; may be 0.
        lent: u64,
        /// Tokens left in the node's bucket.
        level: u64,
    },
    /// The bucket does not hold the cost.
    Empty {
        /// Tokens left in the node's bucket.
        level: u64,
        /// Until then asking again is useless; not after `refilled_at`.
        until: u64,
        /// The instant at which refill will have made up the cost.
        refilled_at: u64,
    },
}

/// The node's buckets, as workers see them.
pub trait Ledger {
    /// The secret of all digests handed in.
    fn seed(&self) -> &Seed;

    /// Takes back what the worker still had of the key's lease, pays `cost`, and lends some
    /// more. When it answers [`Leased::Empty`], nothing of the lease is left either: what was
    /// unspent is in `level`.
    fn lease(&self, terms: &Terms, key: Digest, cost: u64, back: Returned, now: u64) -> Leased;

    /// As [`Ledger::lease`], for a key that is not expected again before the next reconciliation: need
    /// lend nothing.
    fn pay(&self, terms: &Terms, key: Digest, cost: u64, back: Returned, now: u64) -> Leased {
        self.lease(terms, key, cost, back, now)
    }

    /// Takes a lease back at reconciliation. `now` is not before any of its spends.
    fn give_back(&self, limit: u64, key: Digest, back: Returned, now: u64);

    /// Puts back the cost of a request that was paid at once by [`Ledger::lease`] and then
    /// refused by another limit.
    fn refund(&self, limit: u64, key: Digest, cost: u64, now: u64);
}

impl<L: Ledger + ?Sized> Ledger for Arc<L> {
    fn seed(&self) -> &Seed {
        (**self).seed()
    }

    fn lease(&self, terms: &Terms, key: Digest, cost: u64, back: Returned, now: u64) -> Leased {
        (**self).lease(terms, key, cost, back, now)
    }

    fn pay(&self, terms: &Terms, key: Digest, cost: u64, back: Returned, now: u64) -> Leased {
        (**self).pay(terms, key, cost, back, now)
    }

    fn give_back(&self, limit: u64, key: Digest, back: Returned, now: u64) {
        (**self).give_back(limit, key, back, now);
    }

    fn refund(&self, limit: u64, key: Digest, cost: u64, now: u64) {
        (**self).refund(limit, key, cost, now);
    }
}
