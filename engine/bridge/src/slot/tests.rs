//! Tests of the slot, with plain numbers for snapshots.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Answers, Outcome, Slot};

fn slot(workers: usize) -> Slot<u32> {
    let slot = Slot::new(workers);
    assert_eq!(slot.publish(Arc::new(1)), 1);
    slot
}

fn live(slot: &Slot<u32>) -> (u64, u32) {
    let (generation, snapshot) = slot.load();
    (generation, *snapshot)
}

#[test]
fn nothing_is_live_before_the_first_publish() {
    let slot = Slot::<u32>::new(1);
    assert_eq!(slot.generation(), 0);
    assert!(slot.live().is_none());
    assert!(slot.candidate().is_none());
}

#[test]
fn a_commit_needs_every_workers_yes() {
    let slot = slot(2);
    let id = slot.propose(Arc::new(2));
    assert_eq!(slot.candidate().map(|(id, it)| (id, *it)), Some((id, 2)));
    assert_eq!(slot.answers(id), Answers::Waiting(vec![0, 1]));
    assert_eq!(slot.commit(id), None);
    slot.answer(1, id, Ok(()));
    assert_eq!(slot.answers(id), Answers::Waiting(vec![0]));
    assert_eq!(slot.commit(id), None);
    assert_eq!(slot.outcome(id), Outcome::Pending);
    slot.answer(0, id, Ok(()));
    assert_eq!(slot.answers(id), Answers::Ready);
    assert_eq!(live(&slot), (1, 1));
    assert_eq!(slot.commit(id), Some(2));
    assert_eq!(live(&slot), (2, 2));
    assert_eq!(slot.generation(), 2);
    assert_eq!(slot.outcome(id), Outcome::Committed(2));
    assert_eq!(slot.answers(id), Answers::Gone);
    assert!(slot.candidate().is_none());
}

#[test]
fn one_no_is_enough() {
    let slot = slot(2);
    let id = slot.propose(Arc::new(2));
    slot.answer(0, id, Err("port in use".into()));
    assert_eq!(
        slot.answers(id),
        Answers::Refused(vec![(0, "port in use".into())])
    );
    slot.answer(0, id, Ok(())); // A second answer changes nothing.
    slot.answer(1, id, Ok(()));
    assert_eq!(slot.commit(id), None);
    slot.discard(id);
    assert_eq!(slot.outcome(id), Outcome::Discarded);
    assert_eq!(live(&slot), (1, 1));
}

#[test]
fn a_later_proposal_overtakes_and_late_answers_change_nothing() {
    let slot = slot(1);
    let first = slot.propose(Arc::new(2));
    let second = slot.propose(Arc::new(3));
    assert_ne!(first, second);
    assert_eq!(slot.outcome(first), Outcome::Discarded);
    slot.answer(0, first, Ok(()));
    assert_eq!(slot.commit(first), None);
    assert_eq!(slot.answers(second), Answers::Waiting(vec![0]));
    slot.discard(first);
    assert_eq!(slot.outcome(second), Outcome::Pending);
    slot.answer(0, second, Ok(()));
    assert_eq!(slot.commit(second), Some(2));
    assert_eq!(live(&slot), (2, 3));
    slot.answer(7, second, Ok(())); // No such worker.
}

#[test]
fn control_frees_what_workers_have_let_go() {
    let slot = slot(1);
    let (_, held) = slot.load();
    let id = slot.propose(Arc::new(2));
    slot.answer(0, id, Ok(()));
    slot.commit(id);
    assert_eq!(slot.reap(), 1);
    let weak = Arc::downgrade(&held);
    drop(held);
    assert!(weak.upgrade().is_some(), "the worker's drop frees nothing");
    assert_eq!(slot.reap(), 0);
    assert!(weak.upgrade().is_none());
    let id = slot.propose(Arc::new(3));
    slot.discard(id);
    assert_eq!(slot.reap(), 0);
}

/// A worker that sees a generation loads at least that generation's snapshot, and never another's.
#[test]
fn generation_and_snapshot_agree_across_threads() {
    let slot = slot(1);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let seen = slot.generation();
                let (generation, snapshot) = slot.load();
                assert!(generation >= seen);
                assert_eq!(generation, u64::from(*snapshot));
            }
        });
        for next in 2..2_000 {
            slot.publish(Arc::new(next));
            slot.reap();
        }
        done.store(true, Ordering::Relaxed);
        reader.join().expect("the reader's assertions hold");
    });
}
