//! What control looks after a few times a second: heartbeats, log writers, what the workers have let go, what
//! is to be done once a day, and whom to check now that a configuration is live.
//! Invariant: a worker counts as stalled only after several looks in a row at a heart that stands still, so that a
//! machine that was suspended does not make them all look dead.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine_bridge::life::WorkerState;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval};

use crate::certificates::Expiries;
use crate::clock;
use crate::drain::Command;
use crate::health::Checks;
use crate::logs::Writers;
use crate::shared::Shared;
use crate::tickets::Rotation;

/// The round, one per control.
pub(crate) struct Round {
    shared: Arc<Shared>,
    writers: Writers,
    rotation: Rotation,
    expiries: Expiries,
    checks: Checks,
    commands: mpsc::Sender<Command>,
    hearts: Vec<Heart>,
    /// Workers whose failure has been told.
    failed: BTreeSet<usize>,
    /// The generation whose predecessors' series are forgotten.
    swept: u64,
}

#[derive(Clone, Copy, Default)]
struct Heart {
    beat: u64,
    /// Looks in a row that found the same beat.
    still: u32,
}

impl Round {
    pub(crate) fn new(shared: Arc<Shared>, commands: mpsc::Sender<Command>) -> Round {
        Round {
            writers: Writers::new(Arc::clone(&shared)),
            rotation: Rotation::new(Arc::clone(&shared), Instant::now()),
            expiries: Expiries::new(Arc::clone(&shared)),
            checks: Checks::new(Arc::clone(&shared)),
            hearts: vec![Heart::default(); shared.bridge.workers()],
            failed: BTreeSet::new(),
            swept: shared.bridge.slot.generation(),
            commands,
            shared,
        }
    }

    /// Goes round until told to stop; gives the log writers back, which end last.
    pub(crate) async fn run(mut self, mut stop: oneshot::Receiver<()>) -> Writers {
        let mut ticks = interval(EVERY);
        // Looks must lie apart for a heart to beat between them.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = &mut stop => return self.writers,
                _ = ticks.tick() => self.turn(),
            }
        }
    }

    fn turn(&mut self) {
        self.writers.look();
        self.feel_hearts();
        self.look_for_failures();
        self.rotation.turn(Instant::now());
        self.expiries.turn(clock::unix());
        let before = self.checks.seen();
        self.checks.turn();
        // Checks that have just been told to end hold what is theirs until their tasks have run.
        let changed = self.checks.seen() != before;
        let bridge = &self.shared.bridge;
        let generation = bridge.slot.generation();
        if bridge.slot.reap() == 0 && !changed && self.swept != generation {
            self.swept = generation;
            bridge.sweep();
        }
    }

    fn feel_hearts(&mut self) {
        let life = &self.shared.bridge.life;
        let before = self.shared.stalled();
        let mut stalled = Vec::new();
        for (worker, heart) in self.hearts.iter_mut().enumerate() {
            let beat = life.last_beat(worker);
            heart.still = match beat == heart.beat && life.worker(worker) == WorkerState::Ready {
                true => heart.still.saturating_add(1),
                false => 0,
            };
            heart.beat = beat;
            if heart.still >= STALLED_AFTER {
                stalled.push(worker);
            }
        }
        for worker in stalled.iter().filter(|it| !before.contains(it)) {
            let after = EVERY * STALLED_AFTER;
            self.shared.operator.say(format!(
                "worker {worker} is stalled: it has not moved for {after:?}"
            ));
        }
        for worker in before.iter().filter(|it| !stalled.contains(it)) {
            self.shared
                .operator
                .say(format!("worker {worker} moves again"));
        }
        self.shared.set_stalled(stalled);
    }

    fn look_for_failures(&mut self) {
        let states = self.shared.bridge.life.states();
        for (worker, state) in states.iter().enumerate() {
            if let WorkerState::Failed(why) = state
                && self.failed.insert(worker)
            {
                self.shared
                    .operator
                    .say(format!("worker {worker} is gone: {why}"));
            }
        }
        let all = !states.is_empty() && self.failed.len() == states.len();
        if all && !self.shared.bridge.life.leaving() {
            let _ = self
                .commands
                .try_send(Command::Stop("every worker is gone".into()));
        }
    }
}

/// Between two rounds.
const EVERY: Duration = Duration::from_millis(250);
/// Two seconds: an idle worker beats ten times a second.
const STALLED_AFTER: u32 = 8;

#[cfg(test)]
mod tests;
