//! The histogram of times: HDR, three significant digits from 64 ns to a minute; saved as what it counted.
//!
//! Longer times count as a minute. Invariant: what was saved and read again answers every question as before.

use std::fmt;

use hdrhistogram::Histogram as Hdr;
use serde::de::Error as _;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The shortest time that differs from none.
const LOW_NS: u64 = 64;
/// The longest time.
const HIGH_NS: u64 = 60_000_000_000;

/// Times and how often each was seen.
#[derive(Clone, PartialEq)]
pub struct Histogram(Hdr<u64>);

/// The times of one step of a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// The shortest time in it.
    pub from_ns: u64,
    /// The longest time in it.
    pub to_ns: u64,
    /// How often they were seen.
    pub count: u64,
}

impl Histogram {
    /// One with nothing in it.
    pub fn new() -> Histogram {
        Histogram::with_digits(3)
    }

    /// One of another accuracy: for a second's worth two digits do, and clear quickly.
    pub(super) fn with_digits(digits: u8) -> Histogram {
        Histogram(
            Hdr::new_with_bounds(LOW_NS, HIGH_NS, digits)
                .expect("the bounds are far enough apart and the digits fewer than six"),
        )
    }

    /// Counts a time.
    #[inline]
    pub fn record(&mut self, ns: u64) {
        self.0.saturating_record(ns);
    }

    /// Counts a time so often.
    pub(super) fn record_n(&mut self, ns: u64, count: u64) {
        self.0.saturating_record_n(ns, count);
    }

    /// Adds what another of the same accuracy has counted.
    pub fn add(&mut self, other: &Histogram) {
        // Bounds are the same, so every value fits.
        let _ = self.0.add(&other.0);
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.0.reset();
    }

    /// How many times were counted.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The time that this share (0 to 1) of all does not exceed; 0 when there is none.
    pub fn quantile(&self, share: f64) -> u64 {
        // The highest equivalent value may lie beyond what was seen: never beyond the maximum.
        self.0.value_at_quantile(share).min(self.max())
    }

    /// The longest time; 0 when there is none.
    pub fn max(&self) -> u64 {
        self.0.max()
    }

    /// The shortest time; 0 when there is none.
    pub fn min(&self) -> u64 {
        if self.is_empty() { 0 } else { self.0.min() }
    }

    /// The average; 0 when there is none.
    pub fn mean(&self) -> f64 {
        if self.is_empty() { 0.0 } else { self.0.mean() }
    }

    /// The standard deviation; 0 when there is none.
    pub fn deviation(&self) -> f64 {
        if self.is_empty() { 0.0 } else { self.0.stdev() }
    }

    /// The share of times, 0 to 1, that are this long or shorter.
    pub fn share_within(&self, ns: u64) -> f64 {
        self.0.quantile_below(ns)
    }

    /// How many times lie between these two, both included.
    pub fn count_between(&self, from_ns: u64, to_ns: u64) -> u64 {
        self.0.count_between(from_ns, to_ns)
    }

    /// What was seen, ascending.
    pub fn buckets(&self) -> impl Iterator<Item = Bucket> + '_ {
        self.0.iter_recorded().map(|it| {
            let value = it.value_iterated_to();
            Bucket {
                from_ns: self.0.lowest_equivalent(value),
                to_ns: self.0.highest_equivalent(value),
                count: it.count_at_value(),
            }
        })
    }
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram::new()
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "Histogram({} times, p50 {} ns, max {} ns)",
            self.count(),
            self.quantile(0.5),
            self.max()
        )
    }
}

/// The percentiles are for readers of the JSON; buckets are what is read again.
impl Serialize for Histogram {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut fields = out.serialize_struct("Histogram", 11)?;
        fields.serialize_field("count", &self.count())?;
        fields.serialize_field("min_ns", &self.min())?;
        fields.serialize_field("mean_ns", &self.mean().round())?;
        fields.serialize_field("deviation_ns", &self.deviation().round())?;
        for (name, share) in [
            ("p50_ns", 0.5),
            ("p75_ns", 0.75),
            ("p90_ns", 0.9),
            ("p99_ns", 0.99),
            ("p999_ns", 0.999),
        ] {
            fields.serialize_field(name, &self.quantile(share))?;
        }
        fields.serialize_field("max_ns", &self.max())?;
        let buckets: Vec<(u64, u64)> = self.buckets().map(|it| (it.from_ns, it.count)).collect();
        fields.serialize_field("buckets", &buckets)?;
        fields.end()
    }
}

impl<'de> Deserialize<'de> for Histogram {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Histogram, D::Error> {
        #[derive(Deserialize)]
        struct Saved {
            buckets: Vec<(u64, u64)>,
        }
        let mut read = Histogram::new();
        let mut total = 0_u64;
        for (from_ns, count) in Saved::deserialize(from)?.buckets {
            total = total
                .checked_add(count)
                .ok_or_else(|| D::Error::custom("a histogram counts more than 2^64 times"))?;
            read.record_n(from_ns, count);
        }
        Ok(read)
    }
}
