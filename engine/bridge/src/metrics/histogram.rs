//! Durations by bucket.
//! Invariant: one writer; the count of a histogram is the sum of its buckets, so that both agree in every scrape.

use super::cell::Counter;

/// Upper bounds of the buckets in nanoseconds, ascending; what is above the last falls into the bucket `+Inf`.
pub type Bounds = [u64; 17];

/// From 50 µs to 10 s: whole requests and upstreams.
pub const DURATION: Bounds = [
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
];

/// From 5 µs to 1 s: what the gateway itself takes.
pub(super) const OVERHEAD: Bounds = [
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
];

/// One worker's durations of one series.
pub struct Histogram {
    bounds: &'static Bounds,
    buckets: [Counter; BUCKETS],
    /// Sum of all observations in nanoseconds; wraps after 584 years of them.
    sum: Counter,
}

impl Histogram {
    /// An empty histogram with these bounds.
    pub fn new(bounds: &'static Bounds) -> Histogram {
        Histogram {
            bounds,
            buckets: Default::default(),
            sum: Counter::default(),
        }
    }

    /// Counts one duration.
    #[inline]
    pub fn observe(&self, nanoseconds: u64) {
        // Most durations fall into the first few buckets: walking up beats halving.
        let bucket = self
            .bounds
            .iter()
            .position(|bound| nanoseconds <= *bound)
            .unwrap_or(BUCKETS - 1);
        if let Some(bucket) = self.buckets.get(bucket) {
            bucket.inc();
        }
        self.sum.add(nanoseconds);
    }
}

/// The workers' histograms of one series, added up.
pub(super) struct Totals {
    pub(super) bounds: &'static Bounds,
    /// Not cumulative.
    pub(super) buckets: [u64; BUCKETS],
    /// Nanoseconds.
    pub(super) sum: u64,
}

impl Totals {
    pub(super) fn new(bounds: &'static Bounds) -> Totals {
        Totals {
            bounds,
            buckets: [0; BUCKETS],
            sum: 0,
        }
    }

    pub(super) fn add(&mut self, one: &Histogram) {
        for (total, bucket) in self.buckets.iter_mut().zip(&one.buckets) {
            *total += bucket.value();
        }
        self.sum = self.sum.wrapping_add(one.sum.value());
    }

    pub(super) fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

const BUCKETS: usize = 18;
