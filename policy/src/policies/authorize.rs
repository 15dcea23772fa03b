//! Authorisation: what the authenticated party must carry to use a route.
//!
//! Every scope, every role and every claim that is listed is required. An entry of
//! `require_roles` or `require_scopes` may name alternatives: `"admin|editor"` is met by
//! either. Nobody authenticated meets nothing. Roles and scopes are compared exactly.

use std::sync::Arc;

use crate::identity::Identity;
use crate::verdict::{RefusalKind, Verdict};

/// What is required.
#[derive(Clone, Default)]
pub struct Rules {
    scopes: Vec<Alternatives>,
    roles: Vec<Alternatives>,
    claims: Vec<ClaimRule>,
    /// The scopes as `WWW-Authenticate` shows them.
    scope_text: Option<Arc<str>>,
}

/// Any one of these.
#[derive(Clone)]
struct Alternatives(Vec<Box<str>>);

/// A claim that must be there, with this value if one is given.
#[derive(Clone)]
struct ClaimRule {
    name: Box<str>,
    value: Option<Box<str>>,
}

impl Rules {
    /// Compiles `require_scopes`, `require_roles` and `require_claims`.
    pub fn new(scopes: &[String], roles: &[String], claims: &[String]) -> Result<Rules, String> {
        let shown: Vec<&str> = scopes.iter().flat_map(|entry| entry.split('|')).collect();
        Ok(Rules {
            scopes: alternatives(scopes, "scope")?,
            roles: alternatives(roles, "role")?,
            claims: claims
                .iter()
                .map(|text| ClaimRule::parse(text))
                .collect::<Result<_, _>>()?,
            scope_text: (!shown.is_empty()).then(|| shown.join(" ").into()),
        })
    }

    /// Whether nothing is required.
    pub fn is_empty(&self) -> bool {
        self.scopes.is_empty() && self.roles.is_empty() && self.claims.is_empty()
    }

    /// Judges an identity.
    pub fn check(&self, identity: &Identity) -> Verdict {
        let scopes = identity.token.as_deref().map_or(&[][..], |t| t.scopes());
        if !self.scopes.iter().all(|wanted| wanted.met_by(scopes)) {
            let scope = self.scope_text.clone().unwrap_or_default();
            return RefusalKind::InsufficientScope { scope }.into();
        }
        let roles = identity.token.as_deref().map_or(&[][..], |t| t.roles());
        if !self.roles.iter().all(|wanted| wanted.met_by(roles)) {
            return RefusalKind::MissingRole.into();
        }
        if !self.claims.iter().all(|wanted| wanted.met_by(identity)) {
            return RefusalKind::MissingClaim.into();
        }
        Verdict::Continue
    }

    /// One line for `explain`.
    pub fn describe(&self) -> String {
        let mut parts = Vec::new();
        parts.extend(
            self.scopes
                .iter()
                .map(|s| format!("scope {}", s.0.join(" or "))),
        );
        parts.extend(
            self.roles
                .iter()
                .map(|r| format!("role {}", r.0.join(" or "))),
        );
        parts.extend(self.claims.iter().map(|c| match &c.value {
            Some(value) => format!("claim {}={value}", c.name),
            None => format!("claim {}", c.name),
        }));
        format!("authorise: {}", parts.join(", "))
    }
}

/// Parses the entries of `require_scopes` or `require_roles`.
fn alternatives(entries: &[String], what: &str) -> Result<Vec<Alternatives>, String> {
    let parse = |entry: &String| {
        let names: Vec<Box<str>> = entry.split('|').map(|name| name.trim().into()).collect();
        if names.iter().any(|name| name.is_empty()) {
            return Err(format!("`{entry}` names an empty {what}"));
        }
        Ok(Alternatives(names))
    };
    entries.iter().map(parse).collect()
}

impl Alternatives {
    fn met_by(&self, carried: &[Box<str>]) -> bool {
        self.0.iter().any(|wanted| carried.contains(wanted))
    }
}

impl ClaimRule {
    /// Parses `name` or `name=value`.
    fn parse(text: &str) -> Result<ClaimRule, String> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (text.trim(), None),
        };
        if name.is_empty() || value == Some("") {
            return Err(format!("expected `claim` or `claim=value`, found `{text}`"));
        }
        Ok(ClaimRule {
            name: name.into(),
            value: value.map(Into::into),
        })
    }

    fn met_by(&self, identity: &Identity) -> bool {
        let Some(token) = identity.token.as_deref() else {
            return false;
        };
        match &self.value {
            Some(value) => token.claim_holds(&self.name, value),
            None => token.has_claim(&self.name),
        }
    }
}

#[cfg(test)]
mod tests;
