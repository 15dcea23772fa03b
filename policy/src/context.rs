//! What the policies of one exchange read ([`View`]) and write ([`Context`]).
//!
//! A [`Context`] lives as long as its connection and is cleared between requests, so that a
//! request in steady state allocates nothing. Neither holds a clock: time is in the view.

use std::net::IpAddr;

use protocol::message::Request;

use crate::identity::Identity;
use crate::limit::LimitOutcomes;

/// One request as the policies see it.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The parsed head.
    pub request: Request<'a>,
    /// The canonical path: what matching, policies and upstream all use.
    pub path: &'a [u8],
    /// The client's address, after `trusted_proxies`.
    pub client: IpAddr,
    /// The client's certificate, DER, if its connection has shown one. Invariant: the TLS library has verified it.
    pub certificate: Option<&'a [u8]>,
    /// What it has shown behind that, in its order. Only as good as the sender says: what leads to an authority is checked,
    /// what else is there is not.
    pub chain: &'a [Box<[u8]>],
    /// The name of the matched route.
    pub route: &'a str,
    /// Monotonic nanoseconds.
    pub now: u64,
    /// Unix seconds.
    pub unix: u64,
    /// A fresh random number.
    pub random: u64,
}

/// What the policies found out about one request.
#[derive(Default)]
pub struct Context {
    /// Who sent it.
    pub identity: Identity,
    /// What the limits said, for the RateLimit headers and the log.
    pub limits: LimitOutcomes,
}

impl Context {
    /// An empty one.
    pub fn new() -> Context {
        Context::default()
    }

    /// Makes it ready for the next request; keeps what memory it has.
    pub fn clear(&mut self) {
        self.identity.clear();
        self.limits.clear();
    }
}
