//! `[limit.NAME]`: how often.

use policy_keys::Rate;

policy_keys::choices! {
    /// How requests are counted.
    pub enum Algorithm as "limit algorithm" {
        /// A bucket that refills at `rate` up to `burst`.
        TokenBucket = "token_bucket",
    }
    later { "sliding_window", "sliding_log", "fixed_window", "leaky_bucket" }
}

policy_keys::choices! {
    /// Over which machines a limit counts.
    pub enum Reach as "limit scope" {
        /// This process.
        Node = "node",
    }
    later { "cluster" }
}

policy_keys::choices! {
    /// Which headers tell clients where they stand.
    pub enum LimitHeaders as "header style" {
        /// `RateLimit`, `RateLimit-Policy` and `RateLimit-Limit`, `-Remaining`, `-Reset`.
        Ietf = "ietf",
        /// `X-RateLimit-Limit`, `-Remaining`, `-Reset`.
        X = "x",
        /// None.
        Off = "off",
    }
}

policy_keys::choices! {
    /// What happens to a request over the limit.
    pub enum LimitMode as "limit mode" {
        /// It is refused.
        Enforce = "enforce",
        /// It is counted and let through.
        Shadow = "shadow",
    }
    later { "delay" }
}

policy_keys::keys! {
    /// How often requests may come: at most `burst + rate × t` in any stretch of time t, over all cores.
    pub struct Limit = "limit", named {
        /// How requests are counted.
        algorithm: default Algorithm = "token_bucket",
        /// How many requests in how long.
        rate: required Rate,
        /// How many requests at once. Default: the count of `rate`.
        burst: optional u64 where "1", "",
        /// What is counted apart: `ip`, `header:NAME`, `cookie:NAME`, `claim:NAME`, `consumer`, `tenant`, `route`, `global`; several joined with `+`.
        key: default String = "ip",
        /// Over which machines it counts.
        scope: default Reach = "node",
        /// Other rates for consumers of a tier: `"free=100/min"`.
        tiers: optional Vec<String>,
        /// The most keys that are counted at a time.
        max_keys: default usize = "100000" where "1", "100000000",
        /// What happens to a request over the limit: `enforce` refuses it, `shadow` only counts it.
        mode: default LimitMode = "enforce",
        /// The status of a refusal.
        status: default u16 = "429" where "400", "599",
        /// Which headers tell clients where they stand: `ietf` the `RateLimit` fields, `x` the `X-RateLimit-` ones, `off` none.
        headers: default LimitHeaders = "ietf",
        /// How many tokens one request takes.
        cost: default u64 = "1" where "1", "",
    }
    later { on_store_failure, max_delay }
}
