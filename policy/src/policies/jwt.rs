//! JSON Web Tokens: RFC 7519 over RFC 7515, verified against keys that the operator gave.
//!
//! Nothing a token says chooses more than one of the configured keys: `jwk`, `jku`, `x5c` and
//! `x5u` are ignored, algorithm and key type must fit, `crit` is refused. `crypto` checks
//! signatures only; times and claims are checked here, against the time passed in. A token
//! that was verified once is found in the worker's cache by all of its bytes, without an
//! allocation; only its times are looked at again.

use std::rc::Rc;
use std::sync::Arc;

use crate::context::{Context, View};
use crate::crypto::{Algorithm, Key};
use crate::identity::credential::{self, Found, Source};
use crate::identity::forward::{self, ForwardClaim};
use crate::policies::slots::Fingerprint;
use crate::verdict::{RefusalKind, Scheme, Verdict};

mod cache;
mod claims;
mod json;
mod jwks;
mod settings;
mod token;
mod verified;

pub use cache::Caches;
pub use settings::Settings;
pub use verified::Verified;

use cache::Cache;
use claims::Expected;
use jwks::Jwk;
use token::Token;

/// At most so many keys are tried for one token.
const MAX_TRIES: usize = 4;

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// It was good once.
    Expired,
    /// Anything else, as a machine word.
    Invalid(&'static str),
}

impl From<Rejection> for Verdict {
    fn from(rejection: Rejection) -> Verdict {
        match rejection {
            Rejection::Expired => RefusalKind::ExpiredToken.into(),
            Rejection::Invalid(reason) => RefusalKind::InvalidCredentials {
                scheme: Scheme::Bearer,
                reason,
            }
            .into(),
        }
    }
}

/// Verifies tokens. Immutable, shared by all workers.
pub struct Verifier {
    name: Arc<str>,
    algorithms: Vec<Algorithm>,
    keys: Vec<Jwk>,
    expected: Expected,
    sources: Vec<Source>,
    forward: Vec<ForwardClaim>,
    cache: usize,
    /// Over everything that decides whether a token is accepted and what is made of it.
    fingerprint: Fingerprint,
    warnings: Vec<String>,
}

impl Verifier {
    /// Compiles the settings.
    pub fn new(settings: Settings) -> Result<Verifier, String> {
        let fingerprint = settings.fingerprint();
        let mut warnings = Vec::new();
        let mut keys = Vec::new();
        if let Some(jwks) = &settings.jwks {
            let set = jwks::parse(jwks)?;
            keys = set.keys;
            warnings = set.warnings;
        }
        if let Some(secret) = &settings.secret {
            let key = Key::secret(secret).map_err(|error| error.to_string())?;
            keys.push(Jwk::nameless(key));
        }
        if keys.is_empty() {
            return Err(match warnings.first() {
                Some(why) => format!("no key of the JWK Set can be used: {why}"),
                None => "no keys: `jwks` or `secret` is needed".to_owned(),
            });
        }
        let algorithms = settings.accepted(&keys)?;
        let forward = settings
            .forward_claims
            .unwrap_or_else(ForwardClaim::defaults);
        if let Some(header) = forward::duplicate_header(&forward) {
            return Err(format!("`forward_claims` sets `{header}` twice"));
        }
        let mut sources = settings.token_from;
        if sources.is_empty() {
            sources.push(Source::Bearer);
        }
        Ok(Verifier {
            name: settings.name,
            algorithms,
            keys,
            expected: Expected {
                issuer: settings.issuer,
                audiences: settings.audiences,
                leeway: settings.leeway,
                required: settings.required_claims,
            },
            sources,
            forward,
            cache: settings.cache,
            fingerprint,
            warnings,
        })
    }

    /// The name of the `[auth.NAME]`.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// What the operator should hear about the keys.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Where tokens are looked for.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The headers it sets on the request upstream.
    pub fn forwarded_headers(&self) -> impl Iterator<Item = &str> {
        self.forward.iter().map(|claim| &*claim.header)
    }

