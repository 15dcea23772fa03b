//! The bucket against an ideal one that knows of every spend at once.

use super::*;
use policy_keys::Rate;
use proptest::prelude::*;

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;

fn plan(rate: &str, burst: u64) -> Plan {
    Plan::new(Rate::parse(rate).unwrap(), burst).unwrap()
}

fn back(spent: u64, unspent: u64) -> Returned {
    Returned { spent, unspent }
}

#[test]
fn a_full_bucket_admits_its_burst_and_then_one_per_token_earned() {
    let plan = plan("100/min", 100);
    let mut bucket = Bucket::new(&plan, 0, 0);
    for left in (0..100).rev() {
        let drawn = bucket.draw(&plan, 1, back(0, 0), 512, 0).unwrap();
        assert_eq!((drawn.lent, drawn.level), (0, left));
    }
    let short = bucket.draw(&plan, 1, back(0, 0), 512, 0).unwrap_err();
    assert_eq!(short.refilled_at, 600 * MS);
    let too_soon = bucket.draw(&plan, 1, back(0, 0), 512, 600 * MS - 1);
    assert_eq!(too_soon.unwrap_err().refilled_at, 600 * MS);
    bucket.draw(&plan, 1, back(0, 0), 512, 600 * MS).unwrap();
    bucket
        .draw(&plan, 1, back(0, 0), 512, 600 * MS)
        .unwrap_err();
}

#[test]
fn refill_stops_at_the_burst_less_what_is_out() {
    let plan = plan("1000/s", 100_000);
    let mut bucket = Bucket::new(&plan, 0, 0);
    let drawn = bucket.draw(&plan, 1, back(0, 0), 100, 0).unwrap();
    assert_eq!((drawn.lent, drawn.level), (999, 99_000));
    bucket.refill(&plan, 3_600 * SECOND);
    assert_eq!(bucket.level(), 100_000 - 999);
    bucket.give_back(&plan, back(0, 999), 3_600 * SECOND);
    assert_eq!(bucket, Bucket::new(&plan, 0, 3_600 * SECOND));
}

#[test]
fn leases_shrink_with_the_level_and_are_whole_multiples_of_the_cost() {
    let plan = plan("1/day", 1_000_000);
    for (debt, cost, lent) in [
        (0, 1, 1953),
        (500_000, 1, 976),
        (998_975, 1, 2),
        (999_488, 1, 0),
        (0, 10, 1950),
        (0, 1_000, 1_000),
        (0, 2_000, 0),
    ] {
        let mut bucket = Bucket::new(&plan, debt, 0);
        let drawn = bucket.draw(&plan, cost, back(0, 0), 512, 0).unwrap();
        assert_eq!(drawn.lent, lent, "debt {debt}, cost {cost}");
    }
}

#[test]
fn a_refused_draw_keeps_what_came_back() {
    let plan = plan("1/s", 1_000);
    let mut bucket = Bucket::new(&plan, 0, 0);
    let drawn = bucket.draw(&plan, 1, back(0, 0), 100, 0).unwrap();
    assert_eq!(drawn.lent, 9);
    let level = bucket.draw(&plan, 990, back(0, 0), 100, 0).unwrap().level;
    assert_eq!(level, 0);
    let short = bucket.draw(&plan, 10, back(4, 5), 100, 0).unwrap_err();
    assert_eq!((short.level, short.lent_elsewhere), (5, false));
    assert_eq!(short.refilled_at, 5 * SECOND);
    assert!(!bucket.has_leases());
}

#[test]
fn time_that_goes_back_earns_nothing_and_is_not_earned_twice() {
    let plan = plan("1/s", 10);
    let mut bucket = Bucket::new(&plan, 10, 5 * SECOND);
    bucket.refill(&plan, 3 * SECOND);
    assert_eq!(bucket.level(), 0);
    bucket.refill(&plan, 6 * SECOND);
    assert_eq!(bucket.level(), 1);
    bucket.refill(&plan, 0);
    bucket.refill(&plan, 6 * SECOND);
    assert_eq!(bucket.level(), 1);
}

#[test]
fn a_change_of_plan_mints_nothing() {
    let (small, large) = (plan("1/s", 10), plan("100/s", 1_000));
    let mut raised = Bucket::new(&small, 10, 0);
    raised.change(&small.least(&large), 4 * SECOND);
    assert_eq!(raised.level(), 4);
    raised.refill(&large, 4 * SECOND);
    assert_eq!(raised.level(), 4);
    raised.refill(&large, 5 * SECOND);
    assert_eq!(raised.level(), 104);

    let mut lowered = Bucket::new(&large, 0, 0);
    let drawn = lowered.draw(&large, 1, back(0, 0), 100, 0).unwrap();
    assert_eq!(drawn.lent, 9);
    lowered.change(&small.least(&large), 0);
    lowered.refill(&small, 0);
    assert_eq!(lowered.level(), 1);
    lowered.give_back(&small, back(0, 9), 0);
    assert_eq!(lowered.level(), 10);
}

