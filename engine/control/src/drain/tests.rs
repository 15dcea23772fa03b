//! Tests of the end, with fake workers.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc;

use super::{Command, Exit, Patience, drain};
use crate::testing::{Answer, BASE, Scene, Workers, wait_for};

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(50);

/// Drains with these patience and further commands, beside what `meanwhile` does.
fn check(
    scene: &Scene,
    patience: Patience,
    first: Command,
    meanwhile: impl FnOnce(mpsc::Sender<Command>) + Send,
) -> Exit {
    let (sender, mut receiver) = mpsc::channel(4);
    let shared = scene.shared();
    std::thread::scope(|scope| {
        scope.spawn(|| meanwhile(sender));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(drain(&shared, first, &mut receiver, patience))
    })
}

fn term() -> Command {
    Command::Drain("SIGTERM".into())
}

fn exit(code: u8, cut: u64, lost_workers: usize) -> Exit {
    Exit {
        code,
        cut,
        lost_workers,
    }
}

#[test]
fn everything_finishes_within_the_grace() {
    let scene = Scene::new(2, BASE);
    let workers = Workers::start(&scene.bridge, &[Answer::Yes, Answer::Yes]);
    workers.in_flight.store(3, Ordering::Relaxed);
    let patience = Patience {
        delay: SHORT,
        grace: LONG,
        stop: LONG,
    };
    let found = check(&scene, patience, term(), |_commands| {
        scene.wait_for_line("SIGTERM: not ready any more; accepting for another 50ms");
        assert!(scene.bridge.life.leaving());
        scene.wait_for_line("draining, ");
        workers.in_flight.store(0, Ordering::Relaxed);
    });
    assert_eq!(found, exit(0, 0, 0));
    assert_eq!(scene.lines().last().unwrap(), "drained: nothing was cut");
    workers.join();
}

#[test]
fn what_outlasts_the_grace_is_cut_and_counted() {
    let scene = Scene::new(2, BASE);
    let workers = Workers::start(&scene.bridge, &[Answer::Yes, Answer::Yes]);
    workers.in_flight.store(3, Ordering::Relaxed);
    let patience = Patience {
        delay: Duration::ZERO,
        grace: SHORT,
        stop: LONG,
    };
    assert_eq!(check(&scene, patience, term(), drop), exit(1, 6, 0));
    assert_eq!(
        scene.lines().last().unwrap(),
        "ended: 6 in flight were cut, 0 workers were lost"
    );
    workers.join();
}

#[test]
fn a_second_command_ends_at_once_in_the_grace_and_in_the_delay() {
    for patience in [
        Patience {
            delay: Duration::ZERO,
            grace: LONG,
            stop: LONG,
        },
        Patience {
            delay: LONG,
            grace: LONG,
            stop: LONG,
        },
    ] {
        let scene = Scene::new(1, BASE);
        let workers = Workers::start(&scene.bridge, &[Answer::Yes]);
        workers.in_flight.store(1, Ordering::Relaxed);
        wait_for("the worker", || scene.bridge.life.in_flight_total() == 1);
        let found = check(&scene, patience, term(), |commands| {
            scene.wait_for_line("SIGTERM: ");
            commands
                .blocking_send(Command::Drain("SIGINT".into()))
                .unwrap();
        });
        assert_eq!(found, exit(1, 1, 0));
        scene.wait_for_line("again: ending at once");
        workers.join();
    }
}

#[test]
fn a_worker_that_does_not_stop_is_given_up() {
    let scene = Scene::new(2, BASE);
    let workers = Workers::start(&scene.bridge, &[Answer::Yes]); // Worker 1 is never heard of.
    let patience = Patience {
        delay: Duration::ZERO,
        grace: SHORT,
        stop: SHORT,
    };
    assert_eq!(check(&scene, patience, term(), drop), exit(1, 0, 1));
    workers.join();
}

#[test]
fn stop_is_at_once() {
    let scene = Scene::new(1, BASE);
    let workers = Workers::start(&scene.bridge, &[Answer::Yes]);
    let patience = Patience {
        delay: LONG,
        grace: LONG,
        stop: LONG,
    };
    assert_eq!(
        check(&scene, patience, Command::Stop("a test".into()), drop),
        exit(0, 0, 0)
    );
    assert_eq!(scene.lines()[0], "a test: ending at once");
    workers.join();
}
