//! HTTP/2 without a socket (RFC 9113), the client's side for the generator and the server's for the test origin: written by
//! the RFCs alone.
//!
//! It shares nothing with the gateway's, so that each can be tested by the other. Requests come as header blocks that the
//! scenario has prepared; of answers the status, the length and, where somebody wants them, the headers are looked at.
//! What a server may not do is an error: a load test that lets it pass would hide it.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

mod blocks;
pub(crate) mod connection;
pub(crate) mod frame;
pub(crate) mod hpack;
mod payload;
pub(crate) mod server;

pub(crate) use connection::{Connection, Event, Request};
pub(crate) use server::{Asked, Server};

/// The peer broke a rule of the connection, which ends with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    /// The rule, in words.
    pub(crate) rule: &'static str,
    /// The error code it is told (RFC 9113 section 7).
    pub(crate) code: u32,
}

pub(crate) const NO_ERROR: u32 = 0;
pub(crate) const PROTOCOL_ERROR: u32 = 1;
pub(crate) const INTERNAL_ERROR: u32 = 2;
pub(crate) const FLOW_CONTROL_ERROR: u32 = 3;
pub(crate) const FRAME_SIZE_ERROR: u32 = 6;
pub(crate) const REFUSED_STREAM: u32 = 7;
pub(crate) const CANCEL: u32 = 8;
pub(crate) const COMPRESSION_ERROR: u32 = 9;

impl Broken {
    pub(crate) fn protocol(rule: &'static str) -> Broken {
        Broken {
            rule,
            code: PROTOCOL_ERROR,
        }
    }

    pub(crate) fn size(rule: &'static str) -> Broken {
        Broken {
            rule,
            code: FRAME_SIZE_ERROR,
        }
    }

    pub(crate) fn flow(rule: &'static str) -> Broken {
        Broken {
            rule,
            code: FLOW_CONTROL_ERROR,
        }
    }
}
