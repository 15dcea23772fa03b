//! One kind of series, by its labels and by worker.
//! Invariant: for the same labels and worker there is one series; the lock is never held while counting or rendering.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The values of a family's labels, in the order of its names.
pub(super) type Labels = Arc<[Box<str>]>;

/// One family: for each set of labels the series of each worker, or nothing where a worker has not asked.
pub(super) struct Family<S> {
    series: Mutex<BTreeMap<Labels, Vec<Option<Arc<S>>>>>,
}

impl<S> Default for Family<S> {
    fn default() -> Self {
        Family {
            series: Mutex::default(),
        }
    }
}

impl<S: Default> Family<S> {
    pub(super) fn of(&self, worker: usize, labels: &[&str]) -> Arc<S> {
        let labels = labels.iter().map(|label| Box::from(*label)).collect();
        let mut series = self.lock();
        let workers = series.entry(labels).or_default();
        if workers.len() <= worker {
            workers.resize_with(worker + 1, || None);
        }
        Arc::clone(workers[worker].get_or_insert_default())
    }
}

impl<S> Family<S> {
    /// Every set of labels with the series that exist, ordered by labels.
    pub(super) fn all(&self) -> Vec<(Labels, Vec<Arc<S>>)> {
        self.lock()
            .iter()
            .map(|(labels, workers)| {
                (
                    Arc::clone(labels),
                    workers.iter().flatten().cloned().collect(),
                )
            })
            .collect()
    }

    /// Forgets the labels whose series nobody else holds.
    pub(super) fn sweep(&self) {
        self.lock().retain(|_, workers| {
            workers
                .iter()
                .flatten()
                .any(|one| Arc::strong_count(one) > 1)
        });
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Labels, Vec<Option<Arc<S>>>>> {
        // Every critical section leaves the map whole, so a panic elsewhere while it was held does no harm.
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
