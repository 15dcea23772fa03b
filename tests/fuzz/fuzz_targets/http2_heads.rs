//! The fuzz target of the entry `http2_heads`; what must hold is said there.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portcullis_fuzz::run("http2_heads", bytes));
