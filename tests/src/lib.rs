//! The harness of the end-to-end tests: the real binary, scripted origins and peers that write raw bytes.
//!
//! Nothing of the product is linked in: what the tests know of HTTP is written down here a second
//! time, so that a misreading can't agree with itself. Every wait is for an event and has a bound
//! ([`PATIENCE`]); no port is fixed; nothing is retried.

use std::time::Duration;

pub mod answer;
pub mod binary;
pub mod gate;
pub mod gateway;
pub mod http2;
mod lines;
pub mod metrics;
pub mod origin;
pub mod pairs;
pub mod peer;
pub mod received;
pub mod secure;
pub mod sources;
pub mod terminator;
pub mod token;
pub mod wire;

pub use answer::Answer;
pub use gate::Gate;
pub use gateway::{Gateway, Setup};
pub use http2::Http2;
pub use origin::Origin;
pub use peer::{End, Peer};
pub use received::Received;

/// How long anything that must happen may take before the test fails. Far more than it takes.
pub const PATIENCE: Duration = Duration::from_secs(30);
