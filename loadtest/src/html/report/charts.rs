//! The report's charts, each with the table that stands beside it.

use crate::html::axis::{self, Axis};
use crate::html::chart::{Bar, Chart};
use crate::html::data::{self, Span};
use crate::html::page::{legend, section};
use crate::html::table::{folded, row, table};
use crate::results::text::{PERCENTILES, verdict};
use crate::results::units::{count, rate, share, size, time};
use crate::results::{Histogram, Mode, Results, Sweep, grpc_name};

/// Rows of the table of the seconds at most: charts show the rest.
const MAX_SECONDS: usize = 1200;

/// What latency is called, by how the run was paced.
fn from(results: &Results) -> &'static str {
    match results.about.mode {
        Mode::Closed => "From sending a request until its answer was whole.",
        Mode::Open | Mode::Sweep => {
            "From when a request was due, sent or not, until its answer was whole."
        }
    }
}

/// Median, p99 and maximum of each second.
pub(super) fn over_time(results: &Results) -> String {
    let spans = data::spans(results);
    let end = spans.last().map_or(0.0, |it| it.to);
    let all = spans
        .iter()
        .flat_map(|it| [it.p50, it.p99, it.max])
        .flatten();
    let mut chart = Chart::new(Axis::seconds("time", end), data::times("latency", all));
    let line = |of: &dyn Fn(&Span) -> Option<f64>| -> Vec<_> {
        spans.iter().map(|it| (it.middle(), of(it))).collect()
    };
    chart.line("c3 thin", &line(&|it| it.max));
    chart.line("c2", &line(&|it| it.p99));
    chart.area("c1", &line(&|it| it.p50));
    chart.line("c1", &line(&|it| it.p50));
    let shown = |value: Option<f64>| value.map_or_else(|| "none".to_owned(), time);
    let columns: Vec<_> = spans
        .iter()
        .map(|it| {
            let (p50, p99, max) = (shown(it.p50), shown(it.p99), shown(it.max));
            (
                it.from,
                it.to,
                format!("{}\np50 {p50}\np99 {p99}\nmax {max}", it.name()),
            )
        })
        .collect();
    chart.hover(&columns);
    let legend = legend(&[("c1", "p50"), ("c2", "p99"), ("c3", "max")]);
    let svg = chart.show("Latency second by second: median, 99th percentile and maximum");
    let figures = |name: &str, of: &dyn Fn(&Span) -> Option<f64>| {
        let mut all: Vec<f64> = spans.iter().filter_map(of).collect();
        all.sort_by(f64::total_cmp);
        let at = |share: f64| all.get((share * (all.len().max(1) - 1) as f64).round() as usize);
        let at = |share| shown(at(share).copied());
        vec![name.to_owned(), at(0.0), at(0.5), at(1.0)]
    };
    let rows = [
        figures("p50", &|it| it.p50),
        figures("p99", &|it| it.p99),
        figures("max", &|it| it.max),
    ];
    let mut beside = table(&["by second", "best", "middle", "worst"], &rows);
    beside.push_str(&seconds(results));
    section(
        "Latency over time",
        from(results),
        &format!("{legend}{svg}"),
        &beside,
    )
}

/// Every second, folded away.
fn seconds(results: &Results) -> String {
    let rows: Vec<Vec<String>> = results
        .seconds
        .iter()
        .take(MAX_SECONDS)
        .map(|it| {
            let times = [it.p50_ns, it.p99_ns, it.max_ns].map(|ns| time(ns as f64));
            let per = |count: u64| rate(count as f64 / it.length.max(1e-9));
            let [p50, p99, max] = times;
            vec![
                format!("{}", it.at),
                per(it.answered),
                count(it.failed),
                p50,
                p99,
                max,
            ]
        })
        .collect();
    let heads = ["second", "answers", "failed", "p50", "p99", "max"];
    folded("Every second", &table(&heads, &rows))
}

