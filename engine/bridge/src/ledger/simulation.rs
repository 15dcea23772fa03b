//! Several workers on one ledger under a seeded clock, against ideal buckets that hear of
//! every admission at once.
//!
//! Steps are takes, refunds, ticks, waits from nanoseconds to days, and reloads that reach the
//! workers one after the other. Checked after every step: nobody is admitted whom the ideal
//! bucket would have refused, and nobody is refused whom it could have served with more than
//! the published bound to spare. A failure prints the seed.

use std::collections::HashMap;

use policy::limit::{Key, Local, Plan, Rate, Settings};
use proptest::prelude::*;

use super::tests::key;
use super::*;

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;

/// Units of a token: nanoseconds of a day, which every rate's unit of time divides.
const TOKEN: u128 = 86_400_000_000_000;

/// What a limit was configured to.
#[derive(Clone, Copy, Debug)]
struct Said {
    rate: Rate,
    burst: u64,
    max_keys: usize,
}

impl Said {
    fn terms(self) -> Terms {
        let plan = Plan::new(self.rate, self.burst).unwrap();
        Terms::new("limit", None, plan, self.max_keys)
    }

    fn rule(self) -> Arc<Rule> {
        let settings = Settings::new("limit".into(), self.rate, Key::parse("ip").unwrap());
        let rule = Rule::new(Settings {
            burst: Some(self.burst),
            max_keys: self.max_keys,
            ..settings
        });
        Arc::new(rule.unwrap())
    }

    /// Units earned in a nanosecond.
    fn speed(self) -> u128 {
        u128::from(self.rate.count) * (TOKEN / self.rate.per.as_nanos())
    }
}

/// What the model allows of a key.
#[derive(Clone, Copy)]
struct Ideal {
    units: u128,
    at: u64,
}

struct Worker {
    local: Local,
    said: Said,
}

/// How much a run may do beyond taking and waiting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Scope {
    /// One configuration, room for every key: the under-use bound is checked too.
    Steady,
    /// Rates, bursts and `max_keys` change, and keys have to be forgotten.
    Reloads,
}

struct World {
    dice: Dice,
    scope: Scope,
    ledger: Ledger,
    workers: Vec<Worker>,
    /// The configuration of the last reload, and the one before while workers still go by it.
    latest: Said,
    before: Option<Said>,
    ideals: HashMap<u64, Ideal>,
    now: u64,
    keys: u64,
    cost: u64,
}

impl World {
    fn new(seed: u64, scope: Scope) -> World {
        let mut dice = Dice(seed);
        let workers = 1 + dice.below(5) as usize;
        let said = said(&mut dice, scope);
        let keys = match scope {
            Scope::Steady => 1 + dice.below(20),
            Scope::Reloads => 1 + dice.below(400),
        };
        World {
            scope,
            ledger: Ledger::with_seed(workers, [dice.next(), dice.next()]),
            workers: (0..workers)
                .map(|_| Worker {
                    local: Local::new(),
                    said,
                })
                .collect(),
            latest: said,
            before: None,
            ideals: HashMap::new(),
            now: 0,
            keys,
            cost: 1 + dice.below(2) * dice.below(3),
            dice,
        }
    }

    fn run(&mut self, steps: usize) {
        for _ in 0..steps {
            match self.dice.below(100) {
                0..80 => self.take(),
                80..90 => self.wait(),
                90..99 => self.tick(),
                _ if self.scope == Scope::Reloads => self.reload(),
                _ => {}
            }
        }
        self.settle();
    }

    /// A request, or a burst of them, of one key at one worker.
    fn take(&mut self) {
        let at = self.dice.below(self.workers.len() as u64) as usize;
        // Some keys are much hotter than others.
        let number = self.dice.below(self.keys).min(self.dice.below(self.keys));
        let times = 1 + self.dice.below(3) * self.dice.below(400);
        for _ in 0..times {
            let (now, cost) = (self.now, self.cost);
            let worker = &mut self.workers[at];
            let terms = worker.said.terms();
            let key = key(&self.ledger, &terms, number);
            let taken = worker.local.take(&self.ledger, &terms, key, cost, now);
            if taken.admitted && self.dice.below(10) == 0 {
                worker
                    .local
                    .refund(&self.ledger, &terms, key, cost, &taken, now);
                continue;
            }
            self.judge(number, taken.admitted);
            if !taken.admitted {
                assert!(taken.refilled_at > now);
                return;
            }
        }
    }

