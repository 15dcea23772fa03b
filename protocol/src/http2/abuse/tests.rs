//! Buckets: what they let through, what comes back with time and with work.

use super::*;

const SECOND: u64 = 1_000_000_000;

/// How often it can be charged at `now` before it says no.
fn room(abuse: &mut Abuse, budget: Budget, now: u64) -> u32 {
    let mut times = 0;
    while abuse.charge(budget, now).is_ok() {
        times += 1;
        assert!(times < 100_000, "never says no");
    }
    times
}

const COUNTED: [Budget; 8] = [
    Budget::Resets,
    Budget::ForcedResets,
    Budget::Pings,
    Budget::Settings,
    Budget::Ignored,
    Budget::WindowUpdates,
    Budget::EmptyData,
    Budget::LateFrames,
];

#[test]
fn each_lets_its_burst_through_and_its_rate_after() {
    for start in [0, 17, SECOND * 1_000_000] {
        for budget in COUNTED {
            let mut abuse = Abuse::new(Budgets::CLIENTS);
            let rates = Budgets::CLIENTS;
            let rate = [
                rates.resets,
                rates.forced_resets,
                rates.pings,
                rates.settings,
                rates.ignored,
                rates.window_updates,
                rates.empty_data,
                rates.late_frames,
            ][budget.index()];
            assert_eq!(room(&mut abuse, budget, start), rate.burst, "{budget:?}");
            // One was charged beyond: it has to come back first.
            let later = start + 2 * SECOND;
            assert_eq!(room(&mut abuse, budget, later), 2 * rate.per_second - 1);
            // Never more than the burst, however long it takes.
            let much_later = later + 1_000_000 * SECOND;
            assert_eq!(room(&mut abuse, budget, much_later), rate.burst);
        }
    }
}

#[test]
fn work_earns_back_what_goes_with_it() {
    let check = |budget, work: fn(&mut Abuse), each: u32| {
        let mut abuse = Abuse::new(Budgets::CLIENTS);
        let burst = room(&mut abuse, budget, 0);
        for _ in 0..10 {
            work(&mut abuse);
        }
        let back = room(&mut abuse, budget, 0);
        assert_eq!(back, (10 * each).saturating_sub(1), "{budget:?}");
        for _ in 0..100_000 {
            work(&mut abuse);
        }
        let full = room(&mut abuse, budget, 0);
        assert_eq!(full, if each == 0 { 0 } else { burst }, "{budget:?}");
    };
    check(Budget::Resets, Abuse::ended, 1);
    check(Budget::Resets, Abuse::work, 0);
    check(Budget::ForcedResets, Abuse::ended, 0);
    check(Budget::ForcedResets, Abuse::work, 0);
    check(Budget::Pings, Abuse::work, 1);
    check(Budget::Ignored, Abuse::work, 1);
    check(Budget::EmptyData, Abuse::work, 1);
    check(Budget::WindowUpdates, Abuse::work, 16);
    check(Budget::LateFrames, Abuse::cut, 8);
    check(Budget::Settings, Abuse::work, 0);
}

#[test]
fn services_may_reset_as_they_must() {
    let mut abuse = Abuse::new(Budgets::SERVICES);
    for _ in 0..100_000 {
        assert_eq!(abuse.charge(Budget::Resets, 0), Ok(()));
        assert_eq!(abuse.charge(Budget::ForcedResets, 0), Ok(()));
    }
    assert_eq!(
        room(&mut abuse, Budget::Pings, 0),
        Budgets::CLIENTS.pings.burst
    );
}

#[test]
fn a_rate_of_nothing_comes_back_by_the_hour() {
    let mut abuse = Abuse::new(Budgets {
        pings: Rate {
            burst: 3,
            per_second: 0,
        },
        ..Budgets::CLIENTS
    });
    assert_eq!(room(&mut abuse, Budget::Pings, 0), 3);
    assert_eq!(room(&mut abuse, Budget::Pings, 1800 * SECOND), 0);
}

#[test]
fn budgets_of_clients_are_scaled() {
    let usual = Budgets::clients(200, 1);
    assert_eq!(usual, Budgets::CLIENTS);
    let more = Budgets::clients(1000, 3);
    assert_eq!((more.resets.burst, more.resets.per_second), (1000, 100));
    assert_eq!(
        (more.forced_resets.burst, more.forced_resets.per_second),
        (500, 50)
    );
    assert_eq!(more.pings.burst, 3 * usual.pings.burst);
    assert_eq!(more.settings.per_second, 3 * usual.settings.per_second);
    assert_eq!(more.block_bytes, usual.block_bytes);
    // A factor beyond all measure does not wrap.
    let all = Budgets::clients(u32::MAX, u32::MAX);
    assert_eq!(all.pings.burst, u32::MAX);
}

#[test]
fn blocks_have_two_bounds() {
    let abuse = Abuse::new(Budgets::CLIENTS);
    let (frames, bytes) = (Budgets::CLIENTS.block_frames, Budgets::CLIENTS.block_bytes);
    assert_eq!(abuse.block(frames, bytes as usize), Ok(()));
    assert_eq!(abuse.block(frames + 1, 0), Err(Budget::BlockFrames));
    assert_eq!(abuse.block(0, bytes as usize + 1), Err(Budget::BlockBytes));
}

#[test]
fn what_could_not_be_said_is_kept() {
    let mut abuse = Abuse::new(Budgets::CLIENTS);
    for _ in 0..Budgets::CLIENTS.forced_resets.burst {
        abuse.charge_later(Budget::ForcedResets, 5);
    }
    assert_eq!(abuse.overdrawn(), None);
    abuse.charge_later(Budget::ForcedResets, 5);
    assert_eq!(abuse.overdrawn(), Some(Budget::ForcedResets));
}

#[test]
fn labels_and_indices_are_distinct() {
    let all = [
        &COUNTED[..],
        &[Budget::BlockFrames, Budget::BlockBytes, Budget::Bombs],
    ]
    .concat();
    assert_eq!(all.len(), Budget::COUNT);
    for (at, budget) in all.iter().enumerate() {
        assert_eq!(budget.index(), at);
        assert!(
            all[..at]
                .iter()
                .all(|other| other.as_str() != budget.as_str())
        );
    }
}
