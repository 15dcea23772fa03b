//! `portcullis run`, and the start that `demo` shares with it: bind, publish, start control and workers.
//!
//! Everything that can fail at start fails here, before a worker runs: addresses are bound once without
//! SO_REUSEPORT, so that a second instance is an error, then once for each worker.

use std::process::ExitCode;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use engine_bridge::Bridge;
use engine_bridge::life::WorkerState;
use engine_config::snapshot::{DriverChoice, Snapshot};
use engine_control::{Exit, Handle, Operator};
use engine_net::listener::{self, Listener};
use engine_net::runtime::{self, Driver, Wish};
use engine_worker::Bound;

use crate::{Configured, EX_CONFIG, listeners, reload, source};

/// With fewer descriptors than this the operator is told.
const FEW_DESCRIPTORS: u64 = 8192;
/// Connections waiting to be accepted, by listener and worker.
const BACKLOG: u32 = 4096;

/// Runs the gateway of a configuration until it has drained.
pub(crate) fn run(configured: &Configured) -> anyhow::Result<ExitCode> {
    let snapshot = match source::load(configured) {
        Ok(snapshot) => snapshot,
        Err(problems) => {
            eprintln!("{problems}");
            return Ok(ExitCode::from(EX_CONFIG));
        }
    };
    let operator = Operator::stderr();
    let options = Start {
        snapshot,
        load: reload::from(configured),
        watch: Some(configured.paths.clone()),
        operator,
    };
    match start(options) {
        Ok(running) => running.wait(),
        Err(error) => {
            eprintln!("portcullis: {error:#}");
            Ok(ExitCode::from(EX_CONFIG))
        }
    }
}

/// What a gateway is started from.
pub(crate) struct Start {
    pub(crate) snapshot: Snapshot,
    pub(crate) load: engine_control::Load,
    pub(crate) watch: Option<Vec<std::path::PathBuf>>,
    pub(crate) operator: Operator,
}

/// A gateway at work.
pub(crate) struct Running {
    control: Handle,
    bridge: Arc<Bridge>,
    workers: Vec<JoinHandle<()>>,
    /// Each listener's name and the address that it got.
    pub(crate) listening: Vec<(Arc<str>, engine_net::Address)>,
}

/// Starts a gateway: binds everything, then starts control, then the workers.
pub(crate) fn start(options: Start) -> anyhow::Result<Running> {
    let Start {
        snapshot,
        load,
        watch,
        operator,
    } = options;
    for warning in &snapshot.warnings {
        operator.say(warning);
    }
    let descriptors = runtime::raise_file_limit().context("can't raise the limit on open files")?;
    if descriptors < FEW_DESCRIPTORS {
        operator.say(format!("only {descriptors} open files are allowed: that many connections, to clients and services together (ulimit -Hn)"));
    }
    let driver = choose_driver(&snapshot, &operator)?;
    let cores = runtime::available_cores();
    let count = snapshot.gateway.workers.unwrap_or(cores.len()).max(1);
    let pin = snapshot.gateway.pin;
    let (sockets, listening) = bind(&snapshot, count)?;
    let bridge = Bridge::new(count);
    let hash = snapshot.hash.clone();
    let places = snapshot.listeners.iter().zip(&listening);
    let places: Vec<String> = places
        .map(|(listener, (_, address))| listeners::line(listener, address))
        .collect();
    bridge.slot.publish(Arc::new(snapshot));
    let control = engine_control::start(engine_control::Options {
        bridge: Arc::clone(&bridge),
        load,
        watch,
        signals: true,
        operator: operator.clone(),
    })?;
    let mut workers = Vec::with_capacity(count);
    for (index, listeners) in sockets.into_iter().enumerate() {
        let core = pin
            .then(|| cores.get(index % cores.len().max(1)).copied())
            .flatten();
        let bridge = Arc::clone(&bridge);
        let options = engine_worker::Options {
            index,
            core,
            driver,
            bridge,
            listeners,
            seed: seed(index),
        };
        workers.push(spawn(options)?);
    }
    let noun = if count == 1 { "worker" } else { "workers" };
    let pinned = if pin { ", each on its core" } else { "" };
    operator.say(format!(
        "portcullis {}: {count} {noun}{pinned}, {driver}",
        env!("CARGO_PKG_VERSION")
    ));
    places.iter().for_each(|place| operator.say(place));
    if let Some(admin) = control.admin() {
        operator.say(format!("admin: http://{admin} (/metrics /health /ready)"));
    }
    wait_until_ready(&bridge)?;
    operator.say(format!("configuration {hash} is live"));
    Ok(Running {
        control,
        bridge,
        workers,
        listening,
    })
}

