//! Tests of the generator: shares by weight, counters over workers.

use super::*;
use crate::scenario::Scenario;
use std::collections::BTreeSet;
use std::path::Path;

fn scenario(text: &str) -> Scenario {
    let text = format!("[target]\nurl = \"http://h\"\n{text}");
    Scenario::parse(&text, "t", Path::new(""))
        .unwrap_or_else(|why| panic!("{}", crate::scenario::show(&why)))
}

fn shares(weights: &[u32]) -> Vec<f64> {
    let odds = Odds::new(weights.iter().copied());
    let (mut random, mut seen) = (Random::new(3), vec![0; weights.len()]);
    for _ in 0..100_000 {
        seen[odds.draw(&mut random)] += 1;
    }
    seen.iter().map(|it| f64::from(*it) / 100_000.0).collect()
}

#[test]
fn templates_come_by_their_weights() {
    for weights in [
        &[9, 1][..],
        &[1, 1, 1],
        &[0, 5, 0, 5],
        &[1],
        &[1, 2, 3, 4, 5, 6, 1_000_000],
    ] {
        let sum: u32 = weights.iter().sum();
        for (share, weight) in shares(weights).iter().zip(weights) {
            let expected = f64::from(*weight) / f64::from(sum);
            assert!(
                (share - expected).abs() < 0.01,
                "{weights:?}: {share} {expected}"
            );
            assert!(*weight > 0 || *share == 0.0);
        }
    }
}

#[test]
fn counters_give_each_number_once_over_all_workers() {
    let scenario = scenario(
        "[request.a]\npath = \"/{counter:10..}\"\n[request.b]\npath = \"/b{counter:10..}\"\n",
    );
    let mut seen = BTreeSet::new();
    for worker in 0..3 {
        let mut generator = scenario.generator(worker, 3, 0);
        for _ in 0..100 {
            let mut out = Vec::new();
            generator.next(&mut out);
            assert!(seen.insert(out));
        }
    }
    assert!(seen.contains(&b"GET /10 HTTP/1.1\r\nHost: h\r\n\r\n"[..]));
}

#[test]
fn workers_draw_other_values() {
    let scenario = scenario("[request.a]\npath = \"/{uuid}\"\n");
    let first = |worker| {
        let mut out = Vec::new();
        scenario.generator(worker, 2, 0).next(&mut out);
        out
    };
    assert_ne!(first(0), first(1));
    assert_eq!(first(0), first(0));
}

#[test]
fn requests_are_appended() {
    let scenario = scenario("[request.a]\n");
    let mut generator = scenario.generator(0, 1, 0);
    let mut out = b"before".to_vec();
    assert_eq!(generator.next(&mut out), 0);
    assert!(out.starts_with(b"beforeGET / HTTP/1.1\r\n"));
}

#[test]
fn a_random_pause_stays_in_its_bounds() {
    let scenario = scenario("[request.a]\nthink = \"1ms..3ms\"\n");
    let mut generator = scenario.generator(0, 1, 0);
    let pauses: Vec<Duration> = (0..1000).map(|_| generator.think(0)).collect();
    let (least, most) = (pauses.iter().min(), pauses.iter().max());
    assert!(*least.expect("some") >= Duration::from_millis(1));
    assert!(*most.expect("some") <= Duration::from_millis(3));
    assert_ne!(least, most);
    assert_eq!(generator.think(7), Duration::ZERO);
}
