//! A verified token from the text of its claims, for the tests of other policies.

use super::{Expected, Verified, json};
use crate::identity::forward::ForwardClaim;

pub(crate) fn verified(claims: &str) -> Verified {
    forwarding(claims, &ForwardClaim::defaults())
}

pub(crate) fn forwarding(claims: &str, forward: &[ForwardClaim]) -> Verified {
    let claims = json::object(claims.as_bytes()).expect("an object");
    let expected = Expected {
        issuer: None,
        audiences: Vec::new(),
        leeway: std::time::Duration::ZERO,
        required: Vec::new(),
    };
    let times = expected.check(&claims).expect("good claims");
    Verified::new(claims, times, forward)
}
