//! Tests of phases and worker states.

use super::{Life, Phase, WorkerState};

#[test]
fn the_phase_only_moves_forward() {
    let life = Life::new(2);
    assert_eq!(life.phase(), Phase::Running);
    life.beat(0, 5);
    life.beat(1, 7);
    life.leave();
    assert!(life.leaving());
    assert_eq!(life.phase(), Phase::Running, "still accepting");
    life.drain();
    assert_eq!(life.phase(), Phase::Draining { since: 7 });
    life.beat(1, 9);
    life.drain();
    assert_eq!(life.phase(), Phase::Draining { since: 7 });
    life.stop();
    assert_eq!(life.phase(), Phase::Stop);
    life.drain();
    assert_eq!(life.phase(), Phase::Stop);
}

#[test]
fn workers_report_for_themselves() {
    let life = Life::new(3);
    assert_eq!(
        life.states(),
        [
            WorkerState::Starting,
            WorkerState::Starting,
            WorkerState::Starting
        ]
    );
    life.ready(0);
    life.in_flight(0, 4);
    life.failed(1, "no ring");
    life.in_flight(2, 2);
    assert_eq!(life.in_flight_total(), 6);
    life.drained(2, 1);
    assert_eq!(life.in_flight_total(), 4);
    assert_eq!(
        life.states(),
        [
            WorkerState::Ready,
            WorkerState::Failed("no ring".into()),
            WorkerState::Drained { cut: 1 }
        ]
    );
    life.beat(9, 1); // No such worker: nothing happens.
    assert_eq!(life.last_beat(9), 0);
}

#[test]
fn a_thread_that_ends_early_counts_as_failed() {
    let life = Life::new(2);
    let ended = std::thread::scope(|scope| {
        scope
            .spawn(|| {
                let _guard = life.guard(0);
                life.ready(0);
                panic!("expected by this test");
            })
            .join()
    });
    assert!(ended.is_err());
    assert_eq!(
        life.worker(0),
        WorkerState::Failed("its thread ended".into())
    );
    let guard = life.guard(1);
    life.drained(1, 0);
    drop(guard);
    assert_eq!(life.worker(1), WorkerState::Drained { cut: 0 });
}

#[test]
fn no_two_workers_share_a_cache_line() {
    crate::lines::assert_apart(&Life::new(3).workers);
}
