//! A token that held, with everything a request needs of it worked out once.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::claims::Times;
use crate::identity::forward::{self, ForwardClaim};

/// A verified token.
pub struct Verified {
    claims: Map<String, Value>,
    subject: Option<Box<str>>,
    tenant: Option<Box<str>>,
    tier: Option<Box<str>>,
    scopes: Vec<Box<str>>,
    roles: Vec<Box<str>>,
    pub(super) times: Times,
    forward: Box<[u8]>,
}

impl Verified {
    pub(super) fn new(
        claims: Map<String, Value>,
        times: Times,
        forward: &[ForwardClaim],
    ) -> Verified {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(Into::into);
        Verified {
            subject: text("sub"),
            tenant: text("tenant").or_else(|| text("tenant_id")),
            tier: text("tier"),
            scopes: scopes(&claims),
            roles: roles(&claims),
            times,
            forward: forward_lines(&claims, forward),
            claims,
        }
    }

    /// `sub`.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// `tenant`, else `tenant_id`, if it is a string.
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// `tier`, if it is a string.
    pub fn tier(&self) -> Option<&str> {
        self.tier.as_deref()
    }

    /// The scopes of `scope` (separated by spaces) and `scp` (a list).
    pub fn scopes(&self) -> &[Box<str>] {
        &self.scopes
    }

    /// The roles of `roles` and `realm_access.roles`.
    pub fn roles(&self) -> &[Box<str>] {
        &self.roles
    }

    /// All claims.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// The first Unix second at which the token is no longer accepted (`exp` and leeway);
    /// `u64::MAX` without `exp`.
    pub fn expires(&self) -> u64 {
        self.times.expires
    }

    /// The first Unix second at which the token is accepted (`nbf` less leeway); 0 without
    /// `nbf`.
    pub fn not_before(&self) -> u64 {
        self.times.not_before
    }

    /// A claim as text; objects and null have none.
    pub fn claim(&self, name: &str) -> Option<Cow<'_, str>> {
        if name == "sub" {
            return self.subject().map(Cow::Borrowed);
        }
        text(find(&self.claims, name)?)
    }

    /// Whether the claim is there at all.
    pub(crate) fn has_claim(&self, name: &str) -> bool {
        find(&self.claims, name).is_some_and(|value| !value.is_null())
    }

    /// Whether the claim is this value, or a list that contains it.
    pub(crate) fn claim_holds(&self, name: &str, wanted: &str) -> bool {
        let is = |value: &Value| scalar(value).is_some_and(|text| text == wanted);
        match find(&self.claims, name) {
            Some(Value::Array(items)) => items.iter().any(is),
            Some(value) => is(value),
            None => false,
        }
    }

    /// The header lines for the upstream, encoded.
    pub fn forward_lines(&self) -> &[u8] {
        &self.forward
    }
}

/// A claim by its name; if there is none of the whole name, by the path that its dots make.
/// (Names that are URLs contain dots.)
pub(super) fn find<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c Value> {
    if let Some(value) = claims.get(name) {
        return Some(value);
    }
    let (first, rest) = name.split_once('.')?;
    match claims.get(first)? {
        Value::Object(inner) => find(inner, rest),
        _ => None,
    }
}

/// A string, number or boolean as text.
fn scalar(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Bool(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

/// A scalar, or a list of scalars joined by commas. A list with an item that is none of these
/// has no text, nor has one with an item that contains a comma: it could be read as two.
fn text(value: &Value) -> Option<Cow<'_, str>> {
    let Value::Array(items) = value else {
        return scalar(value);
    };
    let mut joined = String::new();
    for (at, item) in items.iter().enumerate() {
        let item = scalar(item).filter(|item| !item.contains(','))?;
        if at > 0 {
            joined.push(',');
        }
        joined.push_str(&item);
    }
    Some(Cow::Owned(joined))
}

/// RFC 8693 section 4.2 writes `scope` as one string; `scp` is what others call it.
fn scopes(claims: &Map<String, Value>) -> Vec<Box<str>> {
    let mut scopes = Vec::new();
    for name in ["scope", "scp"] {
        match claims.get(name) {
            Some(Value::String(list)) => {
                scopes.extend(list.split(' ').filter(|s| !s.is_empty()).map(Into::into));
            }
            Some(Value::Array(items)) => strings(items, &mut scopes),
            _ => {}
        }
    }
    scopes
}

/// A string is one role, whatever it contains.
fn roles(claims: &Map<String, Value>) -> Vec<Box<str>> {
    let mut roles = Vec::new();
    let realm = claims.get("realm_access").and_then(|r| r.get("roles"));
    for value in [claims.get("roles"), realm].into_iter().flatten() {
        match value {
            Value::String(role) => roles.push(role.as_str().into()),
            Value::Array(items) => strings(items, &mut roles),
            _ => {}
        }
    }
    roles
}

fn strings(items: &[Value], out: &mut Vec<Box<str>>) {
    out.extend(items.iter().filter_map(Value::as_str).map(Into::into));
}

/// Encodes what the upstream is told.
fn forward_lines(claims: &Map<String, Value>, forward: &[ForwardClaim]) -> Box<[u8]> {
    let mut lines = Vec::new();
    for ForwardClaim { claim, header } in forward {
        if let Some(value) = find(claims, claim).and_then(text) {
            forward::write_line(&mut lines, header, &value);
        }
    }
    lines.into()
}
