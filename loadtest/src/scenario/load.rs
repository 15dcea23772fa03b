//! How much is sent, and when: `[load]`.

use super::problem::{Fault, Place, Report};
use super::said::{Section, Value};
use super::values;
use std::time::Duration;

/// How much is sent, and when.
#[derive(Clone, Debug, PartialEq)]
pub enum Load {
    /// Closed loop: each connection sends its next request when the last one has been answered.
    Closed {
        /// How many connections; at least 1.
        connections: usize,
        /// Ends after so many requests, over all connections. At least one of this and `duration` is there; what comes
        /// first ends the run.
        requests: Option<u64>,
        /// Ends after so long.
        duration: Option<Duration>,
        /// The pause between an answer and the next request that `[load]` asks for. Templates may have their own, and a
        /// pause may be random: [`super::Generator::think`] says what holds for one request. `None`: no template pauses.
        think: Option<Duration>,
    },
    /// Open loop: requests are sent when they are due, whether others have been answered or not.
    Open {
        /// One after the other; at least one.
        stages: Vec<Stage>,
        /// The most connections that may be opened; at least 1.
        connections: usize,
    },
}

/// How the requests of an open loop lie within their rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arrivals {
    /// Evenly spaced.
    #[default]
    Even,
    /// As those of users who know nothing of each other: exponentially distributed gaps, a Poisson process.
    Poisson,
}

/// A stretch of an open loop, in which the rate changes evenly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stage {
    /// How long; above zero.
    pub duration: Duration,
    /// Requests per second at its beginning; at least 0.
    pub from_rate: f64,
    /// Requests per second at its end; at least 0, and not zero at both ends.
    pub to_rate: f64,
}

/// A pause between an answer and the next request: evenly distributed, both ends included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Think {
    pub least: Duration,
    pub most: Duration,
}

/// What `[load]` says besides [`Load`].
pub(super) struct Settings {
    pub load: Load,
    pub arrivals: Arrivals,
    pub think: Think,
    pub timeout: Duration,
    pub warmup: Duration,
    pub requests_per_connection: Option<u64>,
    /// As it was said, so that it can be told of where there are none.
    pub streams: Option<(usize, Place)>,
    pub seed: u64,
}

const MICROSECOND: Duration = Duration::from_micros(1);
const HOUR: Duration = Duration::from_secs(3600);
const WEEK: Duration = Duration::from_secs(7 * 86_400);
const MOST_CONNECTIONS: u64 = 1_000_000;
const MOST_STREAMS: u64 = 10_000;
const MOST_STAGES: usize = 1_000;
const DEFAULT_DURATION: Duration = Duration::from_secs(10);

/// Reads `[load]`; what is wrong gets its default.
pub(super) fn read(mut section: Section<'_>, report: &mut Report) -> Settings {
    let connections = section.take("connections");
    let requests = section.take("requests");
    let duration = section.take("duration");
    let rate = section.take("rate");
    let stages = section.take("stages");
    let think = section.take("think");
    let said = Said {
        connections,
        requests,
        duration,
        rate,
        stages,
        think,
    };
    let mut time = |key, low, high, default| match section.take(key) {
        Some(value) => values::duration(report, value, low..=high).unwrap_or(default),
        None => default,
    };
    let timeout = time("timeout", MICROSECOND, HOUR, Duration::from_secs(10));
    let warmup = time("warmup", Duration::ZERO, HOUR, Duration::ZERO);
    let requests_per_connection = section
        .take("requests_per_connection")
        .and_then(|value| values::count(report, value, 1..=1_000_000_000));
    let streams = section.take("streams").and_then(|value| {
        let count = values::count(report, value, 1..=MOST_STREAMS)?;
        Some((count as usize, value.place))
    });
    let seed = section
        .take("seed")
        .and_then(|value| values::count(report, value, 0..=999_999_999_999_999))
        .unwrap_or(0);
    let open = rate.is_some() || stages.is_some();
    let arrivals = section.take("arrivals");
    let arrivals = arrivals.and_then(|value| read_arrivals(report, value, open));
    section.finish(report);
    Settings {
        load: match open {
            true => said.open(report),
            false => said.closed(report),
        },
        arrivals: arrivals.unwrap_or_default(),
        think: match think {
            Some(value) if !open => read_think(report, value).unwrap_or_default(),
            _ => Think::default(),
        },
        timeout,
        warmup,
        requests_per_connection,
        streams,
        seed,
    }
}

/// The keys that together say what kind of loop it is.
struct Said<'s> {
    connections: Option<&'s Value>,
    requests: Option<&'s Value>,
    duration: Option<&'s Value>,
    rate: Option<&'s Value>,
    stages: Option<&'s Value>,
    think: Option<&'s Value>,
}

