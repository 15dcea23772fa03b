//! The load generator `portcullis-load`, as a library: the binary, the tests and `bench` run it.
//!
//! It measures any HTTP service, ours among them, and so shares no code with the gateway but `engine-net`: its protocol
//! code is its own, and tests ours independently.

pub mod args;
pub mod client;
pub mod compare;
pub mod html;
mod http2;
pub mod origin;
mod pem;
pub mod results;
pub mod run;
pub mod scenario;

// The allocation budget of a run is measured with it.
#[cfg(test)]
#[global_allocator]
static ALLOCATOR: engine_net::testing::CountingAllocator = engine_net::testing::CountingAllocator;
