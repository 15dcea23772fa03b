//! A gate: something in a test waits at it until something else opens it.

use std::sync::{Arc, Condvar, Mutex};

use crate::PATIENCE;

/// Closed at first; cloning shares it.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    /// A closed gate.
    pub fn new() -> Gate {
        Gate::default()
    }

    /// Lets everybody pass, from now on.
    pub fn open(&self) {
        *self.0.0.lock().expect("nobody panics with the lock") = true;
        self.0.1.notify_all();
    }

    /// Waits until it is open.
    ///
    /// # Panics
    /// When that takes longer than [`PATIENCE`].
    #[track_caller]
    pub fn wait(&self) {
        let open = self.0.0.lock().expect("nobody panics with the lock");
        let (open, _) = self
            .0
            .1
            .wait_timeout_while(open, PATIENCE, |open| !*open)
            .expect("nobody panics with the lock");
        assert!(*open, "the gate stays closed");
    }

    /// Waits until it is open or so much time has passed: a peer that takes its time.
    pub fn wait_at_most(&self, time: std::time::Duration) {
        let open = self.0.0.lock().expect("nobody panics with the lock");
        let waited = self.0.1.wait_timeout_while(open, time, |open| !*open);
        drop(waited.expect("nobody panics with the lock"));
    }
}
