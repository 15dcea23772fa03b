//! The fuzz target of the entry `canonical_path`; what must hold is said there.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portcullis_fuzz::run("canonical_path", bytes));
