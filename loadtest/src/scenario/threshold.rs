//! Thresholds: what must hold at the end of a run, as `[threshold]`, `--threshold` and `--until` say it.

use super::problem::{Fault, Report};
use super::said::{Entry, Kind, Value};
use super::values;
use std::time::Duration;

/// Something that must hold at the end of a run, such as `p99 < 2ms`.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// Of which template; `None`: of the whole run.
    pub template: Option<String>,
    /// What is looked at.
    pub metric: Metric,
    /// How it is held against the limit.
    pub comparison: Comparison,
    /// Against what; its kind is the one that the metric has.
    pub limit: Limit,
    /// As it was said: `p99 < 2ms`.
    pub text: String,
}

/// What a threshold looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Metric {
    /// The time below which so many per cent of the requests stayed; above 0, at most 100. A [`Limit::Time`].
    Percentile(Series, f64),
    /// The mean time. A [`Limit::Time`].
    Mean(Series),
    /// The shortest time. A [`Limit::Time`].
    Min(Series),
    /// The longest time. A [`Limit::Time`].
    Max(Series),
    /// Requests that failed: a [`Limit::Count`], or a [`Limit::Share`] of all requests.
    Errors,
    /// Answered requests: a [`Limit::Count`].
    Requests,
    /// Answered requests per second: a [`Limit::Rate`].
    Rate,
}

/// Which times a threshold looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Series {
    /// From when the request should have been sent (in a closed loop: was) to the last byte of the answer.
    Latency,
    /// From when the request was sent to the last byte of the answer.
    Service,
    /// From when the request was sent to the first byte of the answer.
    FirstByte,
    /// Making a connection.
    Connect,
}

/// How a metric is held against a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
}

/// What a metric is held against.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// A time.
    Time(Duration),
    /// A number.
    Count(u64),
    /// A share, from 0 to 1.
    Share(f64),
    /// Per second.
    Rate(f64),
}

/// Words that are near to misspelt ones.
const METRICS: [&str; 14] = [
    "p50",
    "p75",
    "p90",
    "p95",
    "p99",
    "p99.9",
    "mean",
    "min",
    "max",
    "errors",
    "requests",
    "rate",
    "first_byte_p99",
    "connect_p99",
];

const KNOWN: &str = "the metrics are p50, p99, p99.9 and the like, mean, min, max (each also with service_, first_byte_ or connect_ before it), errors, requests and rate";

/// Longer first, so that `<=` is not taken for `<`.
const COMPARISONS: [(&str, Comparison); 6] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<", Comparison::Below),
    (">", Comparison::Above),
];

impl Comparison {
    /// Whether a value stands so to a limit.
    pub fn holds<T: PartialOrd>(self, value: T, limit: T) -> bool {
        match self {
            Comparison::Below => value < limit,
            Comparison::AtMost => value <= limit,
            Comparison::Above => value > limit,
            Comparison::AtLeast => value >= limit,
            Comparison::Equal => value == limit,
            Comparison::NotEqual => value != limit,
        }
    }
}

impl Threshold {
    /// Reads one of the command line, such as `p99 < 2ms` or `get_item.errors < 0.1%`.
    ///
    /// # Errors
    /// What is wrong with it, in a clause.
    pub fn parse(text: &str) -> Result<Threshold, String> {
        let at = text.find(['<', '>', '=', '!']).ok_or_else(|| {
            format!("`{text}` compares nothing: a threshold is written `p99 < 2ms`")
        })?;
        let (metric, condition) = text.split_at(at);
        let (template, metric) = of_template(metric.trim());
        made(template, metric, condition).map_err(|(why, unknown)| match unknown {
            true => format!("{why}; {KNOWN}"),
            false => why,
        })
    }

    /// Reads what a sweep holds on to, such as `p99=5ms,errors=0.1%`: a `=` alone, or `:`, means at most (of a `rate`
    /// or `requests`: at least).
    ///
    /// # Errors
    /// What is wrong with it, in a clause.
    pub fn until(text: &str) -> Result<Vec<Threshold>, String> {
        text.split(',')
            .map(|part| {
                let Some((metric, limit)) = part.split_once(['=', ':']) else {
                    return match part.contains(['<', '>', '!']) {
                        true => Threshold::parse(part),
                        false => Err(format!(
                            "`{part}` promises nothing: figures and their most are written `p99=5ms,errors=0.1%`"
                        )),
                    };
                };
                if part.contains(['<', '>', '!']) || limit.starts_with('=') {
                    return Threshold::parse(part);
                }
                let least = matches!(metric.trim(), "rate" | "requests");
                let sign = if least { ">=" } else { "<=" };
                Threshold::parse(&format!("{} {sign} {}", metric.trim(), limit.trim()))
            })
            .collect()
    }
}

/// `get_item.p99.9` is `p99.9` of `get_item`; `p99.9` is nobody's in particular.
fn of_template(text: &str) -> (Option<String>, &str) {
    match text.split_once('.') {
        Some((name, metric)) if !metric.starts_with(|c: char| c.is_ascii_digit()) => {
            (Some(name.to_owned()), metric)
        }
        _ => (None, text),
    }
}

