//! The snapshot that is live, and the two-step way to the next one: control proposes a candidate, every worker prepares
//! its part and answers, control commits or discards. Building a snapshot and preparing it happen elsewhere.
//! Invariant: the pointer is stored before the Release bump of the generation, and a worker takes the generation from
//! what it loaded; a commit needs a yes from every worker; a snapshot is freed by the control side (`reap`), never by a
//! worker's last drop.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwapOption;
use engine_config::snapshot::Snapshot;

/// Names one candidate. Never 0, never used twice.
pub type CandidateId = u64;

/// The live snapshot, and the candidate if there is one. `S` is the gateway's snapshot everywhere but in tests.
pub struct Slot<S = Snapshot> {
    workers: usize,
    live: ArcSwapOption<Live<S>>,
    /// Generation of `live`; 0 while nothing is live.
    generation: AtomicU64,
    /// Id of the candidate that waits for answers; 0 when there is none. A hint for a worker's tick: `reload` is the truth.
    pending: AtomicU64,
    reload: Mutex<Reload<S>>,
}

struct Live<S> {
    generation: u64,
    snapshot: Arc<S>,
}

struct Reload<S> {
    /// The last id given out.
    last: CandidateId,
    candidate: Option<Candidate<S>>,
    /// The candidate that was committed last, and the generation it became.
    committed: Option<(CandidateId, u64)>,
    /// Snapshots that are no longer live, kept so that no worker frees one.
    retired: Vec<Arc<S>>,
}

struct Candidate<S> {
    id: CandidateId,
    snapshot: Arc<S>,
    /// One place per worker; `None` until it answers.
    answers: Vec<Option<Result<(), String>>>,
}

/// What became of a candidate, as a worker sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Control has not decided yet.
    Pending,
    /// It is live, under this generation.
    Committed(u64),
    /// It will never be live: drop what was prepared for it.
    Discarded,
}

/// How far the answers to a candidate have come, as control sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answers {
    /// These workers have not answered yet.
    Waiting(Vec<usize>),
    /// Every worker is ready: it may be committed.
    Ready,
    /// At least one worker can't: its number and its reason.
    Refused(Vec<(usize, String)>),
    /// The candidate was discarded or overtaken by another proposal.
    Gone,
}

impl<S> Slot<S> {
    /// An empty slot that `workers` workers will read.
    pub fn new(workers: usize) -> Slot<S> {
        Slot {
            workers,
            live: ArcSwapOption::empty(),
            generation: AtomicU64::new(0),
            pending: AtomicU64::new(0),
            reload: Mutex::new(Reload {
                last: 0,
                candidate: None,
                committed: None,
                retired: Vec::new(),
            }),
        }
    }

    // The worker's side.

    /// Generation of the live snapshot; 0 while none is live. One Acquire load: fit for every request.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The live snapshot with its generation.
    ///
    /// # Panics
    /// If nothing was ever published: workers are started after the first `publish`.
    pub fn load(&self) -> (u64, Arc<S>) {
        self.live()
            .expect("the first snapshot is published before anything loads it")
    }

    /// The live snapshot with its generation, if one was ever published.
    pub fn live(&self) -> Option<(u64, Arc<S>)> {
        let live = self.live.load();
        let live = live.as_ref()?;
        Some((live.generation, Arc::clone(&live.snapshot)))
    }

    /// The candidate that waits for answers. One relaxed load when there is none: fit for every tick.
    pub fn candidate(&self) -> Option<(CandidateId, Arc<S>)> {
        if self.pending.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let reload = self.reload();
        let candidate = reload.candidate.as_ref()?;
        Some((candidate.id, Arc::clone(&candidate.snapshot)))
    }

    /// A worker's word on a candidate: its part is prepared, or why it can't be. An answer to a candidate that is gone
    /// changes nothing; neither does a second answer.
    pub fn answer(&self, worker: usize, id: CandidateId, answer: Result<(), String>) {
        let mut reload = self.reload();
        let Some(candidate) = reload.candidate.as_mut().filter(|it| it.id == id) else {
            return;
        };
        if let Some(place @ None) = candidate.answers.get_mut(worker) {
            *place = Some(answer);
        }
    }

