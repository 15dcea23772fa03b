//! `[upstream.NAME]`: servers that do the same work.

use policy_keys::Duration;

policy_keys::choices! {
    /// How an endpoint is chosen.
    pub enum Balance as "balancing method" {
        /// In turn, by weight.
        RoundRobin = "round_robin",
        /// The less busy of two taken at random.
        LeastRequests = "least_requests",
        /// At random, by weight.
        Random = "random",
    }
    later { "consistent_hash" }
}

policy_keys::keys! {
    /// A set of endpoints that do the same work.
    pub struct Upstream = "upstream", named {
        /// Where it is served: addresses, each optionally with a weight, as in `"10.0.0.1:8080 weight=3"`.
        endpoints: required Vec<String>,
        /// How an endpoint is chosen: `round_robin` in turn, `least_requests` the less busy of two taken at random, `random`; all by weight.
        balance: default Balance = "round_robin",
        /// How long a connection may take to be made; beyond, 504.
        connect_timeout: default Duration = "1s" where "1ms", "5m",
        /// From the last byte of the request to the first of the answer; beyond, 504.
        first_byte_timeout: default Duration = "5s" where "1ms", "24h",
        /// Between two bytes of an answer.
        read_timeout: default Duration = "15s" where "1ms", "24h",
        /// For the whole response; a route may override it. Default: no bound.
        timeout: optional Duration where "1ms", "24h",
        /// How long an idle connection is kept for the next request.
        keepalive: default Duration = "60s" where "0s", "24h",
        /// The most idle connections to one endpoint that one worker keeps; each holds a buffer of 20 KiB.
        pool_max_idle: default usize = "64" where "0", "65536",
        /// The most connections of the node to this upstream; beyond, requests wait.
        pool_max_connections: default usize = "1024" where "1", "1048576",
        /// The most requests of the node that wait for a connection; beyond, 503.
        pool_max_pending: default usize = "1024" where "0", "1048576",
        /// The most requests of the node in flight to this upstream; beyond, 503. Default: no bound.
        max_in_flight: optional u64 where "1", "",
    }
    later {
        discover, refresh, protocol, tls, tls_ca, tls_client_chain, tls_client_key, tls_name, hash_key,
        slow_start, health_path, health_interval, health_timeout, health_healthy, health_unhealthy,
        health_status, eject_consecutive_errors, eject_error_rate, eject_for, eject_max_percent,
        breaker_error_rate, breaker_slow, breaker_window, breaker_min_requests, breaker_open_for,
        breaker_probes, retry_attempts, retry_on, retry_budget, retry_backoff, retry_backoff_max,
        per_try_timeout, zone,
    }
}
