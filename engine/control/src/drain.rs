//! The end of the process: not ready, then draining, then over; and what the exit status says of it.
//! Invariant: it ends, whatever the workers do: after the grace what is left is cut, a worker that does not even stop is
//! given up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use engine_bridge::life::WorkerState;
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::shared::Shared;

/// How the process ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exit {
    /// The exit status: 0 if everything was drained, 1 if not.
    pub code: u8,
    /// Exchanges that were cut short, over all workers.
    pub cut: u64,
    /// Workers that failed or did not stop.
    pub lost_workers: usize,
}

/// What ends the process.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Command {
    /// Drain, for this reason; when draining already, the same as `Stop`.
    Drain(String),
    /// End at once, for this reason.
    Stop(String),
}

/// How long each step may take.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    /// Not ready, still accepting.
    pub(crate) delay: Duration,
    /// Finishing what is in flight.
    pub(crate) grace: Duration,
    /// Ending after the cut.
    pub(crate) stop: Duration,
}

/// From the first command to the end of the workers.
pub(crate) async fn drain(
    shared: &Arc<Shared>,
    first: Command,
    commands: &mut mpsc::Receiver<Command>,
    patience: Patience,
) -> Exit {
    let life = &shared.bridge.life;
    life.leave();
    match first {
        Command::Stop(cause) => shared.operator.say(format!("{cause}: ending at once")),
        Command::Drain(cause) => {
            let Patience { delay, grace, .. } = patience;
            if !delay.is_zero() {
                shared.operator.say(format!(
                    "{cause}: not ready any more; accepting for another {delay:?}"
                ));
            }
            if let Wait::Over = wait(commands, Instant::now() + delay, || false).await {
                let count = life.in_flight_total();
                shared.operator.say(format!(
                    "{cause}: draining, {count} in flight, for up to {grace:?}"
                ));
                life.drain();
                let waited = wait(commands, Instant::now() + grace, || all_ended(shared)).await;
                if let Wait::Command(cause) = waited {
                    shared
                        .operator
                        .say(format!("{cause} again: ending at once"));
                }
            } else {
                shared.operator.say("asked again: ending at once");
            }
        }
    }
    if !all_ended(shared) {
        life.stop();
        let end = Instant::now() + patience.stop;
        while !all_ended(shared) && Instant::now() < end {
            sleep(LOOK).await;
        }
    }
    let exit = count(shared);
    shared.operator.say(match exit {
        Exit { code: 0, .. } => "drained: nothing was cut".to_string(),
        Exit {
            cut, lost_workers, ..
        } => format!("ended: {cut} in flight were cut, {lost_workers} workers were lost"),
    });
    exit
}

enum Wait {
    /// The time is over, or what was waited for is there.
    Over,
    Command(String),
}

async fn wait(
    commands: &mut mpsc::Receiver<Command>,
    end: Instant,
    done: impl Fn() -> bool,
) -> Wait {
    while Instant::now() < end && !done() {
        tokio::select! {
            Some(Command::Drain(cause) | Command::Stop(cause)) = commands.recv() => return Wait::Command(cause),
            () = sleep(LOOK.min(end.saturating_duration_since(Instant::now()))) => {}
        }
    }
    Wait::Over
}

fn all_ended(shared: &Shared) -> bool {
    let ended =
        |state: &WorkerState| matches!(state, WorkerState::Drained { .. } | WorkerState::Failed(_));
    shared.bridge.life.states().iter().all(ended)
}

fn count(shared: &Shared) -> Exit {
    let (mut cut, mut lost_workers) = (0, 0);
    for state in shared.bridge.life.states() {
        match state {
            WorkerState::Drained { cut: of_worker } => cut += of_worker,
            _ => lost_workers += 1,
        }
    }
    Exit {
        code: u8::from(cut > 0 || lost_workers > 0),
        cut,
        lost_workers,
    }
}

/// Between two looks at the workers.
const LOOK: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests;
