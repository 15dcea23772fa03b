//! What a run measured: the model that is saved as JSON, and from which every table, report and comparison is made.
//!
//! Workers record into a [`Part`] each; merged and finished, parts give [`Results`]. Nothing here sends a request or reads
//! a clock. Invariant: whatever a report shows can be made from the saved JSON alone. All times are nanoseconds.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

mod histogram;
mod part;
pub mod text;
pub mod thresholds;
pub mod units;

pub use histogram::Histogram;
pub use part::{About, Answer, Part, SecondPart};
pub use thresholds::Judged;

/// The version of the JSON that this build writes, and the only one it reads.
pub const FORMAT: u32 = 1;

/// One run, whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Version of this form; [`FORMAT`].
    pub format: u32,
    /// What ran and how.
    pub about: About,
    /// From the first request until the last answer.
    pub duration_ns: u64,
    /// Requests and bytes.
    pub counts: Counts,
    /// Answers by status code.
    pub status: BTreeMap<u16, u64>,
    /// Calls of gRPC by status; one without any counts as 2, UNKNOWN.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub grpc: BTreeMap<u8, u64>,
    /// Requests that failed, by cause.
    pub errors: BTreeMap<ErrorKind, u64>,
    /// An unexpected answer of each kind, in words.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub examples: BTreeMap<ErrorKind, String>,
    /// From when a request was due (open loop) or sent (closed loop) until its answer was whole.
    pub latency: Histogram,
    /// From when a request was really sent until its answer was whole; empty in a closed loop, where it is the latency.
    #[serde(default, skip_serializing_if = "Histogram::is_empty")]
    pub service: Histogram,
    /// From when a request was really sent until the first byte of its answer.
    #[serde(default, skip_serializing_if = "Histogram::is_empty")]
    pub first_byte: Histogram,
    /// Opening a TCP connection.
    #[serde(default, skip_serializing_if = "Histogram::is_empty")]
    pub connect: Histogram,
    /// The TLS handshake on it.
    #[serde(default, skip_serializing_if = "Histogram::is_empty")]
    pub tls: Histogram,
    /// The run second by second.
    pub seconds: Vec<Second>,
    /// The requests of the scenario, one by one; empty when there is one kind only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<Template>,
    /// What the generator itself did.
    pub generator: Generator,
    /// The search for the highest rate, if this was one; everything above is then of its best step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Sweep>,
    /// The thresholds and whether they were kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<Judged>,
}

/// How requests are paced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Each connection sends its next request when it has the answer to the last.
    #[default]
    Closed,
    /// Requests are due at times of their own, whatever the answers do.
    Open,
    /// Open loop at one rate after another, in search of the highest that is good enough.
    Sweep,
}

/// Requests and bytes of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Requests sent, wholly or in part.
    pub sent: u64,
    /// Requests that were due before the end and never sent, since no connection was free: open loop only.
    #[serde(default)]
    pub unsent: u64,
    /// Whole answers, expected or not.
    pub answered: u64,
    /// Requests that ended without a whole answer.
    pub unanswered: u64,
    /// Requests that failed: the unanswered, and those whose answer was not the expected one.
    pub failed: u64,
    /// Connections opened.
    pub connections: u64,
    /// Those of them whose TLS handshake resumed a session.
    #[serde(default)]
    pub resumed: u64,
    /// Bytes read, heads and bodies.
    pub bytes_in: u64,
    /// Bytes written, heads and bodies.
    pub bytes_out: u64,
}

/// Why a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// No connection could be opened.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// The answer was not whole in time.
    Timeout,
    /// The connection was reset.
    Reset,
    /// The connection was closed before the answer was whole.
    Closed,
    /// Reading or writing failed in another way.
    Io,
    /// What came is not HTTP, or breaks its rules.
    Protocol,
    /// The answer had another status than expected.
    Status,
    /// A header of the answer is not as expected.
    Header,
    /// The answer's body is not as expected.
    Body,
    /// The status of a call of gRPC is not 0.
    Grpc,
}

impl ErrorKind {
    /// All of them.
    pub const ALL: [ErrorKind; 11] = [
        ErrorKind::Connect,
        ErrorKind::Tls,
        ErrorKind::Timeout,
        ErrorKind::Reset,
        ErrorKind::Closed,
        ErrorKind::Io,
        ErrorKind::Protocol,
        ErrorKind::Status,
        ErrorKind::Header,
        ErrorKind::Body,
        ErrorKind::Grpc,
    ];

    /// A word or two for people.
    pub fn words(self) -> &'static str {
        match self {
            ErrorKind::Connect => "could not connect",
            ErrorKind::Tls => "TLS handshake failed",
            ErrorKind::Timeout => "timed out",
            ErrorKind::Reset => "connection reset",
            ErrorKind::Closed => "connection closed early",
            ErrorKind::Io => "input/output error",
            ErrorKind::Protocol => "not valid HTTP",
            ErrorKind::Status => "unexpected status",
            ErrorKind::Header => "unexpected header",
            ErrorKind::Body => "unexpected body",
            ErrorKind::Grpc => "gRPC status not 0",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.words())
    }
}

