//! The final table of a run, for a terminal.
//!
//! Plain text: no colour, no control characters, whatever names and targets hold. Sections that have nothing to say are
//! left out.

use super::units::{count, rate, share, size, span, time};
use super::{Generator, Histogram, Mode, Results, Sweep, grpc_name};

mod table;
#[cfg(test)]
mod tests;

pub(crate) use table::{Align, Table};

/// The percentiles that tables show, and what they are called.
pub(crate) const PERCENTILES: [(&str, f64); 5] = [
    ("p50", 0.5),
    ("p75", 0.75),
    ("p90", 0.9),
    ("p99", 0.99),
    ("p99.9", 0.999),
];

/// The longest bar of the sweep's plot, in characters.
const BAR: f64 = 32.0;

/// The table.
pub fn text(results: &Results) -> String {
    let mut out = String::new();
    out.push_str(&headline(results));
    out.push_str("\n\n");
    out.push_str(&totals(results));
    out.push('\n');
    out.push_str(&latencies(results));
    let sections = [
        statuses(results),
        errors(results),
        templates(results),
        Some(generator(results)),
        results.sweep.as_ref().map(sweep),
        thresholds(results),
    ];
    for section in sections.iter().flatten() {
        out.push('\n');
        out.push_str(section);
    }
    out
}

/// What ran and how, in one line.
pub(crate) fn headline(results: &Results) -> String {
    printable(&format!("{}: {}", results.about.name, course(results)))
}

/// How it ran.
pub(crate) fn course(results: &Results) -> String {
    let about = &results.about;
    let rates = about.rates.as_deref().unwrap_or_default();
    let pace = match about.mode {
        Mode::Closed => "closed loop".to_owned(),
        Mode::Open if rates.is_empty() => "open loop".to_owned(),
        Mode::Open => format!("open loop at {rates}"),
        Mode::Sweep => "best step of a sweep".to_owned(),
    };
    let pace = match &about.arrivals {
        Some(arrivals) => format!("{pace} with {arrivals} arrivals"),
        None => pace,
    };
    let streams = match about.streams {
        0 => String::new(),
        streams => format!(" of {} in HTTP/2", things(streams, "stream")),
    };
    let line = format!(
        "{pace}, {}{streams}, {}, {}{}",
        things(about.connections, "connection"),
        things(about.workers, "worker"),
        span(results.duration_ns),
        if about.interrupted {
            " (interrupted)"
        } else {
            ""
        },
    );
    let line = [about.tls.as_ref(), about.client.as_ref()]
        .into_iter()
        .flatten()
        .fold(line, |line, more| format!("{line}; {more}"));
    printable(&line)
}

/// A count and its noun.
fn things(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

/// Replaces control characters: names come from files and the command line.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|it| if it.is_control() { '\u{fffd}' } else { it })
        .collect()
}

fn totals(results: &Results) -> String {
    let counts = &results.counts;
    let mut table = Table::new(&[Align::Left, Align::Right, Align::Right]);
    table.row(["Answers", &count(counts.answered), &rate(results.rate())]);
    table.row([
        "Failures",
        &count(counts.failed),
        &share(results.error_share()),
    ]);
    if counts.unsent > 0 {
        table.row([
            "Never sent",
            &count(counts.unsent),
            "no connection was free",
        ]);
    }
    let read = size(results.bytes_in_rate());
    table.row(["Read", &size(counts.bytes_in as f64), &format!("{read}/s")]);
    let written = size(results.bytes_out_rate());
    table.row([
        "Written",
        &size(counts.bytes_out as f64),
        &format!("{written}/s"),
    ]);
    let resumed = match results.tls.is_empty() {
        true => String::new(),
        false => format!("{} resumed", count(counts.resumed)),
    };
    table.row(["Connections", &count(counts.connections), &resumed]);
    table.show()
}

fn latencies(results: &Results) -> String {
    let mut table = Table::new(&[Align::Left]);
    let names = PERCENTILES.iter().map(|(name, _)| *name);
    table.row(["Time"].into_iter().chain(names).chain(["max", "mean"]));
    let mut add = |name: &str, histogram: &Histogram| {
        if !histogram.is_empty() {
            table.row(times(name, histogram));
        }
    };
    let latency = match results.about.mode {
        Mode::Closed => "Latency",
        Mode::Open | Mode::Sweep => "Latency, from due",
    };
    add(latency, &results.latency);
    add("Latency, from sent", &results.service);
    add("First byte", &results.first_byte);
    add("TCP connect", &results.connect);
    add("TLS handshake", &results.tls);
    if results.latency.is_empty() {
        table.row(["no answers"]);
    }
    table.show()
}

/// A row of percentiles, maximum and mean.
fn times(name: &str, histogram: &Histogram) -> Vec<String> {
    let percentiles = PERCENTILES
        .iter()
        .map(|(_, share)| histogram.quantile(*share) as f64);
    let all = percentiles.chain([histogram.max() as f64, histogram.mean()]);
    [printable(name)].into_iter().chain(all.map(time)).collect()
}

