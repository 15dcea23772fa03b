//! A ledger for tests: one thread, every key remembered, one plan for buckets that come up by
//! themselves.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use policy_keys::Rate;

use super::{Bucket, Digest, DigestBuilder, Leased, Ledger, Plan, Returned, Seed, Terms};

/// One bucket per key, and a count of the calls since they were last asked for.
pub(crate) struct Books {
    seed: Seed,
    plan: Plan,
    buckets: RefCell<HashMap<Digest, (Plan, Bucket)>>,
    calls: Cell<usize>,
}

impl Books {
    pub(crate) fn new(rate: &str, burst: u64) -> Books {
        Books {
            seed: Seed::new([3, 4]),
            plan: Plan::new(Rate::parse(rate).unwrap(), burst).unwrap(),
            buckets: RefCell::default(),
            calls: Cell::new(0),
        }
    }

    pub(crate) fn terms(&self) -> Terms {
        Terms::new("limit", None, self.plan, 10)
    }

    pub(crate) fn key(&self, number: u64) -> Digest {
        let mut key = DigestBuilder::new(&self.seed, 1, 0);
        key.part(&number.to_le_bytes());
        key.finish()
    }

    fn with<T>(&self, plan: &Plan, key: Digest, act: impl FnOnce(&mut Bucket, &Plan) -> T) -> T {
        self.calls.set(self.calls.get() + 1);
        let mut buckets = self.buckets.borrow_mut();
        let made = || (*plan, Bucket::new(plan, 0, 0));
        let (plan, bucket) = buckets.entry(key).or_insert_with(made);
        act(bucket, plan)
    }

    fn draw(
        &self,
        terms: &Terms,
        key: Digest,
        cost: u64,
        back: Returned,
        share: u64,
        now: u64,
    ) -> Leased {
        let plan = &terms.plan;
        let drawn = self.with(plan, key, |bucket, _| {
            bucket.draw(plan, cost, back, share, now)
        });
        match drawn {
            Ok(drawn) => Leased::Granted {
                lent: drawn.lent,
                level: drawn.level,
            },
            Err(short) => Leased::Empty {
                level: short.level,
                until: short.refilled_at,
                refilled_at: short.refilled_at,
            },
        }
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.take()
    }

    pub(crate) fn leases(&self) -> usize {
        self.buckets
            .borrow()
            .values()
            .filter(|(_, b)| b.has_leases())
            .count()
    }

    pub(crate) fn level(&self, key: Digest) -> u64 {
        self.buckets.borrow()[&key].1.level()
    }
}

impl Ledger for Books {
    fn seed(&self) -> &Seed {
        &self.seed
    }

    fn lease(&self, terms: &Terms, key: Digest, cost: u64, back: Returned, now: u64) -> Leased {
        self.draw(terms, key, cost, back, 100, now)
    }

    fn pay(&self, terms: &Terms, key: Digest, cost: u64, back: Returned, now: u64) -> Leased {
        self.draw(terms, key, cost, back, u64::MAX, now)
    }

    fn give_back(&self, _: u64, key: Digest, back: Returned, now: u64) {
        self.with(&self.plan, key, |bucket, plan| {
            bucket.give_back(plan, back, now)
        });
    }

    fn refund(&self, _: u64, key: Digest, cost: u64, now: u64) {
        self.with(&self.plan, key, |bucket, plan| {
            bucket.refund(plan, cost, now)
        });
    }
}
