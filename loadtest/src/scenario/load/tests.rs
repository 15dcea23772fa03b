//! Tests of stages and of what belongs together.

use super::*;
use crate::scenario::Scenario;
use std::path::Path;

fn load(text: &str) -> Result<Load, Vec<String>> {
    let text = format!("[target]\nurl = \"http://h\"\n[load]\n{text}");
    let read = Scenario::parse(&text, "t", Path::new(""));
    read.map(|it| it.load)
        .map_err(|why| why.into_iter().map(|it| it.message).collect())
}

fn rates(text: &str) -> Vec<(u64, f64, f64)> {
    let stages = parse_stages(text).unwrap_or_else(|(_, why)| panic!("{why}"));
    let one = |it: Stage| (it.duration.as_secs(), it.from_rate, it.to_rate);
    stages.into_iter().map(one).collect()
}

#[test]
fn a_stage_begins_where_the_last_one_ended() {
    assert_eq!(
        rates("10s@1k,30s@20k,10s@1k"),
        [(10, 1e3, 1e3), (30, 1e3, 20e3), (10, 20e3, 1e3)]
    );
    assert_eq!(
        rates("10s@0..2k, 60s@2k, 5s@500..500"),
        [(10, 0.0, 2e3), (60, 2e3, 2e3), (5, 500.0, 500.0)]
    );
    assert_eq!(rates("1m@90/min"), [(60, 1.5, 1.5)]);
}

#[test]
fn stages_that_are_wrong_are_told() {
    for wrong in [
        "",
        "10s",
        "10@1k",
        "10s@",
        "10s@1k,",
        "10s@x..1",
        "0s@1k",
        "10s@0",
        "8d@1k",
        "1s@20M",
        "4d@1k,4d@1k",
    ] {
        assert!(parse_stages(wrong).is_err(), "{wrong}");
    }
    let many = vec!["1ms@1"; 1001].join(",");
    assert!(parse_stages(&many).is_err());
}

#[test]
fn a_rate_makes_the_loop_open() {
    let stages = |text: &str| match load(text) {
        Ok(Load::Open { stages, .. }) => stages,
        other => panic!("{other:?}"),
    };
    assert_eq!(stages("rate = \"10/s\"")[0].duration, DEFAULT_DURATION);
    assert_eq!(stages("rate = 10\nrequests = 50")[0].duration.as_secs(), 5);
    let both = stages("rate = 10\nrequests = 50\nduration = \"2s\"");
    assert_eq!(both[0].duration.as_secs(), 2);
    assert_eq!(stages("stages = \"1s@5,2s@9\"").len(), 2);
}

#[test]
fn what_does_not_go_together_is_told() {
    let told = |text: &str, expected: &str| {
        let problems = load(text).expect_err("problems");
        assert!(
            problems.iter().any(|it| it.contains(expected)),
            "{problems:?}"
        );
    };
    told(
        "stages = \"1s@5\"\nduration = \"1s\"",
        "no room for `duration`",
    );
    told("stages = \"1s@5\"\nrate = 5", "no room for `rate`");
    told("rate = 5\nthink = \"1s\"", "no pauses");
    told("rate = \"1/h\"\nrequests = 1000", "longer than a week");
    told("think = \"5ms..1ms\"", "out of bounds");
    told("think = \"soon\"", "a pause");
    told("connections = 0", "out of bounds");
    told("timeout = \"0s\"", "out of bounds");
    told("duration = \"0s\"", "out of bounds");
    told("rate = 0.0", "out of bounds");
}
