//! Schedules, laid out whole.

use super::*;
use std::time::Duration;

fn stage(seconds: u64, from_rate: f64, to_rate: f64) -> Stage {
    Stage {
        duration: Duration::from_secs(seconds),
        from_rate,
        to_rate,
    }
}

fn even(stages: &[Stage], worker: usize, workers: usize) -> Schedule {
    Schedule::new(stages, Arrivals::Even, 0, worker, workers)
}

fn poisson(stages: &[Stage], seed: u64, worker: usize, workers: usize) -> Schedule {
    Schedule::new(stages, Arrivals::Poisson, seed, worker, workers)
}

fn all(mut schedule: Schedule) -> Vec<u64> {
    let mut due = Vec::new();
    while let Some(at) = schedule.due() {
        due.push(at);
        schedule.advance();
    }
    due
}

#[test]
fn a_constant_rate_is_evenly_spaced() {
    let due = all(even(&[stage(2, 5.0, 5.0)], 0, 1));
    let expected: Vec<u64> = (0..10).map(|n| n * 200_000_000).collect();
    assert_eq!(due, expected);
}

#[test]
fn workers_take_turns() {
    let stages = [stage(3, 10.0, 100.0), stage(1, 100.0, 0.0)];
    let whole = all(even(&stages, 0, 1));
    let mut shares: Vec<u64> = (0..3)
        .flat_map(|worker| all(even(&stages, worker, 3)))
        .collect();
    shares.sort_unstable();
    assert_eq!(shares, whole);
    assert_eq!(whole.len(), 165 + 50);
}

#[test]
fn a_ramp_is_the_integral_of_its_rate() {
    let check = |from: f64, to: f64, seconds: u64| {
        let due = all(even(&[stage(seconds, from, to)], 0, 1));
        assert_eq!(due.len() as f64, (from + to) / 2.0 * seconds as f64);
        for (number, at) in due.iter().enumerate() {
            let t = *at as f64 / 1e9;
            let reached = from * t + (to - from) / seconds as f64 * t * t / 2.0;
            assert!(
                (reached - number as f64).abs() < 0.01,
                "{number}: {reached}"
            );
        }
        assert!(due.is_sorted());
    };
    check(0.0, 100.0, 10);
    check(100.0, 0.0, 10);
    check(1000.0, 3000.0, 5);
    check(7.0, 7.0, 4);
}

#[test]
fn what_is_due_and_not_taken_is_counted() {
    let stages = [stage(1, 10.0, 10.0), stage(1, 0.0, 20.0)];
    for workers in 1..4 {
        for worker in 0..workers {
            let mut schedule = even(&stages, worker, workers);
            let due = all(even(&stages, worker, workers));
            for at in (0..2_100_000_000).step_by(7_000_001) {
                let expected = due.iter().filter(|due| **due <= at).count() as u64;
                let waiting = schedule.waiting(at);
                assert!(
                    waiting.abs_diff(expected) <= 1,
                    "{at}: {waiting} {expected}"
                );
            }
            let end = schedule.length_ns();
            assert_eq!(schedule.waiting(end), due.len() as u64);
            schedule.advance();
            assert_eq!(schedule.waiting(end), due.len() as u64 - 1);
        }
    }
}

#[test]
fn what_comes_later_can_be_looked_up() {
    let stages = [stage(1, 10.0, 10.0), stage(2, 0.0, 20.0)];
    let mut schedule = even(&stages, 1, 3);
    let due = all(even(&stages, 1, 3));
    for first in 0..due.len() {
        for more in 0..12 {
            assert_eq!(
                schedule.due_after(more as u64),
                due.get(first + more).copied()
            );
        }
        schedule.advance();
    }
}

#[test]
fn stages_follow_each_other() {
    let due = all(even(&[stage(1, 2.0, 2.0), stage(1, 4.0, 4.0)], 0, 1));
    let expected: Vec<u64> = [0, 500, 1000, 1250, 1500, 1750]
        .iter()
        .map(|ms| ms * 1_000_000)
        .collect();
    assert_eq!(due, expected);
}

#[test]
fn random_arrivals_keep_the_rate_and_have_exponential_gaps() {
    // The mean of 20,000 gaps, and their share above it (1/e), to five deviations.
    for workers in [1, 3] {
        let mut due: Vec<u64> = (0..workers)
            .flat_map(|worker| all(poisson(&[stage(20, 1000.0, 1000.0)], 7, worker, workers)))
            .collect();
        due.sort_unstable();
        assert!(due.len().abs_diff(20_000) < 707, "{}", due.len());
        let gaps = due.windows(2).map(|pair| pair[1] - pair[0]);
        let long = gaps.filter(|gap| *gap > 1_000_000).count() as f64;
        let share = long / due.len() as f64;
        assert!((share - (-1.0_f64).exp()).abs() < 0.017, "{share}");
    }
}

#[test]
fn random_arrivals_follow_stages_and_seeds() {
    let stages = [stage(10, 0.0, 1000.0), stage(10, 1000.0, 1000.0)];
    let due = all(poisson(&stages, 1, 0, 1));
    assert!(due.is_sorted());
    let early = due.iter().filter(|at| **at < 10_000_000_000).count();
    assert!(early.abs_diff(5_000) < 354, "{early}");
    assert!((due.len() - early).abs_diff(10_000) < 500);
    assert_eq!(due, all(poisson(&stages, 1, 0, 1)));
    assert_ne!(due, all(poisson(&stages, 2, 0, 1)));
}

#[test]
fn what_waits_of_random_arrivals_is_counted() {
    let stages = [stage(1, 100.0, 100.0)];
    let due = all(poisson(&stages, 3, 1, 2));
    let mut schedule = poisson(&stages, 3, 1, 2);
    for taken in 0..due.len() {
        for more in 0..5 {
            let expected = due.get(taken + more).copied();
            assert_eq!(schedule.due_after(more as u64), expected);
        }
        for at in (0..1_100_000_000).step_by(50_000_003) {
            let expected = due.iter().skip(taken).filter(|due| **due <= at).count();
            assert_eq!(schedule.waiting(at), expected as u64, "{taken} {at}");
        }
        schedule.advance();
    }
}
