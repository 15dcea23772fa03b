//! The comparison of several runs: curves over each other, and the table of ratios.

use super::axis::{self, Axis};
use super::chart::Chart;
use super::data::{self, Span};
use super::page::{escape, legend, page, section};
use super::table::table;
use crate::compare::{Is, Row, Run, rows};
use crate::results::Histogram;
use crate::results::text::{PERCENTILES, course};
use crate::results::units::{rate, time};

/// The colours of runs, in turn.
const CLASSES: [&str; 6] = ["c1", "c2", "c4", "c5", "c6", "c3"];

/// The comparison of runs, a whole page; the first is the base.
pub fn comparison(runs: &[Run]) -> String {
    let mut body = String::from(
        "<header><h1>Load tests compared</h1><p>Ratios are to the first.</p></header>\n",
    );
    body.push_str(&who(runs));
    body.push_str(&ratios(runs));
    if runs.iter().any(|it| it.results.sweep.is_some()) {
        body.push_str(&sweeps(runs));
    }
    body.push_str(&percentiles(runs));
    for (title, share) in [("p50 over time", 0.5), ("p99 over time", 0.99)] {
        body.push_str(&over_time(runs, title, share));
    }
    body.push_str(&rates(runs));
    body.push_str(&distributions(runs));
    page("Load tests compared", &body)
}

fn class(at: usize) -> &'static str {
    CLASSES.get(at % CLASSES.len()).copied().unwrap_or("c1")
}

fn colours(runs: &[Run]) -> String {
    let entries = runs.iter().enumerate();
    let entries: Vec<_> = entries
        .map(|(at, it)| (class(at), it.name.as_str()))
        .collect();
    legend(&entries)
}

/// Which runs these are.
fn who(runs: &[Run]) -> String {
    let rows = runs.iter().enumerate().map(|(at, run)| {
        let limited = match run.results.generator.limited {
            true => " <b class=\"bad\">The generator was the limit.</b>",
            false => "",
        };
        format!(
            "<tr><th scope=\"row\" class=\"{}\">{}</th><td>{}{limited}<br/><code>{}</code></td></tr>",
            class(at),
            escape(&run.name),
            escape(&course(&run.results)),
            escape(&run.results.about.command)
        )
    });
    let rows: String = rows.collect();
    format!(
        "<section><h2>Runs</h2><table class=\"facts named\"><tbody>{rows}</tbody></table></section>\n"
    )
}

fn ratios(runs: &[Run]) -> String {
    let mut out = String::from("<div class=\"scroll\"><table><thead><tr><th></th>");
    for (at, run) in runs.iter().enumerate() {
        let span = if at > 0 { " colspan=\"2\"" } else { "" };
        let name = escape(&run.name);
        out.push_str(&format!(
            "<th scope=\"col\" class=\"{}\"{span}>{name}</th>",
            class(at)
        ));
    }
    out.push_str("</tr></thead><tbody>");
    for row in rows(runs) {
        out.push_str(&ratio_row(&row));
    }
    out.push_str("</tbody></table></div>");
    let note = "Small figures: the lowest and the highest second of the run. A ratio is grey where the seconds of both \
runs overlap: the difference may be chance.";
    format!("<section><h2>Figures</h2><p class=\"note\">{note}</p>{out}</section>\n")
}

fn ratio_row(row: &Row) -> String {
    let mut out = format!("<tr><th scope=\"row\">{}</th>", escape(&row.name));
    for (at, cell) in row.cells.iter().enumerate() {
        let spread = match cell.spread_shown.as_str() {
            "" => String::new(),
            spread => format!("<small>{}</small>", escape(spread)),
        };
        out.push_str(&format!("<td>{}{spread}</td>", escape(&cell.shown)));
        if at == 0 {
            continue;
        }
        let (class, ratio) = match row.verdict(at) {
            None => ("soft", String::new()),
            Some(verdict) => match verdict.is {
                Is::Better => ("good", format!("{} better", verdict.ratio)),
                Is::Worse => ("bad", format!("{} worse", verdict.ratio)),
                Is::Even => ("soft", verdict.ratio),
            },
        };
        out.push_str(&format!("<td class=\"{class}\">{}</td>", escape(&ratio)));
    }
    out.push_str("</tr>");
    out
}

