//! Running a scenario: one pinned thread per core, a closed or an open loop, and what comes of it.
//!
//! This is the course of one run as the starting thread sees it. What a worker does is in `worker`, what a connection does
//! in `connection`; the search for a rate is in `sweep`, the command in `command`.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use engine_net::{Address, clock, runtime};

use crate::results::{About, ErrorKind, Generator, Mode, Part, Results};
use crate::scenario::{Arrivals, Http, Load, Scenario};

mod board;
pub mod command;
mod connection;
mod cpu;
mod exchange;
mod foreign;
mod line;
mod link;
mod multiplexed;
mod pacer;
mod progress;
mod reasons;
mod schedule;
mod signals;
mod sweep;
#[cfg(test)]
mod tests;
mod timer;
mod trust;
mod verdict;
mod worker;
mod world;

use board::Board;
pub use progress::Progress;
pub use signals::Signals;
use worker::{Job, Report};

/// How many connections an open loop begins with; more are opened when requests wait for one.
pub(crate) const FIRST_CONNECTIONS: usize = 64;
/// How often this thread looks at what the others do.
const LOOK: Duration = Duration::from_millis(50);
/// From the decision to begin until the beginning, so that every worker has heard of it.
const LEAD: u64 = 5_000_000;

/// How a scenario is run, beside what it says itself.
#[derive(Clone, Debug)]
pub struct Setup {
    /// What the run is called.
    pub name: String,
    /// The command line, for the record.
    pub command: String,
    /// The rates as the user wrote them.
    pub rates: Option<String>,
    /// One worker for each; its core, if it is to stay on one.
    pub cores: Vec<Option<usize>>,
    /// How workers wait for sockets.
    pub driver: runtime::Driver,
    /// Requests sent together on one connection.
    pub pipeline: usize,
    /// Who speaks HTTP/2.
    pub client: Client,
}

/// Who speaks HTTP/2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Client {
    /// The generator itself.
    #[default]
    Own,
    /// The h2 crate, which shares no code with it: h2c in a closed loop.
    Crate,
}

/// Why there are no results.
#[derive(Debug)]
pub enum Failure {
    /// The target has no address.
    Unknown(String),
    /// Not one connection could be opened.
    Unreachable(String),
    /// The client that was chosen can't do what the scenario wants.
    Unfit(&'static str),
    /// TLS can't be spoken: nobody to trust, or nothing that can be read.
    Tls(String),
    /// A thread could not be started, or its core or its ring could not be had.
    Worker(io::Error),
    /// The user ended it before it began.
    Interrupted,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Unknown(why) | Failure::Unreachable(why) => out.write_str(why),
            Failure::Unfit(why) => write!(out, "the h2 crate as client {why}"),
            Failure::Tls(why) => write!(out, "TLS: {why}"),
            Failure::Worker(error) => write!(out, "a worker could not start: {error}"),
            Failure::Interrupted => out.write_str("interrupted before it began"),
        }
    }
}

impl std::error::Error for Failure {}

/// Runs the scenario once, to its end or until it is interrupted.
///
/// # Errors
/// When it could not begin.
pub fn execute(
    scenario: &Scenario,
    setup: &Setup,
    signals: &Signals,
    progress: &mut Progress,
) -> Result<Results, Failure> {
    if setup.client == Client::Crate {
        foreign::fits(scenario).map_err(Failure::Unfit)?;
    }
    let address = resolve(scenario)?;
    let tls = trust::settings(&scenario.target)?;
    let workers = workers(scenario, setup);
    let board = Arc::new(Board::new(workers));
    let shared = Arc::new(scenario.clone());
    scenario.mint(unix_now());
    let mut threads = Vec::with_capacity(workers);
    for (worker, core) in setup.cores.iter().take(workers).enumerate() {
        let job = Job {
            scenario: shared.clone(),
            address: Address::Tcp(address),
            tls: tls.clone(),
            worker,
            workers,
            core: *core,
            driver: setup.driver,
            pipeline: setup.pipeline,
            board: board.clone(),
        };
        let thread = std::thread::Builder::new()
            .name(format!("load-{worker}"))
            .spawn(match setup.client {
                Client::Own => Box::new(move || worker::run(job)) as Box<dyn FnOnce() -> _ + Send>,
                Client::Crate => Box::new(move || foreign::run(job)),
            });
        match thread {
            Ok(thread) => threads.push(thread),
            Err(error) => {
                board.abort();
                return Err(Failure::Worker(error));
            }
        }
    }
    let course = Course {
        scenario,
        board: &board,
        threads,
    };
    course.run(address, setup, signals, progress)
}