impl Running {
    /// Waits for the end; the exit code says whether anything was cut.
    pub(crate) fn wait(self) -> anyhow::Result<ExitCode> {
        let exit: Exit = self.control.join();
        // Drained workers have ended; should control itself have died, this ends the others.
        self.bridge.life.stop();
        if exit.lost_workers == 0 {
            for worker in self.workers {
                // A worker that panicked has told its life guard; there is nothing to add here.
                let _ = worker.join();
            }
        }
        Ok(ExitCode::from(exit.code))
    }
}

/// Waits for every worker to serve; an error when one can't.
fn wait_until_ready(bridge: &Bridge) -> anyhow::Result<()> {
    loop {
        let states = bridge.life.states();
        for (worker, state) in states.iter().enumerate() {
            if let WorkerState::Failed(why) = state {
                anyhow::bail!("worker {worker} can't start: {why}");
            }
        }
        if !states.contains(&WorkerState::Starting) {
            return Ok(());
        }
        // Once, at start; workers need a few milliseconds for their rings.
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn spawn(options: engine_worker::Options) -> anyhow::Result<JoinHandle<()>> {
    let (index, bridge) = (options.index, Arc::clone(&options.bridge));
    std::thread::Builder::new()
        .name(format!("worker-{index}"))
        .spawn(move || {
            if let Err(error) = engine_worker::run(options) {
                bridge.life.failed(index, error.to_string());
            }
        })
        .context("can't start a worker's thread")
}

fn choose_driver(snapshot: &Snapshot, operator: &Operator) -> anyhow::Result<Driver> {
    let wish = match snapshot.gateway.driver {
        DriverChoice::Auto => Wish::Auto,
        DriverChoice::IoUring => Wish::IoUring,
        DriverChoice::Monoio => Wish::Monoio,
        DriverChoice::Epoll => Wish::Epoll,
    };
    let (driver, refused) =
        runtime::probe(wish).map_err(|why| anyhow::anyhow!("no I/O driver: {why}"))?;
    if !refused.is_empty() {
        operator.say(format!(
            "io_uring is not fully available, running on {driver}: {}",
            refused.join("; ")
        ));
    }
    Ok(driver)
}

type Sockets = Vec<Vec<Bound>>;
type Listening = Vec<(Arc<str>, engine_net::Address)>;

/// Binds each listener once for every worker; a port of 0 is chosen once and then the same for all.
fn bind(snapshot: &Snapshot, workers: usize) -> anyhow::Result<(Sockets, Listening)> {
    let mut sockets: Sockets = (0..workers).map(|_| Vec::new()).collect();
    let mut listening = Vec::new();
    for settings in &snapshot.listeners {
        let address = engine_worker::address(&settings.address);
        let told = || format!("listener {}: can't listen on {address}", settings.name);
        listener::probe(&address).with_context(told)?;
        let first = Listener::bind(&address, BACKLOG).with_context(told)?;
        let local = first.local();
        for worker in sockets.iter_mut().skip(1) {
            let socket = match &local {
                engine_net::Address::Tcp(_) => Listener::bind(&local, BACKLOG),
                // A Unix socket has one queue: all workers accept from it.
                engine_net::Address::Unix(_) => first.share(),
            };
            worker.push(Bound {
                name: Arc::clone(&settings.name),
                socket: socket.with_context(told)?,
            });
        }
        if let Some(worker) = sockets.first_mut() {
            worker.push(Bound {
                name: Arc::clone(&settings.name),
                socket: first,
            });
        }
        listening.push((Arc::clone(&settings.name), local));
    }
    Ok((sockets, listening))
}

/// A seed that differs between workers and between starts; nothing secret hangs on it.
fn seed(index: usize) -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(index)
}
