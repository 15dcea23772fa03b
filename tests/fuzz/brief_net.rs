//! The entries of `engine-net` for a bounded number of rounds: part of the CI. How is in brief/rounds.rs.

mod brief {
    pub(crate) mod mutation;
    pub(crate) mod rounds;
    pub(crate) mod words;
}
mod entry;
#[path = "entries/tls.rs"]
mod tls;

use brief::rounds::{brief, complete};
use tls::ENTRIES;

#[test]
fn tls_hello() {
    brief(ENTRIES, "tls_hello");
}

#[test]
fn tls_records() {
    brief(ENTRIES, "tls_records");
}

#[test]
fn every_entry_is_run_everywhere() {
    complete(ENTRIES);
}
