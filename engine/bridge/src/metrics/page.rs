//! One scrape as text, in either exposition format. What is in it, the caller says.
//! Invariant: a metric's samples stand together under one head; values of labels are escaped.

use std::fmt::Write;

use super::histogram::Totals;
use super::names::{Kind, Metric};

/// The two formats.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Prometheus text, version 0.0.4.
    Prometheus,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

impl Format {
    /// The one that an `Accept` header prefers; Prometheus text when it doesn't say.
    pub fn accepted(accept: &str) -> Format {
        let (mut open, mut text) = (0.0, 0.0);
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let media = parts.next().unwrap_or("");
            let quality = parts
                .find_map(|part| part.strip_prefix("q="))
                .map_or(1.0, |q| q.parse().unwrap_or(0.0));
            match media {
                "application/openmetrics-text" => open = f32::max(open, quality),
                "text/plain" => text = f32::max(text, quality),
                _ => {}
            }
        }
        match open > 0.0 && open >= text {
            true => Format::OpenMetrics,
            false => Format::Prometheus,
        }
    }

    /// The Content-Type of a page.
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// A scrape being written.
pub struct Page {
    format: Format,
    text: String,
    /// The name of the metric whose head was written last.
    head: &'static str,
}

impl Page {
    /// An empty page.
    pub fn new(format: Format) -> Page {
        Page {
            format,
            text: String::new(),
            head: "",
        }
    }

    /// A sample with a whole number.
    pub fn count(&mut self, metric: &'static Metric, labels: &[&str], value: u64) {
        self.sample(metric, labels, format_args!("{value}"));
    }

    /// A sample of a gauge that counts things.
    pub fn level(&mut self, metric: &'static Metric, labels: &[&str], value: i64) {
        self.sample(metric, labels, format_args!("{value}"));
    }

    /// A sample with a fraction.
    pub fn float(&mut self, metric: &'static Metric, labels: &[&str], value: f64) {
        self.sample(metric, labels, format_args!("{value}"));
    }

    /// The samples of a histogram.
    pub(super) fn histogram(&mut self, metric: &'static Metric, labels: &[&str], totals: &Totals) {
        self.head(metric);
        let mut sum = 0;
        let bounds = totals.bounds.iter().map(Some).chain([None]);
        for (bound, bucket) in bounds.zip(totals.buckets) {
            sum += bucket;
            let bound = match bound {
                Some(nanoseconds) => self.seconds(*nanoseconds),
                None => "+Inf".to_string(),
            };
            self.name(metric, "_bucket", labels, Some(&bound));
            self.value(format_args!("{sum}"));
        }
        self.name(metric, "_sum", labels, None);
        self.value(format_args!(
            "{}.{:09}",
            totals.sum / SECOND,
            totals.sum % SECOND
        ));
        self.name(metric, "_count", labels, None);
        self.value(format_args!("{sum}"));
    }

    /// The page as it goes out.
    pub fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }

    fn sample(&mut self, metric: &'static Metric, labels: &[&str], value: std::fmt::Arguments<'_>) {
        self.head(metric);
        self.name(metric, "", labels, None);
        self.value(value);
    }

    fn head(&mut self, metric: &'static Metric) {
        if self.head == metric.name {
            return;
        }
        self.head = metric.name;
        // OpenMetrics names a counter's family without the suffix of its samples.
        let family = match (self.format, metric.kind) {
            (Format::OpenMetrics, Kind::Counter) => metric.name.trim_end_matches("_total"),
            _ => metric.name,
        };
        let (help, kind) = (metric.help.trim(), metric.kind.word());
        // Writing to a String can't fail.
        let _ = write!(
            self.text,
            "# HELP {family} {help}\n# TYPE {family} {kind}\n"
        );
    }

    fn name(&mut self, metric: &Metric, suffix: &str, labels: &[&str], bound: Option<&str>) {
        debug_assert_eq!(
            metric.labels.len(),
            labels.len(),
            "labels of {}",
            metric.name
        );
        self.text.push_str(metric.name);
        self.text.push_str(suffix);
        let mut before = '{';
        let bound = bound.map(|bound| ("le", bound));
        for (name, value) in metric
            .labels
            .iter()
            .copied()
            .zip(labels.iter().copied())
            .chain(bound)
        {
            self.text.push(before);
            self.text.push_str(name);
            self.text.push_str("=\"");
            self.escaped(value);
            self.text.push('"');
            before = ',';
        }
        if before == ',' {
            self.text.push('}');
        }
    }

    fn value(&mut self, value: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.text, " {value}");
    }

    fn escaped(&mut self, value: &str) {
        for one in value.chars() {
            match one {
                '\\' => self.text.push_str("\\\\"),
                '"' => self.text.push_str("\\\""),
                '\n' => self.text.push_str("\\n"),
                other => self.text.push(other),
            }
        }
    }

    /// A bucket's bound in seconds; OpenMetrics wants a fraction in every one.
    fn seconds(&self, nanoseconds: u64) -> String {
        let (whole, fraction) = (nanoseconds / SECOND, nanoseconds % SECOND);
        match (fraction, self.format) {
            (0, Format::Prometheus) => format!("{whole}"),
            (0, Format::OpenMetrics) => format!("{whole}.0"),
            _ => format!("{whole}.{}", format!("{fraction:09}").trim_end_matches('0')),
        }
    }
}

const SECOND: u64 = 1_000_000_000;

#[cfg(test)]
mod tests;
