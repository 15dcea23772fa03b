//! One entry for each parser: what fuzzers call with any bytes, and what must then hold. Nothing here fuzzes by itself.
//!
//! An entry panics if something doesn't hold; beyond "no panic" that is mostly that bytes mean the same however they
//! arrive, and that what is written is read back. It gives a number for what came of the bytes, such that unlike outcomes
//! mostly have unlike ones: a fuzzer without insight into the program goes by that.

mod arrival;
mod grpc;
mod http1;
mod http2;
mod path;
mod proxy_protocol;
mod websocket;

use std::hash::{DefaultHasher, Hash, Hasher};

/// A parser's entry.
pub(crate) struct Entry {
    /// The name of its target in `fuzz_targets`, and of its folder in `corpus`.
    pub(crate) name: &'static str,
    /// Panics if something doesn't hold; gives what came of the bytes.
    pub(crate) run: fn(&[u8]) -> u64,
}

/// All of them.
pub(crate) const ENTRIES: &[Entry] = &[
    entry("canonical_path", path::canonical),
    entry("grpc_fields", grpc::fields),
    entry("grpc_health", grpc::health),
    entry("grpc_web", grpc::web),
    entry("http1_chunked", http1::chunked),
    entry("http1_request", http1::request),
    entry("http1_response", http1::response),
    entry("http2_client", http2::client),
    entry("http2_heads", http2::heads),
    entry("http2_server", http2::server),
    entry("proxy_protocol", proxy_protocol::header),
    entry("websocket", websocket::frames),
];

const fn entry(name: &'static str, run: fn(&[u8]) -> u64) -> Entry {
    Entry { name, run }
}

/// Runs the entry of this name.
pub(crate) fn run(name: &str, bytes: &[u8]) -> u64 {
    let entry = ENTRIES.iter().find(|entry| entry.name == name);
    (entry.expect("a name of the list").run)(bytes)
}

/// A number for an outcome.
fn outcome(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}
