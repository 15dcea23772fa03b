//! What one worker records while it runs, and how parts become results.
//!
//! Recording allocates nothing but once a second, when a second is closed. Invariant: `seconds` holds every whole second
//! before the current one, in order, also those in which nothing happened.

use std::collections::BTreeMap;

use super::{
    Counts, ErrorKind, FORMAT, Generator, Histogram, Mode, Results, Second, Sweep, Template,
};

mod about;
mod second;

pub use about::About;
use second::Current;
pub use second::SecondPart;

const SECOND: u64 = 1_000_000_000;
/// Status codes that are counted by themselves: 0 to 999, as three digits give.
const STATUSES: usize = 1000;
/// The same of gRPC: two digits, though there are only 17.
const GRPC_STATUSES: usize = 100;

/// An answer that has come whole. Times are of the one monotonic clock that the part's start was read from.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// Index of the request's template.
    pub template: usize,
    /// Its status code.
    pub status: u16,
    /// The status of a call of gRPC.
    pub grpc: Option<u8>,
    /// Bytes of its head and body.
    pub bytes: u64,
    /// When the request was due; when it was sent, in a closed loop.
    pub due: u64,
    /// When it was sent.
    pub sent: u64,
    /// When the first byte of the answer was there.
    pub first_byte: u64,
    /// When the answer was whole.
    pub done: u64,
    /// What is wrong with it, if it is not the expected one.
    pub unmet: Option<ErrorKind>,
}

/// What one worker has recorded.
#[derive(Clone, Debug)]
pub struct Part {
    start: u64,
    mode: Mode,
    counts: Counts,
    status: Vec<u64>,
    grpc: [u64; GRPC_STATUSES],
    errors: [u64; ErrorKind::ALL.len()],
    latency: Histogram,
    service: Histogram,
    first_byte: Histogram,
    connect: Histogram,
    tls: Histogram,
    lag: Histogram,
    /// By template; empty when there is one only, which is then the whole.
    templates: Vec<TemplatePart>,
    /// Whole seconds.
    seconds: Vec<SecondPart>,
    /// The current second.
    now: Current,
}

#[derive(Clone, Debug, Default)]
struct TemplatePart {
    answered: u64,
    unanswered: u64,
    failed: u64,
    latency: Histogram,
    service: Histogram,
    first_byte: Histogram,
}

impl Part {
    /// An empty part of a run that began at `start`, of a scenario of so many templates.
    pub fn new(start: u64, mode: Mode, templates: usize) -> Part {
        let templates = if templates > 1 { templates } else { 0 };
        Part {
            start,
            mode,
            counts: Counts::default(),
            status: vec![0; STATUSES],
            grpc: [0; GRPC_STATUSES],
            errors: [0; ErrorKind::ALL.len()],
            latency: Histogram::new(),
            service: Histogram::new(),
            first_byte: Histogram::new(),
            connect: Histogram::new(),
            tls: Histogram::new(),
            lag: Histogram::new(),
            templates: vec![TemplatePart::default(); templates],
            seconds: Vec::new(),
            now: Current::first(start),
        }
    }

    /// A request of so many bytes was handed to the kernel.
    #[inline]
    pub fn sent(&mut self, bytes: u64) {
        self.counts.sent += 1;
        self.counts.bytes_out += bytes;
        self.now.tally.bytes_out += bytes;
    }

    /// A request was sent once more, since the server had not looked at it.
    pub fn resent(&mut self, bytes: u64) {
        self.counts.bytes_out += bytes;
        self.now.tally.bytes_out += bytes;
    }

    /// A request was due and can't be sent any more.
    pub fn unsent(&mut self, requests: u64) {
        self.counts.unsent += requests;
    }

    /// An answer has come whole.
    #[inline]
    pub fn answered(&mut self, answer: Answer) {
        self.tick(answer.done);
        let latency = answer.done.saturating_sub(answer.due);
        self.counts.answered += 1;
        self.counts.bytes_in += answer.bytes;
        if let Some(count) = self.status.get_mut(usize::from(answer.status)) {
            *count += 1;
        }
        if let Some(count) = answer
            .grpc
            .and_then(|it| self.grpc.get_mut(usize::from(it)))
        {
            *count += 1;
        }
        let first_byte = answer.first_byte.saturating_sub(answer.sent);
        self.latency.record(latency);
        self.first_byte.record(first_byte);
        let mut template = self.templates.get_mut(answer.template);
        if let Some(template) = &mut template {
            template.answered += 1;
            template.latency.record(latency);
            template.first_byte.record(first_byte);
        }
        if self.mode != Mode::Closed {
            let service = answer.done.saturating_sub(answer.sent);
            self.service.record(service);
            if let Some(template) = template {
                template.service.record(service);
            }
        }
        self.now.tally.answered += 1;
        self.now.tally.bytes_in += answer.bytes;
        self.now.latency.record(latency);
        if let Some(kind) = answer.unmet {
            self.failure(answer.template, kind);
        }
    }

    /// A request has failed without a whole answer, at `now`; `bytes` of one had come.
    pub fn failed(&mut self, template: usize, kind: ErrorKind, bytes: u64, now: u64) {
        self.tick(now);
        self.counts.bytes_in += bytes;
        self.now.tally.bytes_in += bytes;
        self.counts.unanswered += 1;
        if let Some(template) = self.templates.get_mut(template) {
            template.unanswered += 1;
        }
        self.failure(template, kind);
    }

