//! `[consumer.NAME]`: somebody who calls, known by an API key or a certificate.

use policy_keys::Cidr;

policy_keys::keys! {
    /// Somebody who calls, known by an API key, or by a certificate: see `subjects` of `[auth.NAME]` with `kind = "mtls"`.
    pub struct Consumer = "consumer", named {
        /// Hashes of the keys: `"sha256:"` and the 64 hex digits that `printf %s "$KEY" | sha256sum` prints. Default: none.
        keys: optional Vec<String>,
        /// The plan, by which limits choose a rate.
        tier: optional String,
        /// The tenant the consumer belongs to.
        tenant: optional String,
        /// Words for whoever reads the file; the gateway does not act on them.
        tags: optional Vec<String>,
        /// From when on the consumer is refused: `"2027-01-31"` (its first second, UTC) or `"2027-01-31T12:00:00Z"`. Default: never.
        expires: optional String,
        /// The only client addresses that the consumer may call from. Default: all.
        allow: optional Vec<Cidr>,
    }
    later { limits }
}
