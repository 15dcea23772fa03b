//! The fuzz target of the entry `tls_records`; what must hold is said there.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portcullis_fuzz::run("tls_records", bytes));
