//! The ledger as workers meet it: bounded keys, leases, refunds, reloads, and real threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use policy::limit::{DigestBuilder, Ledger as _, Local, Plan, RECONCILE_EVERY, Rate};

use super::*;

const SECOND: u64 = 1_000_000_000;

pub(super) fn plan(rate: &str, burst: u64) -> Plan {
    Plan::new(Rate::parse(rate).unwrap(), burst).unwrap()
}

pub(super) fn terms(rate: &str, burst: u64, max_keys: usize) -> Terms {
    Terms::new("limit", None, plan(rate, burst), max_keys)
}

pub(super) fn key(ledger: &Ledger, terms: &Terms, number: u64) -> Digest {
    let mut key = DigestBuilder::new(ledger.seed(), terms.limit, terms.tier);
    key.part(&number.to_be_bytes());
    key.finish()
}

fn rule(name: &str, rate: &str) -> Arc<Rule> {
    let key = limit::Key::parse("ip").unwrap();
    let settings = limit::Settings::new(name.into(), Rate::parse(rate).unwrap(), key);
    Arc::new(Rule::new(settings).unwrap())
}

fn ledger(workers: usize) -> Ledger {
    Ledger::with_seed(workers, [7, 9])
}

fn draw(ledger: &Ledger, terms: &Terms, number: u64, now: u64) -> Leased {
    let none = Returned::default();
    ledger.lease(terms, key(ledger, terms, number), 1, none, now)
}

fn admits(ledger: &Ledger, terms: &Terms, number: u64, now: u64) -> bool {
    matches!(draw(ledger, terms, number, now), Leased::Granted { .. })
}

#[test]
fn small_bursts_are_drawn_token_by_token_and_large_ones_in_lots() {
    let ledger = ledger(2);
    for (number, burst, lent) in [(1, 100, 0), (2, 512, 0), (3, 513, 1), (4, 1_000_000, 1953)] {
        let answer = draw(&ledger, &terms("1/s", burst, 1_000), number, 0);
        let level = burst - 1 - lent;
        assert_eq!(answer, Leased::Granted { lent, level }, "burst {burst}");
    }
}

#[test]
fn all_workers_together_hold_less_than_a_hundredth() {
    for workers in [1, 2, 16, 64] {
        let ledger = ledger(workers);
        let terms = terms("1000/s", 1_000_000, 1_000);
        let mut held = 0;
        for _ in 0..workers {
            if let Leased::Granted { lent, .. } = draw(&ledger, &terms, 1, 0) {
                held += lent;
            }
        }
        assert!(held > 0 && held < 10_000, "{held} with {workers}");
    }
}

#[test]
fn an_empty_key_is_asked_again_after_a_tick_while_others_hold_tokens() {
    let ledger = ledger(1);
    let terms = terms("1/day", 1_000, 10);
    let key = key(&ledger, &terms, 1);
    let Leased::Granted {
        lent: 3,
        level: 996,
    } = draw(&ledger, &terms, 1, 0)
    else {
        panic!("another lease than expected");
    };
    let none = Returned::default();
    ledger.lease(&terms, key, 996, none, 0);
    let refilled_at = 86_400 * SECOND;
    let until = RECONCILE_EVERY;
    let empty = Leased::Empty {
        level: 0,
        until,
        refilled_at,
    };
    assert_eq!(draw(&ledger, &terms, 1, 0), empty);
    let back = Returned {
        spent: 3,
        unspent: 0,
    };
    ledger.give_back(terms.limit, key, back, 0);
    let until = refilled_at;
    let empty = Leased::Empty {
        level: 0,
        until,
        refilled_at,
    };
    assert_eq!(draw(&ledger, &terms, 1, 0), empty);
}

