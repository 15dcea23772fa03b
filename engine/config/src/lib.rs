//! Door of `engine-config`: text in, [`snapshot::Snapshot`] out, or every problem that the text shows.
//!
//! What is said (files, overlays, spans) becomes what is meant (checked, resolved, compiled). What
//! lives elsewhere: reading directories and variables, watching, printing. Invariant: no I/O of its
//! own; files are read only through the closure that the caller hands in, and nothing is half-applied.

mod canonical;
pub mod explain;
pub mod keys;
mod load;
mod outside;
mod problem;
mod reference;
mod resolve;
mod said;
mod schema;
pub mod snapshot;
mod source;
#[cfg(test)]
mod testing;
mod text;
mod x509;

pub use load::load;
pub use problem::{Problems, Shown};
pub use reference::reference;
pub use schema::schema;
pub use snapshot::Snapshot;
pub use source::{Environment, Source, read_sources};
