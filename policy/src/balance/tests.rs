//! Tests of the choice of an endpoint.

use super::*;
use proptest::prelude::*;

fn of(weight: u32, in_flight: u32, available: bool) -> Candidate {
    Candidate {
        weight,
        in_flight,
        available,
    }
}

fn turns(weights: &[u32], count: usize) -> String {
    let mut cursor = Cursor::new();
    (0..count)
        .map(|_| {
            let candidates = |index: usize| of(weights[index], 0, true);
            let index = pick(Kind::RoundRobin, candidates, weights.len(), &mut cursor, 0);
            char::from(b'a' + index.unwrap() as u8)
        })
        .collect()
}

#[test]
fn round_robin_is_smooth() {
    assert_eq!(turns(&[1, 1, 1], 7), "abcabca");
    assert_eq!(turns(&[5, 1, 1], 14), "aabacaaaabacaa");
    assert_eq!(turns(&[2, 1], 6), "abaaba");
    assert_eq!(turns(&[1, 0, 1], 4), "acac");
    assert_eq!(turns(&[3], 3), "aaa");
}

#[test]
fn workers_begin_apart() {
    let first = |random| {
        let mut cursor = Cursor::new();
        pick(Kind::RoundRobin, |_| of(1, 0, true), 4, &mut cursor, random)
    };
    let quarter = u64::MAX / 4 + 1;
    let firsts: Vec<_> = (0..4).map(|n| first(n * quarter)).collect();
    assert_eq!(firsts, [Some(0), Some(1), Some(2), Some(3)]);
}

#[test]
fn round_robin_goes_on_when_an_endpoint_comes_and_goes() {
    let mut cursor = Cursor::new();
    let mut picked = String::new();
    for turn in 0..12 {
        let candidates = |index: usize| of(1, 0, !(index == 1 && (3..6).contains(&turn)));
        let index = pick(Kind::RoundRobin, candidates, 3, &mut cursor, 0).unwrap();
        picked.push(char::from(b'a' + index as u8));
    }
    assert_eq!(picked, "abcacacbacba");
}

#[test]
fn a_cursor_fits_itself_to_the_count() {
    let mut cursor = Cursor::new();
    for count in [3, 5, 2, 1, 0, 4] {
        for _ in 0..10 {
            let index = pick(Kind::RoundRobin, |_| of(1, 0, true), count, &mut cursor, 1);
            assert_eq!(index.is_some(), count > 0);
            assert!(index.is_none_or(|index| index < count));
        }
    }
}

#[test]
fn the_less_loaded_of_two_wins() {
    for seed in 0..1000 {
        let loaded = |index: usize| of(1, [9, 1][index], true);
        let index = pick(
            Kind::LeastRequests,
            loaded,
            2,
            &mut Cursor::new(),
            mix(seed),
        );
        assert_eq!(index, Some(1));
        // 9 requests on a weight of 10 are less than 1 on a weight of 1.
        let weighted = |index: usize| of([10, 1][index], [9, 1][index], true);
        let index = pick(
            Kind::LeastRequests,
            weighted,
            2,
            &mut Cursor::new(),
            mix(seed),
        );
        assert_eq!(index, Some(0));
    }
}

/// With requests that never end before all are handed out, loads follow the weights.
#[test]
fn loads_follow_weights() {
    let weights = [1, 2, 4];
    let mut loads = [0u32; 3];
    for seed in 0..7_000 {
        let candidates = |index: usize| of(weights[index], loads[index], true);
        let random = mix(seed);
        let index = pick(
            Kind::LeastRequests,
            candidates,
            3,
            &mut Cursor::new(),
            random,
        );
        loads[index.unwrap()] += 1;
    }
    for (load, weight) in loads.into_iter().zip(weights) {
        assert!(load.abs_diff(1000 * weight) < 20, "{loads:?}");
    }
}

#[test]
fn words() {
    for kind in Kind::ALL {
        assert_eq!(Kind::parse(kind.as_str()), Some(kind));
    }
    assert_eq!(Kind::parse("roundrobin"), None);
}

fn endpoints() -> impl Strategy<Value = Vec<Candidate>> {
    let one = (0u32..6, 0u32..20, any::<bool>());
    prop::collection::vec(one.prop_map(|(w, f, a)| of(w, f, a)), 0..8)
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop::sample::select(&Kind::ALL[..])
}

proptest! {
    #[test]
    fn only_available_endpoints_are_picked(
        kind in kinds(),
        rounds in prop::collection::vec((endpoints(), any::<u64>()), 1..30),
    ) {
        let mut cursor = Cursor::new();
        for (endpoints, random) in rounds {
            let all = |index: usize| endpoints[index];
            let index = pick(kind, all, endpoints.len(), &mut cursor, random);
            match index.map(|index| endpoints[index]) {
                Some(picked) => prop_assert!(picked.available && picked.weight > 0),
                None => prop_assert!(endpoints.iter().all(|e| !e.available || e.weight == 0)),
            }
        }
    }

    /// The board changes under our eyes: each question gets another answer.
    #[test]
    fn a_moving_board_is_no_trouble(kind in kinds(), seed in any::<u64>(), count in 0usize..6) {
        let state = std::cell::Cell::new(seed);
        let shifting = |_: usize| {
            state.set(mix(state.get()));
            let bits = state.get();
            of(bits as u32 >> 8, (bits >> 32) as u32, bits & 1 == 0)
        };
        let mut cursor = Cursor::new();
        for _ in 0..20 {
            let index = pick(kind, shifting, count, &mut cursor, mix(state.get()));
            prop_assert!(index.is_none_or(|index| index < count));
        }
    }

    /// Over full turns round robin is exact.
    #[test]
    fn round_robin_gives_each_its_share(
        weights in prop::collection::vec(0u32..20, 2..8),
        turns in 1usize..5,
        random in any::<u64>(),
    ) {
        let total: u32 = weights.iter().sum();
        let mut counts = vec![0; weights.len()];
        let mut cursor = Cursor::new();
        for _ in 0..total as usize * turns {
            let all = |index: usize| of(weights[index], 0, true);
            let index = pick(Kind::RoundRobin, all, weights.len(), &mut cursor, random);
            counts[index.unwrap()] += 1;
        }
        let expected: Vec<usize> = weights.iter().map(|&w| w as usize * turns).collect();
        prop_assert_eq!(counts, expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Drawn shares lie within five standard deviations of the weights'.
    #[test]
    fn draws_follow_weights(
        kind in prop::sample::select(vec![Kind::Random, Kind::LeastRequests]),
        weights in prop::collection::vec(0u32..10, 2..6),
        seed in any::<u64>(),
    ) {
        let total: u32 = weights.iter().sum();
        prop_assume!(total > 0);
        let mut counts = vec![0u32; weights.len()];
        let mut random = seed;
        let draws = 20_000;
        for _ in 0..draws {
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let all = |index: usize| of(weights[index], 0, true);
            let index = pick(kind, all, weights.len(), &mut Cursor::new(), mix(random));
            counts[index.unwrap()] += 1;
        }
        for (count, weight) in counts.iter().zip(&weights) {
            let share = f64::from(*weight) / f64::from(total);
            let spread = (f64::from(draws) * share * (1.0 - share)).sqrt();
            let off = (f64::from(*count) - f64::from(draws) * share).abs();
            prop_assert!(off <= 5.0 * spread + 1.0, "{counts:?} for {weights:?}");
        }
    }
}
