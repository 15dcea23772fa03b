//! Messages over HTTP/2, downstream and upstream: what each side says reaches the other with the same meaning, whichever
//! of both protocols they speak (RFC 9113 section 8, the semantics page "Forwarding").

use tests::Gateway;
use tests::pairs::{Asking, PAIRS, Speaks, origin};

mod bodies;
mod clients_leave;
mod fields;
mod independent;
mod interim;
mod refusals;
mod streams;
mod upstreams_break_rules;
mod upstreams_fail;

/// Runs it for every pair: what the client speaks, what the upstream speaks. The name of the pair is told first, for the
/// report of a failure.
fn each(test: impl Fn(Speaks, Speaks)) {
    for (client, upstream) in PAIRS {
        eprintln!("a client that speaks {client:?}, an upstream that speaks {upstream:?}:");
        test(client, upstream);
    }
}

/// Bytes without a pattern that some piece of code could restore by chance.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..length).map(|_| next()).collect()
}
