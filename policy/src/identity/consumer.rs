//! `[consumer.NAME]`: a party that calls, however it shows who it is.

use std::sync::Arc;

use super::forward::{self, ForwardClaim};
use crate::address::Set;
use crate::policies::api_key::KeyHash;
use crate::policies::slots::Fingerprinter;

/// A party that calls.
#[derive(Clone, Default)]
pub struct Consumer {
    /// Its name, as in `[consumer.NAME]`.
    pub name: Arc<str>,
    /// The hashes of its API keys; empty: it is known by its certificate alone.
    pub keys: Vec<KeyHash>,
    /// Its tier, for the limits.
    pub tier: Option<Arc<str>>,
    /// Its tenant.
    pub tenant: Option<Arc<str>>,
    /// Its tags.
    pub tags: Vec<Arc<str>>,
    /// Unix seconds from which it is refused.
    pub expires: Option<u64>,
    /// The addresses it may call from; empty: all.
    pub allow: Set,
}

impl Consumer {
    /// What `forward_claims` can name.
    pub(crate) fn fact(&self, name: &str) -> Option<&str> {
        match name {
            "consumer" | "name" | "sub" => Some(&self.name),
            "tenant" => self.tenant.as_deref(),
            "tier" => self.tier.as_deref(),
            _ => None,
        }
    }
}

/// A consumer as a verifier knows it.
#[derive(Clone)]
pub struct Member {
    /// The consumer.
    pub consumer: Consumer,
    forward: Box<[u8]>,
}

impl Member {
    /// With the lines of these facts that it has.
    pub(crate) fn new(consumer: Consumer, forward: &[ForwardClaim]) -> Member {
        let mut lines = Vec::new();
        for ForwardClaim { claim, header } in forward {
            if let Some(value) = consumer.fact(claim) {
                forward::write_line(&mut lines, header, value);
            }
        }
        Member {
            consumer,
            forward: lines.into(),
        }
    }

    /// The header lines that name the consumer to the upstream, encoded.
    pub fn forward_lines(&self) -> &[u8] {
        &self.forward
    }

    /// Adds what a worker's copy of it shows to a verifier's fingerprint.
    pub(crate) fn digest(&self, parts: &mut Fingerprinter) {
        let Member { consumer, forward } = self;
        parts
            .part(consumer.name.as_bytes())
            .optional(consumer.tier.as_deref().map(str::as_bytes))
            .optional(consumer.tenant.as_deref().map(str::as_bytes))
            .parts(consumer.tags.iter().map(|tag| tag.as_bytes()))
            .parts(consumer.keys.iter().map(KeyHash::bytes))
            .part(&consumer.expires.unwrap_or(u64::MAX).to_be_bytes())
            .part(format!("{:?}", consumer.allow).as_bytes())
            .part(forward);
    }
}