    /// One line for `explain`.
    pub fn describe(&self) -> String {
        let algorithms: Vec<&str> = self.algorithms.iter().map(|a| a.as_str()).collect();
        let sources: Vec<String> = self.sources.iter().map(ToString::to_string).collect();
        let mut line = format!(
            "authenticate: {} (JWT {} in {}; {} keys",
            self.name,
            algorithms.join(", "),
            sources.join(", "),
            self.keys.len()
        );
        if let Some(issuer) = &self.expected.issuer {
            line.push_str("; iss ");
            line.push_str(issuer);
        }
        if !self.expected.audiences.is_empty() {
            line.push_str("; aud ");
            line.push_str(&self.expected.audiences.join(" or "));
        }
        line.push(')');
        line
    }

    /// Judges the token of a request and says whose it is.
    #[inline]
    pub fn check(&self, view: &View<'_>, caches: &mut Caches, ctx: &mut Context) -> Verdict {
        let token = match credential::read(&self.sources, view.request) {
            Found::One(token) => token,
            Found::Missing => {
                let scheme = Scheme::Bearer;
                return RefusalKind::MissingCredentials { scheme }.into();
            }
            Found::Repeated => return Rejection::Invalid("repeated_credentials").into(),
        };
        let mut cache = caches.of(self, view);
        let known = cache.as_mut().and_then(|cache| cache.known(token));
        let outcome = match known {
            Some(verified) => match verified.times.check(view.unix) {
                Ok(()) => Ok(Rc::clone(verified)),
                Err(rejection) => {
                    if let Some(cache) = cache {
                        cache.forget(token);
                    }
                    Err(rejection)
                }
            },
            None => self.check_new(token, cache, view),
        };
        match outcome {
            Ok(verified) => {
                ctx.identity.token = Some(verified);
                Verdict::Continue
            }
            Err(rejection) => rejection.into(),
        }
    }

    /// A token that the cache does not know. Refusals are remembered for a while too, apart
    /// from the good tokens, when finding them out cost a public-key operation.
    #[cold]
    fn check_new(
        &self,
        token: &[u8],
        cache: Option<&mut Cache>,
        view: &View<'_>,
    ) -> Result<Rc<Verified>, Rejection> {
        let parsed = Token::parse(token)?;
        let Some(cache) = cache else {
            return self.verify(&parsed, view.unix).map(Rc::new);
        };
        let digest = crate::crypto::sha256(token);
        if let Some(rejection) = cache.refused(&digest, view.now) {
            return Err(rejection);
        }
        match self.verify(&parsed, view.unix) {
            Ok(verified) => {
                let verified = Rc::new(verified);
                cache.remember(token, &verified, view.unix);
                Ok(verified)
            }
            Err(rejection) => {
                if rejection != Rejection::Invalid(claims::NOT_YET_VALID) {
                    cache.refuse(digest, rejection, view.now);
                }
                Err(rejection)
            }
        }
    }

    /// Checks one token at a time given in Unix seconds, without any cache.
    pub fn verify_bytes(&self, token: &[u8], unix: u64) -> Result<Verified, Rejection> {
        self.verify(&Token::parse(token)?, unix)
    }

    /// Signature first, then claims: an unsigned token learns nothing about the claims that
    /// are expected.
    fn verify(&self, token: &Token<'_>, unix: u64) -> Result<Verified, Rejection> {
        if !self.algorithms.contains(&token.header.algorithm) {
            return Err(Rejection::Invalid("algorithm_not_allowed"));
        }
        let mut tries = self
            .keys
            .iter()
            .filter(|key| key.fits(&token.header))
            .take(MAX_TRIES)
            .peekable();
        if tries.peek().is_none() {
            return Err(Rejection::Invalid("unknown_key"));
        }
        if !tries.any(|key| key.verify(token)) {
            return Err(Rejection::Invalid("bad_signature"));
        }
        let claims = token.claims()?;
        let times = self.expected.check(&claims)?;
        times.check(unix)?;
        Ok(Verified::new(claims, times, &self.forward))
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
