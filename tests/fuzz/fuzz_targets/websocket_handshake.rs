//! The fuzz target of the entry `websocket_handshake`; what must hold is said there.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portcullis_fuzz::run("websocket_handshake", bytes));
