//! The fuzz target of the entry `grpc_web`; what must hold is said there.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portcullis_fuzz::run("grpc_web", bytes));