/// A table with a column for each run.
fn beside(runs: &[Run], names: &[(&str, f64)], of: impl Fn(&Run, f64) -> String) -> String {
    let mut heads = vec![""];
    heads.extend(runs.iter().map(|it| it.name.as_str()));
    let rows: Vec<Vec<String>> = names
        .iter()
        .map(|(name, at)| {
            let cells = runs.iter().map(|it| of(it, *at));
            [(*name).to_owned()].into_iter().chain(cells).collect()
        })
        .collect();
    table(&heads, &rows)
}

fn latencies(runs: &[Run]) -> impl Iterator<Item = &Histogram> {
    runs.iter().map(|it| &it.results.latency)
}

fn percentiles(runs: &[Run]) -> String {
    let count = latencies(runs).map(Histogram::count).max().unwrap_or(0);
    let shares = Axis::nines("share of answers that were as fast or faster", count);
    let ends = latencies(runs).flat_map(|it| [it.quantile(0.0) as f64, it.max() as f64]);
    let mut chart = Chart::new(shares, data::times("latency", ends));
    for (at, latency) in latencies(runs).enumerate() {
        chart.line(class(at), &data::percentiles(latency, chart.x_axis()));
    }
    let svg = chart.show("Latency by percentile, one line for each run");
    let names: Vec<(&str, f64)> = PERCENTILES.into_iter().chain([("max", 1.0)]).collect();
    let table = beside(runs, &names, |run, share| {
        time(run.results.latency.quantile(share) as f64)
    });
    section(
        "Percentiles",
        "",
        &format!("{}{svg}", colours(runs)),
        &table,
    )
}

/// Everybody's seconds.
fn spans(runs: &[Run]) -> Vec<Vec<Span>> {
    runs.iter().map(|it| data::spans(&it.results)).collect()
}

fn end(spans: &[Vec<Span>]) -> f64 {
    let ends = spans.iter().filter_map(|it| it.last()).map(|it| it.to);
    ends.fold(0.0, f64::max)
}

fn over_time(runs: &[Run], title: &str, share: f64) -> String {
    let spans = spans(runs);
    let of = |it: &Span| if share > 0.9 { it.p99 } else { it.p50 };
    let times = data::times("latency", spans.iter().flatten().filter_map(of));
    let mut chart = Chart::new(Axis::seconds("time", end(&spans)), times);
    for (at, spans) in spans.iter().enumerate() {
        let points: Vec<_> = spans.iter().map(|it| (it.middle(), of(it))).collect();
        chart.line(class(at), &points);
    }
    let svg = chart.show(title);
    let seconds = |run: &Run, rank: f64| {
        let mut all: Vec<f64> = data::spans(&run.results).iter().filter_map(of).collect();
        all.sort_by(f64::total_cmp);
        let at = (rank * (all.len().max(1) - 1) as f64).round() as usize;
        all.get(at)
            .map_or_else(|| "none".to_owned(), |it| time(*it))
    };
    let table = beside(runs, &RANKS, seconds);
    section(title, "", &format!("{}{svg}", colours(runs)), &table)
}

/// Where in the order of seconds.
const RANKS: [(&str, f64); 3] = [("best second", 0.0), ("middle", 0.5), ("worst second", 1.0)];

