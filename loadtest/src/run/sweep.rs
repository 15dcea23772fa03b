//! The search for the highest rate that keeps a promise, and its curve.
//!
//! Pure but for [`run`]. From the first rate it doubles while the promise is kept (or halves until it is), then narrows
//! the gap between the highest rate that kept it and the lowest that did not.

use std::time::Duration;

use super::{Failure, Progress, Setup, Signals, execute};
use crate::results::thresholds::judge;
use crate::results::{Mode, Point, Results, Sweep, units};
use crate::scenario::{Load, Scenario, Stage, Threshold};

/// What is searched, and how closely.
#[derive(Clone, Debug)]
pub(super) struct Quest {
    /// The promise, as the user wrote it.
    pub(super) until: String,
    pub(super) promise: Vec<Threshold>,
    /// The first rate to try.
    pub(super) from: f64,
    /// How long each rate is kept.
    pub(super) step: Duration,
    /// Ends when the gap is smaller than this share of the rate.
    pub(super) precision: f64,
}

/// Rates tried at most: a promise that is kept by chance has no edge to be found.
const MOST_STEPS: usize = 40;
/// A rate whose requests were not all sent is not kept, whatever the others' latency.
const UNSENT: f64 = 0.001;
/// Nor is one whose requests took longer to send than they should have, by this share.
const REACHED: f64 = 0.95;

/// Where the search stands.
#[derive(Debug, Default)]
struct Search {
    /// The highest rate that kept the promise.
    good: Option<f64>,
    /// The lowest that did not.
    bad: Option<f64>,
    steps: usize,
}

impl Search {
    /// The rate to try next, after `last`; none when the search is over.
    fn next(&self, last: f64, precision: f64) -> Option<f64> {
        if self.steps >= MOST_STEPS {
            return None;
        }
        match (self.good, self.bad) {
            (Some(good), None) => Some(good * 2.0),
            (None, Some(bad)) if bad <= 1.0 => None,
            (None, Some(bad)) => Some((bad / 2.0).max(1.0)),
            (Some(good), Some(bad)) if bad <= good * (1.0 + precision) => None,
            (Some(good), Some(bad)) => Some((good + bad) / 2.0),
            (None, None) => Some(last),
        }
    }

    fn learn(&mut self, rate: f64, kept: bool) {
        self.steps += 1;
        match kept {
            true => self.good = Some(self.good.map_or(rate, |good| good.max(rate))),
            false => self.bad = Some(self.bad.map_or(rate, |bad| bad.min(rate))),
        }
    }
}

/// Searches. The results are those of the best rate (of the lowest tried, if none kept the promise), with the search.
pub(super) fn run(
    scenario: &Scenario,
    quest: &Quest,
    setup: &Setup,
    signals: &Signals,
    progress: &mut Progress,
) -> Result<Results, Failure> {
    let mut search = Search::default();
    let mut points = Vec::new();
    let mut best: Option<(f64, Results)> = None;
    let mut rate = quest.from;
    while let Some(next) = search.next(rate, quest.precision) {
        rate = rounded(next);
        progress.label(format!("{:>9}: ", units::rate(rate)));
        let results = match execute(&at(scenario, rate, quest.step), setup, signals, progress) {
            // What was measured before counts.
            Err(Failure::Interrupted) if best.is_some() => break,
            results => results?,
        };
        if results.about.interrupted && best.is_some() {
            break;
        }
        let point = point(&results, rate, quest);
        progress.say(&told(&point));
        search.learn(rate, point.ok);
        let closer = best.as_ref().is_none_or(|(old, of)| {
            let kept = of.about.mode == Mode::Sweep;
            match point.ok {
                true => !kept || rate > *old,
                false => !kept && rate < *old,
            }
        });
        let interrupted = results.about.interrupted;
        if closer {
            let mut results = results;
            // Until the search is over this marks results of a rate that kept the promise.
            results.about.mode = match point.ok {
                true => Mode::Sweep,
                false => Mode::Open,
            };
            best = Some((rate, results));
        }
        points.push(point);
        if interrupted {
            break;
        }
    }
    let (_, mut results) = best.ok_or(Failure::Interrupted)?;
    results.about.mode = Mode::Sweep;
    results.about.interrupted = signals.count() > 0;
    results.about.rates = Some(format!("up to {}", units::rate(rate)));
    results.sweep = Some(Sweep {
        until: quest.until.clone(),
        best: search.good,
        points,
    });
    Ok(results)
}

