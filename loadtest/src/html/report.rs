//! The report of one run: what is seen first, then chart after chart with its table beside it.

use super::page::{escape, page, tile};
use super::table::table;
use crate::results::text::{PERCENTILES, course, cpu, printable};
use crate::results::units::{count, rate, share, size, span, time};
use crate::results::{Histogram, Results};

mod charts;

/// The report of a run, a whole page.
pub fn report(results: &Results) -> String {
    let mut body = first(results);
    if let Some(sweep) = &results.sweep {
        body.push_str(&charts::swept(sweep));
    }
    if !results.latency.is_empty() {
        body.push_str(&charts::over_time(results));
        body.push_str(&charts::percentiles(results));
    }
    if !results.seconds.is_empty() {
        body.push_str(&charts::rates(results));
    }
    if !results.latency.is_empty() {
        body.push_str(&charts::histogram(results));
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
    for (kind, example) in &results.examples {
        rows.push(("Such as", format!("{kind}: {}", printable(example))));
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
