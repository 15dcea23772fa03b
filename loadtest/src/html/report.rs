//! The report of one run: what is seen first, then chart after chart with its table beside it.

use super::axis::{self, Axis};
use super::chart::{Bar, Chart};
use super::data::{self, Span};
use super::page::{escape, legend, page, section, tile};
use super::table::{folded, row, table};
use crate::results::text::{PERCENTILES, course, cpu, verdict};
use crate::results::units::{count, rate, share, size, span, time};
use crate::results::{Histogram, Mode, Results, Sweep};

/// Rows of the table of the seconds at most: charts show the rest.
const MAX_SECONDS: usize = 1200;

/// The report of a run, a whole page.
pub fn report(results: &Results) -> String {
    let mut body = first(results);
    if let Some(sweep) = &results.sweep {
        body.push_str(&swept(sweep));
    }
    if !results.latency.is_empty() {
        body.push_str(&over_time(results));
        body.push_str(&percentiles(results));
    }
    if !results.seconds.is_empty() {
        body.push_str(&rates(results));
    }
    if !results.latency.is_empty() {
        body.push_str(&histogram(results));
    }
    if !results.templates.is_empty() {
        body.push_str(&templates(results));
    }
    body.push_str(&about(results));
    page(&format!("{}: load test", results.about.name), &body)
}

/// What is seen first: the figures that matter, what was demanded, what to beware of.
fn first(results: &Results) -> String {
    let counts = &results.counts;
    let quantile = |share| match results.latency.is_empty() {
        true => "none".to_owned(),
        false => time(results.latency.quantile(share) as f64),
    };
    let failed = if counts.failed > 0 { "bad" } else { "" };
    let read = format!("{} in all", size(counts.bytes_in as f64));
    let max = format!("max {}", time(results.latency.max() as f64));
    let mean = format!("mean {}", time(results.latency.mean()));
    let mut out = format!(
        "<header><h1>{}</h1><p>{}</p></header>\n<div class=\"tiles\">{}{}{}{}{}{}</div>\n",
        escape(&results.about.name),
        escape(&course(results)),
        tile(
            "Answers per second",
            &rate(results.rate()),
            &format!("{} in all", count(counts.answered)),
            ""
        ),
        tile("Latency, median", &quantile(0.5), &mean, ""),
        tile("Latency, p99", &quantile(0.99), &max, ""),
        tile("Latency, p99.9", &quantile(0.999), "one in a thousand", ""),
        tile(
            "Failed",
            &count(counts.failed),
            &share(results.error_share()),
            failed
        ),
        tile("Read per second", &size(results.bytes_in_rate()), &read, ""),
    );
    if !results.thresholds.is_empty() {
        let judged = results.thresholds.iter().map(|it| {
            let (class, mark) = if it.passed {
                ("yes", '✓')
            } else {
                ("no", '✗')
            };
            let (wanted, found) = (escape(&it.threshold), escape(&it.measured));
            format!("<li class=\"{class}\">{mark} {wanted}: {found}</li>")
        });
        out.push_str(&format!(
            "<ul class=\"kept\">{}</ul>\n",
            judged.collect::<String>()
        ));
    }
    let mut beware = |text: &str| {
        out.push_str(&format!("<p class=\"say warn\">{}</p>\n", escape(text)));
    };
    if results.generator.limited {
        let why = results
            .generator
            .why
            .as_deref()
            .unwrap_or("it was busy all the time");
        beware(&format!(
            "The generator was the limit, so these figures say less about the server: {why}."
        ));
    }
    if counts.unsent > 0 {
        let unsent = count(counts.unsent);
        beware(&format!(
            "{unsent} requests were due and never sent, since no connection was free."
        ));
    }
    if results.about.interrupted {
        beware("The run was ended before its time.");
    }
    out
}

