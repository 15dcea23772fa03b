//! Tests of thresholds, statuses and times of checks.

use super::*;
use proptest::prelude::*;

/// Results (`+` good, `-` bad) and, after each, the state: `?`, `h`, `u`; in capitals where it was told as changed.
fn check(healthy: u32, unhealthy: u32, results: &str, expected: &str) {
    let thresholds = Thresholds { healthy, unhealthy };
    let mut tracker = Tracker::new();
    let states: String = results
        .chars()
        .map(|result| {
            let told = tracker.note(result == '+', &thresholds);
            assert!(told.is_none_or(|told| told == tracker.state()));
            let letter = match tracker.state() {
                State::Unknown => '?',
                State::Healthy => 'h',
                State::Unhealthy => 'u',
            };
            match told {
                Some(_) => letter.to_ascii_uppercase(),
                None => letter,
            }
        })
        .collect();
    assert_eq!(states, expected, "{results}");
}

#[test]
fn the_first_result_decides_alone() {
    check(5, 5, "+", "H");
    check(5, 5, "-", "U");
}

#[test]
fn then_as_many_in_a_row_as_the_threshold_says() {
    check(2, 3, "+---", "HhhU");
    check(2, 3, "+--+---", "HhhhhhU");
    check(2, 3, "-++", "UuH");
    check(2, 3, "-+-++---+", "UuuuHhhUu");
    check(1, 1, "+-+-", "HUHU");
}

#[test]
fn statuses() {
    let range = |text| Statuses::range(text);
    assert_eq!(range("200-399"), Some((200, 399)));
    assert_eq!(range("204"), Some((204, 204)));
    for wrong in [
        "",
        "-",
        "20",
        "2000",
        "200-",
        "-200",
        "399-200",
        "100",
        "199-200",
        "600",
        "200-600",
        "+20",
        "200 - 299",
        "2xx",
    ] {
        assert_eq!(range(wrong), None, "{wrong}");
    }
    let statuses = Statuses::new(vec![(200, 299), (404, 404)]);
    for (status, good) in [
        (199, false),
        (200, true),
        (299, true),
        (300, false),
        (404, true),
        (405, false),
    ] {
        assert_eq!(statuses.accepts(status), good, "{status}");
    }
}

proptest! {
    #[test]
    fn times_stay_within_their_bounds(millis in 1u64..1_000_000, random in any::<u64>()) {
        let interval = Duration::from_millis(millis);
        let next = until_next(interval, random);
        prop_assert!(next >= interval - interval / 10 && next <= interval + interval / 10);
        prop_assert!(until_first(interval, random) <= interval.min(Duration::from_secs(1)));
    }

    /// However results come: a state stands until as many in a row contradict it.
    #[test]
    fn nothing_changes_before_its_time(
        results in prop::collection::vec(any::<bool>(), 0..60),
        healthy in 1u32..6,
        unhealthy in 1u32..6,
    ) {
        let thresholds = Thresholds { healthy, unhealthy };
        let mut tracker = Tracker::new();
        let mut row: Vec<bool> = Vec::new();
        for (at, good) in results.into_iter().enumerate() {
            if row.last() != Some(&good) {
                row.clear();
            }
            row.push(good);
            let needed = if good { healthy } else { unhealthy } as usize;
            let before = tracker.state();
            let says = if good { State::Healthy } else { State::Unhealthy };
            let told = tracker.note(good, &thresholds);
            let due = at == 0 || before != says && row.len() >= needed;
            prop_assert_eq!(told, due.then_some(says));
        }
    }
}

#[test]
fn times_are_spread_over_their_bounds() {
    let second = Duration::from_secs(1);
    assert_eq!(until_first(second * 10, 0), Duration::ZERO);
    assert_eq!(until_first(second * 10, u64::MAX / 2 + 1), second / 2);
    assert_eq!(until_next(second * 10, 0), second * 9);
    assert_eq!(until_next(second * 10, u64::MAX / 2 + 1), second * 10);
}