/// How many workers there will be: no more than connections.
fn workers(scenario: &Scenario, setup: &Setup) -> usize {
    let (Load::Closed { connections, .. } | Load::Open { connections, .. }) = scenario.load;
    setup.cores.len().min(connections).max(1)
}

/// The target's first address.
fn resolve(scenario: &Scenario) -> Result<SocketAddr, Failure> {
    let (host, port) = (scenario.target.host.as_str(), scenario.target.port);
    let unknown = |why: String| Failure::Unknown(format!("`{host}` has no address: {why}"));
    let mut found = (host, port)
        .to_socket_addrs()
        .map_err(|error| unknown(error.to_string()))?;
    found
        .next()
        .ok_or_else(|| unknown("none was found".to_owned()))
}

fn unix_now() -> u64 {
    clock::unix_millis() / 1000
}

/// A run whose threads have been started.
struct Course<'a> {
    scenario: &'a Scenario,
    board: &'a Board,
    threads: Vec<JoinHandle<io::Result<Option<Report>>>>,
}

impl Course<'_> {
    fn run(
        self,
        address: SocketAddr,
        setup: &Setup,
        signals: &Signals,
        progress: &mut Progress,
    ) -> Result<Results, Failure> {
        if let Err(failure) = self.get_ready(address, signals) {
            self.board.abort();
            // A worker's own reason says more.
            self.reports()?;
            return Err(failure);
        }
        let started_unix_ms = clock::unix_millis();
        let begin = clock::now() + LEAD;
        self.board.begin(begin);
        let counted_from = begin + self.scenario.warmup.as_nanos() as u64;
        let before = cpu::of_process();
        self.watch(signals, progress);
        let cpu_ns = cpu::of_process().saturating_sub(before);
        let board = self.board;
        let scenario = self.scenario;
        let reports = self.reports()?;
        progress.done();
        tell_reasons(board, progress);
        let Some(mut whole) = Whole::of(reports, scenario) else {
            return Err(Failure::Interrupted);
        };
        whole.generator.cpu_ns = cpu_ns;
        let about = about(scenario, setup, started_unix_ms, board);
        let names: Vec<String> = scenario
            .templates
            .iter()
            .map(|template| template.name().to_owned())
            .collect();
        let end = whole.end.max(counted_from + 1);
        let mut results = whole.part.finish(end, about, &names, whole.generator, None);
        results.examples = examples(board);
        verdict::judge(&mut results, whole.waited);
        Ok(results)
    }

    /// Waits until every worker has opened its first connections.
    fn get_ready(&self, address: SocketAddr, signals: &Signals) -> Result<(), Failure> {
        while !self.board.all_ready() {
            if signals.count() > 0 {
                return Err(Failure::Interrupted);
            }
            if self.threads.iter().any(JoinHandle::is_finished) {
                return Err(Failure::Worker(io::Error::other("it has ended")));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let mut refused = None;
        for worker in 0..self.board.workers() {
            let desk = self.board.desk(worker);
            if let Some(desk) = desk {
                if desk.connections > 0 {
                    return Ok(());
                }
                refused = refused.or_else(|| desk.reasons.refused.clone());
            }
        }
        let mut why = refused.unwrap_or_else(|| "no reason was given".to_owned());
        if let Some(hint) = reasons::hint_on_refusal(&why, self.scenario) {
            why = format!("{why}; {hint}");
        }
        Err(Failure::Unreachable(format!(
            "no connection to {address} could be opened: {why}"
        )))
    }

    /// Looks on until all workers are done.
    fn watch(&self, signals: &Signals, progress: &mut Progress) {
        let mut renewed = unix_now();
        while !self.threads.iter().all(JoinHandle::is_finished) {
            match signals.count() {
                0 => {}
                1 => self.board.stop(),
                _ => self.board.abort(),
            }
            let now = unix_now();
            if now != renewed {
                renewed = now;
                self.scenario.renew(now);
            }
            progress.show(self.board);
            std::thread::sleep(LOOK);
        }
        progress.show(self.board);
    }

    /// What the workers have to tell, once they have ended.
    fn reports(self) -> Result<Vec<Report>, Failure> {
        let mut reports = Vec::with_capacity(self.threads.len());
        for thread in self.threads {
            let ended = thread
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("it panicked")));
            reports.extend(ended.map_err(Failure::Worker)?);
        }
        Ok(reports)
    }
}