/// How slow the slowest are.
pub(super) fn percentiles(results: &Results) -> String {
    let lines = [
        ("c1", "latency", &results.latency),
        ("c4", "from sent", &results.service),
        ("c2", "first byte", &results.first_byte),
    ];
    let lines: Vec<_> = lines
        .into_iter()
        .filter(|(_, _, it)| !it.is_empty())
        .collect();
    let shares = Axis::nines(
        "share of answers that were as fast or faster",
        results.latency.count(),
    );
    let ends = lines
        .iter()
        .flat_map(|(_, _, it)| [it.quantile(0.0) as f64, it.max() as f64]);
    let mut chart = Chart::new(shares, data::times("time", ends));
    for (class, _, histogram) in lines.iter().rev() {
        chart.line(class, &data::percentiles(histogram, chart.x_axis()));
    }
    chart.hover(&steps(chart.x_axis(), &lines));
    let names: Vec<_> = lines
        .iter()
        .map(|(class, name, _)| (*class, *name))
        .collect();
    let svg = chart.show("Latency by percentile, each nine as wide as the last");
    let mut heads = vec![""];
    heads.extend(names.iter().map(|(_, name)| *name));
    let all = |name: &str, of: &dyn Fn(&Histogram) -> f64| {
        let figures = lines.iter().map(|(_, _, it)| time(of(it)));
        [name.to_owned()]
            .into_iter()
            .chain(figures)
            .collect::<Vec<_>>()
    };
    let mut rows: Vec<_> = PERCENTILES
        .iter()
        .map(|(name, share)| all(name, &|it| it.quantile(*share) as f64))
        .collect();
    rows.push(all("p99.99", &|it| it.quantile(0.9999) as f64));
    rows.push(all("max", &|it| it.max() as f64));
    rows.push(all("mean", &Histogram::mean));
    rows.push(all("deviation", &Histogram::deviation));
    let note = "How slow the slowest are: each step to the right is ten times rarer.";
    let chart = format!("{}{svg}", legend(&names));
    section("Percentiles", note, &chart, &table(&heads, &rows))
}

/// Tooltips along a curve of percentiles.
fn steps(axis: &Axis, lines: &[(&str, &str, &Histogram)]) -> Vec<(f64, f64, String)> {
    let tens = -(1.0 - axis.last_share()).max(1e-9).log10();
    let share_at = |step: u64| 1.0 - 10_f64.powf(-(step as f64) / 6.0);
    let last = (tens * 6.0).ceil() as u64;
    (0..last)
        .map(|step| {
            let (from, to) = (share_at(step), share_at(step + 1).min(axis.last_share()));
            // Down to the first digit that is no nine.
            let digits = (step / 6) as usize;
            let mut text = format!("{:.digits$} %", to * 100.0);
            for (_, name, histogram) in lines {
                text.push_str(&format!("\n{name} {}", time(histogram.quantile(to) as f64)));
            }
            (from, to, text)
        })
        .collect()
}

/// Answers and failures of each second, and what they were.
pub(super) fn rates(results: &Results) -> String {
    let spans = data::spans(results);
    let end = spans.last().map_or(0.0, |it| it.to);
    let highest = |of: &dyn Fn(&Span) -> f64| spans.iter().map(of).fold(0.0, f64::max);
    let rates = Axis::linear("answers", highest(&|it| it.rate).max(1.0), axis::rate);
    let mut answers = Chart::new(Axis::seconds("time", end), rates);
    let points = data::steps(&spans, |it| it.rate);
    answers.area("c1", &points);
    answers.line("c1", &points);
    let columns = spans.iter().map(|it| {
        let (answered, failed) = (rate(it.rate), rate(it.failures));
        let read = size(it.bytes_in);
        let text = format!(
            "{}\nanswers {answered}\nfailed {failed}\nread {read}/s",
            it.name()
        );
        (it.from, it.to, text)
    });
    answers.hover(&columns.collect::<Vec<_>>());
    let mut charts = answers.show("Answers per second, over time");
    if results.counts.failed > 0 {
        let rates = Axis::linear("failed", highest(&|it| it.failures).max(1.0), axis::rate);
        let mut failures = Chart::new(Axis::seconds("time", end), rates).low();
        let bars: Vec<_> = spans
            .iter()
            .map(|it| Bar {
                from: it.from,
                to: it.to,
                height: it.failures,
                title: format!("{}\nfailed {}", it.name(), rate(it.failures)),
            })
            .collect();
        failures.bars("bad", &bars);
        charts.push_str(&failures.show("Failures per second, over time"));
    }
    let seconds = data::whole(results);
    let by_second = seconds
        .iter()
        .map(|it| it.answered as f64 / it.length.max(1e-9));
    let slowest = by_second.clone().fold(f64::INFINITY, f64::min);
    let mut rows = vec![
        row([
            "answers",
            &count(results.counts.answered),
            &rate(results.rate()),
        ]),
        row(["slowest second", "", &rate(slowest)]),
        row(["fastest second", "", &rate(by_second.fold(0.0, f64::max))]),
        row([
            "failed",
            &count(results.counts.failed),
            &share(results.error_share()),
        ]),
    ];
    for (status, answers) in &results.status {
        let of_all = *answers as f64 / results.counts.answered.max(1) as f64;
        rows.push(row([
            &format!("status {status}"),
            &count(*answers),
            &share(of_all),
        ]));
    }
    for (status, calls) in &results.grpc {
        let of_all = *calls as f64 / results.counts.answered.max(1) as f64;
        let name = format!("gRPC {status} {}", grpc_name(*status));
        rows.push(row([&name, &count(*calls), &share(of_all)]));
    }
    for (kind, failures) in &results.errors {
        rows.push(row([kind.words(), &count(*failures), ""]));
    }
    let note = match results.counts.failed {
        0 => "No request failed.",
        _ => "Whole answers, and the requests that failed.",
    };
    section("Rate and failures", note, &charts, &table(&[], &rows))
}

