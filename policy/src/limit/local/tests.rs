//! A worker's table against a ledger that keeps exact books.

use super::super::Plan;
use super::super::books::Books;
use super::*;
use policy_keys::Rate;

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;

#[test]
fn a_lease_is_spent_without_the_ledger_and_given_back_at_the_tick() {
    let books = Books::new("1/s", 10_000);
    let (terms, key) = (books.terms(), books.key(1));
    let mut local = Local::new();
    for spent in 1..=50 {
        let taken = local.take(&books, &terms, key, 1, 0);
        assert_eq!((taken.admitted, taken.remaining), (true, 10_000 - spent));
    }
    assert_eq!(books.calls(), 2, "paid once, lent when it came again");
    local.tick(&books, 0);
    assert_eq!((books.calls(), books.leases()), (1, 0));
    assert_eq!(books.level(key), 9_950);
    local.tick(&books, 10 * MS);
    assert_eq!(books.calls(), 0);
    for _ in 0..50 {
        local.take(&books, &terms, key, 1, 20 * MS);
    }
    assert_eq!(books.calls(), 1, "known to come again");
}

#[test]
fn a_key_that_is_used_once_in_a_tick_borrows_nothing() {
    let books = Books::new("1/s", 10_000);
    let (terms, key) = (books.terms(), books.key(1));
    let mut local = Local::new();
    let mut calls_of_a_tick = |uses: usize, now: u64| {
        for _ in 0..uses {
            assert!(local.take(&books, &terms, key, 1, now).admitted);
        }
        local.tick(&books, now);
        assert_eq!(books.leases(), 0);
        books.calls()
    };
    // Paid, or paid, lent and brought back, or lent and brought back.
    let uses_and_calls = [
        (1, 1),
        (1, 1),
        (2, 3),
        (2, 2),
        (2, 2),
        // Twice a lease is lent in vain.
        (1, 2),
        (1, 2),
        (1, 1),
        (3, 3),
        (1, 2),
        (9, 2),
    ];
    for (tick, (uses, calls)) in uses_and_calls.into_iter().enumerate() {
        let now = tick as u64 * 10 * MS;
        assert_eq!(calls_of_a_tick(uses, now), calls, "tick {tick}");
    }
    assert_eq!(books.level(key), 10_000 - 24);
}

#[test]
fn an_empty_key_is_refused_without_the_ledger_until_it_has_refilled() {
    let books = Books::new("1/s", 2);
    let (terms, key) = (books.terms(), books.key(1));
    let mut local = Local::new();
    assert!(local.take(&books, &terms, key, 1, 0).admitted);
    assert!(local.take(&books, &terms, key, 1, 0).admitted);
    let refused = local.take(&books, &terms, key, 1, 0);
    assert_eq!((refused.admitted, refused.refilled_at), (false, SECOND));
    books.calls();
    for now in [0, 10 * MS, SECOND - 1] {
        local.tick(&books, now);
        assert_eq!(local.take(&books, &terms, key, 1, now), refused);
    }
    assert_eq!(books.calls(), 0);
    assert!(local.take(&books, &terms, key, 1, SECOND).admitted);
    assert_eq!(books.calls(), 1);
}

#[test]
fn other_terms_end_a_local_refusal() {
    let books = Books::new("1/day", 1);
    let key = books.key(1);
    let mut local = Local::new();
    local.take(&books, &books.terms(), key, 1, 0);
    assert!(!local.take(&books, &books.terms(), key, 1, 0).admitted);
    let fast = Plan::new(Rate::parse("1000/s").unwrap(), 1).unwrap();
    let terms = Terms::new("limit", None, fast, 10);
    assert!(local.take(&books, &terms, key, 1, MS).admitted);
}

#[test]
fn a_refund_leaves_the_node_with_what_it_had() {
    let books = Books::new("1/s", 1_000);
    let (terms, key) = (books.terms(), books.key(1));
    let mut local = Local::new();
    for _ in 0..5 {
        let taken = local.take(&books, &terms, key, 1, 0);
        local.refund(&books, &terms, key, 1, &taken, 0);
    }
    local.tick(&books, 0);
    assert_eq!((books.level(key), books.leases()), (1_000, 0));

    // A lease that was pushed out in between is refunded at the ledger.
    local.take(&books, &terms, key, 1, 0);
    let taken = local.take(&books, &terms, key, 1, 0);
    local.tick(&books, 0);
    local.refund(&books, &terms, key, 1, &taken, 0);
    assert_eq!(books.level(key), 999);
}

#[test]
fn a_table_too_small_gives_leases_back_early_and_grows_to_its_bound() {
    let books = Books::new("1/s", 10_000);
    let terms = books.terms();
    const KEYS: u64 = 20_000;
    let mut local = Local::new();
    let mut now = 0;
    for _ in 0..8 {
        for number in 0..KEYS {
            let key = books.key(number);
            assert!(local.take(&books, &terms, key, 1, now).admitted);
            if number % 8_192 == 0 {
                let held = local.listed.len();
                assert!(books.leases() <= held, "{} {held}", books.leases());
            }
        }
        let room = local.listed.capacity();
        assert!(local.listed.len() <= local.sets.len() * WAYS && room >= local.listed.len());
        now += 10 * MS;
        local.tick(&books, now);
        assert_eq!(books.leases(), 0);
    }
    assert_eq!(local.sets.len(), MOST_SETS);
    for number in 0..KEYS {
        assert_eq!(books.level(books.key(number)), 10_000 - 8);
    }
}

#[test]
fn hot_empty_keys_stay_in_the_table_when_others_come_and_go() {
    let books = Books::new("1/day", 1);
    let terms = books.terms();
    let mut local = Local::new();
    for number in 0..20 {
        local.take(&books, &terms, books.key(number), 1, 0);
        local.take(&books, &terms, books.key(number), 1, 0);
    }
    for number in 100..150 {
        local.take(&books, &terms, books.key(number), 1, 0);
    }
    books.calls();
    for number in 0..20 {
        assert!(!local.take(&books, &terms, books.key(number), 1, 1).admitted);
    }
    assert_eq!(books.calls(), 0);
}
