//! The fuzz target of the entry `certificate`; what must hold is said there.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portcullis_fuzz::run("certificate", bytes));
