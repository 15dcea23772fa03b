//! One second of a run: the current one while it is recorded, and whole ones, small enough to be kept for hours.

use crate::results::{Histogram, Second};

const SECOND: u64 = 1_000_000_000;

/// One second of one worker, or of several.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SecondPart {
    /// Whole answers.
    pub answered: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Bytes read.
    pub bytes_in: u64,
    /// Bytes written.
    pub bytes_out: u64,
    /// Latencies to two digits and how often each was seen, ascending.
    latency: Vec<(u64, u64)>,
}

#[derive(Clone, Debug)]
pub(super) struct Current {
    /// When it ends.
    pub(super) end: u64,
    pub(super) tally: SecondPart,
    pub(super) latency: Histogram,
}

impl SecondPart {
    /// Adds the same second of another worker.
    pub fn merge(&mut self, other: &SecondPart) {
        self.answered += other.answered;
        self.failed += other.failed;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        self.latency.extend_from_slice(&other.latency);
        self.latency.sort_unstable();
        self.latency.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
    }

    /// The latency that this share (0 to 1) of its answers did not exceed, to two digits; 0 when there was none.
    pub fn quantile(&self, share: f64) -> u64 {
        let total: u64 = self.latency.iter().map(|(_, count)| count).sum();
        let wanted = ((share * total as f64).ceil() as u64).max(1);
        let mut seen = 0;
        for (ns, count) in &self.latency {
            seen += count;
            if seen >= wanted {
                return *ns;
            }
        }
        0
    }

    pub(super) fn finish(&self, at: u64, length: f64) -> Second {
        Second {
            at,
            length,
            answered: self.answered,
            failed: self.failed,
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
            p50_ns: self.quantile(0.5),
            p90_ns: self.quantile(0.9),
            p99_ns: self.quantile(0.99),
            max_ns: self.quantile(1.0),
        }
    }
}

impl Current {
    /// The first second of a run that began at `start`.
    pub(super) fn first(start: u64) -> Current {
        Current {
            end: start.saturating_add(SECOND),
            tally: SecondPart::default(),
            latency: Histogram::with_digits(2),
        }
    }

    /// Ends the second and begins the next.
    pub(super) fn close(&mut self) -> SecondPart {
        let mut second = std::mem::take(&mut self.tally);
        let buckets = self.latency.buckets();
        second.latency = buckets.map(|it| (it.from_ns, it.count)).collect();
        self.latency.clear();
        self.end = self.end.saturating_add(SECOND);
        second
    }

    pub(super) fn merge(&mut self, other: &Current) {
        self.tally.merge(&other.tally);
        self.latency.add(&other.latency);
    }
}
