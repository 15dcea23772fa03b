//! Health checks of endpoints: one task for each that is checked, whatever the number of workers, from the moment a
//! configuration is live until it asks for something else or the process drains. How one check goes is in `health/probe.rs`,
//! which results matter in `policy::health`, where the word stands that workers read in `engine_bridge::board`.
//!
//! Invariants: an endpoint that a reload keeps keeps its word, and its count of results too unless it is asked something
//! else now; at most [`AT_ONCE`] checks of an upstream are on their way, so that one whose endpoints let checks wait does
//! not keep those of others waiting; a check that is given up leaves nothing behind.

mod connect;
mod endpoint;
mod exchange;
mod failure;
mod probe;
mod terms;

use std::collections::HashMap;
use std::sync::Arc;

use engine_bridge::Snapshot;
use engine_bridge::board::Health;
use engine_bridge::life::Phase;
use tokio::sync::{Semaphore, watch};

use crate::shared::Shared;
use endpoint::Endpoint;
use terms::{Configs, Terms};

/// Checks of one upstream that are on their way at a time; more wait for one to end.
const AT_ONCE: usize = 64;

/// The checks of the live configuration.
pub(crate) struct Checks {
    shared: Arc<Shared>,
    /// By upstream, one for each check that may be on its way.
    permits: HashMap<Arc<str>, Arc<Semaphore>>,
    /// The generation that was looked at last.
    seen: u64,
    /// By upstream and endpoint.
    checked: HashMap<Names, Checked>,
    configs: Configs,
}

type Names = (Arc<str>, Arc<str>);

/// An endpoint that is checked.
struct Checked {
    health: Arc<Health>,
    /// Its task ends when this is dropped.
    terms: watch::Sender<Arc<Terms>>,
}

impl Checks {
    pub(crate) fn new(shared: Arc<Shared>) -> Checks {
        Checks {
            shared,
            permits: HashMap::new(),
            seen: 0,
            checked: HashMap::new(),
            configs: Configs::default(),
        }
    }

    /// The generation that is checked.
    pub(crate) fn seen(&self) -> u64 {
        self.seen
    }

    /// Goes over to a new configuration, if there is one; stops when the workers drain. The words stay then as they are:
    /// they hold for what is still in flight.
    pub(crate) fn turn(&mut self) {
        let bridge = Arc::clone(&self.shared.bridge);
        if !matches!(bridge.life.phase(), Phase::Running) {
            return self.checked.clear();
        }
        if bridge.slot.generation() == self.seen {
            return;
        }
        if let Some((generation, live)) = bridge.slot.live() {
            self.seen = generation;
            self.adopt(&live);
        }
    }

    fn adopt(&mut self, live: &Snapshot) {
        let mut before = std::mem::take(&mut self.checked);
        for upstream in &live.upstreams {
            let Some(check) = &upstream.health else {
                continue;
            };
            let tls = match self.configs.of(upstream) {
                Ok(tls) => tls,
                Err(why) => {
                    let name = &upstream.name;
                    let line =
                        format!("error: upstream {name}: its endpoints can't be checked: {why}");
                    self.shared.operator.say(line);
                    continue;
                }
            };
            let board = &self.shared.bridge.board;
            let health =
                |it: &engine_config::snapshot::Endpoint| board.health(&upstream.name, &it.name);
            let all: Arc<[Arc<Health>]> = upstream.endpoints.iter().map(health).collect();
            for (endpoint, health) in upstream.endpoints.iter().zip(&*all) {
                let terms = Terms::new(upstream, endpoint, check, tls.clone(), Arc::clone(&all));
                let names = (Arc::clone(&upstream.name), Arc::clone(&endpoint.name));
                let checked = match before.remove(&names) {
                    Some(checked) => {
                        checked.terms.send_replace(Arc::new(terms));
                        checked
                    }
                    None => self.begin(&names, terms, health),
                };
                self.checked.insert(names, checked);
            }
        }
        self.configs.retain(live);
        self.permits
            .retain(|name, _| live.upstreams.iter().any(|it| it.name == *name));
        // Whoever asks for these names again asks for something new.
        before.values().for_each(|it| it.health.set(true));
    }

    fn begin(
        &mut self,
        (upstream, endpoint): &Names,
        terms: Terms,
        health: &Arc<Health>,
    ) -> Checked {
        let (sender, receiver) = watch::channel(Arc::new(terms));
        let permits = self.permits.entry(Arc::clone(upstream));
        let permits = permits.or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE)));
        let task = Endpoint {
            title: format!("upstream {upstream}: endpoint {endpoint}"),
            health: Arc::clone(health),
            series: self.shared.bridge.metrics.checks(upstream, endpoint),
            operator: self.shared.operator.clone(),
            permits: Arc::clone(permits),
            terms: receiver,
        };
        tokio::spawn(task.run());
        Checked {
            health: Arc::clone(health),
            terms: sender,
        }
    }
}

#[cfg(test)]
mod tests;