    /// Compares an answer with the ideal bucket's.
    fn judge(&mut self, number: u64, admitted: bool) {
        let cost = u128::from(self.cost) * TOKEN;
        let (burst, scope) = (self.latest.burst, self.scope);
        let ideal = self.ideal(number);
        if admitted {
            let rest = ideal.units.checked_sub(cost);
            ideal.units = rest.expect("admitted beyond the burst and the rate");
        } else if scope == Scope::Steady {
            // What others hold, and the refill that unreported spends held up.
            let bound = u128::from(burst / 128) * TOKEN;
            assert!(ideal.units < cost + bound, "refused with tokens to spare");
        }
    }

    /// The ideal bucket of a key as of now. While workers go by two configurations, and may
    /// hold leases of the first, it holds the larger burst.
    fn ideal(&mut self, number: u64) -> &mut Ideal {
        let (said, before) = (self.latest, self.before.unwrap_or(self.latest));
        let burst = u128::from(said.burst.max(before.burst)) * TOKEN;
        let speed = said.speed();
        let new = Ideal {
            units: burst,
            at: self.now,
        };
        let ideal = self.ideals.entry(number).or_insert(new);
        let earned = u128::from(self.now - ideal.at) * speed;
        ideal.units = (ideal.units + earned).min(burst);
        ideal.at = self.now;
        ideal
    }

    fn wait(&mut self) {
        let most = [
            1_000,
            MS,
            20 * MS,
            2 * SECOND,
            3_600 * SECOND,
            200_000 * SECOND,
        ];
        let most = most[self.dice.below(most.len() as u64) as usize];
        self.now += self.dice.below(most);
    }

    fn tick(&mut self) {
        let at = self.dice.below(self.workers.len() as u64) as usize;
        self.workers[at].local.tick(&self.ledger, self.now);
        let (latest, adopted) = (self.latest, &mut self.workers[at].said);
        if self.before.is_some() && self.dice.below(2) == 0 {
            *adopted = latest;
        }
    }

    /// Every worker adopts the last reload; then there is another, known to the ledger.
    fn reload(&mut self) {
        self.settle();
        let burst = self.latest.burst;
        let next = said(&mut self.dice, self.scope);
        for number in self.ideals.keys().copied().collect::<Vec<_>>() {
            let raised = u128::from(next.burst.saturating_sub(burst)) * TOKEN;
            // A key that was forgotten starts from the new burst, as every new key does.
            self.ideal(number).units += raised;
        }
        self.before = Some(self.latest);
        self.latest = next;
        self.ledger.adopt(&[next.rule()], self.now);
    }

    /// All leases come back, all workers adopt; the old configuration is over.
    fn settle(&mut self) {
        for number in self.ideals.keys().copied().collect::<Vec<_>>() {
            self.ideal(number);
        }
        for worker in &mut self.workers {
            worker.local.tick(&self.ledger, self.now);
            worker.said = self.latest;
        }
        self.before = None;
        for number in self.ideals.keys().copied().collect::<Vec<_>>() {
            self.ideal(number);
        }
        assert!(
            self.ledger
                .shards
                .iter()
                .all(|shard| { lock(shard).limits.values().all(|keys| !keys.any_leases()) })
        );
    }
}

fn said(dice: &mut Dice, scope: Scope) -> Said {
    let seconds = [1, 60, 3_600, 86_400][dice.below(4) as usize];
    let count = match dice.below(3) {
        0 => 1 + dice.below(10),
        1 => 1 + dice.below(5_000),
        _ => 1_000_000,
    };
    let burst = match dice.below(4) {
        0 => 4 + dice.below(10),
        1 => 100,
        2 => 500 + dice.below(20_000),
        _ => 1 << (10 + dice.below(31)),
    };
    Said {
        rate: Rate {
            count,
            per: std::time::Duration::from_secs(seconds),
        },
        burst,
        max_keys: match scope {
            Scope::Steady => 10_000,
            Scope::Reloads => [1, 20, 100, 10_000][dice.below(4) as usize],
        },
    }
}

/// A small generator, so that a seed means the same everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn tokens_are_conserved_and_hardly_any_held_back(seed: u64) {
        World::new(seed, Scope::Steady).run(800);
    }

    #[test]
    fn reloads_and_forgotten_keys_mint_nothing(seed: u64) {
        World::new(seed, Scope::Reloads).run(1_500);
    }
}