/// How often each latency was seen.
pub(super) fn histogram(results: &Results) -> String {
    let latency = &results.latency;
    let columns = data::columns(latency, latency.min(), latency.max());
    let (low, high) = (latency.min().max(1) as f64, latency.max() as f64);
    let highest = columns.iter().map(|it| it.2).fold(0.0, f64::max);
    let times = Axis::log("latency (logarithmic)", low, high, axis::time);
    let mut chart = Chart::new(
        times,
        Axis::linear("share of answers", highest, axis::percent),
    );
    let bars: Vec<_> = columns
        .iter()
        .map(|(from, to, part)| Bar {
            from: *from,
            to: *to,
            height: *part,
            title: format!("{} to {}\n{}", time(*from), time(*to), share(*part)),
        })
        .collect();
    chart.bars("c1", &bars);
    for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
        chart.mark("c2", latency.quantile(share) as f64, name);
    }
    let svg = chart.show("How often each latency was seen");
    // The limits that people think in, as far as they part the answers.
    let mut rows = Vec::new();
    let limits = (2..=10).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
    for limit in limits {
        let within = latency.share_within(limit);
        if within > 0.0 && limit >= latency.min() {
            rows.push(row([
                &format!("within {}", axis::time(limit as f64)),
                &share(within),
            ]));
        }
        if limit >= latency.max() {
            break;
        }
    }
    section(
        "Distribution",
        "How often each latency was seen.",
        &svg,
        &table(&[], &rows),
    )
}

/// Latency by rate.
pub(super) fn swept(sweep: &Sweep) -> String {
    let mut points: Vec<_> = sweep.points.iter().collect();
    points.sort_by(|a, b| a.wanted.total_cmp(&b.wanted));
    let highest = points.iter().map(|it| it.wanted).fold(1.0, f64::max);
    let times = points
        .iter()
        .flat_map(|it| [it.p50_ns as f64, it.p99_ns as f64]);
    let mut chart = Chart::new(
        Axis::linear("rate asked for", highest, axis::rate),
        data::times("latency", times),
    );
    if let Some(best) = sweep.best {
        chart.mark("good", best, &format!("{} is kept", rate(best)));
    }
    let p50: Vec<_> = points
        .iter()
        .map(|it| (it.wanted, Some(it.p50_ns as f64)))
        .collect();
    let p99: Vec<_> = points
        .iter()
        .map(|it| (it.wanted, Some(it.p99_ns as f64)))
        .collect();
    chart.line("c1", &p50);
    chart.line("c2", &p99);
    let mut rows = Vec::new();
    for point in &points {
        let kept = if point.ok { "✓" } else { "✗" };
        let limited = if point.limited {
            "\nthe generator was the limit"
        } else {
            ""
        };
        let (p50, p99) = (time(point.p50_ns as f64), time(point.p99_ns as f64));
        let text = format!(
            "{} asked for, {} reached\np50 {p50}\np99 {p99}\nfailed {}{limited}",
            rate(point.wanted),
            rate(point.rate),
            share(point.errors)
        );
        chart.dot(
            if point.ok { "good" } else { "bad" },
            point.wanted,
            point.p99_ns as f64,
            &text,
        );
        rows.push(vec![
            rate(point.wanted),
            rate(point.rate),
            p50,
            p99,
            share(point.errors),
            kept.to_owned(),
        ]);
    }
    let legend = legend(&[
        ("c1", "p50"),
        ("c2", "p99"),
        ("good", "kept"),
        ("bad", "not kept"),
    ]);
    let svg = chart.show("Latency by the rate that was asked for");
    let heads = ["asked for", "reached", "p50", "p99", "failed", ""];
    let note = format!("{}. What follows is of its best step.", verdict(sweep));
    section(
        "Search for the highest rate",
        &note,
        &format!("{legend}{svg}"),
        &table(&heads, &rows),
    )
}
