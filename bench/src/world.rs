//! A loaded configuration with the bridge that it is live on.

use std::io;
use std::path::Path;
use std::sync::Arc;

use engine_bridge::ledger::Ledger;
use engine_bridge::{Bridge, Snapshot};
use engine_config::Source;
use policy::chain::State;

use crate::token;

/// A configuration with the bridge that it is live on.
pub struct World {
    /// The configuration.
    pub snapshot: Arc<Snapshot>,
    /// Counters and logs.
    pub bridge: Arc<Bridge>,
    /// The buckets. Not the bridge's own, whose digests differ from process to process: two counts of the
    /// same instructions should agree.
    ledger: Arc<Ledger>,
}

impl World {
    /// Loads a configuration, whose file `jwks.json` holds the key set of [`token`], for so many workers.
    ///
    /// # Panics
    /// When it does not load.
    pub fn new(text: &str, workers: usize) -> World {
        let files = |path: &Path| match path.ends_with("jwks.json") {
            true => Ok(token::jwks()),
            false => Err(io::ErrorKind::NotFound.into()),
        };
        let source = [Source::new("gateway.toml", text)];
        let snapshot = engine_config::load(&source, &Default::default(), &[], &files);
        let snapshot = Arc::new(snapshot.unwrap_or_else(|problems| panic!("{problems}")));
        let bridge = Bridge::new(workers);
        bridge.slot.publish(Arc::clone(&snapshot));
        bridge.adopt_live();
        let ledger = Ledger::with_seed(workers, [1, 2]);
        ledger.adopt(&snapshot.limits, 0);
        World {
            snapshot,
            bridge,
            ledger: Arc::new(ledger),
        }
    }

    /// The number of a route: they are not in the text's order.
    ///
    /// # Panics
    /// When there is none of this name.
    pub fn route(&self, name: &str) -> usize {
        let mut routes = self.snapshot.routes.iter();
        let found = routes.position(|route| *route.name == *name);
        found.unwrap_or_else(|| panic!("no route is called {name}"))
    }

    /// A worker's state of the policies.
    pub fn state(&self) -> State {
        State::new(Box::new(Arc::clone(&self.ledger)))
    }
}
