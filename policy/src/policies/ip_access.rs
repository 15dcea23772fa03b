//! Address rules of a route or listener: `allow` and `deny`.
//!
//! `deny` wins over `allow`; a non-empty `allow` refuses every address outside it.

use std::net::IpAddr;

use crate::address::Set;
use crate::context::View;
use crate::verdict::{RefusalKind, Verdict};

/// Who may come.
#[derive(Clone, Default)]
pub struct Rules {
    allow: Set,
    deny: Set,
}

impl Rules {
    /// Rules from their two sets; either may be empty.
    pub fn new(allow: Set, deny: Set) -> Rules {
        Rules { allow, deny }
    }

    /// Whether they rule nothing out.
    pub fn is_empty(&self) -> bool {
        self.allow.is_empty() && self.deny.is_empty()
    }

    /// Whether this address may come.
    #[inline]
    pub fn permits(&self, address: IpAddr) -> bool {
        if !self.deny.is_empty() && self.deny.contains(address) {
            return false;
        }
        self.allow.is_empty() || self.allow.contains(address)
    }

    /// Judges the client's address.
    #[inline]
    pub fn check(&self, view: &View<'_>) -> Verdict {
        if self.permits(view.client) {
            Verdict::Continue
        } else {
            RefusalKind::AddressDenied.into()
        }
    }

    /// One line for `explain`.
    pub fn describe(&self) -> String {
        let part = match (self.allow.is_empty(), self.deny.is_empty()) {
            (false, false) => "deny list, then allow list",
            (false, true) => "allow list",
            _ => "deny list",
        };
        format!("address: {part}")
    }
}
