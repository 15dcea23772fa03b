//! Thresholds: what must hold at the end of a run.

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
