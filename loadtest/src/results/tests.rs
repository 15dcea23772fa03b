//! Recording, merging, saving and judging.

use std::time::Duration;

use super::thresholds::judge;
use super::*;
use crate::scenario::Threshold;

const SECOND: u64 = 1_000_000_000;

/// An answer to a request that was due and sent at `sent`, after `latency`.
pub(crate) fn answer(sent: u64, latency: u64) -> Answer {
    Answer {
        template: 0,
        status: 200,
        bytes: 100,
        due: sent,
        sent,
        first_byte: sent + latency / 2,
        done: sent + latency,
        grpc: None,
        unmet: None,
    }
}

fn finished(part: Part, end: u64) -> Results {
    part.finish(end, About::default(), &[], Generator::default(), None)
}

#[test]
fn seconds_are_closed_also_when_nothing_happens() {
    let mut part = Part::new(SECOND, Mode::Closed, 1);
    part.answered(answer(SECOND + 10, 1000));
    part.answered(answer(4 * SECOND + 10, 3000));
    part.answered(answer(4 * SECOND + 20, 5000));
    assert_eq!(part.seconds().len(), 3);
    let results = finished(part, 4 * SECOND + SECOND / 2);
    let answered: Vec<_> = results
        .seconds
        .iter()
        .map(|it| (it.at, it.length, it.answered))
        .collect();
    assert_eq!(
        answered,
        [(0, 1.0, 1), (1, 1.0, 0), (2, 1.0, 0), (3, 0.5, 2)]
    );
    assert_eq!(results.seconds[1].max_ns, 0);
    assert!(
        results.seconds[3].max_ns.abs_diff(5000) < 64,
        "{}",
        results.seconds[3].max_ns
    );
    assert_eq!(results.latency.count(), 3);
    assert_eq!(results.duration_ns, 3 * SECOND + SECOND / 2);
}

#[test]
fn parts_merge_to_what_one_would_have_recorded() {
    // Two workers that end in different seconds, either way round, against one that saw it all.
    // As a worker sees them: in the order in which they end.
    let times: Vec<(u64, u64)> = (0..5000)
        .map(|n| (n, 1000 + n * n % 7_000_000))
        .map(|(n, latency)| (10_000_000 + n * 1_000_003 - latency, latency))
        .collect();
    let record = |keep: &dyn Fn(usize) -> bool| {
        let mut part = Part::new(0, Mode::Open, 2);
        for (at, (sent, latency)) in times.iter().enumerate().filter(|(at, _)| keep(*at)) {
            part.tick(sent + latency);
            part.sent(50);
            part.lagged(latency / 10);
            if at % 100 == 7 {
                part.failed(1, ErrorKind::Reset, 3, sent + latency);
                continue;
            }
            let unmet = (at % 50 == 3).then_some(ErrorKind::Status);
            part.answered(Answer {
                template: at % 2,
                unmet,
                ..answer(*sent, *latency)
            });
        }
        part.connected(5000);
        part
    };
    let whole = record(&|_| true);
    for keep in [
        (|at| at % 3 == 0) as fn(usize) -> bool,
        |at| at < 1000,
        |at| at >= 1000,
    ] {
        let mut merged = record(&|at| keep(at));
        let other = record(&|at| !keep(at));
        merged.merge(&other);
        let merged = finished(merged, 6 * SECOND);
        assert_eq!(merged.counts.connections, 2);
        let mut expected = finished(whole.clone(), 6 * SECOND);
        expected.counts.connections = 2;
        expected.connect.record(5000);
        assert_eq!(merged, expected);
    }
}

#[test]
fn what_was_saved_reads_back_the_same() {
    let mut part = Part::new(0, Mode::Open, 2);
    for n in 1..2000_u64 {
        part.sent(10);
        part.answered(Answer {
            due: 0,
            ..answer(n * 1000, n * n * 17)
        });
    }
    part.failed(1, ErrorKind::Timeout, 0, SECOND / 2);
    part.unsent(3);
    let names = ["a".to_owned(), "b".to_owned()];
    let sweep = Sweep {
        until: "p99=5ms".to_owned(),
        best: Some(1234.5),
        points: vec![Point {
            wanted: 2000.0,
            rate: 1999.9,
            ok: true,
            ..Point::default()
        }],
    };
    let about = About {
        command: "portcullis-load <\"x\">".to_owned(),
        rates: Some("1k/s".to_owned()),
        ..About::default()
    };
    let generator = Generator {
        cpu_ns: 5,
        workers: vec![0.25, 0.5],
        why: Some("late".to_owned()),
        ..Generator::default()
    };
    let mut results = part.finish(3 * SECOND, about, &names, generator, Some(sweep));
    results.thresholds = judge(&results, &[]);
    let json = results.to_json().expect("JSON");
    let read = Results::from_json(&json).expect("what was written");
    assert_eq!(read, results);
    assert_eq!(read.to_json().expect("JSON"), json);
    let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(value["format"], 1);
    assert_eq!(value["errors"]["timeout"], 1);
    assert_eq!(value["status"]["200"], 1999);
    assert_eq!(value["latency"]["count"], 1999);
}

