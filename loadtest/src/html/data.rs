//! The figures that charts show, taken from results: curves, columns, groups of seconds.

use super::axis::Axis;
use crate::results::{Histogram, Results, Second};

/// Points of a chart over time at most; seconds of longer runs are put together.
const MAX_SPANS: usize = 240;
/// The shortest part of a second that is shown beside whole ones.
const SHORTEST: f64 = 0.1;
/// Columns of a chart of frequencies.
const COLUMNS: usize = 56;
/// Points of a curve of percentiles, for each ten times.
const PER_TEN: f64 = 24.0;
/// From this ratio on, times are shown on a logarithmic axis.
const WIDE: f64 = 12.0;

/// Some seconds of a run, put together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Span {
    /// Seconds from the start of the run.
    pub(super) from: f64,
    pub(super) to: f64,
    /// Answers, failures and bytes read per second.
    pub(super) rate: f64,
    pub(super) failures: f64,
    pub(super) bytes_in: f64,
    /// Latencies; of several seconds those of the worst. None without answers.
    pub(super) p50: Option<f64>,
    pub(super) p99: Option<f64>,
    pub(super) max: Option<f64>,
}

/// The run over time. What is left behind the last whole second is left out when it is too short to say anything.
pub(super) fn spans(results: &Results) -> Vec<Span> {
    let mut seconds = results.seconds.as_slice();
    if let [whole @ .., last] = seconds
        && !whole.is_empty()
        && last.length < SHORTEST
    {
        seconds = whole;
    }
    let each = seconds.len().div_ceil(MAX_SPANS).max(1);
    seconds.chunks(each).map(span).collect()
}

fn span(seconds: &[Second]) -> Span {
    let length: f64 = seconds.iter().map(|it| it.length).sum();
    let from = seconds.first().map_or(0.0, |it| it.at as f64);
    let per_second = |count: &dyn Fn(&Second) -> u64| {
        seconds.iter().map(count).sum::<u64>() as f64 / length.max(1e-9)
    };
    let worst = |time: &dyn Fn(&Second) -> u64| {
        let answered = seconds.iter().filter(|it| it.answered > 0);
        answered.map(time).max().map(|it| it as f64)
    };
    Span {
        from,
        to: from + length,
        rate: per_second(&|it| it.answered),
        failures: per_second(&|it| it.failed),
        bytes_in: per_second(&|it| it.bytes_in),
        p50: worst(&|it| it.p50_ns),
        p99: worst(&|it| it.p99_ns),
        max: worst(&|it| it.max_ns),
    }
}

impl Span {
    /// Its middle, where its point stands.
    pub(super) fn middle(&self) -> f64 {
        (self.from + self.to) / 2.0
    }

    /// What it is called.
    pub(super) fn name(&self) -> String {
        let end = |it: f64| super::axis::short(it);
        format!("{} to {} s", end(self.from), end(self.to))
    }
}

/// A figure of each span, as the line of a staircase.
pub(super) fn steps(spans: &[Span], of: impl Fn(&Span) -> f64) -> Vec<(f64, Option<f64>)> {
    let step = |it: &Span| [(it.from, Some(of(it))), (it.to, Some(of(it)))];
    spans.iter().flat_map(step).collect()
}

/// Whole seconds, unless there is none: those that may be compared with each other.
pub(super) fn whole(results: &Results) -> Vec<&Second> {
    let whole: Vec<&Second> = results
        .seconds
        .iter()
        .filter(|it| it.length >= 1.0)
        .collect();
    match whole.is_empty() {
        true => results.seconds.iter().collect(),
        false => whole,
    }
}

/// An axis for these times: logarithmic when they are far apart.
pub(super) fn times(title: &str, times: impl Iterator<Item = f64>) -> Axis {
    let (mut low, mut high) = (f64::INFINITY, 0_f64);
    for time in times.filter(|it| *it > 0.0) {
        (low, high) = (low.min(time), high.max(time));
    }
    match high / low {
        wide if wide > WIDE => Axis::log(
            &format!("{title} (logarithmic)"),
            low,
            high,
            super::axis::time,
        ),
        _ => Axis::linear(title, high.max(1000.0), super::axis::time),
    }
}

/// The curve of percentiles: share and time.
pub(super) fn percentiles(histogram: &Histogram, axis: &Axis) -> Vec<(f64, Option<f64>)> {
    if histogram.is_empty() {
        return Vec::new();
    }
    let tens = -(1.0 - axis.last_share()).max(1e-9).log10();
    let steps = (tens * PER_TEN).ceil() as u64;
    let share = |step: u64| 1.0 - 10_f64.powf(-tens * step as f64 / steps as f64);
    let point = |share: f64| (share, Some(histogram.quantile(share) as f64));
    (0..=steps).map(|step| point(share(step))).collect()
}

/// How often times were seen, in columns as many times apart: from, to, share of all.
pub(super) fn columns(histogram: &Histogram, low: u64, high: u64) -> Vec<(f64, f64, f64)> {
    let low = low.max(1) as f64;
    let high = (high as f64).max(low * 1.2);
    let ratio = (high / low).ln() / COLUMNS as f64;
    let border = |at: usize| low * (ratio * at as f64).exp();
    let mut counts = [0_u64; COLUMNS];
    for bucket in histogram.buckets() {
        let middle = (bucket.from_ns + bucket.to_ns) as f64 / 2.0;
        let at = ((middle.max(low) / low).ln() / ratio) as usize;
        if let Some(count) = counts.get_mut(at.min(COLUMNS - 1)) {
            *count += bucket.count;
        }
    }
    let all = histogram.count().max(1) as f64;
    let column = |(at, count): (usize, u64)| (border(at), border(at + 1), count as f64 / all);
    counts.into_iter().enumerate().map(column).collect()
}
