//! Micro-benchmarks of the rooms. What is measured stands in `subjects/`, once; the benches time it, and
//! the program `instructions` counts its instructions. How the whole gateway compares with others is
//! `compare`'s, what two threads do to each other `benches/sharing.rs`'s.
//!
//! `cargo bench -p bench` runs all benches, `cargo bench -p bench --bench routes` one room's,
//! `cargo bench -p bench --bench routes -- 'tree/.*10000'` what a regular expression picks;
//! `-- --quick` gives rough figures soon, `-- --save-baseline NAME` and `-- --baseline NAME` compare
//! two states of the code, `-- --help` says the rest. Times are a machine's own: quote ratios.
//! `tools/instructions` counts, where a noisy machine can't time.

mod sample;
mod subject;
pub mod subjects;
pub mod token;
mod world;

pub use sample::Sample;
pub use subject::{Run, Subject, measured, time};
pub use world::World;
