//! Start and end of the control thread, and the handle on it.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use engine_bridge::Snapshot;
use engine_config::snapshot::Address;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;

use crate::admin::{self, Listening};
use crate::drain::{self, Command, Exit, Patience};
use crate::reload::{REQUESTS, Reloaded, Reloader, Request};
use crate::round::Round;
use crate::shared::Shared;
use crate::signals::Signals;
use crate::watch::Watch;
use crate::{Options, logs, tickets};

/// The running control thread.
pub struct Handle {
    commands: mpsc::Sender<Command>,
    requests: mpsc::Sender<Request>,
    admin: Option<Address>,
    thread: JoinHandle<Exit>,
}

/// Opens the admin listener, takes the signals and starts the control thread.
///
/// # Errors
/// When the admin address or a log file can't be opened, or no snapshot was published; the message says which.
pub fn start(options: Options) -> io::Result<Handle> {
    let live = options.bridge.slot.live();
    let (_, snapshot) = live.ok_or_else(|| io::Error::other("no configuration was published"))?;
    logs::check(&snapshot).map_err(io::Error::other)?;
    options.bridge.adopt_live();
    tickets::begin(&options.bridge.tickets)?;
    let runtime = Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING)
        .build()?;
    let (commands, command_queue) = mpsc::channel(COMMANDS);
    let (requests, request_queue) = mpsc::channel(REQUESTS);
    let context = runtime.enter();
    let admin = match &snapshot.admin {
        Some(settings) => Some(Listening::bind(&settings.address)?),
        None => None,
    };
    let signals = match options.signals {
        true => Some(Signals::take()?),
        false => None,
    };
    drop(context);
    let address = admin.as_ref().map(Listening::address);
    let control = Control {
        shared: Shared::new(Arc::clone(&options.bridge), options.operator.clone()),
        options,
        snapshot,
        admin,
        signals,
        commands: commands.clone(),
        requests: requests.clone(),
    };
    let main = move || control.run(runtime, command_queue, request_queue);
    let thread = thread::Builder::new().name("control".into()).spawn(main)?;
    Ok(Handle {
        commands,
        requests,
        admin: address,
        thread,
    })
}

impl Handle {
    /// Where the admin listener really listens (port 0 is resolved); `None` without one.
    pub fn admin(&self) -> Option<&Address> {
        self.admin.as_ref()
    }

    /// Reloads now and waits for the outcome.
    pub fn reload(&self, cause: impl Into<String>) -> Reloaded {
        let (answer, outcome) = oneshot::channel();
        let request = Request {
            cause: cause.into(),
            answer: Some(answer),
        };
        let ending = || Reloaded::Refused("the process is ending".into());
        match self.requests.blocking_send(request) {
            Ok(()) => outcome.blocking_recv().unwrap_or_else(|_| ending()),
            Err(_) => ending(),
        }
    }

    /// Begins to drain, as SIGTERM does; a second time ends the process at once.
    pub fn drain(&self, cause: impl Into<String>) {
        // A full queue holds more than enough of them.
        let _ = self.commands.try_send(Command::Drain(cause.into()));
    }

    /// Ends at once.
    pub fn stop(&self, cause: impl Into<String>) {
        let _ = self.commands.try_send(Command::Stop(cause.into()));
    }

    /// True once the process may end.
    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits until the workers have drained and the logs are written. The workers' threads are then the caller's to join.
    pub fn join(self) -> Exit {
        self.thread.join().unwrap_or(Exit {
            code: 1,
            cut: 0,
            lost_workers: 0,
        })
    }
}

struct Control {
    shared: Arc<Shared>,
    options: Options,
    /// The one that was live at the start.
    snapshot: Arc<Snapshot>,
    admin: Option<Listening>,
    signals: Option<Signals>,
    commands: mpsc::Sender<Command>,
    requests: mpsc::Sender<Request>,
}

impl Control {
    fn run(
        self,
        runtime: Runtime,
        commands: mpsc::Receiver<Command>,
        requests: mpsc::Receiver<Request>,
    ) -> Exit {
        let exit = runtime.block_on(self.serve(commands, requests));
        // Not waiting for what may still block: a file being read.
        runtime.shutdown_background();
        exit
    }

    async fn serve(
        mut self,
        mut commands: mpsc::Receiver<Command>,
        requests: mpsc::Receiver<Request>,
    ) -> Exit {
        let shared = Arc::clone(&self.shared);
        if let Some(admin) = self.admin.take() {
            tokio::spawn(admin::serve(Arc::clone(&shared), admin));
        }
        if let Some(signals) = self.signals.take() {
            let (commands, requests) = (self.commands.clone(), self.requests.clone());
            tokio::spawn(signals.run(Arc::clone(&shared), commands, requests));
        }
        let reloader = Reloader {
            shared: Arc::clone(&shared),
            load: Arc::clone(&self.options.load),
            watch: self.watch(),
            within: ANSWER_WITHIN,
        };
        drop(self.snapshot); // Or it would count as held after a reload.
        tokio::spawn(reloader.run(requests));
        let (stop_round, stopped) = oneshot::channel();
        let round =
            tokio::spawn(Round::new(Arc::clone(&shared), self.commands.clone()).run(stopped));

        let first = commands.recv().await;
        let first = first.unwrap_or_else(|| Command::Stop("nobody is left to command".into()));
        let exit = drain::drain(&shared, first, &mut commands, patience(&shared)).await;

        let _ = stop_round.send(());
        if let Ok(writers) = round.await {
            let late = spawn_blocking(move || writers.finish(FLUSH_WITHIN)).await;
            for log in late.unwrap_or_default() {
                shared
                    .operator
                    .say(format!("log {log}: not all was written in time"));
            }
        }
        exit
    }

    fn watch(&mut self) -> Option<Watch> {
        let named = self.options.watch.take()?;
        let operator = self.shared.operator.clone();
        match Watch::start(
            named,
            &self.snapshot.watched,
            operator,
            self.requests.clone(),
        ) {
            Ok(watch) => Some(watch),
            Err(why) => {
                self.shared.operator.say(format!(
                    "can't watch files for changes ({why}); SIGHUP reloads all the same"
                ));
                None
            }
        }
    }
}

/// As the configuration that is live at the end says.
fn patience(shared: &Shared) -> Patience {
    let live = shared.bridge.slot.live();
    let (delay, grace) = live.map_or_else(Default::default, |(_, snapshot)| {
        (
            snapshot.gateway.shutdown_delay,
            snapshot.gateway.shutdown_grace,
        )
    });
    Patience {
        delay,
        grace,
        stop: STOP_WITHIN,
    }
}

const COMMANDS: usize = 4;
/// Threads for reading files.
const BLOCKING: usize = 4;
/// How long workers may take to answer a candidate; a tick is 100 ms at most.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How long workers may take to end once they are told to stop.
const STOP_WITHIN: Duration = Duration::from_secs(2);
/// How long log writers may take to write what is left.
const FLUSH_WITHIN: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests;
