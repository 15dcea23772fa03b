//! The entries of all crates as a library for the targets in `fuzz_targets`.

#[path = "entries/certificate.rs"]
mod certificate;
mod entries;
mod entry;
#[path = "entries/tls.rs"]
mod tls;

/// Runs the entry of this name; panics if something doesn't hold.
pub fn run(name: &str, bytes: &[u8]) {
    let all = [entries::ENTRIES, tls::ENTRIES, certificate::ENTRIES];
    entry::run(all.into_iter().flatten(), name, bytes);
}