    fn failure(&mut self, template: usize, kind: ErrorKind) {
        self.counts.failed += 1;
        self.errors[kind as usize] += 1;
        self.now.tally.failed += 1;
        if let Some(template) = self.templates.get_mut(template) {
            template.failed += 1;
        }
    }

    /// A TCP connection was opened, which took so long.
    pub fn connected(&mut self, ns: u64) {
        self.counts.connections += 1;
        self.connect.record(ns);
    }

    /// A TLS handshake ended well, which took so long.
    pub fn handshaken(&mut self, ns: u64, resumed: bool) {
        self.tls.record(ns);
        self.counts.resumed += u64::from(resumed);
    }

    /// A request was sent so long after it could have been: due, and with a connection free for it.
    #[inline]
    pub fn lagged(&mut self, ns: u64) {
        self.lag.record(ns);
    }

    /// Closes the seconds that have passed by `now`. Recording does it too; a worker that has nothing to record calls it
    /// so that [`Part::seconds`] goes on.
    #[inline]
    pub fn tick(&mut self, now: u64) {
        while now >= self.now.end {
            self.close_second();
        }
    }

    #[cold]
    fn close_second(&mut self) {
        let second = self.now.close();
        self.seconds.push(second);
    }

    /// The whole seconds so far: what a progress line is made from.
    pub fn seconds(&self) -> &[SecondPart] {
        &self.seconds
    }

    /// Requests and bytes so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The latencies so far.
    pub fn latency(&self) -> &Histogram {
        &self.latency
    }

    /// The lags so far.
    pub fn lag(&self) -> &Histogram {
        &self.lag
    }

    /// Adds another worker's part of the same run.
    pub fn merge(&mut self, other: &Part) {
        debug_assert_eq!(self.start, other.start, "parts of different runs");
        self.counts.add(&other.counts);
        for (mine, theirs) in self.status.iter_mut().zip(&other.status) {
            *mine += theirs;
        }
        for (mine, theirs) in self.grpc.iter_mut().zip(&other.grpc) {
            *mine += theirs;
        }
        for (mine, theirs) in self.errors.iter_mut().zip(&other.errors) {
            *mine += theirs;
        }
        self.latency.add(&other.latency);
        self.service.add(&other.service);
        self.first_byte.add(&other.first_byte);
        self.connect.add(&other.connect);
        self.tls.add(&other.tls);
        self.lag.add(&other.lag);
        for (mine, theirs) in self.templates.iter_mut().zip(&other.templates) {
            mine.answered += theirs.answered;
            mine.unanswered += theirs.unanswered;
            mine.failed += theirs.failed;
            mine.latency.add(&theirs.latency);
            mine.service.add(&theirs.service);
            mine.first_byte.add(&theirs.first_byte);
        }
        // One of them may have had nothing to record for a while: first both come to the same second.
        while self.now.end < other.now.end {
            self.close_second();
        }
        for (mine, theirs) in self.seconds.iter_mut().zip(&other.seconds) {
            mine.merge(theirs);
        }
        match self.seconds.get_mut(other.seconds.len()) {
            Some(mine) => mine.merge(&other.now.clone().close()),
            None => self.now.merge(&other.now),
        }
    }

    /// The results of the run, which ended at `end`. `names` are the templates', in their order.
    pub fn finish(
        mut self,
        end: u64,
        about: About,
        names: &[String],
        mut generator: Generator,
        sweep: Option<Sweep>,
    ) -> Results {
        self.tick(end);
        let duration_ns = end.saturating_sub(self.start);
        let whole = self.seconds.len() as u64;
        let rest = duration_ns.saturating_sub(whole * SECOND);
        let last = self.now.close();
        let mut seconds: Vec<Second> = (0..whole)
            .zip(&self.seconds)
            .map(|(at, part)| part.finish(at, 1.0))
            .collect();
        if rest > 0 && last != SecondPart::default() {
            seconds.push(last.finish(whole, rest as f64 / SECOND as f64));
        }
        let status = self
            .status
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0);
        let errors = ErrorKind::ALL
            .iter()
            .zip(&self.errors)
            .filter(|(_, count)| **count > 0);
        generator.lag = self.lag;
        let templates = self.templates.into_iter().enumerate();
        Results {
            format: FORMAT,
            about,
            duration_ns,
            counts: self.counts,
            status: status.map(|(code, count)| (code as u16, *count)).collect(),
            grpc: (0..)
                .zip(self.grpc)
                .filter(|(_, count)| *count > 0)
                .collect(),
            errors: errors
                .map(|(kind, count)| (*kind, *count))
                .collect::<BTreeMap<_, _>>(),
            examples: BTreeMap::new(),
            latency: self.latency,
            service: self.service,
            first_byte: self.first_byte,
            connect: self.connect,
            tls: self.tls,
            seconds,
            templates: templates
                .map(|(at, part)| Template {
                    name: names
                        .get(at)
                        .cloned()
                        .unwrap_or_else(|| format!("request {}", at + 1)),
                    answered: part.answered,
                    unanswered: part.unanswered,
                    failed: part.failed,
                    latency: part.latency,
                    service: part.service,
                    first_byte: part.first_byte,
                })
                .collect(),
            generator,
            sweep,
            thresholds: Vec::new(),
        }
    }
}

impl Counts {
    /// Adds another worker's.
    fn add(&mut self, other: &Counts) {
        self.sent += other.sent;
        self.unsent += other.unsent;
        self.answered += other.answered;
        self.unanswered += other.unanswered;
        self.failed += other.failed;
        self.connections += other.connections;
        self.resumed += other.resumed;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
    }
}
