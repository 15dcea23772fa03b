//! The task of one endpoint: asks it again and again, and changes its word when the results say so.

use std::hash::{BuildHasher, RandomState};
use std::pin::pin;
use std::sync::Arc;

use engine_bridge::board::Health;
use engine_bridge::metrics::CheckSeries;
use policy::health::{State, Tracker, until_first, until_next};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep_until};

use super::failure::Failure;
use super::probe::probe;
use super::terms::Terms;
use crate::operator::Operator;

/// One endpoint that is checked.
pub(super) struct Endpoint {
    /// What it is called, for people.
    pub(super) title: String,
    pub(super) health: Arc<Health>,
    pub(super) series: Arc<CheckSeries>,
    pub(super) operator: Operator,
    /// One for each check of the upstream that may be on its way.
    pub(super) permits: Arc<Semaphore>,
    pub(super) terms: watch::Receiver<Arc<Terms>>,
}

impl Endpoint {
    /// Until nobody is left who gives terms.
    pub(super) async fn run(mut self) {
        let permits = Arc::clone(&self.permits);
        let mut terms = Arc::clone(&self.terms.borrow_and_update());
        let mut tracker = Tracker::new();
        let mut next = Instant::now() + until_first(terms.check.interval, random());
        loop {
            tokio::select! {
                biased;
                changed = self.terms.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.renew(&mut terms, &mut tracker, &mut next);
                    continue;
                }
                () = sleep_until(next) => {}
            }
            let asked = Arc::clone(&terms);
            let mut checked = pin!(async {
                let _permit = permits.acquire().await;
                let begun = Instant::now();
                (begun, probe(&asked).await)
            });
            loop {
                tokio::select! {
                    biased;
                    changed = self.terms.changed() => {
                        if changed.is_err() {
                            return;
                        }
                        // Dropping a check closes its connection; it counts for nothing. One that would be made again
                        // just so goes on: reloads that come often must not keep what hangs from being found out.
                        if !self.renew(&mut terms, &mut tracker, &mut next) {
                            break;
                        }
                    }
                    (begun, result) = &mut checked => {
                        self.note(&mut tracker, &terms, result);
                        next = begun + until_next(terms.check.interval, random());
                        break;
                    }
                }
            }
        }
    }

    /// Goes over to new terms; true when a check by the old ones is one by the new ones too.
    fn renew(&mut self, terms: &mut Arc<Terms>, tracker: &mut Tracker, next: &mut Instant) -> bool {
        let before = std::mem::replace(terms, Arc::clone(&self.terms.borrow_and_update()));
        let interval = terms.check.interval;
        if before.asks != terms.asks {
            *tracker = Tracker::new();
            *next = Instant::now() + until_first(interval, random());
            return false;
        }
        *next = (*next).min(Instant::now() + until_next(interval, random()));
        before.check.timeout == terms.check.timeout
    }

    fn note(&self, tracker: &mut Tracker, terms: &Terms, result: Result<(), Failure>) {
        let word = result.as_ref().err().map_or("ok", |failure| failure.word);
        self.series.results.inc(word);
        let Some(state) = tracker.note(result.is_ok(), &terms.check.thresholds) else {
            return;
        };
        let healthy = state == State::Healthy;
        if self.health.is_healthy() == healthy {
            return;
        }
        self.health.set(healthy);
        let left = terms.all.iter().filter(|it| it.is_healthy()).count();
        let of = terms.all.len();
        let (title, why) = (&self.title, result.err());
        self.operator.say(match why {
            None => format!("{title} is healthy again; {left} of {of} are"),
            Some(why) if left == 0 => {
                format!("{title} is unhealthy: {why}; none of {of} is left, requests get 503")
            }
            Some(why) => format!("{title} is unhealthy: {why}; {left} of {of} are left"),
        });
    }
}

/// Good enough to spread checks in time: the standard library's hash keys are random, and differ each time.
fn random() -> u64 {
    RandomState::new().hash_one(0)
}
