//! Health checks in a snapshot: what endpoints are asked, how often, and what counts.

use policy::health::{Statuses, Thresholds};
use policy_keys::Duration;
use std::sync::Arc;

/// How an upstream's endpoints are checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// What they are asked.
    pub probe: Probe,
    /// From the beginning of one check to that of the next.
    pub interval: Duration,
    /// For one check, with its connection.
    pub timeout: Duration,
    /// How many results in a row count.
    pub thresholds: Thresholds,
}

/// What an endpoint is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// A GET.
    Http {
        /// Path and query. Invariant: it begins with `/`, and has only what RFC 3986 lets stand there.
        path: String,
        /// The Host; `None`: the endpoint's address.
        host: Option<Arc<str>>,
        /// What is good.
        statuses: Statuses,
    },
    /// Only to be connected to.
    Tcp,
    /// A call of `grpc.health.v1.Health/Check`. Invariant: the upstream's protocol is, or may turn out to be, HTTP/2.
    Grpc {
        /// Which service it is asked about; empty: all of it.
        service: String,
        /// The `:authority`; `None`: the endpoint's address.
        host: Option<Arc<str>>,
    },
}
