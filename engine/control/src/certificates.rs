//! Says when a certificate of ours runs out, or has: at the start, after each reload and once a day. The figure for
//! machines is the metric's (`engine_bridge::metrics`); how to get a new certificate is the operator's business.

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
}

impl Expiries {
    pub(crate) fn new(shared: Arc<Shared>) -> Expiries {
        Expiries {
            shared,
            seen: 0,
            next: 0,
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
        self.next = now + DAY;
        for line in dated(&live, now) {
            self.shared.operator.say(line);
        }
        // The line that one has run out does not wait for the day to be over.
        let ends = certificates(&live).map(|(_, identity)| identity.not_after);
        let ends = ends.filter(|end| *end >= now);
        self.next = ends.fold(self.next, |next, end| next.min(end.saturating_add(1)));
    }
}

/// What there is to say about the dates of a configuration's certificates: a line for each that has run out, soon will,
/// or is not good yet. `now` is Unix time in seconds.
pub fn dated(snapshot: &Snapshot, now: u64) -> Vec<String> {
    let lines = certificates(snapshot).filter_map(|(what, identity)| line(&what, identity, now));
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

/// What there is to say about a certificate, if anything.
fn line(what: &str, identity: &Identity, now: u64) -> Option<String> {
    let (from, to) = (identity.not_before, identity.not_after);
    if to < now {
        let at = clock::moment(to);
        return Some(format!(
            "error: {what} ran out at {at}: peers refuse connections"
        ));
    }
    if now < from {
        let at = clock::moment(from);
        return Some(format!(
            "error: {what} is good from {at} on only: until then peers refuse connections"
        ));
    }
    let left = to - now;
    (left < WARN_WITHIN).then(|| {
        let at = clock::moment(to);
        let days = match left / DAY {
            0 => "in less than a day".to_owned(),
            1 => "in 1 day".to_owned(),
            days => format!("in {days} days"),
        };
        format!("warning: {what} runs out {days}, at {at}")
    })
}

const DAY: u64 = 86_400;
/// How long before its end a certificate is told of.
const WARN_WITHIN: u64 = 30 * DAY;

#[cfg(test)]
mod tests;
