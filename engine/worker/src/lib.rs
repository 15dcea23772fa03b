//! One core's world: the data path of the gateway.
//!
//! `run` owns a thread for the life of a worker: it accepts, serves and forwards on this core alone
//! and meets other threads only in `engine_bridge`. Where to look: `worker` (the loop), `listener` and
//! `downstream` (connections), `exchange` (THE life of a request), `forward` (THE body pump),
//! `link` (a connection or a stream of one), `http2` (connections with streams), `upstream` (pools), `tunnel` (WebSockets and what is passed on unopened), `reply` (the table of answers), `record` (one record an exchange), `debug` (what is told of failed handshakes).
//! No tokio, no blocking call, no policy logic lives here.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

mod core;
mod debug;
mod downstream;
mod exchange;
mod forward;
mod gate;
mod grpc;
mod heads;
mod http2;
mod ids;
mod link;
mod listener;
mod record;
mod refusals;
mod removed;
mod reply;
mod scratch;
mod time;
mod tls;
mod tunnel;
mod upstream;
mod worker;

pub use worker::{Bound, Options, run};

/// A configured span in nanoseconds, as deadlines count.
fn nanos(span: engine_config::snapshot::Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// A configured address as sockets take it.
pub fn address(address: &engine_config::snapshot::Address) -> engine_net::Address {
    match address {
        engine_config::snapshot::Address::Tcp(at) => engine_net::Address::Tcp(*at),
        engine_config::snapshot::Address::Unix(path) => engine_net::Address::Unix(path.clone()),
    }
}