#[test]
fn the_largest_burst_at_the_slowest_rate_overflows_nothing() {
    let slow = plan("1/day", super::super::MAX_BURST);
    let mut bucket = Bucket::new(&slow, slow.burst(), 0);
    assert_eq!(bucket.full_at(&slow, 0), u64::MAX);
    bucket.refill(&slow, u64::MAX);
    assert_eq!(bucket.level(), u64::MAX / (86_400 * SECOND));
    let fast = plan("18446744073709551615/s", super::super::MAX_BURST);
    let mut bucket = Bucket::new(&fast, fast.burst(), 0);
    bucket.refill(&fast, u64::MAX);
    assert_eq!(bucket.level(), fast.burst());
}

#[test]
fn a_started_token_is_not_carried_into_another_plan() {
    let (slow, fast) = (plan("1/day", 10), plan("1000/s", 10));
    let mut bucket = Bucket::new(&slow, 10, 0);
    bucket.refill(&slow, 86_399 * SECOND);
    bucket.change(&fast, 86_399 * SECOND);
    assert_eq!(bucket, Bucket::new(&fast, 10, 86_399 * SECOND));
}

/// Day-nanoseconds: every unit of a rate divides it.
const DAY: u128 = 86_400_000_000_000;

/// A bucket in units of a day-th of a nano-token, told of every spend when it happens.
struct Ideal {
    units: u128,
    at: u64,
}

impl Ideal {
    fn refill(&mut self, rate: Rate, burst: u64, now: u64) {
        let earned = u128::from(now - self.at) * u128::from(rate.count);
        self.units += earned * (DAY / rate.per.as_nanos());
        self.units = self.units.min(u128::from(burst) * DAY);
        self.at = now;
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Wait(u64),
    Draw { worker: usize, spend: u64 },
    GiveBack { worker: usize, spend: u64 },
    Refund { worker: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let wait = prop_oneof![0u64..10_000, 0..20 * MS, 0..100 * SECOND, 0..1u64 << 50];
    prop_oneof![
        wait.prop_map(Step::Wait),
        (0usize..3, 0u64..100).prop_map(|(worker, spend)| Step::Draw { worker, spend }),
        (0usize..3, 0u64..100).prop_map(|(worker, spend)| Step::GiveBack { worker, spend }),
        (0usize..3).prop_map(|worker| Step::Refund { worker }),
    ]
}

fn rate() -> impl Strategy<Value = Rate> {
    let per = prop_oneof![Just(1u64), Just(60), Just(3_600), Just(86_400)];
    let count = prop_oneof![1u64..10, 1u64..2_000_000, Just(1_000_000)];
    (count, per).prop_map(|(count, per)| Rate {
        count,
        per: std::time::Duration::from_secs(per),
    })
}

proptest! {
    #[test]
    fn admits_no_more_than_an_ideal_bucket_and_hardly_less(
        rate in rate(),
        burst in prop_oneof![1u64..20, 1u64..100_000, Just(super::super::MAX_BURST)],
        cost in 1u64..4,
        share in prop_oneof![Just(4u64), Just(512)],
        steps in prop::collection::vec(step(), 1..200),
    ) {
        prop_assume!(cost <= burst);
        let plan = Plan::new(rate, burst).unwrap();
        let mut bucket = Bucket::new(&plan, 0, 0);
        let mut ideal = Ideal { units: u128::from(burst) * DAY, at: 0 };
        let mut held = [0u64; 3];
        let mut now = 0u64;
        // One share for each of the workers, and the refill that their unreported spends hold
        // up.
        let slack = u128::from(burst / share * 6) * DAY;
        for step in steps {
            match step {
                Step::Wait(time) => now += time,
                Step::Draw { worker, spend } => {
                    let spend = spend.min(held[worker]);
                    ideal.refill(rate, burst, now);
                    prop_assert!(ideal.units >= u128::from(spend) * DAY);
                    ideal.units -= u128::from(spend) * DAY;
                    let back = back(spend, held[worker] - spend);
                    held[worker] = 0;
                    match bucket.draw(&plan, cost, back, share, now) {
                        Ok(drawn) => {
                            prop_assert!(ideal.units >= u128::from(cost) * DAY);
                            ideal.units -= u128::from(cost) * DAY;
                            held[worker] = drawn.lent;
                        }
                        Err(short) => {
                            prop_assert!(ideal.units < u128::from(cost) * DAY + slack);
                            prop_assert!(short.refilled_at > now);
                        }
                    }
                }
                Step::GiveBack { worker, spend } => {
                    let spend = spend.min(held[worker]);
                    ideal.refill(rate, burst, now);
                    prop_assert!(ideal.units >= u128::from(spend) * DAY);
                    ideal.units -= u128::from(spend) * DAY;
                    bucket.give_back(&plan, back(spend, held[worker] - spend), now);
                    held[worker] = 0;
                }
                Step::Refund { worker } => {
                    let none = back(0, held[worker]);
                    held[worker] = 0;
                    if let Ok(drawn) = bucket.draw(&plan, cost, none, share, now) {
                        held[worker] = drawn.lent;
                        bucket.refund(&plan, cost, now);
                    }
                }
            }
            prop_assert_eq!(bucket.out, held.iter().sum::<u64>());
            prop_assert!(bucket.level + bucket.out <= burst);
            prop_assert!(bucket.level + bucket.out < burst || bucket.fraction == 0);
        }
    }
}
