//! Holding a run against its thresholds. How they are written is the scenario's matter.
//!
//! A threshold on times of which there are none is not kept: a server that answers nothing is not fast.

use serde::{Deserialize, Serialize};

use super::{Histogram, Results, per_second, units};
use crate::scenario::{Comparison, Limit, Metric, Series, Threshold};

/// A threshold after the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// As the user wrote it: `p99 < 2ms`.
    pub threshold: String,
    /// What was measured, for people; `nothing` when there was nothing to measure.
    pub measured: String,
    /// Whether it was kept.
    pub passed: bool,
}

/// Holds the run against the thresholds, in their order.
pub fn judge(results: &Results, thresholds: &[Threshold]) -> Vec<Judged> {
    let one = |threshold: &Threshold| {
        let figure = Subject::of(results, threshold.template.as_deref())
            .and_then(|subject| subject.figure(threshold));
        Judged {
            threshold: threshold.text.clone(),
            measured: figure.map_or_else(|| "nothing".to_owned(), |it| show(it, threshold.limit)),
            passed: figure.is_some_and(|it| holds(it, threshold)),
        }
    };
    thresholds.iter().map(one).collect()
}

/// What a threshold is on: the whole run, or one kind of request.
struct Subject<'a> {
    answered: u64,
    failed: u64,
    error_share: f64,
    duration_ns: u64,
    latency: &'a Histogram,
    service: &'a Histogram,
    first_byte: &'a Histogram,
    connect: &'a Histogram,
}

impl<'a> Subject<'a> {
    fn of(results: &'a Results, template: Option<&str>) -> Option<Subject<'a>> {
        let whole = Subject {
            answered: results.counts.answered,
            failed: results.counts.failed,
            error_share: results.error_share(),
            duration_ns: results.duration_ns,
            latency: &results.latency,
            service: &results.service,
            first_byte: &results.first_byte,
            connect: &results.connect,
        };
        // A scenario of one kind of request keeps no figures by kind: they are the whole's.
        let Some(name) = template.filter(|_| !results.templates.is_empty()) else {
            return Some(whole);
        };
        let template = results.templates.iter().find(|it| it.name == name)?;
        Some(Subject {
            answered: template.answered,
            failed: template.failed,
            error_share: template.error_share(),
            latency: &template.latency,
            service: &template.service,
            first_byte: &template.first_byte,
            ..whole
        })
    }

    /// The figure that the threshold is on, in the unit of its limit; none when there is nothing to measure.
    fn figure(&self, threshold: &Threshold) -> Option<f64> {
        let times = |series| Some(self.times(series)).filter(|it| !it.is_empty());
        match threshold.metric {
            Metric::Percentile(series, percent) => {
                times(series).map(|it| it.quantile(percent / 100.0) as f64)
            }
            Metric::Mean(series) => times(series).map(Histogram::mean),
            Metric::Min(series) => times(series).map(|it| it.min() as f64),
            Metric::Max(series) => times(series).map(|it| it.max() as f64),
            Metric::Errors => Some(match threshold.limit {
                Limit::Share(_) => self.error_share,
                _ => self.failed as f64,
            }),
            Metric::Requests => Some(self.answered as f64),
            Metric::Rate => Some(per_second(self.answered, self.duration_ns)),
        }
    }

    fn times(&self, series: Series) -> &'a Histogram {
        match series {
            Series::Latency => self.latency,
            // In a closed loop it is the latency, and not kept twice.
            Series::Service if self.service.is_empty() => self.latency,
            Series::Service => self.service,
            Series::FirstByte => self.first_byte,
            Series::Connect => self.connect,
        }
    }
}

fn holds(figure: f64, threshold: &Threshold) -> bool {
    let value = match threshold.limit {
        Limit::Time(time) => time.as_nanos() as f64,
        Limit::Count(count) => count as f64,
        Limit::Share(share) => share,
        Limit::Rate(rate) => rate,
    };
    match threshold.comparison {
        Comparison::Below => figure < value,
        Comparison::AtMost => figure <= value,
        Comparison::Above => figure > value,
        Comparison::AtLeast => figure >= value,
        Comparison::Equal => figure == value,
        Comparison::NotEqual => figure != value,
    }
}

fn show(figure: f64, limit: Limit) -> String {
    match limit {
        Limit::Time(_) => units::time(figure),
        Limit::Count(_) => units::count(figure as u64),
        Limit::Share(_) => units::share(figure),
        Limit::Rate(_) => units::rate(figure),
    }
}