/// Says what lies behind errors that the table only counts.
fn tell_reasons(board: &Board, progress: &mut Progress) {
    let mut told = Vec::new();
    for desk in (0..board.workers()).filter_map(|worker| board.desk(worker)) {
        let refused = desk.reasons.refused.as_ref();
        told.extend(refused.map(|why| format!("a connection could not be opened: {why}")));
        let malformed = desk.reasons.malformed;
        told.extend(malformed.map(|rule| format!("an answer was not valid HTTP: {rule}")));
    }
    told.sort_unstable();
    told.dedup();
    told.iter().for_each(|line| progress.say(line));
}

/// An unexpected answer of each kind, the first worker's.
fn examples(board: &Board) -> BTreeMap<ErrorKind, String> {
    let mut examples = BTreeMap::new();
    for desk in (0..board.workers()).filter_map(|worker| board.desk(worker)) {
        for (kind, example) in &desk.reasons.unexpected {
            examples.entry(*kind).or_insert_with(|| example.clone());
        }
    }
    examples
}

/// The workers' reports, merged.
struct Whole {
    part: Part,
    end: u64,
    generator: Generator,
    /// The largest share of its time that a worker waited for its core.
    waited: f64,
}

impl Whole {
    fn of(reports: Vec<Report>, scenario: &Scenario) -> Option<Whole> {
        let closed = matches!(scenario.load, Load::Closed { .. });
        let mut whole: Option<Whole> = None;
        for report in reports {
            let share = |ns: u64| ns as f64 / report.measured_ns as f64;
            let busy = share(report.usage.busy_ns).min(1.0);
            let waited = share(report.usage.waited_ns).min(1.0);
            // A closed loop keeps its connections busy until the last answer; an open one has its schedule.
            let end = match closed {
                true => report.last,
                false => report.end,
            };
            match &mut whole {
                None => {
                    whole = Some(Whole {
                        part: report.part,
                        end,
                        generator: Generator {
                            workers: vec![busy],
                            ..Generator::default()
                        },
                        waited,
                    });
                }
                Some(whole) => {
                    whole.part.merge(&report.part);
                    whole.end = whole.end.max(end);
                    whole.generator.workers.push(busy);
                    whole.waited = whole.waited.max(waited);
                }
            }
        }
        whole
    }
}

fn about(scenario: &Scenario, setup: &Setup, started_unix_ms: u64, board: &Board) -> About {
    let (mode, connections) = match scenario.load {
        Load::Closed { connections, .. } => (Mode::Closed, connections),
        Load::Open { connections, .. } => (Mode::Open, connections),
    };
    About {
        name: setup.name.clone(),
        target: scenario.target.url.clone(),
        command: setup.command.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_unix_ms,
        mode,
        rates: setup.rates.clone(),
        connections: connections as u64,
        streams: match scenario.target.http {
            Http::Http1 => 0,
            Http::Http2 => scenario.streams as u64,
        },
        client: (setup.client == Client::Crate).then(|| "the h2 crate".to_owned()),
        arrivals: (scenario.arrivals == Arrivals::Poisson).then(|| "Poisson".to_owned()),
        tls: (0..board.workers())
            .find_map(|worker| board.desk(worker).and_then(|desk| desk.tls.clone())),
        workers: board.workers() as u64,
        interrupted: board.is_stopped(),
    }
}
