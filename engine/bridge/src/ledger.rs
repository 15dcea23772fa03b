//! The node's token buckets, which workers lease from: one bucket per limit and key, in shards
//! behind a lock each.
//!
//! The arithmetic is `policy::limit`'s; which keys are remembered is `ledger/keys.rs`'s. A call
//! takes one shard lock, is O(1), and in steady state allocates nothing; the first call for a
//! limit in a shard also reads what the live snapshot says. What it costs in
//! under-use: of a key's burst at most 1/256 is out on lease with all workers together, for one
//! tick, and less the emptier the bucket; bursts too small for that are drawn token by token.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crossbeam_utils::CachePadded;
use policy::limit::{self, Digest, Leased, Plan, Returned, Rule, Seed, Terms};

use keys::Keys;

mod keys;
mod tier;

/// The buckets of one node.
pub struct Ledger {
    /// A power of two of them; a key's shard never changes.
    shards: Box<[CachePadded<Mutex<Shard>>]>,
    /// A lease is at most this part of what is left in the bucket.
    share: u64,
    seed: Seed,
    /// What the live snapshot says; read when a shard meets a limit for the first time.
    adopted: RwLock<Arc<Adopted>>,
}

/// The plans of each tier, by the numbers of limit and tier.
type Adopted = HashMap<u64, Box<[(u64, Plan)]>, Known>;

/// The keys of each limit that fall into one shard, by the limit's number.
#[derive(Default)]
struct Shard {
    limits: HashMap<u64, Keys, Known>,
}

/// How a limit's memory fares, for the metrics.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Keys that are remembered exactly.
    pub keys: usize,
    /// Keys forgotten when they had refilled: nothing was lost.
    pub refilled: u64,
    /// Keys forgotten with a debt, which went into the sketch.
    pub folded: u64,
    /// Requests counted by the sketch alone, since every key in sight was on lease.
    pub sketched: u64,
    /// Cells of the sketch that stand for a debt.
    pub cells_live: usize,
    /// Cells of the sketch; its saturation is `cells_live` in `cells`.
    pub cells: usize,
}

impl Ledger {
    /// An empty ledger for so many workers.
    pub fn new(workers: usize) -> Ledger {
        // What the standard library seeds its maps with is the randomness at hand.
        let random = [0u8, 1].map(|lane| RandomState::new().hash_one(lane));
        Ledger::with_seed(workers, random)
    }

    /// An empty ledger whose digests are by this seed.
    pub fn with_seed(workers: usize, random: [u64; 2]) -> Ledger {
        let workers = workers.max(1);
        let shards = (workers * 4).next_power_of_two().clamp(8, 128);
        Ledger {
            shards: (0..shards).map(|_| CachePadded::default()).collect(),
            share: 256 * workers as u64,
            seed: Seed::new(random),
            adopted: RwLock::default(),
        }
    }

    /// Goes over to these limits at `now`: from then on buckets go by their plans, whatever
    /// terms a worker that lags behind hands in, and limits that are gone are forgotten, but
    /// for keys on lease. For the control thread, when a snapshot becomes the live one.
    pub fn adopt<'r>(&self, rules: impl IntoIterator<Item = &'r Arc<Rule>>, now: u64) {
        let mut adopted = Adopted::default();
        for rule in rules {
            let plans = rule.terms().map(|terms| (terms.tier, terms.plan));
            adopted.insert(rule.number(), plans.collect());
        }
        let adopted = Arc::new(adopted);
        *self.adopted.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&adopted);
        for shard in &self.shards {
            let gone = lock(shard).adopt(&adopted, now);
            // Large tables are freed with the lock open.
            drop(gone);
        }
    }

    /// How a limit's memory fares at `now`. For the control thread.
    pub fn counts(&self, limit: u64, now: u64) -> Counts {
        let mut sum = Counts::default();
        for shard in &self.shards {
            if let Some(keys) = lock(shard).limits.get(&limit) {
                sum = sum.plus(keys.counts(now));
            }
        }
        sum
    }

    /// Pays, and lends a `share`-th of what is left.
    fn draw(
        &self,
        terms: &Terms,
        key: Digest,
        cost: u64,
        back: Returned,
        share: u64,
        now: u64,
    ) -> Leased {
        let (mut shard, room) = self.shard(key, terms.max_keys);
        let limits = shard.limits.entry(terms.limit);
        let keys = limits.or_insert_with(|| self.meet(terms.limit, now));
        keys.lease(terms, room, key, cost, back, share, now)
    }

    /// A limit that a shard has not met.
    fn meet(&self, limit: u64, now: u64) -> Keys {
        let adopted = self.adopted.read().unwrap_or_else(PoisonError::into_inner);
        let mut keys = Keys::default();
        if let Some(plans) = adopted.get(&limit) {
            keys.adopt(plans, now);
        }
        keys
    }

    /// The keys of a key's limit that share its shard, and how many of them may be remembered.
    /// The upper bits choose the shard, since the tables inside go by the lower half.
    fn shard(&self, key: Digest, max_keys: usize) -> (MutexGuard<'_, Shard>, usize) {
        let shards = self.shards.len();
        let at = (key.high() >> 32) as usize & (shards - 1);
        let room = max_keys / shards + usize::from(at < max_keys % shards);
        (lock(&self.shards[at]), room)
    }
}

impl Shard {
    /// Goes over to these plans; returns what it has forgotten.
    fn adopt(&mut self, adopted: &Adopted, now: u64) -> Vec<Keys> {
        let mut gone = Vec::new();
        for (limit, keys) in &mut self.limits {
            match adopted.get(limit) {
                Some(plans) => keys.adopt(plans, now),
                None if keys.any_leases() => {}
                None => gone.push(*limit),
            }
        }
        let remove = |limit| self.limits.remove(limit);
        gone.iter().filter_map(remove).collect()
    }
}

impl limit::Ledger for Ledger {
    fn seed(&self) -> &Seed {
        &self.seed
    }

    fn lease(&self, terms: &Terms, key: Digest, cost: u64, back: Returned, now: u64) -> Leased {
        self.draw(terms, key, cost, back, self.share, now)
    }

    fn pay(&self, terms: &Terms, key: Digest, cost: u64, back: Returned, now: u64) -> Leased {
        self.draw(terms, key, cost, back, u64::MAX, now)
    }

    fn give_back(&self, limit: u64, key: Digest, back: Returned, now: u64) {
        let (mut shard, _) = self.shard(key, 0);
        if let Some(keys) = shard.limits.get_mut(&limit) {
            keys.give_back(key, back, now);
        }
    }

    fn refund(&self, limit: u64, key: Digest, cost: u64, now: u64) {
        let (mut shard, _) = self.shard(key, 0);
        if let Some(keys) = shard.limits.get_mut(&limit) {
            keys.refund(key, cost, now);
        }
    }
}

/// Nothing inside panics half-way, so a poisoned lock guards sound buckets.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Counts {
    fn plus(self, other: Counts) -> Counts {
        Counts {
            keys: self.keys + other.keys,
            refilled: self.refilled + other.refilled,
            folded: self.folded + other.folded,
            sketched: self.sketched + other.sketched,
            cells_live: self.cells_live + other.cells_live,
            cells: self.cells + other.cells,
        }
    }
}

/// Hashes what is a hash already: digests and the numbers of limits.
type Known = BuildHasherDefault<KnownHasher>;

#[derive(Default)]
struct KnownHasher(u64);

impl Hasher for KnownHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = self.0.rotate_left(23) ^ number;
    }
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
