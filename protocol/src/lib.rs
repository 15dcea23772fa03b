//! Bytes to messages and back, sans-I/O: heads, fields, body lengths, paths, and the HTTP/1.1 wire format.
//!
//! No sockets, no clocks, no policy. Everything a peer sends is a slice that the caller owns; what comes out are
//! ranges of it. Ambiguity is refused here, never passed on: request smuggling begins where two parsers differ.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

mod base64;
pub mod grpc;
pub mod http1;
pub mod http2;
pub mod limits;
pub mod message;
pub mod proxy_protocol;
pub mod websocket;
