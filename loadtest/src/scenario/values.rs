//! Values of the kinds that several keys have: durations, counts, sizes, rates, texts, secrets. Each reader tells what
//! is wrong and then gives nothing.

use super::problem::{Fault, Report};
use super::said::{Kind, Value};
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

/// Tells that a value is not what was expected.
pub(super) fn mismatch(report: &mut Report, value: &Value, expected: &str) {
    let found = format!("expected {expected}, found {}", value.what());
    report.add(Fault::at(value.place, found));
}

/// A text.
pub(super) fn text<'v>(report: &mut Report, value: &'v Value) -> Option<&'v str> {
    match &value.kind {
        Kind::Text(text) => Some(text),
        _ => {
            mismatch(report, value, "a text");
            None
        }
    }
}

/// Yes or no: `true`, `false`; of the command line `on`, `off`.
pub(super) fn flag(report: &mut Report, value: &Value) -> Option<bool> {
    match &value.kind {
        Kind::Boolean(flag) => Some(*flag),
        Kind::Text(text) if text == "on" || text == "true" => Some(true),
        Kind::Text(text) if text == "off" || text == "false" => Some(false),
        _ => {
            mismatch(report, value, "true or false (on or off)");
            None
        }
    }
}

/// A whole number within bounds: `100000`, `"100k"`, `"2M"`.
pub(super) fn count(
    report: &mut Report,
    value: &Value,
    within: RangeInclusive<u64>,
) -> Option<u64> {
    let number = match &value.kind {
        Kind::Integer(number) => u64::try_from(*number).ok(),
        Kind::Text(text) => parse_count(text),
        _ => None,
    };
    let Some(number) = number else {
        mismatch(report, value, "a number such as 100000 or \"100k\"");
        return None;
    };
    bounded(report, value, number, &within, &|it| it.to_string())
}

/// A duration within bounds.
pub(super) fn duration(
    report: &mut Report,
    value: &Value,
    within: RangeInclusive<Duration>,
) -> Option<Duration> {
    let read = match &value.kind {
        Kind::Text(text) => parse_duration(text),
        _ => None,
    };
    let Some(read) = read else {
        let expected = "a duration such as \"250ms\", \"10s\" or \"5m\"";
        let fault = Fault::at(
            value.place,
            format!("expected {expected}, found {}", value.what()),
        );
        let bare = match &value.kind {
            Kind::Integer(number) => Some(number.to_string()),
            Kind::Text(text) if text.parse::<f64>().is_ok() => Some(text.clone()),
            _ => None,
        };
        report.add(match bare {
            Some(bare) => fault.note(format!("say the unit: \"{bare}s\" or \"{bare}ms\"")),
            None => fault,
        });
        return None;
    };
    bounded(report, value, read, &within, &duration_text)
}

/// A size in bytes within bounds: `"2KiB"`, or a bare number.
pub(super) fn size(report: &mut Report, value: &Value, within: RangeInclusive<u64>) -> Option<u64> {
    let read = match &value.kind {
        Kind::Integer(number) => u64::try_from(*number).ok(),
        Kind::Text(text) => parse_size(text),
        _ => None,
    };
    let Some(read) = read else {
        mismatch(report, value, "a size such as \"64KiB\" or \"1MiB\"");
        return None;
    };
    bounded(report, value, read, &within, &size_text)
}

/// A rate in requests per second.
pub(super) fn rate(report: &mut Report, value: &Value) -> Option<f64> {
    let read = match &value.kind {
        Kind::Integer(number) => u32::try_from(*number).ok().map(f64::from),
        Kind::Float(number) => Some(*number),
        Kind::Text(text) => parse_rate(text),
        _ => None,
    };
    let Some(read) = read.filter(|rate| rate.is_finite()) else {
        mismatch(
            report,
            value,
            "a rate such as \"20000/s\", \"20k/s\" or \"90/min\"",
        );
        return None;
    };
    if !(LEAST_RATE..=MOST_RATE).contains(&read) {
        let fault = Fault::at(value.place, "the rate is out of bounds");
        report.add(fault.note("from one request an hour to 10M/s"));
        return None;
    }
    Some(read)
}

/// The least rate that a load may have, per second: one request an hour.
pub(super) const LEAST_RATE: f64 = 1.0 / 3600.0;
/// The greatest.
pub(super) const MOST_RATE: f64 = 10_000_000.0;

/// A secret: as it stands, `"${ENV_NAME}"` or `"file:path"`. Of `a_line` of text, the newline at the end of the file is
/// not a part.
pub(super) fn secret(
    report: &mut Report,
    value: &Value,
    folder: &Path,
    a_line: bool,
) -> Option<Vec<u8>> {
    let said = text(report, value)?;
    if let Some(path) = said.strip_prefix("file:") {
        let mut bytes = file(report, value, folder, path, 1 << 20)?;
        while a_line && matches!(bytes.last(), Some(b'\n' | b'\r')) {
            bytes.pop();
        }
        return Some(bytes);
    }
    match said.strip_prefix("${").and_then(|it| it.strip_suffix('}')) {
        Some(name) => environment(name).map(String::into_bytes).or_else(|| {
            let message = format!("the environment has no variable `{name}`");
            report.add(Fault::at(value.place, message));
            None
        }),
        None => Some(said.as_bytes().to_vec()),
    }
}