/// Reads `[threshold]`: `p99 = "< 2ms"`, and `[threshold.NAME]` for one request alone.
pub(super) fn read(entries: &[Entry], templates: &[&str], report: &mut Report) -> Vec<Threshold> {
    let mut found = Vec::new();
    for (word, value) in entries {
        match &value.kind {
            // `p99.9 = "…"` without quotes is a dotted key to TOML.
            Kind::Table(inner) if is_percentile(&word.text) => {
                for (fraction, value) in inner {
                    let metric = format!("{}.{}", word.text, fraction.text);
                    read_one(None, &metric, value, report, &mut found);
                }
            }
            Kind::Table(inner) if templates.contains(&word.text.as_str()) => {
                for (metric, value) in inner {
                    let template = Some(word.text.as_str());
                    match &value.kind {
                        Kind::Table(fractions) if is_percentile(&metric.text) => {
                            for (fraction, value) in fractions {
                                let metric = format!("{}.{}", metric.text, fraction.text);
                                read_one(template, &metric, value, report, &mut found);
                            }
                        }
                        _ => read_one(template, &metric.text, value, report, &mut found),
                    }
                }
            }
            Kind::Table(_) => {
                let fault = Fault::at(word.place, format!("there is no request `{}`", word.text));
                report.add(fault.meant(&word.text, templates.iter().copied()));
            }
            _ => read_one(None, &word.text, value, report, &mut found),
        }
    }
    found
}

/// Reads one of the command line, told of where it stands.
pub(super) fn read_flag(
    value: &Value,
    templates: &[&str],
    report: &mut Report,
    found: &mut Vec<Threshold>,
) {
    let Kind::Text(text) = &value.kind else {
        return;
    };
    match Threshold::parse(text) {
        Ok(Threshold {
            template: Some(name),
            ..
        }) if !templates.contains(&name.as_str()) => {
            let fault = Fault::at(value.place, format!("there is no request `{name}`"));
            report.add(fault.meant(&name, templates.iter().copied()));
        }
        Ok(threshold) => found.push(threshold),
        Err(why) => report.add(Fault::at(value.place, why)),
    }
}

fn read_one(
    template: Option<&str>,
    metric: &str,
    value: &Value,
    report: &mut Report,
    found: &mut Vec<Threshold>,
) {
    let Some(text) = values::text(report, value) else {
        return;
    };
    // Several limits of one metric are told apart by commas.
    for condition in text.split(',') {
        match made(template.map(str::to_owned), metric, condition) {
            Ok(threshold) => found.push(threshold),
            Err((why, unknown)) => {
                let fault = Fault::at(value.place, why);
                report.add(match unknown {
                    true => fault.meant(metric, METRICS).note(KNOWN),
                    false => fault,
                });
            }
        }
    }
}

fn is_percentile(word: &str) -> bool {
    let digits = word.rsplit_once('p').map_or("", |(_, digits)| digits);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// A threshold of its parts, or what is wrong and whether it is the metric's name.
fn made(
    template: Option<String>,
    metric: &str,
    condition: &str,
) -> Result<Threshold, (String, bool)> {
    let wrong = |why: String| (why, false);
    let meant = parse_metric(metric)
        .ok_or_else(|| (format!("`{metric}` is nothing that is measured"), true))?;
    let condition = condition.trim();
    let (sign, comparison) = COMPARISONS
        .iter()
        .find(|(sign, _)| condition.starts_with(sign))
        .ok_or_else(|| {
            wrong(format!(
                "`{condition}` does not begin with <, <=, >, >=, == or !="
            ))
        })?;
    let said = condition[sign.len()..].trim();
    let limit = parse_limit(meant, said).map_err(wrong)?;
    let of = template
        .as_ref()
        .map_or(String::new(), |name| format!("{name}."));
    Ok(Threshold {
        text: format!("{of}{metric} {sign} {said}"),
        template,
        metric: meant,
        comparison: *comparison,
        limit,
    })
}

fn parse_metric(text: &str) -> Option<Metric> {
    let series = [
        ("service_", Series::Service),
        ("first_byte_", Series::FirstByte),
        ("connect_", Series::Connect),
    ];
    let (name, of) = series
        .iter()
        .find_map(|(prefix, of)| Some((text.strip_prefix(prefix)?, *of)))
        .unwrap_or((text, Series::Latency));
    Some(match name {
        "mean" => Metric::Mean(of),
        "min" => Metric::Min(of),
        "max" => Metric::Max(of),
        "errors" if name == text => Metric::Errors,
        "requests" if name == text => Metric::Requests,
        "rate" if name == text => Metric::Rate,
        _ => {
            let digits = name.strip_prefix('p')?;
            let good = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            let percent: f64 = digits.parse().ok().filter(|_| good)?;
            if percent <= 0.0 || percent > 100.0 {
                return None;
            }
            Metric::Percentile(of, percent)
        }
    })
}

fn parse_limit(metric: Metric, text: &str) -> Result<Limit, String> {
    let (limit, expected) = match metric {
        Metric::Errors => {
            let share = text
                .strip_suffix('%')
                .and_then(|it| it.trim().parse::<f64>().ok());
            let share = share.filter(|it| (0.0..=100.0).contains(it));
            let limit = share.map(|percent| Limit::Share(percent / 100.0));
            let limit = limit.or_else(|| values::parse_count(text).map(Limit::Count));
            (limit, "a number or a share such as 0.1%")
        }
        Metric::Requests => (
            values::parse_count(text).map(Limit::Count),
            "a number such as 100k",
        ),
        Metric::Rate => (
            values::parse_rate(text).map(Limit::Rate),
            "a rate such as 50k/s",
        ),
        _ => (
            values::parse_duration(text).map(Limit::Time),
            "a time such as 2ms or 1.5s",
        ),
    };
    limit.ok_or_else(|| format!("`{text}` is not {expected}"))
}

#[cfg(test)]
mod tests;
