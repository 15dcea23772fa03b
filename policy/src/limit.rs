//! Door of `limit`: what a limit is ([`Rule`]), the exact arithmetic of its buckets
//! ([`Bucket`], [`Sketch`]), what one worker holds of them ([`Local`]) and what is told to
//! clients ([`LimitOutcomes`]).
//!
//! What threads share, the ledger, lives in `engine/bridge` behind [`Ledger`]; there are no
//! locks and no clock here. Invariant: whatever the order of calls, a bucket of rate r and
//! burst b admits at most b + r·t in any time t, and a hash collision can only refuse.

#[cfg(test)]
pub(crate) mod books;
mod bucket;
mod digest;
mod key;
mod ledger;
mod local;
mod outcomes;
mod plan;
mod rule;
mod sketch;

pub use bucket::{Bucket, Drawn, Shortage};
pub use digest::{Digest, DigestBuilder, Seed};
pub use key::{Key, Part};
pub use ledger::{Leased, Ledger, Returned, Terms};
pub use local::{Local, Taken};
pub use outcomes::{LimitOutcomes, Outcome};
pub use plan::{MAX_BURST, Plan};
pub use rule::{Algorithm, HeaderStyle, Mode, Rule, RuleProblem, Settings, Tier};
pub use sketch::Sketch;

pub use policy_keys::Rate;

/// How often workers give their leases back, in nanoseconds: the tick that the ledger may
/// count on when it says how long a key stays empty.
pub const RECONCILE_EVERY: u64 = 10_000_000;

/// `max_keys` of a limit that does not say.
pub const DEFAULT_MAX_KEYS: usize = 100_000;
