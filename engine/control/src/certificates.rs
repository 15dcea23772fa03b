//! Says when a certificate of ours runs out, or has: once a day for each, beginning at the start or at the reload that
//! brought it; reloads in between say nothing again. The figure for machines is the metric's (`engine_bridge::metrics`); how to get a new certificate is the operator's business.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine_bridge::Snapshot;
use engine_config::snapshot::Identity;

use crate::clock;
use crate::shared::Shared;

/// Looks at the certificates of the live configuration.
pub(crate) struct Expiries {
    shared: Arc<Shared>,
    /// The generation that was looked at last.
    seen: u64,
    /// When to look again (Unix time) if nothing is reloaded.
    next: u64,
    /// What was said of a certificate within a day, and when (Unix time).
    said: BTreeMap<Said, u64>,
}

/// Something that is said of one certificate: which it is, its last second, and how it stands.
type Said = (String, u64, Standing);

/// How a certificate stands, where there is something to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    RanOut,
    NotYet,
    Ending,
}

impl Expiries {
    pub(crate) fn new(shared: Arc<Shared>) -> Expiries {
        Expiries {
            shared,
            seen: 0,
            next: 0,
            said: BTreeMap::new(),
        }
    }

    /// Looks if there is a new configuration or a day has gone by. `now` is Unix time in seconds.
    pub(crate) fn turn(&mut self, now: u64) {
        let slot = &self.shared.bridge.slot;
        if slot.generation() == self.seen && now < self.next {
            return;
        }
        let Some((generation, live)) = slot.live() else {
            return;
        };
        self.seen = generation;
        // What the clock has been set back behind is forgotten, too.
        self.said
            .retain(|_, at| *at <= now && now < at.saturating_add(DAY));
        for (what, identity) in certificates(&live) {
            let Some(standing) = standing(identity, now) else {
                continue;
            };
            let words = line(&what, identity, standing, now);
            let said = (what, identity.not_after, standing);
            self.said.entry(said).or_insert_with(|| {
                self.shared.operator.say(words);
                now
            });
        }
        let again = self.said.values().min().unwrap_or(&now);
        self.next = again.saturating_add(DAY);
        // The line that one has run out does not wait for the day to be over.
        let ends = certificates(&live).map(|(_, identity)| identity.not_after);
        let ends = ends.filter(|end| *end >= now);
        self.next = ends.fold(self.next, |next, end| next.min(end.saturating_add(1)));
    }
}

/// What there is to say about the dates of a configuration's certificates: a line for each that has run out, soon will,
/// or is not good yet. `now` is Unix time in seconds.
pub fn dated(snapshot: &Snapshot, now: u64) -> Vec<String> {
    let lines = certificates(snapshot).filter_map(|(what, identity)| {
        let standing = standing(identity, now)?;
        Some(line(&what, identity, standing, now))
    });
    lines.collect()
}

/// The certificates of a configuration, a line each: for which names, and until when.
pub fn listed(snapshot: &Snapshot) -> Vec<String> {
    let names = |of: &[Arc<str>]| match of {
        [] => "no name".to_owned(),
        names => names.join(", "),
    };
    let all = snapshot.certificates.iter().map(|it| {
        let (name, end) = (&it.name, clock::moment(it.identity.not_after));
        format!("certificate {name}: for {}, until {end}", names(&it.names))
    });
    all.collect()
}

/// Every certificate that the gateway shows, to clients or to upstreams, with what it is called.
fn certificates(live: &Snapshot) -> impl Iterator<Item = (String, &Identity)> {
    let listeners = live.certificates.iter();
    let listeners = listeners.map(|it| (format!("certificate {}", it.name), &it.identity));
    let upstreams = live.upstreams.iter().filter_map(|upstream| {
        let identity = upstream.tls.as_ref()?.identity.as_ref()?;
        let what = format!("upstream {}: the certificate it is shown", upstream.name);
        Some((what, identity))
    });
    listeners.chain(upstreams)
}

/// How a certificate stands; none: there is nothing to say about it.
fn standing(identity: &Identity, now: u64) -> Option<Standing> {
    let (from, to) = (identity.not_before, identity.not_after);
    if to < now {
        return Some(Standing::RanOut);
    }
    if now < from {
        return Some(Standing::NotYet);
    }
    (to - now < WARN_WITHIN).then_some(Standing::Ending)
}

/// What there is to say about a certificate that stands so.
fn line(what: &str, identity: &Identity, standing: Standing, now: u64) -> String {
    let at = clock::moment(match standing {
        Standing::NotYet => identity.not_before,
        Standing::RanOut | Standing::Ending => identity.not_after,
    });
    match standing {
        Standing::RanOut => format!("error: {what} ran out at {at}: peers refuse connections"),
        Standing::NotYet => {
            format!("error: {what} is good from {at} on only: until then peers refuse connections")
        }
        Standing::Ending => {
            let days = match identity.not_after.saturating_sub(now) / DAY {
                0 => "in less than a day".to_owned(),
                1 => "in 1 day".to_owned(),
                days => format!("in {days} days"),
            };
            format!("warning: {what} runs out {days}, at {at}")
        }
    }
}

const DAY: u64 = 86_400;
/// How long before its end a certificate is told of.
const WARN_WITHIN: u64 = 30 * DAY;

#[cfg(test)]
mod tests;
