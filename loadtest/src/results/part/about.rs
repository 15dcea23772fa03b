//! What a run was: what is said of it beside its figures.

use serde::{Deserialize, Serialize};

use crate::results::Mode;

/// What ran and how: known to whoever runs it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Name for tables and legends: the scenario's file name, or the URL.
    pub name: String,
    /// Where the requests went.
    pub target: String,
    /// The command line.
    pub command: String,
    /// Version of the generator.
    pub version: String,
    /// When the run began, milliseconds since the Unix epoch.
    pub started_unix_ms: u64,
    /// How requests were paced.
    pub mode: Mode,
    /// The rates asked for, as the user wrote them (`20000/s`, `10s@1k,30s@20k`); open loop only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rates: Option<String>,
    /// The most connections open at once.
    pub connections: u64,
    /// Streams at once on each of them, in HTTP/2; 0 in HTTP/1.1.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub streams: u64,
    /// What the first TLS handshake came to: version, suite, group, protocol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<String>,
    /// Who spoke HTTP/2, if that was not the generator itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// How requests lay within their rate, if not evenly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrivals: Option<String>,
    /// Worker threads.
    pub workers: u64,
    /// Whether the run was ended before its time.
    #[serde(default)]
    pub interrupted: bool,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}
