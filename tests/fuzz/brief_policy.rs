//! The entries of `policy` for a bounded number of rounds: part of the CI. How is in brief/rounds.rs.

mod brief {
    pub(crate) mod mutation;
    pub(crate) mod rounds;
    pub(crate) mod words;
}
#[path = "entries/certificate.rs"]
mod certificate;
mod entry;

use brief::rounds::{brief, complete};
use certificate::ENTRIES;

#[test]
fn certificate() {
    brief(ENTRIES, "certificate");
}

#[test]
fn every_entry_is_run_everywhere() {
    complete(ENTRIES);
}