    /// What became of a candidate. A worker asks this before it answers the next one.
    pub fn outcome(&self, id: CandidateId) -> Outcome {
        let reload = self.reload();
        match (&reload.candidate, reload.committed) {
            (Some(candidate), _) if candidate.id == id => Outcome::Pending,
            (_, Some((committed, generation))) if committed == id => Outcome::Committed(generation),
            _ => Outcome::Discarded,
        }
    }

    // The control side.

    /// Makes a snapshot live at once, without asking the workers: the first one, before they start. Gives its generation.
    pub fn publish(&self, snapshot: Arc<S>) -> u64 {
        let mut reload = self.reload();
        self.make_live(&mut reload, snapshot)
    }

    /// Shows a candidate to the workers. One that was still waiting is thereby discarded.
    pub fn propose(&self, snapshot: Arc<S>) -> CandidateId {
        let mut reload = self.reload();
        reload.drop_candidate();
        reload.last += 1;
        let id = reload.last;
        reload.candidate = Some(Candidate {
            id,
            snapshot,
            answers: (0..self.workers).map(|_| None).collect(),
        });
        self.pending.store(id, Ordering::Relaxed);
        id
    }

    /// How far the answers have come.
    pub fn answers(&self, id: CandidateId) -> Answers {
        let reload = self.reload();
        let Some(candidate) = reload.candidate.as_ref().filter(|it| it.id == id) else {
            return Answers::Gone;
        };
        let mut waiting = Vec::new();
        let mut refused = Vec::new();
        for (worker, answer) in candidate.answers.iter().enumerate() {
            match answer {
                None => waiting.push(worker),
                Some(Ok(())) => {}
                Some(Err(why)) => refused.push((worker, why.clone())),
            }
        }
        match (refused.is_empty(), waiting.is_empty()) {
            (false, _) => Answers::Refused(refused),
            (true, false) => Answers::Waiting(waiting),
            (true, true) => Answers::Ready,
        }
    }

    /// Makes the candidate live and gives its generation; `None`, and nothing changes, unless every worker said yes.
    pub fn commit(&self, id: CandidateId) -> Option<u64> {
        let mut reload = self.reload();
        let ready = |it: &Candidate<S>| it.answers.iter().all(|answer| *answer == Some(Ok(())));
        let candidate = reload.candidate.take_if(|it| it.id == id && ready(it))?;
        self.pending.store(0, Ordering::Relaxed);
        let generation = self.make_live(&mut reload, candidate.snapshot);
        reload.committed = Some((id, generation));
        Some(generation)
    }

    /// Takes the candidate back; nothing changes if it is gone already.
    pub fn discard(&self, id: CandidateId) {
        let mut reload = self.reload();
        if reload.candidate.as_ref().is_some_and(|it| it.id == id) {
            self.pending.store(0, Ordering::Relaxed);
            reload.drop_candidate();
        }
    }

    /// Frees, on this thread, the snapshots that no worker holds any more; gives how many are still held.
    pub fn reap(&self) -> usize {
        let mut reload = self.reload();
        let (free, held): (Vec<_>, Vec<_>) = std::mem::take(&mut reload.retired)
            .into_iter()
            .partition(|it| Arc::strong_count(it) == 1);
        let count = held.len();
        reload.retired = held;
        drop(reload);
        drop(free); // Outside the lock: a big snapshot takes a while.
        count
    }

    fn make_live(&self, reload: &mut Reload<S>, snapshot: Arc<S>) -> u64 {
        let generation = self.generation.load(Ordering::Relaxed) + 1;
        let before = self.live.swap(Some(Arc::new(Live {
            generation,
            snapshot,
        })));
        self.generation.store(generation, Ordering::Release);
        reload
            .retired
            .extend(before.map(|live| Arc::clone(&live.snapshot)));
        generation
    }

    fn reload(&self) -> MutexGuard<'_, Reload<S>> {
        // Every critical section leaves the state whole, so a panic elsewhere while it was held does no harm.
        self.reload.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> Reload<S> {
    fn drop_candidate(&mut self) {
        self.retired
            .extend(self.candidate.take().map(|it| it.snapshot));
    }
}

#[cfg(test)]
mod tests;
