//! The registered claims (RFC 7519 section 4.1), checked by us and against the time passed in.
//!
//! A registered claim of the wrong type refuses the token, configured or not: a claims set
//! that is malformed where it matters is not to be guessed at.

use std::time::Duration;

use serde_json::{Map, Value};

use super::Rejection;
use super::verified::find;

/// A token before its `nbf`: the one refusal that time heals.
pub(super) const NOT_YET_VALID: &str = "not_yet_valid";

/// What is expected of the claims of every token.
pub(super) struct Expected {
    pub(super) issuer: Option<String>,
    pub(super) audiences: Vec<String>,
    pub(super) leeway: Duration,
    pub(super) required: Vec<String>,
}

/// When a token is good, in whole Unix seconds with the leeway counted in:
/// `not_before <= now < expires`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) not_before: u64,
    pub(super) expires: u64,
}

impl Times {
    /// Whether the token is good now.
    #[inline]
    pub(super) fn check(&self, unix: u64) -> Result<(), Rejection> {
        if unix >= self.expires {
            return Err(Rejection::Expired);
        }
        if unix < self.not_before {
            return Err(Rejection::Invalid(NOT_YET_VALID));
        }
        Ok(())
    }
}

impl Expected {
    /// Checks everything that time does not change, and reads the times.
    pub(super) fn check(&self, claims: &Map<String, Value>) -> Result<Times, Rejection> {
        let malformed = Rejection::Invalid("malformed_claims");
        for name in ["iss", "sub", "jti"] {
            if claims.get(name).is_some_and(|value| !value.is_string()) {
                return Err(malformed);
            }
        }
        let required = |name: &String| find(claims, name).is_some_and(|v| !v.is_null());
        if !self.required.iter().all(required) {
            return Err(Rejection::Invalid("missing_required_claim"));
        }
        if let Some(issuer) = &self.issuer
            && claims.get("iss").and_then(Value::as_str) != Some(issuer)
        {
            return Err(Rejection::Invalid("wrong_issuer"));
        }
        self.check_audience(claims.get("aud"))?;
        let expires = claims
            .get("exp")
            .map(|exp| self.latest(exp).ok_or(malformed));
        let not_before = claims
            .get("nbf")
            .map(|nbf| self.earliest(nbf).ok_or(malformed));
        Ok(Times {
            expires: expires.transpose()?.unwrap_or(u64::MAX),
            not_before: not_before.transpose()?.unwrap_or(0),
        })
    }

    /// A string or a list of strings (RFC 7519 section 4.1.3).
    fn check_audience(&self, aud: Option<&Value>) -> Result<(), Rejection> {
        let ours = |name: &str| self.audiences.iter().any(|own| own == name);
        let meant = match aud {
            None => false,
            Some(Value::String(name)) => ours(name),
            Some(Value::Array(names)) if names.iter().all(Value::is_string) => {
                names.iter().filter_map(Value::as_str).any(ours)
            }
            Some(_) => return Err(Rejection::Invalid("malformed_claims")),
        };
        if meant || self.audiences.is_empty() {
            Ok(())
        } else {
            Err(Rejection::Invalid("wrong_audience"))
        }
    }

    /// The first whole second at which `exp` and leeway are over. For whole `now`,
    /// `now < exp + leeway` is the same as `now < ceil(exp + leeway)`.
    fn latest(&self, exp: &Value) -> Option<u64> {
        if let Some(whole) = exp.as_u64()
            && self.leeway.subsec_nanos() == 0
        {
            return Some(whole.saturating_add(self.leeway.as_secs()));
        }
        Some(whole_second(exp.as_f64()? + self.leeway.as_secs_f64()))
    }

    /// The first whole second at which `nbf` less leeway is reached.
    fn earliest(&self, nbf: &Value) -> Option<u64> {
        if let Some(whole) = nbf.as_u64()
            && self.leeway.subsec_nanos() == 0
        {
            return Some(whole.saturating_sub(self.leeway.as_secs()));
        }
        Some(whole_second(nbf.as_f64()? - self.leeway.as_secs_f64()))
    }
}

/// The next whole second; before the epoch is 0, past all time is the last one.
fn whole_second(seconds: f64) -> u64 {
    seconds.ceil() as u64
}