/// One second of a run, over all workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Second {
    /// Seconds from the start of the run to the start of this one.
    pub at: u64,
    /// How much of it the run took: 1 but for the last one.
    pub length: f64,
    /// Answers that became whole in it.
    pub answered: u64,
    /// Requests that failed in it.
    pub failed: u64,
    /// Bytes read in it.
    pub bytes_in: u64,
    /// Bytes written in it.
    pub bytes_out: u64,
    /// Median latency of its answers, to two digits, as the others here; 0 when there was no answer.
    pub p50_ns: u64,
    /// 90th percentile of it.
    pub p90_ns: u64,
    /// 99th percentile of it.
    pub p99_ns: u64,
    /// The longest.
    pub max_ns: u64,
}

/// One kind of request of a scenario.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Template {
    /// Its name in the scenario.
    pub name: String,
    /// Whole answers to it.
    pub answered: u64,
    /// Its requests that ended without a whole answer.
    pub unanswered: u64,
    /// Its requests that failed: the unanswered, and those whose answer was not the expected one.
    pub failed: u64,
    /// As [`Results::latency`].
    pub latency: Histogram,
    /// As [`Results::service`].
    #[serde(default, skip_serializing_if = "Histogram::is_empty")]
    pub service: Histogram,
    /// As [`Results::first_byte`].
    #[serde(default, skip_serializing_if = "Histogram::is_empty")]
    pub first_byte: Histogram,
}

/// What the generator itself did: whether it, and not the server, was the limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Generator {
    /// CPU time of the whole process during the run.
    pub cpu_ns: u64,
    /// The busy share of each worker's core, 0 to 1.
    pub workers: Vec<f64>,
    /// How late requests were sent, measured from when they were due and a connection was free for them: open loop only.
    #[serde(default, skip_serializing_if = "Histogram::is_empty")]
    pub lag: Histogram,
    /// Whether the generator was the limit, so that the figures say less about the server than about it.
    pub limited: bool,
    /// Why that is thought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A search for the highest rate that keeps a promise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sweep {
    /// The promise, as the user wrote it: `p99=5ms,errors=0.1%`.
    pub until: String,
    /// The highest rate that kept it, requests per second; none when not even the lowest did.
    pub best: Option<f64>,
    /// The rates tried, in the order they were tried.
    pub points: Vec<Point>,
}

/// One step of a search.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The rate that was asked for, requests per second.
    pub wanted: f64,
    /// The rate of whole answers that came of it.
    pub rate: f64,
    /// Median latency.
    pub p50_ns: u64,
    /// 99th percentile of the latency.
    pub p99_ns: u64,
    /// The longest latency.
    pub max_ns: u64,
    /// The share of requests that failed, 0 to 1.
    pub errors: f64,
    /// Whether the promise was kept.
    pub ok: bool,
    /// Whether the generator was the limit.
    #[serde(default)]
    pub limited: bool,
}

impl Results {
    /// Whole answers per second.
    pub fn rate(&self) -> f64 {
        per_second(self.counts.answered, self.duration_ns)
    }

    /// The share of requests that failed, 0 to 1, of those that have ended.
    pub fn error_share(&self) -> f64 {
        let counts = &self.counts;
        share(counts.failed, counts.answered + counts.unanswered)
    }

    /// Bytes read per second.
    pub fn bytes_in_rate(&self) -> f64 {
        per_second(self.counts.bytes_in, self.duration_ns)
    }

    /// Bytes written per second.
    pub fn bytes_out_rate(&self) -> f64 {
        per_second(self.counts.bytes_out, self.duration_ns)
    }

    /// Whether every threshold was kept.
    pub fn passed(&self) -> bool {
        self.thresholds.iter().all(|it| it.passed)
    }

    /// The JSON that [`Results::from_json`] reads.
    ///
    /// # Errors
    /// When a figure has no form in JSON, which no run gives.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string(self)?;
        text.push('\n');
        Ok(text)
    }

    /// Reads what [`Results::to_json`] wrote.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the text.
    pub fn from_json(text: &str) -> Result<Results, String> {
        /// Looked at before the rest, which another version may have changed.
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let head: Head = serde_json::from_str(text)
            .map_err(|error| format!("it is not a result of portcullis-load: {error}"))?;
        if head.format != FORMAT {
            return Err(format!(
                "it has format {}, and this build reads format {FORMAT}",
                head.format
            ));
        }
        serde_json::from_str(text).map_err(|error| error.to_string())
    }
}

impl Template {
    /// The share of its requests that failed, 0 to 1, of those that have ended.
    pub fn error_share(&self) -> f64 {
        share(self.failed, self.answered + self.unanswered)
    }
}

/// The name of a status of gRPC.
pub(crate) fn grpc_name(status: u8) -> &'static str {
    const NAMES: [&str; 17] = [
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    ];
    NAMES.get(usize::from(status)).copied().unwrap_or("unknown")
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    part as f64 / whole as f64
}

fn per_second(count: u64, duration_ns: u64) -> f64 {
    if duration_ns == 0 {
        return 0.0;
    }
    count as f64 * 1e9 / duration_ns as f64
}

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
