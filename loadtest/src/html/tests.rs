//! The pages: whole, well-formed, sufficient unto themselves, and with the figures in them.

use super::axis::{self, Axis};
use super::data;
use super::{comparison, report};
use crate::compare;
use crate::results::units::time;
use crate::results::{Answer, ErrorKind, Histogram, Mode, Part, Results, samples};

fn pages() -> Vec<(&'static str, String)> {
    let runs = |all: Vec<Results>| {
        let named = all.into_iter().enumerate();
        compare::names(named.map(|(at, it)| (format!("{at}.json"), it)).collect())
    };
    let all = vec![
        samples::closed(),
        samples::open(),
        samples::sweep(),
        samples::nothing(),
    ];
    vec![
        ("closed", report(&samples::closed())),
        ("open", report(&samples::open())),
        ("sweep", report(&samples::sweep())),
        ("nothing", report(&samples::nothing())),
        ("compared", comparison(&runs(all))),
        (
            "nothing compared",
            comparison(&runs(vec![samples::nothing(); 2])),
        ),
        ("one", comparison(&runs(vec![samples::closed()]))),
    ]
}

/// Reads a page as XML is read: every element closed in its order, every attribute quoted, every `&` an entity. Says what
/// is wrong.
fn malformed(page: &str) -> Option<String> {
    let mut rest = page.strip_prefix("<!DOCTYPE html>")?;
    let mut open: Vec<&str> = Vec::new();
    while let Some((text, tag)) = rest.split_once('<') {
        if text.contains('>') && open.last() != Some(&"style") {
            return Some(format!("a bare > in {text:?}"));
        }
        let in_style = open.last() == Some(&"style");
        let entities = ["amp;", "lt;", "gt;", "quot;", "#39;"];
        let bare = text
            .split('&')
            .skip(1)
            .any(|it| !entities.iter().any(|e| it.starts_with(e)));
        if bare && !in_style {
            return Some(format!("a bare & in {text:?}"));
        }
        let (tag, after) = tag.split_once('>')?;
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            match open.pop() {
                Some(last) if last == name => continue,
                last => return Some(format!("{last:?} is closed by {name}")),
            }
        }
        let closed = tag.strip_suffix('/');
        let (name, attributes) = match closed.unwrap_or(tag).split_once(' ') {
            Some((name, attributes)) => (name, attributes),
            None => (closed.unwrap_or(tag), ""),
        };
        if attributes.contains('<') || attributes.matches('"').count() % 2 != 0 {
            return Some(format!("an attribute of {tag:?}"));
        }
        // Outside of quotes there are names and equal signs alone.
        let outside: String = attributes.split('"').step_by(2).collect();
        if outside
            .chars()
            .any(|it| !it.is_ascii_alphanumeric() && !" =-".contains(it))
        {
            return Some(format!("an attribute of {tag:?}"));
        }
        if closed.is_none() {
            open.push(name);
        }
    }
    (!open.is_empty()).then(|| format!("never closed: {open:?}"))
}

#[test]
fn pages_are_well_formed() {
    for (name, page) in pages() {
        assert!(page.starts_with("<!DOCTYPE html>"));
        assert_eq!(malformed(&page), None, "{name}");
        let found = page.chars().find(|it| it.is_control() && *it != '\n');
        assert_eq!(found, None, "{name}");
    }
    // The test itself finds what it is to find.
    for bad in [
        "<a>",
        "<a></b>",
        "<p>a & b</p>",
        "<p title=\"></p>",
        "<p a='x'></p>",
        "</p>",
        "<p>></p>",
    ] {
        assert!(
            malformed(&format!("<!DOCTYPE html>{bad}")).is_some(),
            "{bad}"
        );
    }
}

#[test]
fn pages_need_nothing_beside_themselves() {
    for (name, page) in pages() {
        for reference in [
            "src=",
            "href",
            "url(",
            "@import",
            "<script",
            "<link",
            "<img",
            "<iframe",
            "<object",
            "<use",
            "http-equiv=\"refresh",
        ] {
            assert!(!page.contains(reference), "{name}: {reference}");
        }
        assert!(page.contains("default-src 'none'"), "{name}");
    }
}

