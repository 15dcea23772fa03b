//! What the limits of a route said about one request: for the headers that clients read, the
//! log and the metrics.
//!
//! Holds numbers, not rules, so that no count shared between cores is touched; whoever renders
//! hands the route's rules in. Keeps its memory from request to request.

use std::sync::Arc;

use super::local::Taken;
use super::plan::Plan;
use super::rule::{HeaderStyle, Mode, Prefix, Rule, Tier};

/// What one limit said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// The number of the limit ([`Rule::number`]).
    pub limit: u64,
    /// The tier's number.
    tier: u64,
    /// Tokens left, as far as this worker knows.
    pub remaining: u64,
    /// Seconds until a refused request could be admitted, at least 1; 0 when this one was.
    pub retry_after: u64,
}

impl Outcome {
    /// Whether the limit had no tokens for the request, enforced or not.
    pub fn exceeded(&self) -> bool {
        self.retry_after > 0
    }
}

/// What the limits said, in the order they were asked.
#[derive(Clone, Debug, Default)]
pub struct LimitOutcomes {
    list: Vec<Outcome>,
}

impl LimitOutcomes {
    /// Of a request that no limit has seen.
    pub fn new() -> LimitOutcomes {
        LimitOutcomes::default()
    }

    /// Forgets the request.
    pub fn clear(&mut self) {
        self.list.clear();
    }

    /// Every limit that was asked.
    pub fn iter(&self) -> impl Iterator<Item = &Outcome> {
        self.list.iter()
    }

    /// The least that any limit has left, for the log.
    pub fn remaining(&self) -> Option<u64> {
        self.list.iter().map(|outcome| outcome.remaining).min()
    }

    /// Appends the header lines, each with CRLF, that tell the client what is left. `rules`
    /// are those of the route. Shadow limits are not told.
    pub fn write_headers<'r>(&self, rules: impl Iterator<Item = &'r Arc<Rule>>, out: &mut Vec<u8>) {
        if self.list.is_empty() {
            return;
        }
        let mut ietf: Option<(&Outcome, &Tier)> = None;
        let mut x: Option<(&Outcome, &Tier)> = None;
        for rule in rules.filter(|rule| rule.mode == Mode::Enforce) {
            let asked = self.list.iter().find(|o| o.limit == rule.number());
            let Some(outcome) = asked else { continue };
            let told = (outcome, rule.tier_numbered(outcome.tier));
            match rule.headers {
                HeaderStyle::Ietf => {
                    structured(told, out);
                    ietf = Some(tighter(ietf, told));
                }
                HeaderStyle::X => x = Some(tighter(x, told)),
                HeaderStyle::Off => {}
            }
        }
        if let Some(told) = ietf {
            plain(Prefix::None, told, out);
        }
        if let Some(told) = x {
            plain(Prefix::X, told, out);
        }
    }

    /// Notes what a limit said.
    pub(crate) fn note(&mut self, tier: &Tier, taken: &Taken, now: u64) {
        let retry_after = match taken.admitted {
            true => 0,
            false => seconds(taken.refilled_at.saturating_sub(now)).max(1),
        };
        self.list.push(Outcome {
            limit: tier.terms().limit,
            tier: tier.terms().tier,
            remaining: taken.remaining.min(tier.terms().plan.burst()),
            retry_after,
        });
    }

    /// The seconds for `Retry-After` of the limit that was asked last.
    pub(crate) fn last_retry_after(&self) -> u64 {
        self.list
            .last()
            .map_or(1, |outcome| outcome.retry_after.max(1))
    }
}

/// The lines of the IETF draft: a limit's policy and its state.
fn structured((outcome, tier): (&Outcome, &Tier), out: &mut Vec<u8>) {
    out.extend_from_slice(tier.structured().as_bytes());
    number(outcome.remaining, out);
    out.extend_from_slice(b";t=");
    number(reset(outcome, tier), out);
    out.extend_from_slice(b"\r\n");
}

/// The three lines of one limit, under a prefix or none.
fn plain(prefix: Prefix, (outcome, tier): (&Outcome, &Tier), out: &mut Vec<u8>) {
    out.extend_from_slice(tier.plain(prefix).as_bytes());
    number(outcome.remaining, out);
    out.extend_from_slice(match prefix {
        Prefix::None => b"\r\nRateLimit-Reset: ".as_slice(),
        Prefix::X => b"\r\nX-RateLimit-Reset: ",
    });
    number(reset(outcome, tier), out);
    out.extend_from_slice(b"\r\n");
}

fn number(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Seconds until the bucket is full; after a refusal the same instant as `Retry-After`, as
/// draft 6 asks for.
fn reset(outcome: &Outcome, tier: &Tier) -> u64 {
    if outcome.exceeded() {
        return outcome.retry_after;
    }
    let plan: &Plan = &tier.terms().plan;
    let missing = plan.burst().saturating_sub(outcome.remaining);
    seconds(plan.time_for(missing, 0))
}

/// The one that a client will run into first.
fn tighter<'a>(
    best: Option<(&'a Outcome, &'a Tier)>,
    other: (&'a Outcome, &'a Tier),
) -> (&'a Outcome, &'a Tier) {
    let rank = |o: &Outcome| (!o.exceeded(), o.remaining);
    match best {
        Some(best) if rank(best.0) <= rank(other.0) => best,
        _ => other,
    }
}

fn seconds(nanoseconds: u64) -> u64 {
    nanoseconds.div_ceil(1_000_000_000)
}

#[cfg(test)]
mod tests;
