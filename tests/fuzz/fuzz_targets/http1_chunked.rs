//! The fuzz target of the entry `http1_chunked`; what must hold is said there.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portcullis_fuzz::run("http1_chunked", bytes));