fn statuses(results: &Results) -> Option<String> {
    let mut table = Table::new(&[Align::Left, Align::Right, Align::Right]);
    for (status, answers) in &results.status {
        let of_all = *answers as f64 / results.counts.answered.max(1) as f64;
        table.row([
            &format!("Status {status}"),
            &count(*answers),
            &share(of_all),
        ]);
    }
    for (status, calls) in &results.grpc {
        let of_all = *calls as f64 / results.counts.answered.max(1) as f64;
        let name = format!("gRPC {status} {}", grpc_name(*status));
        table.row([&name, &count(*calls), &share(of_all)]);
    }
    (!results.status.is_empty()).then(|| table.show())
}

fn errors(results: &Results) -> Option<String> {
    let mut table = Table::new(&[Align::Left, Align::Right, Align::Left]);
    for (kind, failures) in &results.errors {
        let example = match results.examples.get(kind) {
            Some(example) => format!("such as: {}", printable(example)),
            None => String::new(),
        };
        table.row([&format!("Failed: {kind}"), &count(*failures), &example]);
    }
    (!results.errors.is_empty()).then(|| table.show())
}

fn templates(results: &Results) -> Option<String> {
    let mut table = Table::new(&[Align::Left]);
    let names = PERCENTILES.iter().map(|(name, _)| *name);
    let heads = ["Request", "answers", "failures"].into_iter().chain(names);
    table.row(heads.chain(["max", "mean"]));
    for template in &results.templates {
        let mut row = times(&template.name, &template.latency);
        row.splice(1..1, [count(template.answered), count(template.failed)]);
        table.row(row);
    }
    (!results.templates.is_empty()).then(|| table.show())
}

fn generator(results: &Results) -> String {
    let generator = &results.generator;
    let mut table = Table::new(&[Align::Left, Align::Left]);
    table.row(["Generator CPU", &cpu(generator, results)]);
    if !generator.workers.is_empty() {
        let busy: Vec<String> = generator.workers.iter().map(|it| share(*it)).collect();
        table.row(["Workers busy", &busy.join(", ")]);
    }
    if !generator.lag.is_empty() {
        let lag = |share| time(generator.lag.quantile(share) as f64);
        let longest = time(generator.lag.max() as f64);
        let all = format!("p50 {}, p99 {}, max {longest}", lag(0.5), lag(0.99));
        table.row(["Sent late by", &all]);
    }
    if generator.limited {
        let why = generator
            .why
            .as_deref()
            .unwrap_or("it was busy all the time");
        table.row([
            "Beware",
            &format!("the generator was the limit: {}", printable(why)),
        ]);
    }
    table.show()
}

/// The generator's CPU use: in cores, and for each answer if there are any.
pub(crate) fn cpu(generator: &Generator, results: &Results) -> String {
    let cores = generator.cpu_ns as f64 / results.duration_ns.max(1) as f64;
    match results.counts.answered {
        0 => format!("{cores:.2} cores"),
        answers => {
            let each = time(generator.cpu_ns as f64 / answers as f64);
            format!("{cores:.2} cores, {each} for each answer")
        }
    }
}

/// The verdict of a sweep.
pub(crate) fn verdict(sweep: &Sweep) -> String {
    let until = printable(&sweep.until);
    match sweep.best {
        Some(best) => format!(
            "{} is the highest rate found that keeps {until}",
            rate(best)
        ),
        None => format!("no rate tried keeps {until}"),
    }
}

/// The steps of a sweep by rate, with p99 as bars on a logarithmic scale.
fn sweep(sweep: &Sweep) -> String {
    let mut points: Vec<_> = sweep.points.iter().collect();
    points.sort_by(|a, b| a.wanted.total_cmp(&b.wanted));
    let p99 = |it: &&super::Point| (it.p99_ns.max(1) as f64).ln();
    let low = points.iter().map(p99).fold(f64::INFINITY, f64::min);
    let high = points.iter().map(p99).fold(0.0, f64::max);
    let mut table = Table::new(&[
        Align::Right,
        Align::Right,
        Align::Right,
        Align::Right,
        Align::Right,
        Align::Left,
    ]);
    table.row([
        "Rate",
        "reached",
        "p50",
        "p99",
        "failed",
        "  p99, logarithmic",
    ]);
    for point in points {
        // The shortest bar is a character, so that it is seen.
        let part = (p99(&point) - low) / (high - low).max(f64::MIN_POSITIVE);
        let bar = "█".repeat((1.0 + part * (BAR - 1.0)).round() as usize);
        let mark = if point.ok { "✓" } else { "✗" };
        let limited = if point.limited { " (generator)" } else { "" };
        table.row([
            rate(point.wanted),
            rate(point.rate),
            time(point.p50_ns as f64),
            time(point.p99_ns as f64),
            share(point.errors),
            format!("{mark} {bar}{limited}"),
        ]);
    }
    format!("{}\n{}", verdict(sweep), table.show())
}

fn thresholds(results: &Results) -> Option<String> {
    let mut table = Table::new(&[Align::Left, Align::Left, Align::Right]);
    for judged in &results.thresholds {
        let mark = if judged.passed { "✓" } else { "✗" };
        table.row([mark, &printable(&judged.threshold), &judged.measured]);
    }
    (!results.thresholds.is_empty()).then(|| table.show())
}
