//! A reload: read everything anew, propose it, wait for every worker's word, commit or discard. All or nothing.
//! Invariant: one reload at a time; requests that come meanwhile share the next one; a reload that fails changes nothing
//! and says why, in the operator's log, in the metric and to who asked.

use std::sync::Arc;
use std::time::{Duration, Instant};

use engine_bridge::Snapshot;
use engine_bridge::slot::{Answers, CandidateId};
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;

use crate::shared::Shared;
use crate::watch::Watch;
use crate::{Load, logs};

/// What became of a reload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reloaded {
    /// The new configuration is live.
    Live {
        /// Its generation.
        generation: u64,
        /// Its hash.
        hash: String,
    },
    /// What was read is wrong: every problem, as text.
    Invalid(String),
    /// A worker can't, or the process is ending: why.
    Refused(String),
    /// A worker did not answer in time: which.
    TimedOut(String),
}

impl Reloaded {
    /// The value of the metric's label.
    fn word(&self) -> &'static str {
        match self {
            Reloaded::Live { .. } => "ok",
            Reloaded::Invalid(_) => "invalid",
            Reloaded::Refused(_) => "refused",
            Reloaded::TimedOut(_) => "timeout",
        }
    }
}

/// Somebody wants a reload.
pub(crate) struct Request {
    /// For the operator: `SIGHUP`, which file changed.
    pub(crate) cause: String,
    /// Who wants to know how it went.
    pub(crate) answer: Option<oneshot::Sender<Reloaded>>,
}

/// Asks for a reload without waiting. When the queue is full a reload is due anyway.
pub(crate) fn request(requests: &mpsc::Sender<Request>, cause: String) {
    let _ = requests.try_send(Request {
        cause,
        answer: None,
    });
}

/// Requests that may wait; more are the same reload.
pub(crate) const REQUESTS: usize = 16;

/// The one task that reloads.
pub(crate) struct Reloader {
    pub(crate) shared: Arc<Shared>,
    pub(crate) load: Load,
    pub(crate) watch: Option<Watch>,
    /// How long the workers have to answer.
    pub(crate) within: Duration,
}