#[test]
fn other_files_are_refused_with_a_reason() {
    let check = |text: &str, expected: &str| {
        let error = Results::from_json(text).expect_err(text);
        assert!(error.contains(expected), "{text}: {error}");
    };
    check("", "not a result");
    check("[]", "not a result");
    check("{\"results\":[]}", "not a result");
    check("{\"format\":2}", "format 2");
    check("{\"format\":1}", "missing field");
    let overflow = "{\"buckets\":[[1,18446744073709551615],[2,1]]}";
    assert!(serde_json::from_str::<Histogram>(overflow).is_err());
}

#[test]
fn errors_are_a_share_of_what_ended() {
    let mut part = Part::new(0, Mode::Closed, 1);
    assert_eq!(finished(part.clone(), SECOND).error_share(), 0.0);
    part.failed(0, ErrorKind::Reset, 0, 10);
    for n in 0..3 {
        let unmet = (n == 0).then_some(ErrorKind::Body);
        part.answered(Answer {
            unmet,
            ..answer(10, 10)
        });
    }
    let results = finished(part, SECOND);
    assert_eq!(results.counts.failed, 2);
    assert_eq!(results.error_share(), 0.5);
    assert_eq!(results.rate(), 3.0);
}

#[test]
fn thresholds_are_judged() {
    use crate::scenario::{Comparison::*, Limit, Metric, Series};
    let mut part = Part::new(0, Mode::Open, 2);
    for n in 1..=100 {
        part.answered(Answer {
            template: (n % 2) as usize,
            sent: n * 500_000,
            due: 0,
            done: n * 1_000_000,
            ..answer(n * 500_000, 0)
        });
    }
    part.failed(1, ErrorKind::Timeout, 0, 1);
    let names = ["even".to_owned(), "odd".to_owned()];
    let results = part.finish(SECOND, About::default(), &names, Generator::default(), None);
    let nothing = finished(Part::new(0, Mode::Closed, 1), SECOND);
    let check =
        |on: &Results, template: &str, metric, comparison, limit, expected: (&str, bool)| {
            let threshold = Threshold {
                template: Some(template.to_owned()).filter(|it| !it.is_empty()),
                metric,
                comparison,
                limit,
                text: String::new(),
            };
            let judged = &judge(on, &[threshold])[0];
            let found = (judged.measured.as_str(), judged.passed);
            assert_eq!(found, expected, "{metric:?} {template}");
        };
    let ms = |ms| Limit::Time(Duration::from_millis(ms));
    let p99 = Metric::Percentile(Series::Latency, 99.0);
    check(&results, "", p99, Below, ms(100), ("99.0 ms", true));
    check(&results, "", p99, Below, ms(99), ("99.0 ms", false));
    check(&nothing, "", p99, Below, ms(99), ("nothing", false));
    check(
        &results,
        "even",
        Metric::Max(Series::Latency),
        AtMost,
        ms(101),
        ("100 ms", true),
    );
    check(
        &results,
        "odd",
        Metric::Max(Series::Latency),
        Below,
        ms(100),
        ("99.0 ms", true),
    );
    check(
        &results,
        "absent",
        Metric::Max(Series::Latency),
        Below,
        ms(100),
        ("nothing", false),
    );
    check(
        &results,
        "",
        Metric::Max(Series::Service),
        AtMost,
        ms(51),
        ("50.0 ms", true),
    );
    check(
        &results,
        "odd",
        Metric::Max(Series::Service),
        AtMost,
        ms(50),
        ("49.5 ms", true),
    );
    check(
        &results,
        "odd",
        Metric::Max(Series::FirstByte),
        AtMost,
        ms(50),
        ("0 ns", true),
    );
    check(
        &results,
        "",
        Metric::Mean(Series::Latency),
        Above,
        ms(51),
        ("50.5 ms", false),
    );
    check(
        &results,
        "",
        Metric::Min(Series::Latency),
        AtLeast,
        ms(1),
        ("1.00 ms", false),
    );
    check(
        &results,
        "",
        Metric::Max(Series::Connect),
        Below,
        ms(1),
        ("nothing", false),
    );
    check(
        &results,
        "",
        Metric::Errors,
        Equal,
        Limit::Count(0),
        ("1", false),
    );
    check(
        &results,
        "",
        Metric::Errors,
        Below,
        Limit::Share(0.01),
        ("0.99 %", true),
    );
    check(
        &results,
        "odd",
        Metric::Errors,
        Below,
        Limit::Share(0.01),
        ("1.96 %", false),
    );
    check(
        &results,
        "even",
        Metric::Errors,
        Equal,
        Limit::Count(0),
        ("0", true),
    );
    check(
        &results,
        "",
        Metric::Requests,
        NotEqual,
        Limit::Count(100),
        ("100", false),
    );
    check(
        &results,
        "",
        Metric::Rate,
        AtLeast,
        Limit::Rate(100.0),
        ("100/s", true),
    );
    check(
        &results,
        "odd",
        Metric::Rate,
        Above,
        Limit::Rate(50.0),
        ("50.0/s", false),
    );
}
