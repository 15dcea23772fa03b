//! Door of `policy`: what the gateway decides about a request, and nothing else.
//!
//! Pure: no I/O, no clock, no randomness of its own, no logging, no threads. Time and random
//! numbers are passed in. What a decision needs from other threads (the ledger of the limits)
//! comes as a trait object that the worker hands over.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

pub mod address;
pub mod balance;
pub mod certificate;
pub mod chain;
pub mod context;
pub mod crypto;
pub mod date;
pub mod headers;
pub mod health;
pub mod identity;
pub mod limit;
pub mod policies;
pub mod problem;
pub mod route;
pub mod verdict;
mod words;

#[cfg(test)]
mod testing;
