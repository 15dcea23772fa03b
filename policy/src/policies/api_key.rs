//! API keys: a consumer is known by the SHA-256 of a key it presents.
//!
//! The configuration holds hashes only. A request hashes the key it brings (no allocation),
//! finds the hash by its first eight bytes and compares the rest in constant time. What that
//! look-up gives away is a prefix of a hash, from which no key can be made.

use std::sync::Arc;

use crate::context::{Context, View};
use crate::crypto;
use crate::identity::consumer::{Consumer, Member};
use crate::identity::credential::{Found, Source};
use crate::identity::forward::{self, ForwardClaim};
use crate::policies::slots::{Fingerprint, Fingerprinter};
use crate::verdict::{RefusalKind, Scheme, Verdict};

mod caches;
mod text;

pub use caches::Caches;

/// Longest key that is looked at, in bytes.
const MAX_KEY: usize = 512;

/// The SHA-256 of a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// Parses `sha256:` and 64 hex digits.
    pub fn parse(text: &str) -> Result<KeyHash, String> {
        let digits = text.strip_prefix("sha256:").ok_or(
            "a key stands here only as its hash: `sha256:` and 64 hex digits \
             (`printf %s KEY | sha256sum`)",
        )?;
        crypto::unhex(digits)
            .map(KeyHash)
            .ok_or_else(|| "`sha256:` must be followed by 64 hex digits".to_owned())
    }

    /// The hash of a key.
    pub fn of(key: &[u8]) -> KeyHash {
        KeyHash(crypto::sha256(key))
    }

    /// What a verifier's fingerprint is made from.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// What the table is ordered by.
    fn prefix(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }
}

/// What a verifier is made from.
#[derive(Clone, Default)]
pub struct Settings {
    /// The name of the `[auth.NAME]`.
    pub name: Arc<str>,
    /// Where keys are looked for, in this order; empty: the header `X-API-Key`.
    pub from: Vec<Source>,
    /// Who may call.
    pub consumers: Vec<Consumer>,
    /// What the upstream is told: `consumer`, `tenant` and `tier` can be named. `None`: the
    /// consumer's name as `X-Consumer` and its tenant as `X-Tenant-ID`.
    pub forward_claims: Option<Vec<ForwardClaim>>,
}

/// Verifies API keys. Immutable, shared by all workers.
pub struct Verifier {
    name: Arc<str>,
    from: Vec<Source>,
    /// Ordered by the prefix of the hash.
    keys: Vec<(KeyHash, usize)>,
    members: Vec<Member>,
    forward: Vec<ForwardClaim>,
    /// Over everything that the workers' copies of the consumers show.
    fingerprint: Fingerprint,
}

impl Verifier {
    /// Compiles the settings.
    pub fn new(settings: Settings) -> Result<Verifier, String> {
        let forward = settings.forward_claims.unwrap_or_else(default_forward);
        if let Some(header) = forward::duplicate_header(&forward) {
            return Err(format!("`forward_claims` sets `{header}` twice"));
        }
        let keys = keys_of(&settings.consumers)?;
        let members: Vec<Member> = settings
            .consumers
            .into_iter()
            .map(|consumer| Member::new(consumer, &forward))
            .collect();
        let mut from = settings.from;
        if from.is_empty() {
            from.push(Source::Header("X-API-Key".into()));
        }
        Ok(Verifier {
            fingerprint: fingerprint(&settings.name, &members),
            name: settings.name,
            from,
            keys,
            members,
            forward,
        })
    }

    /// The name of the `[auth.NAME]`.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Where keys are looked for: what is found there is removed before forwarding.
    pub fn sources(&self) -> &[Source] {
        &self.from
    }

    /// The headers it sets on the request upstream.
    pub fn forwarded_headers(&self) -> impl Iterator<Item = &str> {
        self.forward.iter().map(|claim| &*claim.header)
    }

    /// One line for `explain`.
    pub fn describe(&self) -> String {
        let places: Vec<String> = self.from.iter().map(ToString::to_string).collect();
        format!(
            "authenticate: {} (API key in {})",
            self.name,
            places.join(", ")
        )
    }

    /// Judges the key of a request and says whose it is.
    pub fn check(&self, view: &View<'_>, caches: &mut Caches, ctx: &mut Context) -> Verdict {
        let scheme = Scheme::ApiKey;
        let invalid = |reason| RefusalKind::InvalidCredentials { scheme, reason }.into();
        let (source, key) = match self.read(view) {
            (_, Found::Missing) => return RefusalKind::MissingCredentials { scheme }.into(),
            (_, Found::Repeated) => return invalid("repeated_credentials"),
            (source, Found::One(key)) => (source, key),
        };
        let mut decoded = [0; MAX_KEY];
        let key = match source {
            Some(Source::Query(_)) => text::percent_decoded(key, &mut decoded),
            _ => Some(key).filter(|key| key.len() <= MAX_KEY),
        };
        let Some((at, member)) = key.and_then(|key| self.find(key)) else {
            return invalid("unknown_key");
        };
        let consumer = &member.consumer;
        if consumer.expires.is_some_and(|expires| view.unix >= expires) {
            return RefusalKind::ExpiredKey.into();
        }
        if !consumer.allow.is_empty() && !consumer.allow.contains(view.client) {
            return RefusalKind::AddressDenied.into();
        }
        ctx.identity.consumer = Some(caches.member(self, at, member, view.now));
        Verdict::Continue
    }

    /// The first source that has a key, and what it has.
    fn read<'a>(&self, view: &View<'a>) -> (Option<&Source>, Found<'a>) {
        for source in &self.from {
            let found = source.read(view.request);
            if found != Found::Missing {
                return (Some(source), found);
            }
        }
        (None, Found::Missing)
    }

    /// Whose key this is.
    fn find(&self, key: &[u8]) -> Option<(usize, &Member)> {
        let hash = KeyHash::of(key);
        let prefix = hash.prefix();
        let from = self
            .keys
            .partition_point(|(known, _)| known.prefix() < prefix);
        let (_, at) = self
            .keys
            .get(from..)?
            .iter()
            .take_while(|(known, _)| known.prefix() == prefix)
            .find(|(known, _)| crypto::equal(&known.0, &hash.0))?;
        Some((*at, self.members.get(*at)?))
    }
}

/// All keys with the consumer each belongs to, in order.
fn keys_of(consumers: &[Consumer]) -> Result<Vec<(KeyHash, usize)>, String> {
    let mut keys = Vec::new();
    for (at, consumer) in consumers.iter().enumerate() {
        keys.extend(consumer.keys.iter().map(|key| (*key, at)));
    }
    keys.sort_unstable_by_key(|(key, _)| key.0);
    for pair in keys.windows(2) {
        if let [(first, a), (second, b)] = pair
            && first == second
        {
            let name = |at: usize| consumers.get(at).map_or("", |c| &c.name);
            let (a, b) = (name(*a), name(*b));
            return Err(format!("the consumers `{a}` and `{b}` have the same key"));
        }
    }
    Ok(keys)
}

/// Digests a name and its consumers, as far as the workers' copies show them.
fn fingerprint(name: &str, members: &[Member]) -> Fingerprint {
    let mut parts = Fingerprinter::default();
    parts.part(name.as_bytes());
    for member in members {
        member.digest(&mut parts);
    }
    parts.finish()
}

/// What is forwarded unless `forward_claims` says otherwise.
fn default_forward() -> Vec<ForwardClaim> {
    [("consumer", "X-Consumer"), ("tenant", "X-Tenant-ID")]
        .map(ForwardClaim::from)
        .into()
}

#[cfg(test)]
mod tests;
