//! A route's policies, in the order of the semantics page: address rules, limits keyed on an
//! address, authentication, authorisation, the other limits.
//!
//! Immutable and shared between workers; what changes lives in the worker's [`State`] and in
//! the exchange's [`Context`]. The first refusal ends the chain: later steps cost nothing.

use std::sync::Arc;

use crate::context::{Context, View};
use crate::limit::{Ledger, Local, Rule};
use crate::policies::{api_key, authorize, ip_access, jwt, mtls, rate_limit};
use crate::verdict::Verdict;

/// How a route authenticates.
#[derive(Clone, Default)]
pub enum Auth {
    /// It does not: `auth = "none"`.
    #[default]
    None,
    /// By a JSON Web Token.
    Jwt(Arc<jwt::Verifier>),
    /// By an API key.
    ApiKey(Arc<api_key::Verifier>),
    /// By the certificate that the client has shown.
    Mtls(Arc<mtls::Verifier>),
}

/// What a chain is built from.
#[derive(Clone, Default)]
pub struct ChainParts {
    /// Address rules of the route.
    pub access: Option<ip_access::Rules>,
    /// The route's limits, in the order of the file.
    pub limits: Vec<Arc<Rule>>,
    /// Authentication.
    pub auth: Auth,
    /// What the authenticated party must carry.
    pub authorize: Option<authorize::Rules>,
}

/// The policies of one route.
#[derive(Clone, Default)]
pub struct Chain {
    access: Option<ip_access::Rules>,
    /// Limits whose key needs no identity: verifying a token is the dearer work, so they run
    /// before it.
    early: Vec<Arc<Rule>>,
    auth: Auth,
    authorize: Option<authorize::Rules>,
    late: Vec<Arc<Rule>>,
}

impl Chain {
    /// Puts the parts in their order.
    pub fn build(parts: ChainParts) -> Chain {
        let (early, late) = parts
            .limits
            .into_iter()
            .partition(|rule| rule.address_keyed());
        Chain {
            access: parts.access.filter(|rules| !rules.is_empty()),
            early,
            auth: parts.auth,
            authorize: parts.authorize.filter(|rules| !rules.is_empty()),
            late,
        }
    }

    /// The request phase: every policy in order, until one refuses.
    pub fn request(&self, view: &View<'_>, state: &mut State, ctx: &mut Context) -> Verdict {
        if let Some(access) = &self.access
            && let refused @ Verdict::Reply(_) = access.check(view)
        {
            return refused;
        }
        if let refused @ Verdict::Reply(_) = limits(&self.early, view, state, ctx) {
            return refused;
        }
        let verdict = match &self.auth {
            Auth::None => Verdict::Continue,
            Auth::Jwt(verifier) => verifier.check(view, &mut state.jwt, ctx),
            Auth::ApiKey(verifier) => verifier.check(view, &mut state.api_keys, ctx),
            Auth::Mtls(verifier) => verifier.check(view, &mut state.certificates, ctx),
        };
        if let Verdict::Reply(_) = verdict {
            return verdict;
        }
        if let Some(authorize) = &self.authorize
            && let refused @ Verdict::Reply(_) = authorize.check(&ctx.identity)
        {
            return refused;
        }
        limits(&self.late, view, state, ctx)
    }

    /// How the route authenticates.
    pub fn auth(&self) -> &Auth {
        &self.auth
    }

    /// The limits of the route, in the order they run.
    pub fn limits(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.early.iter().chain(&self.late)
    }

    /// One line per policy, in the order they run, for `portcullis explain`.
    pub fn steps(&self) -> Vec<String> {
        let mut steps = Vec::new();
        steps.extend(self.access.as_ref().map(ip_access::Rules::describe));
        steps.extend(self.early.iter().map(|rule| step(rule)));
        match &self.auth {
            Auth::None => steps.push("authenticate: none (public)".to_owned()),
            Auth::Jwt(verifier) => steps.push(verifier.describe()),
            Auth::ApiKey(verifier) => steps.push(verifier.describe()),
            Auth::Mtls(verifier) => steps.push(verifier.describe()),
        }
        steps.extend(self.authorize.as_ref().map(authorize::Rules::describe));
        steps.extend(self.late.iter().map(|rule| step(rule)));
        steps
    }
}

/// The line of one limit.
fn step(rule: &Rule) -> String {
    format!("limit: {}", rule.name)
}

/// Runs a list of limits; most routes have an empty one.
#[inline]
fn limits(rules: &[Arc<Rule>], view: &View<'_>, state: &mut State, ctx: &mut Context) -> Verdict {
    if rules.is_empty() {
        return Verdict::Continue;
    }
    rate_limit::check(rules, view, &mut state.limits, state.ledger.as_ref(), ctx)
}

/// What the policies of one worker remember between requests. Keyed by stable names, so that
/// it survives a reload.
pub struct State {
    /// Verified tokens.
    pub jwt: jwt::Caches,
    /// This worker's copies of the consumers.
    pub api_keys: api_key::Caches,
    /// What was made of clients' certificates.
    pub certificates: mtls::Caches,
    /// Leased tokens of the limits.
    pub limits: Local,
    /// Where tokens are leased from.
    pub ledger: Box<dyn Ledger>,
}

impl State {
    /// An empty one.
    pub fn new(ledger: Box<dyn Ledger>) -> State {
        State {
            jwt: jwt::Caches::new(),
            api_keys: api_key::Caches::new(),
            certificates: mtls::Caches::new(),
            limits: Local::new(),
            ledger,
        }
    }

    /// To be called on every tick of the worker (10 ms): gives leases back and forgets caches
    /// that no configuration uses any more.
    pub fn tick(&mut self, now: u64) {
        self.limits.tick(self.ledger.as_ref(), now);
        self.jwt.tick(now);
        self.api_keys.tick(now);
        self.certificates.tick(now);
    }
}

#[cfg(test)]
mod tests;