/// What latency is called, by how the run was paced.
fn from(results: &Results) -> &'static str {
    match results.about.mode {
        Mode::Closed => "From sending a request until its answer was whole.",
        Mode::Open | Mode::Sweep => {
            "From when a request was due, sent or not, until its answer was whole."
        }
    }
}

fn over_time(results: &Results) -> String {
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

fn percentiles(results: &Results) -> String {
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

fn rates(results: &Results) -> String {
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
    for (kind, failures) in &results.errors {
        rows.push(row([kind.words(), &count(*failures), ""]));
    }
    let note = match results.counts.failed {
        0 => "No request failed.",
        _ => "Whole answers, and the requests that failed.",
    };
    section("Rate and failures", note, &charts, &table(&[], &rows))
}

fn histogram(results: &Results) -> String {
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

fn templates(results: &Results) -> String {
    let mut heads = vec!["request", "answers", "failed"];
    heads.extend(PERCENTILES.iter().map(|(name, _)| *name));
    heads.push("max");
    let rows: Vec<Vec<String>> = results
        .templates
        .iter()
        .map(|it| {
            let mut cells = vec![it.name.clone(), count(it.answered), count(it.failed)];
            let percentiles = PERCENTILES
                .iter()
                .map(|(_, share)| it.latency.quantile(*share));
            cells.extend(
                percentiles
                    .chain([it.latency.max()])
                    .map(|ns| time(ns as f64)),
            );
            cells
        })
        .collect();
    let table = table(&heads, &rows);
    format!("<section><h2>Requests of the scenario</h2>{table}</section>\n")
}

fn swept(sweep: &Sweep) -> String {
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

fn about(results: &Results) -> String {
    let (about, generator) = (&results.about, &results.generator);
    let mut rows = vec![
        ("Target", about.target.clone()),
        ("Command", about.command.clone()),
        ("Began", began(about.started_unix_ms)),
        ("Took", span(results.duration_ns)),
        (
            "Connections",
            format!(
                "{} at most, {} opened",
                count(about.connections),
                count(results.counts.connections)
            ),
        ),
    ];
    for (name, histogram) in [
        ("TCP connect", &results.connect),
        ("TLS handshake", &results.tls),
    ] {
        if !histogram.is_empty() {
            rows.push((name, in_short(histogram)));
        }
    }
    rows.push((
        "Written",
        format!(
            "{}, {}/s",
            size(results.counts.bytes_out as f64),
            size(results.bytes_out_rate())
        ),
    ));
    rows.push((
        "Generator",
        format!("version {}, CPU {}", about.version, cpu(generator, results)),
    ));
    if !generator.workers.is_empty() {
        let busy: Vec<String> = generator.workers.iter().map(|it| share(*it)).collect();
        rows.push(("Workers busy", busy.join(", ")));
    }
    if !generator.lag.is_empty() {
        rows.push(("Sent late by", in_short(&generator.lag)));
    }
    let rows: String = rows
        .iter()
        .map(|(name, value)| {
            let code = matches!(*name, "Command" | "Target");
            let value = escape(value);
            let value = if code {
                format!("<code>{value}</code>")
            } else {
                value
            };
            format!("<tr><th scope=\"row\">{name}</th><td>{value}</td></tr>")
        })
        .collect();
    format!(
        "<section><h2>About this run</h2><table class=\"facts\"><tbody>{rows}</tbody></table></section>\n"
    )
}

fn in_short(histogram: &Histogram) -> String {
    let at = |share| time(histogram.quantile(share) as f64);
    format!(
        "p50 {}, p99 {}, max {}",
        at(0.5),
        at(0.99),
        time(histogram.max() as f64)
    )
}

/// A moment in Unix milliseconds as a date and time in UTC.
pub(super) fn began(unix_ms: u64) -> String {
    let days = unix_ms / 86_400_000;
    let second = unix_ms / 1000 % 86_400;
    // Howard Hinnant's `civil_from_days`, for days since the epoch.
    let z = days + 719_468;
    let (era, of_era) = (z / 146_097, z % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}