#[test]
fn no_more_than_max_keys_are_remembered_and_refilled_ones_go_first() {
    for max_keys in [1, 7, 100, 1_000] {
        let ledger = ledger(2);
        let terms = terms("1/s", 10, max_keys);
        for number in 0..10_000 {
            let now = number * SECOND;
            assert!(admits(&ledger, &terms, number, now));
        }
        let counts = ledger.counts(terms.limit, 10_000 * SECOND);
        assert!(counts.keys <= max_keys, "{counts:?}");
        // A shard without room counts in its sketch from the start.
        let forgotten = counts.keys as u64 + counts.refilled + counts.folded + counts.sketched;
        assert_eq!(forgotten, 10_000, "{counts:?}");
        assert!(
            max_keys < 100 || counts.folded + counts.sketched == 0,
            "{counts:?}"
        );
    }
}

#[test]
fn a_forgotten_debtor_is_still_refused() {
    let ledger = ledger(1);
    let terms = terms("1/h", 3, 64);
    for number in 0..1_000 {
        for _ in 0..3 {
            admits(&ledger, &terms, number, 0);
        }
    }
    for number in 0..1_000 {
        assert!(
            !admits(&ledger, &terms, number, 3_600 * SECOND - 1),
            "{number}"
        );
    }
    let counts = ledger.counts(terms.limit, 0);
    assert!(counts.folded > 500 && counts.keys <= 64, "{counts:?}");
    assert!(counts.cells_live > 0 && counts.cells_live <= counts.cells);
    // What has been paid off is forgotten by itself.
    let later = 4 * 3_600 * SECOND;
    assert_eq!(ledger.counts(terms.limit, later).cells_live, 0);
    assert!((0..1_000).all(|number| admits(&ledger, &terms, number, later)));
}

#[test]
fn keys_on_lease_are_never_forgotten() {
    let ledger = ledger(1);
    let terms = terms("1/s", 1_000, 8);
    let mut leased = Vec::new();
    for number in 0..1_000 {
        if let Leased::Granted { lent: 1.., .. } = draw(&ledger, &terms, number, 0) {
            leased.push(number);
        }
    }
    assert!((1..=8).contains(&leased.len()), "{}", leased.len());
    for number in leased {
        let back = Returned {
            spent: 0,
            unspent: 3,
        };
        ledger.give_back(terms.limit, key(&ledger, &terms, number), back, 0);
        let answer = draw(&ledger, &terms, number, 0);
        assert_eq!(
            answer,
            Leased::Granted {
                lent: 3,
                level: 995
            }
        );
    }
    assert!(ledger.counts(terms.limit, 0).sketched > 0);
}

#[test]
fn a_smaller_max_keys_shrinks_the_table_and_mints_nothing() {
    let ledger = ledger(1);
    let wide = terms("1/day", 1, 1_000);
    for number in 0..800 {
        assert!(admits(&ledger, &wide, number, 0));
    }
    let narrow = terms("1/day", 1, 80);
    for number in 0..4_000 {
        assert!(number >= 800 || !admits(&ledger, &narrow, number, 0));
        admits(&ledger, &narrow, number, 0);
    }
    let keys = ledger.counts(narrow.limit, 0).keys;
    assert!(keys <= 80, "{keys}");
    assert!((0..800).all(|number| !admits(&ledger, &narrow, number, 0)));
}

#[test]
fn a_slower_rate_does_not_forgive_forgotten_debts() {
    let ledger = ledger(1);
    let fast = terms("100/s", 100, 8);
    for number in 0..200 {
        for _ in 0..100 {
            admits(&ledger, &fast, number, 0);
        }
    }
    let slow = terms("1/h", 100, 8);
    assert!(!admits(&ledger, &slow, 0, 1));
    ledger.adopt(&[rule("limit", "1/h")], 1);
    for number in 0..200 {
        assert!(!admits(&ledger, &slow, number, 3_599 * SECOND), "{number}");
    }
}

#[test]
fn a_limit_that_is_gone_is_forgotten_unless_it_is_on_lease() {
    let ledger = ledger(2);
    let terms = terms("1/s", 1_000_000, 100);
    let Leased::Granted { lent, .. } = draw(&ledger, &terms, 1, 0) else {
        panic!("refused");
    };
    ledger.adopt(&[], 0);
    assert_eq!(ledger.counts(terms.limit, 0).keys, 1);
    let back = Returned {
        spent: lent,
        unspent: 0,
    };
    ledger.give_back(terms.limit, key(&ledger, &terms, 1), back, 0);
    ledger.adopt(&[rule("limit", "1/s")], 0);
    assert_eq!(ledger.counts(terms.limit, 0).keys, 1);
    ledger.adopt(&[rule("other", "1/s")], 0);
    assert_eq!(ledger.counts(terms.limit, 0), Counts::default());
}

