//! HTTP/2 connections of this worker, in both roles: one socket, many streams, each of them one exchange's.
//!
//! `protocol::http2` knows the rules and keeps no bytes; here are the bytes. `mux` is the connection: what it reads goes
//! to its streams, what they write goes out together. `chain` is what waits, either way. `stream` is what an exchange holds of it. `writer` is the task that
//! writes. Where connections come from and what is done with streams is not here: `downstream/http2`, `upstream/shared`.
//!
//! Invariants: a stream's inbound bytes are bounded by its window, and are credited only when they have been taken; what
//! waits to be written is bounded, bodies wait for room; all tasks of a connection run on this worker.

mod chain;
mod mux;
mod stream;
mod writer;

pub(crate) use mux::{Came, Mux};
pub(crate) use stream::Stream;