#[test]
fn charts_stay_within_their_drawing() {
    for (name, page) in pages() {
        assert!(
            !page.contains("NaN") && !page.contains("inf\"") && !page.contains("inf "),
            "{name}"
        );
        for path in page.split(" d=\"").skip(1) {
            let path = path.split('"').next().unwrap_or_default();
            let numbers = path.split(|it: char| !it.is_ascii_digit() && it != '.' && it != '-');
            for number in numbers.filter(|it| !it.is_empty()) {
                let number: f64 = number.parse().expect(path);
                assert!((0.0..=720.0).contains(&number), "{name}: {path}");
            }
        }
        for width in page.split(" width=\"").skip(1) {
            let width: f64 = width
                .split('"')
                .next()
                .and_then(|it| it.parse().ok())
                .expect("a width");
            assert!(width > 0.0, "{name}");
        }
    }
}

#[test]
fn what_comes_from_outside_is_escaped() {
    let mut results = samples::open();
    results.thresholds[0].threshold = "</li><script>".to_owned();
    results.generator.why = Some("\"'<&>\u{0}".to_owned());
    let mut sweep = samples::sweep();
    sweep.about.name = "<b>\"x\" & 'y'</b>".to_owned();
    if let Some(sweep) = &mut sweep.sweep {
        sweep.until = "<until>&amp;".to_owned();
    }
    let runs = compare::names(vec![
        ("a".to_owned(), results.clone()),
        ("b".to_owned(), sweep.clone()),
    ]);
    for page in [report(&results), report(&sweep), comparison(&runs)] {
        assert_eq!(malformed(&page), None);
        assert!(!page.contains("<script") && !page.contains("<b>\"") && !page.contains("<until"));
    }
    let page = report(&results);
    for shown in [
        "<h1>orders&lt;script&gt;\u{fffd}[31m.toml</h1>",
        "&lt;/li&gt;&lt;script&gt;",
        "post &lt;&amp;&gt;",
        "--json &quot;a&amp;b&quot;",
        "&quot;&#39;&lt;&amp;&gt;\u{fffd}",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
}

#[test]
fn the_figures_are_in_the_page() {
    let has = |page: &str, figures: &[&str]| {
        for figure in figures {
            let cell = [
                format!(">{figure}<"),
                format!(": {figure}<"),
                format!("{figure} in all"),
            ];
            assert!(cell.iter().any(|it| page.contains(it.as_str())), "{figure}");
        }
    };
    let closed = samples::closed();
    let page = report(&closed);
    for share in [0.5, 0.75, 0.9, 0.99, 0.999, 1.0] {
        has(
            &page,
            &[
                &time(closed.latency.quantile(share) as f64),
                &time(closed.first_byte.quantile(share) as f64),
            ],
        );
    }
    has(&page, &["2,000/s", "14,000", "14.7 MiB", "100 %"]);
    assert!(page.contains("2026-09-21 14:13:20 UTC"), "when it began");
    let open = report(&samples::open());
    has(
        &open,
        &[
            "907/s",
            "31",
            "1.40 ms",
            "0.62 %",
            "99.6 %",
            "timed out",
            "connection reset",
            "unexpected status",
        ],
    );
    for said in [
        "The generator was the limit",
        "7 requests were due",
        "ended before its time",
        "✗ errors == 0: 31",
    ] {
        assert!(open.contains(said), "{said}");
    }
    let sweep = report(&samples::sweep());
    has(&sweep, &["55,000/s", "4.00 ms", "300 ms", "✗"]);
    assert!(
        sweep.contains("80,000/s asked for, 59,940/s reached\np50 100 ms\np99 300 ms"),
        "a tooltip"
    );
    // Each chart says in words what it shows.
    assert_eq!(
        sweep.matches("<svg").count(),
        sweep.matches("aria-label=\"").count()
    );
}

#[test]
fn a_long_run_is_put_together() {
    const SECOND: u64 = 1_000_000_000;
    let mut part = Part::new(0, Mode::Closed, 1);
    for second in 0..3600_u64 {
        for n in 0..=second % 2 {
            let sent = second * SECOND + n;
            part.answered(Answer {
                template: 0,
                status: 200,
                bytes: 10,
                due: sent,
                sent,
                first_byte: sent,
                done: sent + 1000 * (1 + second),
                grpc: None,
                unmet: None,
            });
        }
    }
    let results = part.finish(
        3600 * SECOND,
        Default::default(),
        &[],
        Default::default(),
        None,
    );
    let spans = data::spans(&results);
    assert_eq!(spans.len(), 240);
    assert!(
        spans.iter().all(|it| (it.rate - 1.5).abs() < 0.04),
        "{:?}",
        spans[0]
    );
    assert_eq!((spans[0].from, spans[0].to), (0.0, 15.0));
    assert_eq!(spans[239].to, 3600.0);
    // Of several seconds the worst.
    let worst = spans[239].max.expect("answers");
    assert!((worst - 3_600_000.0).abs() < 60_000.0, "{worst}");
    let page = report(&results);
    assert!(page.len() < 400_000, "{} bytes", page.len());
    assert!(page.contains(">30 min<"));
}

#[test]
fn the_rest_of_a_second_is_shown_when_it_says_something() {
    const SECOND: u64 = 1_000_000_000;
    let shown = |end: u64| {
        let mut part = Part::new(0, Mode::Closed, 1);
        for kind in [0, end - 1] {
            part.failed(0, ErrorKind::Reset, 0, kind);
        }
        let results = part.finish(end, Default::default(), &[], Default::default(), None);
        data::spans(&results).len()
    };
    assert_eq!(shown(SECOND * 2), 2);
    assert_eq!(shown(SECOND * 2 + SECOND / 100), 2);
    assert_eq!(shown(SECOND * 2 + SECOND / 2), 3);
    assert_eq!(shown(SECOND / 100), 1);
}

#[test]
fn axes_have_round_ticks() {
    let check = |axis: &Axis, expected: &[&str]| {
        let labels: Vec<&str> = axis.ticks.iter().map(|it| it.label.as_str()).collect();
        assert_eq!(labels, expected);
        let mut last = -1.0;
        for tick in &axis.ticks {
            let place = axis.place(tick.value);
            assert!(place > last && place <= 1.0, "{}", tick.label);
            last = place;
        }
    };
    check(
        &Axis::linear("", 930.0, axis::rate),
        &["0/s", "200/s", "400/s", "600/s", "800/s", "1k/s"],
    );
    check(&Axis::linear("", 0.0, axis::percent), &["0 %", "100 %"]);
    check(
        &Axis::linear("", 0.024, axis::percent),
        &["0 %", "0.5 %", "1 %", "1.5 %", "2 %", "2.5 %"],
    );
    check(
        &Axis::log("", 180e3, 2.4e6, axis::time),
        &["200 µs", "500 µs", "1 ms", "2 ms"],
    );
    check(
        &Axis::log("", 1e3, 9e9, axis::time),
        &[
            "1 µs", "10 µs", "100 µs", "1 ms", "10 ms", "100 ms", "1 s", "10 s",
        ],
    );
    check(
        &Axis::log("", 64.0, 64.0, axis::time),
        &["50 ns", "70 ns", "100 ns"],
    );
    check(
        &Axis::seconds("", 7.0),
        &["0 s", "1 s", "2 s", "3 s", "4 s", "5 s", "6 s", "7 s"],
    );
    check(
        &Axis::seconds("", 0.5),
        &["0 ms", "100 ms", "200 ms", "300 ms", "400 ms", "500 ms"],
    );
    check(
        &Axis::seconds("", 480.0),
        &[
            "0 s", "60 s", "2 min", "3 min", "4 min", "5 min", "6 min", "7 min", "8 min",
        ],
    );
    check(
        &Axis::nines("", 5000),
        &["0 %", "50 %", "90 %", "99 %", "99.9 %"],
    );
    check(
        &Axis::nines("", 1_000_000),
        &[
            "0 %",
            "90 %",
            "99 %",
            "99.9 %",
            "99.99 %",
            "99.999 %",
            "99.9999 %",
        ],
    );
    check(&Axis::nines("", 0), &["0 %", "50 %", "90 %"]);
    let axis = Axis::log("", 1.0, 100.0, axis::time);
    assert_eq!(
        [0.0, 1.0, 10.0, 1e9, f64::NAN].map(|it| axis.place(it)),
        [0.0, 0.0, 0.5, 1.0, 0.0]
    );
    let axis = Axis::nines("", 1000);
    assert!((axis.place(0.9) - 1.0 / 3.0).abs() < 1e-9);
    assert_eq!(axis.place(1.0), 1.0);
}

#[test]
fn columns_hold_every_answer() {
    let mut histogram = Histogram::new();
    for ns in [64, 1000, 50_000, 50_000, 3_000_000, 59_000_000_000_u64] {
        histogram.record(ns);
    }
    let columns = data::columns(&histogram, histogram.min(), histogram.max());
    let sum: f64 = columns.iter().map(|it| it.2).sum();
    assert!((sum - 1.0).abs() < 1e-9, "{sum}");
    assert!(
        columns
            .windows(2)
            .all(|it| (it[0].1 - it[1].0).abs() < 1e-6 * it[0].1)
    );
    let holds = |ns: f64| {
        columns
            .iter()
            .find(|it| it.0 <= ns && ns < it.1)
            .map(|it| it.2)
    };
    assert_eq!(holds(50_000.0), Some(2.0 / 6.0));
}