/// A variable of the environment, when it is there and text.
pub(super) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The content of a file that a value names, when it is not larger than it may be.
pub(super) fn file(
    report: &mut Report,
    value: &Value,
    folder: &Path,
    path: &str,
    most: u64,
) -> Option<Vec<u8>> {
    let full = folder.join(path);
    let read = || -> Result<Vec<u8>, String> {
        let size = std::fs::metadata(&full).map_err(|why| why.to_string())?;
        if size.is_dir() {
            return Err("it is a folder".to_owned());
        }
        if size.len() > most {
            let (size, most) = (size_text(&size.len()), size_text(&most));
            return Err(format!("it has {size}, at most {most} can be taken"));
        }
        std::fs::read(&full).map_err(|why| why.to_string())
    };
    match read() {
        Ok(bytes) => Some(bytes),
        Err(why) => {
            let fault = Fault::at(value.place, format!("can't read `{path}`: {why}"));
            report.add(fault.note(format!("paths are relative to {}", shown(folder))));
            None
        }
    }
}

fn shown(folder: &Path) -> String {
    match folder.as_os_str().is_empty() {
        true => "the current folder".to_owned(),
        false => folder.display().to_string(),
    }
}

/// Holds a value against its bounds.
fn bounded<T: PartialOrd>(
    report: &mut Report,
    value: &Value,
    read: T,
    within: &RangeInclusive<T>,
    show: &dyn Fn(&T) -> String,
) -> Option<T> {
    if within.contains(&read) {
        return Some(read);
    }
    let (low, high) = (show(within.start()), show(within.end()));
    let fault = Fault::at(value.place, format!("{} is out of bounds", show(&read)));
    report.add(fault.note(format!("from {low} to {high}")));
    None
}

/// A number that is not negative with one of these units after it; nothing between.
fn with_unit(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_')?;
    let (number, unit) = text.split_at(split);
    let (_, length) = units.iter().find(|(name, _)| *name == unit)?;
    Some(decimal(number)? * length)
}

fn decimal(text: &str) -> Option<f64> {
    let digits = text.replace('_', "");
    let good = digits.starts_with(|c: char| c.is_ascii_digit()) && !digits.ends_with('.');
    let number: f64 = digits.parse().ok().filter(|_| good)?;
    number.is_finite().then_some(number)
}

/// `"250ms"`, `"1.5s"`, `"5m"`, `"1h"`, `"1d"`; also `"200us"`.
pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    const UNITS: [(&str, f64); 6] = [
        ("us", 1e3),
        ("ms", 1e6),
        ("s", 1e9),
        ("m", 60e9),
        ("h", 3600e9),
        ("d", 86400e9),
    ];
    let nanos = with_unit(text, &UNITS)?.round();
    (nanos < 1e18).then_some(Duration::from_nanos(nanos as u64))
}

/// `"100000"`, `"100_000"`, `"100k"`, `"2.5M"`.
pub(super) fn parse_count(text: &str) -> Option<u64> {
    let number = scaled(text)?;
    (number.fract() == 0.0 && number < 1e15).then_some(number as u64)
}

/// A number with `k` or `M` after it, or neither.
pub(super) fn scaled(text: &str) -> Option<f64> {
    decimal(text).or_else(|| with_unit(text, &[("k", 1e3), ("K", 1e3), ("M", 1e6)]))
}

/// `"64KiB"`, `"1.5MiB"`, or bytes.
fn parse_size(text: &str) -> Option<u64> {
    const UNITS: [(&str, f64); 4] = [
        ("B", 1.0),
        ("KiB", 1024.0),
        ("MiB", 1048576.0),
        ("GiB", 1073741824.0),
    ];
    let bytes = decimal(text).or_else(|| with_unit(text, &UNITS))?;
    (bytes.fract() == 0.0 && bytes < 1e15).then_some(bytes as u64)
}

/// `"20000/s"`, `"20k/s"`, `"90/min"`, `"5000/h"`; without a unit per second.
pub(super) fn parse_rate(text: &str) -> Option<f64> {
    let (number, unit) = text.split_once('/').unwrap_or((text, "s"));
    let seconds = match unit {
        "s" => 1.0,
        "min" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Some(scaled(number)? / seconds)
}

fn size_text(bytes: &u64) -> String {
    match *bytes {
        it if it >= 1 << 30 && it % (1 << 30) == 0 => format!("{}GiB", it >> 30),
        it if it >= 1 << 20 && it % (1 << 20) == 0 => format!("{}MiB", it >> 20),
        it if it >= 1 << 10 && it % (1 << 10) == 0 => format!("{}KiB", it >> 10),
        it => format!("{it}B"),
    }
}

/// The shortest text that [`parse_duration`] reads as this duration, to the microsecond.
fn duration_text(duration: &Duration) -> String {
    let micros = duration.as_micros();
    let units = [
        ("d", 86_400_000_000),
        ("h", 3_600_000_000),
        ("m", 60_000_000),
        ("s", 1_000_000),
        ("ms", 1_000),
    ];
    let fits = |(_, length): &&(&str, u128)| micros >= *length && micros.is_multiple_of(*length);
    match units.iter().find(fits) {
        Some((name, length)) => format!("{}{name}", micros / length),
        None if micros == 0 => "0s".to_owned(),
        None => format!("{micros}us"),
    }
}

#[cfg(test)]
mod tests;