impl Said<'_> {
    fn connections(&self, report: &mut Report, default: usize) -> usize {
        self.connections
            .and_then(|value| values::count(report, value, 1..=MOST_CONNECTIONS))
            .map_or(default, |count| count as usize)
    }

    fn requests(&self, report: &mut Report) -> Option<u64> {
        let value = self.requests?;
        values::count(report, value, 1..=1_000_000_000_000)
    }

    fn duration(&self, report: &mut Report) -> Option<Duration> {
        let value = self.duration?;
        values::duration(report, value, Duration::from_millis(1)..=WEEK)
    }

    fn closed(&self, report: &mut Report) -> Load {
        let requests = self.requests(report);
        let duration = self.duration(report);
        Load::Closed {
            connections: self.connections(report, 64),
            requests,
            duration: match requests {
                Some(_) => duration,
                None => duration.or(Some(DEFAULT_DURATION)),
            },
            think: None,
        }
    }

    fn open(&self, report: &mut Report) -> Load {
        if let Some(think) = self.think {
            no_pauses(report, think);
        }
        Load::Open {
            connections: self.connections(report, 1024),
            stages: match self.stages {
                Some(stages) => self.staged(report, stages),
                None => self.constant(report),
            },
        }
    }

    fn staged(&self, report: &mut Report, stages: &Value) -> Vec<Stage> {
        for (key, other) in [
            ("rate", self.rate),
            ("duration", self.duration),
            ("requests", self.requests),
        ] {
            if let Some(other) = other {
                let fault = Fault::at(other.place, format!("`stages` leaves no room for `{key}`"));
                report.add(fault.note("the stages say both how long and how fast"));
            }
        }
        values::text(report, stages)
            .and_then(|text| match parse_stages(text) {
                Ok(stages) => Some(stages),
                Err((part, why)) => {
                    let place = super::said::inside(report, stages, &part);
                    report.add(Fault::at(place, why).note(
                        "stages are written `10s@1k,30s@20k,10s@1k`, or with both rates, `10s@0..20k`",
                    ));
                    None
                }
            })
            .unwrap_or_default()
    }

    /// One stage at one rate.
    fn constant(&self, report: &mut Report) -> Vec<Stage> {
        let requests = self.requests(report);
        let duration = self.duration(report);
        let Some(rate) = self.rate.and_then(|value| values::rate(report, value)) else {
            return Vec::new();
        };
        let needed = requests.map(|requests| requests as f64 / rate);
        if let (Some(value), Some(seconds)) = (self.requests, needed)
            && seconds > WEEK.as_secs_f64()
        {
            report.add(Fault::at(
                value.place,
                "so many take longer than a week at this rate",
            ));
            return Vec::new();
        }
        let needed = needed.map(Duration::from_secs_f64);
        let shorter = match (needed, duration) {
            (Some(needed), Some(duration)) => needed.min(duration),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => DEFAULT_DURATION,
        };
        vec![Stage {
            duration: shorter.max(MICROSECOND),
            from_rate: rate,
            to_rate: rate,
        }]
    }
}

/// Reads how requests lie within their rate.
fn read_arrivals(report: &mut Report, value: &Value, open: bool) -> Option<Arrivals> {
    if !open {
        let fault = Fault::at(value.place, "only an open loop has arrivals");
        report.add(fault.note("say a `rate`, or `stages`"));
    }
    match values::text(report, value)? {
        "even" => Some(Arrivals::Even),
        "poisson" => Some(Arrivals::Poisson),
        _ => {
            values::mismatch(report, value, "\"even\" or \"poisson\"");
            None
        }
    }
}

/// Tells of a pause in an open loop.
pub(super) fn no_pauses(report: &mut Report, value: &Value) {
    let fault = Fault::at(value.place, "an open loop has no pauses between requests");
    report.add(fault.note("the rate alone says when a request is due; leave `think` out"));
}

/// Reads a pause: `"10ms"`, or `"10ms..50ms"` for a random one.
pub(super) fn read_think(report: &mut Report, value: &Value) -> Option<Think> {
    let text = values::text(report, value)?;
    let (least, most) = text.split_once("..").unwrap_or((text, text));
    let think = values::parse_duration(least).zip(values::parse_duration(most));
    let Some((least, most)) = think else {
        values::mismatch(report, value, "a pause such as \"10ms\" or \"10ms..50ms\"");
        return None;
    };
    if least > most || most > HOUR {
        let fault = Fault::at(value.place, "the pause is out of bounds");
        report.add(fault.note("from 0s to 1h, and the shorter one first"));
        return None;
    }
    Some(Think { least, most })
}

/// Reads `10s@1k,30s@20k,10s@1k`. A stage begins at the rate at which the one before ended, the first at its own; or
/// both are said: `10s@0..20k`.
///
/// # Errors
/// The part that is wrong, and why.
pub(super) fn parse_stages(text: &str) -> Result<Vec<Stage>, (String, String)> {
    let mut stages: Vec<Stage> = Vec::new();
    for part in text.split(',').map(str::trim) {
        let wrong = |why: &str| (part.to_owned(), why.to_owned());
        let (duration, rates) = part
            .split_once('@')
            .ok_or_else(|| wrong("a stage has a duration, `@` and a rate"))?;
        let duration = values::parse_duration(duration)
            .ok_or_else(|| wrong("the duration of a stage is written `250ms`, `10s` or `5m`"))?;
        let rate = |text: &str| {
            values::parse_rate(text)
                .filter(|rate| (0.0..=values::MOST_RATE).contains(rate))
                .ok_or_else(|| {
                    wrong("the rate of a stage is written `1000`, `1k` or `90/min`, at most 10M")
                })
        };
        let (from_rate, to_rate) = match rates.split_once("..") {
            Some((from, to)) => (rate(from)?, rate(to)?),
            None => {
                let to = rate(rates)?;
                (stages.last().map_or(to, |last| last.to_rate), to)
            }
        };
        if from_rate.max(to_rate) < values::LEAST_RATE {
            return Err(wrong("in this stage nothing is sent"));
        }
        stages.push(Stage {
            duration,
            from_rate,
            to_rate,
        });
        if duration < MICROSECOND || stages.iter().map(|it| it.duration).sum::<Duration>() > WEEK {
            return Err(wrong(
                "a stage lasts some time, and all together at most a week",
            ));
        }
        if stages.len() > MOST_STAGES {
            return Err(wrong("there are more than 1000 stages"));
        }
    }
    Ok(stages)
}

#[cfg(test)]
mod tests;
