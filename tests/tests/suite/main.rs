//! The end-to-end suites, one module by topic. They start the real binary and talk to it in bytes;
//! see the crate's documentation for what they share.

mod absolute;
mod admin;
mod body;
mod boundaries;
mod caps;
mod commands;
mod epoll;
mod errors;
mod events;
mod figures;
mod forwarding;
mod framing;
mod interim;
mod life;
mod logs;
mod passthrough;
mod persistence;
mod policies;
mod reload;
mod routes;
mod slow;
mod smuggling;
mod uploads;
mod upstream_errors;
mod upstreams;
mod websocket;
