//! The entries for the parsers of the crate `protocol`, one for each. Nothing here fuzzes by itself.

mod arrival;
mod grpc;
mod http1;
mod http2;
mod path;
mod proxy_protocol;
mod websocket;

use crate::entry::{Entry, entry, outcome};

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
    entry("websocket_handshake", websocket::handshake),
];
