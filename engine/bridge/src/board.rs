//! Caps that hold for the whole node: connections and requests in flight by upstream, connections by listener and by
//! client address. What the caps are and what happens at one is the worker's.
//! Invariant: never more than `cap` are held at a time, over all workers; what is held is given back when it is dropped,
//! whatever the reason.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_utils::CachePadded;
use dashmap::DashMap;
use dashmap::mapref::entry::Entry;

/// Every node-wide count, by what it counts and the name it has in the configuration.
#[derive(Default)]
pub struct Board {
    totals: Mutex<Totals>,
    /// Connections by listener and client. Bounded by the connections that are open: a client without any is forgotten.
    addresses: Arc<Addresses>,
}

type Client = (Arc<str>, IpAddr);
type Addresses = DashMap<Client, u64>;
type Totals = HashMap<(Subject, Box<str>), Arc<Total>>;

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
    // Asking for a total locks: for preparing a snapshot, not for a request.

    /// Connections to an upstream.
    pub fn connections(&self, upstream: &str) -> Arc<Total> {
        self.total(Subject::UpstreamConnections, upstream)
    }

    /// Requests in flight to an upstream.
    pub fn in_flight(&self, upstream: &str) -> Arc<Total> {
        self.total(Subject::UpstreamInFlight, upstream)
    }

    /// Requests that wait for a connection to an upstream.
    pub fn pending(&self, upstream: &str) -> Arc<Total> {
        self.total(Subject::UpstreamPending, upstream)
    }

    /// Connections from clients on a listener.
    pub fn listener(&self, listener: &str) -> Arc<Total> {
        self.total(Subject::ListenerConnections, listener)
    }

    /// Connections from clients on all listeners.
    pub fn all_connections(&self) -> Arc<Total> {
        self.total(Subject::AllConnections, "")
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

    /// Forgets the totals that nobody holds: those of names that a reload removed.
    pub fn sweep(&self) {
        self.lock().retain(|_, total| Arc::strong_count(total) > 1);
    }

    fn total(&self, subject: Subject, name: &str) -> Arc<Total> {
        let mut totals = self.lock();
        Arc::clone(totals.entry((subject, name.into())).or_default())
    }

    fn lock(&self) -> MutexGuard<'_, Totals> {
        // Every critical section leaves the map whole, so a panic elsewhere while it was held does no harm.
        self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many of something the whole node holds.
#[derive(Default)]
pub struct Total(CachePadded<AtomicU64>);

impl Total {
    /// One more, unless `cap` are held already. One locked instruction: for connections, and for requests only where a
    /// cap is configured.
    pub fn acquire(total: &Arc<Total>, cap: u64) -> Option<Held> {
        let more = |held| (held < cap).then_some(held + 1);
        let added = total
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        added.ok().map(|_| Held(Arc::clone(total)))
    }

    /// How many are held now.
    pub fn held(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// One of a total's; dropping it gives it back.
#[must_use = "dropping it gives the place back"]
pub struct Held(Arc<Total>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
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
mod tests {
    use super::*;

    #[test]
    fn a_total_stops_at_its_cap_and_counts_back() {
        let total = Board::default().in_flight("backend");
        let first = Total::acquire(&total, 2);
        let second = Total::acquire(&total, 2);
        assert!(first.is_some() && second.is_some());
        assert!(Total::acquire(&total, 2).is_none());
        drop(first);
        assert_eq!(total.held(), 1);
        assert!(Total::acquire(&total, 2).is_some());
    }

    #[test]
    fn no_two_totals_share_a_cache_line() {
        let board = Board::default();
        let totals = ["a", "b", "c"].map(|name| board.connections(name));
        crate::lines::assert_apart(totals.iter().map(|total| &total.0));
    }

    #[test]
    fn the_cap_holds_over_threads() {
        let total = Arc::<Total>::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        let held = Total::acquire(&total, 3);
                        assert!(total.held() <= 3);
                        drop(held);
                    }
                });
            }
        });
        assert_eq!(total.held(), 0);
    }

    #[test]
    fn totals_are_one_per_name_and_go_when_nobody_holds_them() {
        let board = Board::default();
        let a = board.connections("a");
        let held = Total::acquire(&board.connections("a"), 9);
        assert_eq!(a.held(), 1);
        assert_eq!(board.connections("b").held(), 0);
        assert_eq!(board.in_flight("a").held(), 0);
        drop(a);
        board.sweep();
        assert_eq!(
            board.connections("a").held(),
            1,
            "the held place keeps its total"
        );
        drop(held);
        board.sweep();
        assert_eq!(board.lock().len(), 0);
    }

    #[test]
    fn a_client_has_its_own_cap_and_is_forgotten() {
        let board = Board::default();
        let listener: Arc<str> = "public".into();
        let at = |text: &str| Some(text.parse().unwrap());
        let hold = |peer, cap| board.per_address(&listener, peer, cap);
        let held = hold(at("127.0.0.1:5000"), Some(1));
        assert!(held.is_some());
        assert!(
            hold(at("[::ffff:127.0.0.1]:5001"), Some(1)).is_none(),
            "the same client over IPv6"
        );
        assert!(
            board
                .per_address(&"other".into(), at("127.0.0.1:5002"), Some(1))
                .is_some()
        );
        assert!(hold(at("127.0.0.2:5003"), Some(1)).is_some());
        assert!(hold(at("127.0.0.2:5004"), Some(0)).is_none());
        assert!(hold(at("127.0.0.1:5005"), None).is_some() && hold(None, Some(0)).is_some());
        drop(held);
        assert!(board.addresses.is_empty());
    }
}