impl Reloader {
    pub(crate) async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        if self.missed_a_change().await {
            let outcome = self.reload().await;
            self.tell("changed while starting", &outcome);
        }
        while let Some(request) = requests.recv().await {
            let mut asked = vec![request];
            while let Ok(another) = requests.try_recv() {
                asked.push(another);
            }
            let mut causes: Vec<&str> =
                asked.iter().map(|request| request.cause.as_str()).collect();
            causes.dedup();
            let causes = causes.join(", ");
            let outcome = self.reload().await;
            self.tell(&causes, &outcome);
            for request in asked {
                // Who asked may have gone.
                let _ = request.answer.map(|answer| answer.send(outcome.clone()));
            }
        }
    }

    /// Whether something changed after the start had read it and before the watch first looked: no event tells of that.
    async fn missed_a_change(&self) -> bool {
        let live = self.shared.bridge.slot.live();
        match (&self.watch, live) {
            (Some(_), Some((_, live))) => {
                let now = self.read().await;
                now.map_or(true, |now| now.hash != live.hash)
            }
            _ => false,
        }
    }

    async fn reload(&mut self) -> Reloaded {
        if self.shared.bridge.life.leaving() {
            return Reloaded::Refused(ENDING.into());
        }
        if let Some(watch) = &self.watch {
            watch.mark().await;
        }
        let snapshot = match self.read().await {
            Ok(snapshot) => Arc::new(snapshot),
            Err(problems) => return Reloaded::Invalid(problems),
        };
        let before = self.shared.bridge.slot.live();
        let id = self.shared.bridge.slot.propose(Arc::clone(&snapshot));
        let outcome = self.decide(id, &snapshot).await;
        if matches!(outcome, Reloaded::Live { .. }) {
            if let Some((_, before)) = before {
                self.note(&before, &snapshot);
            }
            self.shared.bridge.adopt_live();
            self.shared.reopen_logs();
        }
        self.follow().await;
        outcome
    }

    /// Watches what the live configuration was read from; also after a failure, since links may lead elsewhere now.
    async fn follow(&mut self) {
        if let Some((_, live)) = self.shared.bridge.slot.live()
            && let Some(mut watch) = self.watch.take()
        {
            let follow = spawn_blocking(move || {
                watch.follow(&live.watched);
                watch
            });
            // It does not panic; if it did, a reload by hand remains.
            self.watch = follow.await.ok();
        }
    }

    async fn read(&self) -> Result<Snapshot, String> {
        let load = Arc::clone(&self.load);
        let live = self.shared.bridge.slot.live();
        let read = spawn_blocking(move || {
            let mut snapshot = load()?;
            logs::check(&snapshot)?;
            if let Some((_, live)) = live {
                snapshot.share(&live);
            }
            Ok(snapshot)
        });
        let panicked = |why| Err(format!("reading the configuration failed: {why}"));
        read.await.unwrap_or_else(panicked)
    }

    /// Waits for the workers' answers and acts on them.
    async fn decide(&self, id: CandidateId, snapshot: &Snapshot) -> Reloaded {
        let slot = &self.shared.bridge.slot;
        let end = Instant::now() + self.within;
        let outcome = loop {
            match slot.answers(id) {
                _ if self.shared.bridge.life.leaving() => break Reloaded::Refused(ENDING.into()),
                Answers::Ready => {}
                Answers::Waiting(_) if Instant::now() < end => {
                    tokio::time::sleep(LOOK).await;
                    continue;
                }
                Answers::Waiting(workers) => break Reloaded::TimedOut(self.silent(&workers)),
                Answers::Refused(reasons) => break Reloaded::Refused(refusals(&reasons)),
                Answers::Gone => break Reloaded::Refused("another proposal overtook it".into()),
            }
            if let Some(generation) = slot.commit(id) {
                let hash = snapshot.hash.clone();
                return Reloaded::Live { generation, hash };
            }
        };
        slot.discard(id);
        outcome
    }

    fn silent(&self, workers: &[usize]) -> String {
        let workers: Vec<String> = workers.iter().map(usize::to_string).collect();
        format!(
            "no answer from worker {} within {:?}",
            workers.join(", "),
            self.within
        )
    }

    fn tell(&self, causes: &str, outcome: &Reloaded) {
        self.shared
            .bridge
            .metrics
            .control
            .reloads
            .inc(outcome.word());
        let stays = match self.shared.bridge.slot.live() {
            Some((_, live)) => format!("configuration {} stays", live.hash),
            None => "no configuration is live".to_string(),
        };
        self.shared.operator.say(match outcome {
            Reloaded::Live { generation, hash } => {
                format!("reload ({causes}): configuration {hash} is live, generation {generation}")
            }
            Reloaded::Invalid(problems) => {
                format!("reload ({causes}): {stays}, what was read is wrong:\n{problems}")
            }
            Reloaded::Refused(why) | Reloaded::TimedOut(why) => {
                format!("reload ({causes}): {stays}: {why}")
            }
        });
    }

    /// Says what a reload can't change, and what looks like a mistake.
    fn note(&self, before: &Snapshot, after: &Snapshot) {
        let (old, new) = (&before.gateway, &after.gateway);
        let address = |it: &Snapshot| it.admin.as_ref().map(|admin| admin.address.clone());
        let late = [
            ("gateway.workers", old.workers != new.workers),
            ("gateway.pin", old.pin != new.pin),
            ("gateway.io", old.driver != new.driver),
            ("admin.address", address(before) != address(after)),
        ];
        for (key, _) in late.iter().filter(|(_, changed)| *changed) {
            self.shared.operator.say(format!(
                "{key} has changed: that takes effect at the next start"
            ));
        }
        for warning in &after.warnings {
            self.shared.operator.say(warning);
        }
    }
}

/// One line for the reasons of all workers; most often they are the same.
fn refusals(reasons: &[(usize, String)]) -> String {
    let mut texts: Vec<String> = Vec::new();
    for (worker, why) in reasons {
        if !texts.iter().any(|text| text.ends_with(why.as_str())) {
            texts.push(format!("worker {worker}: {why}"));
        }
    }
    texts.join("; ")
}

const ENDING: &str = "the process is ending";
/// Between two looks at the workers' answers; their own tick is 10 ms to 100 ms.
const LOOK: Duration = Duration::from_millis(5);

#[cfg(test)]
mod tests;