fn rates(runs: &[Run]) -> String {
    let spans = spans(runs);
    let highest = spans.iter().flatten().map(|it| it.rate).fold(1.0, f64::max);
    let rates = Axis::linear("answers", highest, axis::rate);
    let mut chart = Chart::new(Axis::seconds("time", end(&spans)), rates);
    for (at, spans) in spans.iter().enumerate() {
        let points = data::steps(spans, |it| it.rate);
        chart.line(class(at), &points);
    }
    let svg = chart.show("Answers per second, one line for each run");
    let seconds = |run: &Run, rank: f64| {
        let whole = data::whole(&run.results).into_iter();
        let mut all: Vec<f64> = whole
            .map(|it| it.answered as f64 / it.length.max(1e-9))
            .collect();
        all.sort_by(|a, b| b.total_cmp(a));
        let at = (rank * (all.len().max(1) - 1) as f64).round() as usize;
        all.get(at)
            .map_or_else(|| "none".to_owned(), |it| rate(*it))
    };
    let table = beside(runs, &RANKS, seconds);
    section(
        "Rate over time",
        "",
        &format!("{}{svg}", colours(runs)),
        &table,
    )
}

fn distributions(runs: &[Run]) -> String {
    let with = || latencies(runs).filter(|it| !it.is_empty());
    let (Some(low), Some(high)) = (
        with().map(Histogram::min).min(),
        with().map(Histogram::max).max(),
    ) else {
        return String::new();
    };
    let columns: Vec<_> = latencies(runs)
        .map(|it| data::columns(it, low, high))
        .collect();
    let highest = columns.iter().flatten().map(|it| it.2).fold(0.0, f64::max);
    let times = Axis::log(
        "latency (logarithmic)",
        low.max(1) as f64,
        high as f64,
        axis::time,
    );
    let mut chart = Chart::new(
        times,
        Axis::linear("share of answers", highest, axis::percent),
    );
    for (at, columns) in columns.iter().enumerate() {
        let outline = columns
            .iter()
            .flat_map(|(from, to, share)| [(*from, Some(*share)), (*to, Some(*share))]);
        let outline: Vec<_> = outline.collect();
        chart.area(class(at), &outline);
        chart.line(class(at), &outline);
    }
    let svg = chart.show("How often each latency was seen, one outline for each run");
    let names = [("shortest", 0.0), ("median", 0.5), ("longest", 1.0)];
    let table = beside(runs, &names, |run, share| match share {
        0.0 => time(run.results.latency.min() as f64),
        share => time(run.results.latency.quantile(share) as f64),
    });
    section(
        "Distribution",
        "",
        &format!("{}{svg}", colours(runs)),
        &table,
    )
}

fn sweeps(runs: &[Run]) -> String {
    let points = || {
        runs.iter()
            .filter_map(|it| it.results.sweep.as_ref())
            .flat_map(|it| &it.points)
    };
    let highest = points().map(|it| it.wanted).fold(1.0, f64::max);
    let times = data::times("p99", points().map(|it| it.p99_ns as f64));
    let mut chart = Chart::new(Axis::linear("rate asked for", highest, axis::rate), times);
    for (at, run) in runs.iter().enumerate() {
        let mut points: Vec<_> = run.results.sweep.iter().flat_map(|it| &it.points).collect();
        points.sort_by(|a, b| a.wanted.total_cmp(&b.wanted));
        let line: Vec<_> = points
            .iter()
            .map(|it| (it.wanted, Some(it.p99_ns as f64)))
            .collect();
        chart.line(class(at), &line);
        for point in points {
            let kept = if point.ok { "kept" } else { "not kept" };
            let p99 = time(point.p99_ns as f64);
            let text = format!("{}\n{}\np99 {p99}\n{kept}", run.name, rate(point.wanted));
            chart.dot(class(at), point.wanted, point.p99_ns as f64, &text);
        }
    }
    let svg = chart.show("99th percentile by the rate that was asked for, one line for each run");
    let table = beside(runs, &[("highest rate kept", 0.0)], |run, _| {
        let best = run.results.sweep.as_ref().and_then(|it| it.best);
        best.map_or_else(|| "none".to_owned(), rate)
    });
    section(
        "Search for the highest rate",
        "",
        &format!("{}{svg}", colours(runs)),
        &table,
    )
}
