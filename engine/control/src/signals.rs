//! Signals become commands and reloads.

use std::io;
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use crate::drain::Command;
use crate::reload::{self, Request};
use crate::shared::Shared;

/// The signals that are ours, from the moment this exists.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    /// Takes the signals over. Needs the runtime's context.
    pub(crate) fn take() -> io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    pub(crate) async fn run(
        mut self,
        shared: Arc<Shared>,
        commands: mpsc::Sender<Command>,
        requests: mpsc::Sender<Request>,
    ) {
        loop {
            // A full queue holds a command already, and the second one ends the process.
            tokio::select! {
                Some(()) = self.terminate.recv() => drop(commands.try_send(Command::Drain("SIGTERM".into()))),
                Some(()) = self.interrupt.recv() => drop(commands.try_send(Command::Drain("SIGINT".into()))),
                Some(()) = self.hangup.recv() => {
                    // Also when the configuration turns out to be wrong: rotation must not depend on it.
                    shared.reopen_logs();
                    reload::request(&requests, "SIGHUP".into());
                }
                else => return,
            }
        }
    }
}
