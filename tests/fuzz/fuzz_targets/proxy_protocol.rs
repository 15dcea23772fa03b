//! The fuzz target of the entry `proxy_protocol`; what must hold is said there.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portcullis_fuzz::run("proxy_protocol", bytes));
