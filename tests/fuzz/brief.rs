//! The entries of `protocol` for a bounded number of rounds: part of the CI. How is in brief/rounds.rs.

mod brief {
    pub(crate) mod mutation;
    pub(crate) mod rounds;
    pub(crate) mod words;
}
mod entries;
mod entry;

use brief::rounds::{brief, complete};
use entries::ENTRIES;

#[test]
fn canonical_path() {
    brief(ENTRIES, "canonical_path");
}

#[test]
fn grpc_fields() {
    brief(ENTRIES, "grpc_fields");
}

#[test]
fn grpc_health() {
    brief(ENTRIES, "grpc_health");
}

#[test]
fn grpc_web() {
    brief(ENTRIES, "grpc_web");
}

#[test]
fn http1_chunked() {
    brief(ENTRIES, "http1_chunked");
}

#[test]
fn http1_request() {
    brief(ENTRIES, "http1_request");
}

#[test]
fn http1_response() {
    brief(ENTRIES, "http1_response");
}

#[test]
fn http2_client() {
    brief(ENTRIES, "http2_client");
}

#[test]
fn http2_heads() {
    brief(ENTRIES, "http2_heads");
}

#[test]
fn http2_server() {
    brief(ENTRIES, "http2_server");
}

#[test]
fn proxy_protocol() {
    brief(ENTRIES, "proxy_protocol");
}

#[test]
fn websocket() {
    brief(ENTRIES, "websocket");
}

#[test]
fn websocket_handshake() {
    brief(ENTRIES, "websocket_handshake");
}

#[test]
fn every_entry_is_run_everywhere() {
    complete(ENTRIES);
}
