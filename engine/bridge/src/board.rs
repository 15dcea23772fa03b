//! Caps that hold for the whole node: connections and requests in flight by upstream, connections by listener and by
//! client address. What the caps are and what happens at one is the worker's; the count that all share is in
//! `board/total.rs`, what a worker keeps of it for itself in `board/share.rs`. And whether each endpoint is healthy
//! (`board/health.rs`).
//! Invariant: never more than `cap` are held at a time, over all workers; what is held is given back when it is dropped,
//! whatever the reason.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;

mod health;
mod share;
mod total;

pub use health::Health;
pub use share::{Held, Share, Shares};
pub use total::{Counted, Total};

/// Every node-wide count, by what it counts and the name it has in the configuration; and the health of endpoints.
pub struct Board {
    workers: u64,
    totals: Mutex<Totals>,
    /// Connections by listener and client. Bounded by the connections that are open: a client without any is forgotten.
    addresses: Arc<Addresses>,
    healths: health::Healths,
}

/// What a total counts, and of which upstream or listener.
type Key = (Subject, Box<str>);
type Client = (Arc<str>, IpAddr);
type Addresses = DashMap<Client, u64>;
type Totals = HashMap<Key, Arc<Total>>;

/// What a total counts.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Subject {
    UpstreamConnections,
    UpstreamInFlight,
    UpstreamPending,
    ListenerConnections,
    AllConnections,
}

impl Board {
    /// Nothing held, by so many workers.
    pub fn new(workers: usize) -> Board {
        Board {
            workers: workers.max(1) as u64,
            totals: Mutex::default(),
            addresses: Arc::default(),
            healths: health::Healths::default(),
        }
    }

    /// Requests that wait for a connection to an upstream. Counted one by one: who waits has time, and whether anyone
    /// does must be known to all at once. Locks: for preparing a snapshot, not for a request. The other counts are
    /// asked for by a worker's [`Shares`].
    pub fn pending(&self, upstream: &str) -> Arc<Total> {
        self.total(&(Subject::UpstreamPending, upstream.into()))
    }

    /// What the checks say of an endpoint: the same word for whoever asks while anybody holds it. Locks: for preparing a
    /// snapshot, not for a request.
    pub fn health(&self, upstream: &str, endpoint: &str) -> Arc<Health> {
        self.healths.of(upstream, endpoint)
    }

    /// One more connection of this client on a listener; `None` if it holds `cap` already. Without a cap, or without an
    /// address (unix sockets), nothing is counted. Takes a shard's lock for a moment, once a connection.
    pub fn per_address(
        &self,
        listener: &Arc<str>,
        peer: Option<SocketAddr>,
        cap: Option<u64>,
    ) -> Option<HeldAddress> {
        let (Some(peer), Some(cap)) = (peer, cap) else {
            return Some(HeldAddress(None));
        };
        let key = (Arc::clone(listener), peer.ip().to_canonical());
        match self.addresses.entry(key.clone()) {
            Entry::Occupied(held) if *held.get() >= cap => return None,
            Entry::Occupied(mut held) => *held.get_mut() += 1,
            Entry::Vacant(_) if cap == 0 => return None,
            Entry::Vacant(place) => drop(place.insert(1)),
        }
        Some(HeldAddress(Some((Arc::clone(&self.addresses), key))))
    }

    /// Forgets the totals and words that nobody holds: those of names that a reload removed.
    pub fn sweep(&self) {
        self.healths.sweep();
        self.lock().retain(|_, total| Arc::strong_count(total) > 1);
    }

    fn total(&self, key: &Key) -> Arc<Total> {
        Arc::clone(self.lock().entry(key.clone()).or_default())
    }

    fn lock(&self) -> MutexGuard<'_, Totals> {
        // Every critical section leaves the map whole, so a panic elsewhere while it was held does no harm.
        self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection of a client; dropping it gives it back.
#[must_use = "dropping it gives the place back"]
pub struct HeldAddress(Option<(Arc<Addresses>, Client)>);

impl Drop for HeldAddress {
    fn drop(&mut self) {
        let Some((addresses, key)) = self.0.take() else {
            return;
        };
        if let Entry::Occupied(mut held) = addresses.entry(key) {
            *held.get_mut() -= 1;
            if *held.get() == 0 {
                held.remove();
            }
        }
    }
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