/// The scenario at one rate.
fn at(scenario: &Scenario, rate: f64, step: Duration) -> Scenario {
    let (Load::Closed { connections, .. } | Load::Open { connections, .. }) = scenario.load;
    let stage = Stage {
        duration: step,
        from_rate: rate,
        to_rate: rate,
    };
    let mut scenario = scenario.clone();
    scenario.load = Load::Open {
        stages: vec![stage],
        connections,
    };
    scenario
}

fn point(results: &Results, wanted: f64, quest: &Quest) -> Point {
    let due = results.counts.sent + results.counts.unsent;
    let unsent = results.counts.unsent as f64 / due.max(1) as f64;
    // What has waited for a connection at the end makes the run longer than its step.
    let reached = quest.step.as_nanos() as f64 / results.duration_ns.max(1) as f64;
    let kept = judge(results, &quest.promise).iter().all(|it| it.passed);
    Point {
        wanted,
        rate: results.rate(),
        p50_ns: results.latency.quantile(0.5),
        p99_ns: results.latency.quantile(0.99),
        max_ns: results.latency.max(),
        errors: results.error_share(),
        ok: kept && unsent <= UNSENT && reached >= REACHED && results.counts.answered > 0,
        limited: results.generator.limited,
    }
}

fn told(point: &Point) -> String {
    format!(
        "{:>9} wanted  {:>9}  p50 {:>8}  p99 {:>8}  errors {:>7}  {}{}",
        units::rate(point.wanted),
        units::rate(point.rate),
        units::time(point.p50_ns as f64),
        units::time(point.p99_ns as f64),
        units::share(point.errors),
        if point.ok { "kept" } else { "not kept" },
        if point.limited {
            " (the generator was the limit)"
        } else {
            ""
        },
    )
}

/// Three digits: a rate that people can read.
fn rounded(rate: f64) -> f64 {
    let unit = 10_f64.powf(rate.max(1.0).log10().floor() - 2.0);
    ((rate / unit).round() * unit).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches a server that keeps the promise up to a rate.
    fn search(from: f64, edge: f64) -> (Option<f64>, usize) {
        let mut search = Search::default();
        let mut rate = from;
        while let Some(next) = search.next(rate, 0.05) {
            rate = rounded(next);
            search.learn(rate, rate <= edge);
        }
        (search.good, search.steps)
    }

    #[test]
    fn the_edge_is_found() {
        for edge in [1.0, 3.0, 80.0, 999.0, 1000.0, 12_345.0, 250_000.0, 3.3e6] {
            for from in [1.0, 1000.0, 50_000.0] {
                let (good, steps) = search(from, edge);
                let good = good.expect("one rate is low enough");
                assert!(good <= edge && good >= edge / 1.06 - 0.5, "{edge}: {good}");
                assert!(steps <= 30, "{edge} from {from}: {steps}");
            }
        }
    }

    #[test]
    fn a_promise_that_nothing_keeps_ends_the_search() {
        assert_eq!(search(1000.0, 0.0).0, None);
        let (good, steps) = search(1000.0, f64::INFINITY);
        assert!(good.is_some());
        assert_eq!(steps, MOST_STEPS);
    }

    #[test]
    fn rates_have_three_digits() {
        let check = |rate: f64, expected: f64| {
            assert!((rounded(rate) - expected).abs() < 1e-6, "{rate}");
        };
        check(1.0, 1.0);
        check(0.2, 1.0);
        check(12.345, 12.3);
        check(1234.5, 1230.0);
        check(99_960.0, 100_000.0);
    }
}
