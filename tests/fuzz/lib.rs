//! The entries as a library for the targets in `fuzz_targets`.

mod entries;

/// Runs the entry of this name; panics if something doesn't hold.
pub fn run(name: &str, bytes: &[u8]) {
    entries::run(name, bytes);
}
