//! `[consumer.NAME]`: somebody who holds API keys.

use policy_keys::Cidr;

policy_keys::keys! {
    /// Somebody who holds API keys.
    pub struct Consumer = "consumer", named {
        /// Hashes of the keys: `"sha256:"` and the 64 hex digits that `printf %s "$KEY" | sha256sum` prints.
        keys: required Vec<String>,
        /// The plan, by which limits choose a rate.
        tier: optional String,
        /// The tenant the consumer belongs to.
        tenant: optional String,
        /// Words for whoever reads the file; the gateway does not act on them.
        tags: optional Vec<String>,
        /// From when on the keys are refused: `"2027-01-31"` (its first second, UTC) or `"2027-01-31T12:00:00Z"`. Default: never.
        expires: optional String,
        /// The only client addresses that may use the keys. Default: all.
        allow: optional Vec<Cidr>,
    }
    later { limits }
}
