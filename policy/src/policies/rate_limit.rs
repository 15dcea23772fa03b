//! The limits of a route: takes the parts of each key out of the request and pays each
//! limit's cost.
//!
//! How tokens are counted lives in `limit`. A part that a request lacks is a value of its own,
//! shared by all who lack it: leaving a header out wins nobody a bucket. Nothing is allocated.

use std::net::IpAddr;
use std::sync::Arc;

use crate::context::{Context, View};
use crate::identity::Identity;
use crate::limit::{Digest, DigestBuilder, Ledger, Local, Mode, Part, Rule, Seed, Tier};
use crate::verdict::{RefusalKind, Verdict};

/// Pays the cost of each rule in turn; the first that has no tokens refuses, and what was paid
/// to those before it is put back.
pub fn check(
    rules: &[Arc<Rule>],
    view: &View<'_>,
    local: &mut Local,
    ledger: &dyn Ledger,
    ctx: &mut Context,
) -> Verdict {
    let Some((rule, others)) = rules.split_first() else {
        return Verdict::Continue;
    };
    let tier = rule.tier(ctx.identity.tier());
    let key = digest(rule, tier, view, &ctx.identity, ledger.seed());
    let taken = local.take(ledger, tier.terms(), key, rule.cost, view.now);
    ctx.limits.note(tier, &taken, view.now);
    if !taken.admitted && rule.mode == Mode::Enforce {
        return Verdict::from(RefusalKind::RateLimited {
            limit: Arc::clone(rule),
            retry_after: ctx.limits.last_retry_after(),
        });
    }
    let verdict = check(others, view, local, ledger, ctx);
    if taken.admitted && matches!(verdict, Verdict::Reply(_)) {
        local.refund(ledger, tier.terms(), key, rule.cost, &taken, view.now);
    }
    verdict
}

/// The request's key of a limit.
fn digest(rule: &Rule, tier: &Tier, view: &View<'_>, identity: &Identity, seed: &Seed) -> Digest {
    let terms = tier.terms();
    let mut key = DigestBuilder::new(seed, terms.limit, terms.tier);
    for part in rule.key.parts() {
        match part {
            Part::Ip => match view.client.to_canonical() {
                IpAddr::V4(address) => key.part(&address.octets()),
                IpAddr::V6(address) => key.part(&address.octets()),
            },
            Part::Header(name) => add(&mut key, view.request.header_named(name)),
            Part::Cookie(name) => add(&mut key, view.request.cookie(name)),
            Part::Claim(name) if **name == *"sub" => add(&mut key, identity.subject()),
            Part::Claim(name) => add(&mut key, identity.claim(name).as_deref()),
            Part::Consumer => add(&mut key, identity.consumer_name()),
            Part::Tenant => add(&mut key, identity.tenant()),
            Part::Route => key.part(view.route.as_bytes()),
            Part::Global => {}
        }
    }
    key.finish()
}

fn add<T: AsRef<[u8]> + ?Sized>(key: &mut DigestBuilder<'_>, value: Option<&T>) {
    match value {
        Some(value) => key.part(value.as_ref()),
        None => key.absent(),
    }
}

#[cfg(test)]
mod tests;
