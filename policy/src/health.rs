//! When checks say that an endpoint is healthy, what a good status is, and when the next check is due. Not here: the
//! checks themselves (`engine/control/src/health.rs`), and who goes by what they say (`balance`).
//!
//! Invariant: apart from the first result of a check, which decides alone, a state changes only after as many results in a
//! row as its threshold says.

use std::time::Duration;

#[cfg(test)]
mod tests;

/// How many results in a row change an endpoint's state; at least 1 each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Good ones that an unhealthy endpoint needs.
    pub healthy: u32,
    /// Bad ones that a healthy endpoint needs.
    pub unhealthy: u32,
}

/// What the results so far say of an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// There is none yet.
    #[default]
    Unknown,
    /// It works.
    Healthy,
    /// It does not.
    Unhealthy,
}

/// The results of one endpoint's checks, as far as they matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tracker {
    state: State,
    /// Results in a row that contradict the state.
    against: u32,
}

impl Tracker {
    /// Before the first result.
    pub fn new() -> Tracker {
        Tracker::default()
    }

    /// What is known.
    pub fn state(&self) -> State {
        self.state
    }

    /// Takes a result in; gives the state if that has changed it, from [`State::Unknown`] too.
    pub fn note(&mut self, good: bool, thresholds: &Thresholds) -> Option<State> {
        let (says, needed) = match (good, self.state) {
            (true, State::Unknown) => (State::Healthy, 1),
            (false, State::Unknown) => (State::Unhealthy, 1),
            (true, _) => (State::Healthy, thresholds.healthy),
            (false, _) => (State::Unhealthy, thresholds.unhealthy),
        };
        if says == self.state {
            self.against = 0;
            return None;
        }
        self.against = self.against.saturating_add(1);
        if self.against < needed {
            return None;
        }
        self.state = says;
        self.against = 0;
        Some(says)
    }
}

/// Which statuses of an answer are good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statuses(Vec<(u16, u16)>);

impl Statuses {
    /// Those of these ranges, each a first and a last status.
    pub fn new(ranges: Vec<(u16, u16)>) -> Statuses {
        Statuses(ranges)
    }

    /// One range: `204`, or `200-399`. `None` if it is none, or not of final statuses.
    pub fn range(text: &str) -> Option<(u16, u16)> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let status = |text: &str| {
            let digits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|_| digits)
        };
        let (first, last): (u16, u16) = (status(first)?, status(last)?);
        (first >= 200 && first <= last && last <= 599).then_some((first, last))
    }

    /// Whether this one is good.
    pub fn accepts(&self, status: u16) -> bool {
        let within = |(first, last): &(u16, u16)| (*first..=*last).contains(&status);
        self.0.iter().any(within)
    }
}

/// How long to wait from the beginning of one check to that of the next: the interval, up to a tenth less or more, so that
/// the checks of many endpoints, and of many gateways, don't fall together. `random` is uniform over all of `u64`.
pub fn until_next(interval: Duration, random: u64) -> Duration {
    let fifth = interval / 5;
    interval - interval / 10 + part(fifth, random)
}

/// How long to wait before the first check of an endpoint: at most the interval, and at most a second, since nothing is
/// known of it until then.
pub fn until_first(interval: Duration, random: u64) -> Duration {
    part(interval.min(Duration::from_secs(1)), random)
}

/// A part of the whole, by a number uniform over all of `u64`.
fn part(whole: Duration, random: u64) -> Duration {
    let nanos = whole.as_nanos().min(u128::from(u64::MAX));
    Duration::from_nanos(((nanos * u128::from(random)) >> 64) as u64)
}