#[test]
fn a_worker_that_lags_behind_a_reload_goes_by_the_new_plan() {
    let ledger = ledger(2);
    let old = terms("1000/s", 100, 100);
    assert!(admits(&ledger, &old, 1, 0));
    ledger.adopt(&[rule("limit", "2/h")], 0);
    for number in [1, 2] {
        let count = (0..10)
            .filter(|_| admits(&ledger, &old, number, SECOND))
            .count();
        assert_eq!(count, 2, "key {number}");
    }
}

#[test]
fn ledgers_of_one_process_differ_in_their_seeds() {
    let (one, other) = (Ledger::new(1), Ledger::new(1));
    let terms = terms("1/s", 1, 1);
    assert_ne!(key(&one, &terms, 1), key(&other, &terms, 1));
}

/// What threads share in the stress test.
struct Stress {
    ledger: Arc<Ledger>,
    terms: Terms,
    start: Instant,
    stop: AtomicBool,
    admitted: [AtomicU64; KEYS as usize],
}

const KEYS: u64 = 3;

impl Stress {
    fn now(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    /// One worker: asks for every key in turn, with a tick of its own.
    fn work(&self) {
        let mut local = Local::new();
        let mut ticked = 0;
        let mut number = 0;
        while !self.stop.load(Ordering::Relaxed) {
            number = (number + 1) % KEYS;
            let now = self.now();
            let key = key(&self.ledger, &self.terms, number);
            let taken = local.take(&self.ledger, &self.terms, key, 1, now);
            if taken.admitted && now.is_multiple_of(7) {
                local.refund(&self.ledger, &self.terms, key, 1, &taken, now);
            } else if taken.admitted {
                self.admitted[number as usize].fetch_add(1, Ordering::Relaxed);
            }
            if now > ticked + RECONCILE_EVERY {
                ticked = now;
                local.tick(&self.ledger, now);
            }
        }
        local.tick(&self.ledger, self.now());
    }
}

/// What three keys of this rate gave to four threads in a while, each with the rest that was
/// left at the end; and when that was.
fn stress(rate: &str, burst: u64) -> (u64, [u64; KEYS as usize]) {
    const THREADS: usize = 4;
    let stress = Stress {
        terms: terms(rate, burst, 100),
        ledger: Arc::new(Ledger::new(THREADS)),
        start: Instant::now(),
        stop: AtomicBool::new(false),
        admitted: [const { AtomicU64::new(0) }; KEYS as usize],
    };
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| stress.work());
        }
        std::thread::sleep(Duration::from_millis(200));
        stress.stop.store(true, Ordering::Relaxed);
    });
    let end = stress.now();
    let mut local = Local::new();
    let totals = [0, 1, 2].map(|number: u64| {
        let key = key(&stress.ledger, &stress.terms, number);
        let mut take = || {
            local
                .take(&stress.ledger, &stress.terms, key, 1, end)
                .admitted
        };
        let rest = (0..).take_while(|_| take()).count() as u64;
        stress.admitted[number as usize].load(Ordering::Relaxed) + rest
    });
    (end, totals)
}

#[test]
fn threads_neither_mint_nor_lose_a_token() {
    let (_, totals) = stress("1/day", 30_000);
    assert_eq!(totals, [30_000; 3]);
}

#[test]
fn threads_admit_no_more_than_burst_and_rate_allow() {
    let (end, totals) = stress("10000/s", 20_000);
    let most = 20_000 + end / (SECOND / 10_000);
    for total in totals {
        assert!((20_000..=most).contains(&total), "{total} of {most}");
    }
}

#[test]
fn no_two_shards_share_a_cache_line() {
    crate::lines::assert_apart(&ledger(2).shards);
}
