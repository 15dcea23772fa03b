//! What the checks say of each endpoint: one word for the whole node, written by control, read by workers at a pick. Which
//! results make it change is `policy::health`'s, who asks the endpoints control's.
//!
//! Invariant: control alone writes, when the word changes, so that workers' reads stay in their caches. An endpoint goes by
//! the names of its upstream and its address: one that a reload keeps keeps its word, one that is new begins healthy.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_utils::CachePadded;

/// The word on one endpoint.
#[derive(Default)]
pub struct Health {
    /// So that what is new is healthy.
    unhealthy: CachePadded<AtomicBool>,
}

impl Health {
    /// Whether it may be sent requests. A relaxed load: a worker that hears of a change a moment late does no harm.
    #[inline]
    pub fn is_healthy(&self) -> bool {
        !self.unhealthy.load(Ordering::Relaxed)
    }

    /// Changes the word. For control alone.
    pub fn set(&self, healthy: bool) {
        self.unhealthy.store(!healthy, Ordering::Relaxed);
    }
}

/// Upstream and endpoint.
type Names = (Box<str>, Box<str>);

/// The words on all endpoints that somebody holds.
#[derive(Default)]
pub(super) struct Healths(Mutex<HashMap<Names, Arc<Health>>>);

impl Healths {
    pub(super) fn of(&self, upstream: &str, endpoint: &str) -> Arc<Health> {
        let names = (upstream.into(), endpoint.into());
        Arc::clone(self.lock().entry(names).or_default())
    }

    /// Forgets those that nobody holds.
    pub(super) fn sweep(&self) {
        self.lock()
            .retain(|_, health| Arc::strong_count(health) > 1);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Names, Arc<Health>>> {
        // Every critical section leaves the map whole, so a panic elsewhere while it was held does no harm.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
