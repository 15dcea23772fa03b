//! One worker: its thread, its core, and the course of a run on it.
//!
//! First connections are opened before the run begins, so that it begins at full strength and they are not measured.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use engine_net::tls::ConnectorSettings;
use engine_net::{Address, Either, clock, race, runtime};

use super::board::Board;
use super::cpu::Usage;
use super::link::{Link, Secure, open, record};
use super::pacer::{pacer, start};
use super::schedule::Schedule;
use super::world::{Gate, Open, Pace, World};
use crate::results::{Mode, Part};
use crate::scenario::{Load, Scenario, Stage};

/// How often a worker looks at the board.
const TICK: u64 = 100_000_000;
/// First connections that are opened at the same time: no more than a server's queue holds.
const AT_ONCE: usize = 64;

/// How long after its end an open loop still sends what was due before it.
const OVERTIME: u64 = 1_000_000_000;

/// What a worker is told.
pub(super) struct Job {
    pub(super) scenario: Arc<Scenario>,
    pub(super) address: Address,
    /// What connectors are made of, if TLS is spoken.
    pub(super) tls: Option<Arc<ConnectorSettings>>,
    pub(super) worker: usize,
    pub(super) workers: usize,
    /// The core it stays on; none: any.
    pub(super) core: Option<usize>,
    pub(super) driver: runtime::Driver,
    pub(super) pipeline: usize,
    pub(super) board: Arc<Board>,
}

/// What a worker tells in the end.
pub(super) struct Report {
    pub(super) part: Part,
    /// When its part of the run ended: nothing was due any more, and what had been due was sent or given up.
    pub(super) end: u64,
    /// When its last request ended.
    pub(super) last: u64,
    /// What it cost, over `measured_ns`.
    pub(super) usage: Usage,
    pub(super) measured_ns: u64,
}

/// Runs a worker on this thread; none if the run never began.
pub(super) fn run(job: Job) -> io::Result<Option<Report>> {
    pin(job.core)?;
    runtime::run(job.driver, || async move {
        let world = Rc::new(job.world());
        first_connections(&world, job.first_connections()).await;
        job.lay_out(&world);
        job.board.be_ready();
        match job.beginning(runtime::sleep).await {
            Some(start) => Some(job.course(&world, start, runtime::sleep).await),
            None => None,
        }
    })
}

/// Keeps this thread on a core, if one is named.
pub(super) fn pin(core: Option<usize>) -> io::Result<()> {
    let Some(core) = core else {
        return Ok(());
    };
    runtime::pin_to(core).map_err(|error| {
        let cores = runtime::available_cores();
        let cores: Vec<String> = cores.iter().map(usize::to_string).collect();
        let cores = cores.join(", ");
        io::Error::other(format!(
            "core {core} can't be had ({error}); this process may use {cores}"
        ))
    })
}

impl Job {
    pub(super) fn world(&self) -> World {
        let scenario = &self.scenario;
        let pace = match &scenario.load {
            Load::Closed { requests, .. } => Pace::Closed {
                left: requests.map(|all| Cell::new(self.share(all))),
            },
            Load::Open {
                stages,
                connections,
            } => {
                let stages = with_warmup(stages, scenario.warmup);
                let (arrivals, seed) = (scenario.arrivals, scenario.seed);
                let schedule = Schedule::new(&stages, arrivals, seed, self.worker, self.workers);
                Pace::Open(Open::new(
                    schedule,
                    self.share(*connections as u64) as usize,
                ))
            }
        };
        let unix_now = clock::unix_millis() / 1000;
        let secure = self.tls.clone().zip(scenario.target.tls.as_ref());
        World {
            address: self.address.clone(),
            secure: secure
                .map(|(settings, tls)| Secure::new(settings, tls.name.clone(), tls.resume)),
            places: Cell::new(0),
            generator: RefCell::new(scenario.generator(self.worker, self.workers, unix_now)),
            text: RefCell::default(),
            part: RefCell::new(self.part(0)),
            pace,
            timeout: scenario.timeout.as_nanos() as u64,
            pipeline: self.pipeline.max(1),
            counted_from: Cell::new(u64::MAX),
            end: Cell::new(u64::MAX),
            cut: Cell::new(u64::MAX),
            taken: Cell::new(0),
            last: Cell::new(0),
            live: Cell::new(0),
            first: RefCell::default(),
            reasons: RefCell::default(),
            gate: Gate::default(),
            all_gone: Gate::default(),
            scenario: scenario.clone(),
        }
    }

    fn part(&self, start: u64) -> Part {
        let mode = match self.scenario.load {
            Load::Closed { .. } => Mode::Closed,
            Load::Open { .. } => Mode::Open,
        };
        Part::new(start, mode, self.scenario.templates.len())
    }

    /// This worker's share of a whole.
    fn share(&self, all: u64) -> u64 {
        let (worker, workers) = (self.worker as u64, self.workers as u64);
        all / workers + u64::from(worker < all % workers)
    }

    pub(super) fn first_connections(&self) -> usize {
        let all = match self.scenario.load {
            Load::Closed { connections, .. } => connections,
            Load::Open { connections, .. } => connections.min(super::FIRST_CONNECTIONS),
        };
        self.share(all as u64) as usize
    }

    /// Lays out on the board what there is to be seen.
    pub(super) fn lay_out(&self, world: &World) {
        if let Some(mut desk) = self.board.desk(self.worker) {
            let part = world.part.borrow();
            let seen = desk.seconds.len();
            desk.seconds
                .extend(part.seconds().iter().skip(seen).cloned());
            desk.connections = world.first.borrow().len();
            desk.reasons.clone_from(&world.reasons.borrow());
            desk.tls = world.secure.as_ref().and_then(Secure::agreed);
        }
    }

    /// Waits until the run begins; none if it never will.
    pub(super) async fn beginning<S: Future>(&self, sleep: impl Fn(Duration) -> S) -> Option<u64> {
        while !self.board.is_aborted() {
            if let Some(start) = self.board.start() {
                return Some(start);
            }
            sleep(Duration::from_millis(1)).await;
        }
        None
    }

    /// The run, from its beginning to its end; waits as `sleep` does, since that is a matter of the runtime.
    pub(super) async fn course<S: Future>(
        &self,
        world: &Rc<World>,
        begin: u64,
        sleep: impl Fn(Duration) -> S,
    ) -> Report {
        let counted_from = begin + self.scenario.warmup.as_nanos() as u64;
        let end = match (&self.scenario.load, &world.pace) {
            (Load::Closed { duration, .. }, _) => duration.map_or(u64::MAX, |duration| {
                counted_from.saturating_add(duration.as_nanos() as u64)
            }),
            (_, Pace::Open(open)) => begin + open.schedule.borrow().length_ns(),
            (_, Pace::Closed { .. }) => counted_from,
        };
        while clock::now() < begin {
            sleep(Duration::from_millis(1)).await;
        }
        let mut part = self.part(counted_from);
        for took in world.first.borrow().iter() {
            record(&mut part, took);
        }
        world.part.replace(part);
        world.counted_from.set(counted_from);
        world.end.set(end);
        world.cut.set(match &world.pace {
            Pace::Closed { .. } => end,
            Pace::Open(_) => end + OVERTIME,
        });
        world.last.set(counted_from);
        if let Pace::Open(open) = &world.pace {
            open.origin.set(begin);
            world.live.set(world.live.get() + 1);
            runtime::spawn(pacer(world.clone()));
        }
        world.gate.open();
        let (usage, measured_ns) = self.watch(world, counted_from, sleep).await;
        self.lay_out(world);
        Report {
            part: world.part.replace(self.part(counted_from)),
            end: world.end.get().max(world.taken.get()).min(clock::now()),
            last: world.last.get(),
            usage,
            measured_ns,
        }
    }

    /// Looks at the board from time to time until all connections are gone; gives what the worker cost meanwhile.
    async fn watch<S: Future>(
        &self,
        world: &Rc<World>,
        counted_from: u64,
        sleep: impl Fn(Duration) -> S,
    ) -> (Usage, u64) {
        let mut gone = pin!(world.all_gone.opened());
        let mut first = (clock::now(), Usage::of_thread());
        let mut last = None;
        loop {
            let now = clock::now();
            if self.board.is_stopped() {
                world.end_by(now);
            }
            if first.0 < counted_from && now >= counted_from {
                first = (now, Usage::of_thread());
            }
            if now >= world.end.get() && last.is_none() {
                last = Some((now, Usage::of_thread()));
            }
            if self.board.is_aborted() {
                break;
            }
            world.generator.borrow_mut().refresh();
            world.part.borrow_mut().tick(now);
            self.lay_out(world);
            let marks = [counted_from, world.end.get()];
            let next = marks.iter().filter(|mark| **mark > now).min();
            let rest = next.map_or(TICK, |mark| (mark - now).min(TICK));
            let tick = pin!(sleep(Duration::from_nanos(rest)));
            if let Either::First(()) = race(gone.as_mut(), tick).await {
                break;
            }
        }
        let last = last.unwrap_or_else(|| (clock::now(), Usage::of_thread()));
        (last.1.since(first.1), last.0.saturating_sub(first.0).max(1))
    }
}

/// The warm-up of an open loop goes at the rate that the first stage begins with.
fn with_warmup(stages: &[Stage], warmup: Duration) -> Vec<Stage> {
    let rate = stages.first().map_or(0.0, |stage| stage.from_rate);
    let warmup = (!warmup.is_zero()).then_some(Stage {
        duration: warmup,
        from_rate: rate,
        to_rate: rate,
    });
    warmup.into_iter().chain(stages.iter().copied()).collect()
}

/// Opens the connections that the run begins with, and starts their tasks.
async fn first_connections(world: &Rc<World>, count: usize) {
    let left = Rc::new(Cell::new(count));
    let running = Rc::new(Cell::new(count.min(AT_ONCE)));
    let done = Rc::new(Gate::default());
    for _ in 0..running.get() {
        let (world, left, running, done) =
            (world.clone(), left.clone(), running.clone(), done.clone());
        runtime::spawn(async move {
            while left.get() > 0 {
                left.set(left.get() - 1);
                let place = world.place();
                let link = first_connection(&world, place).await;
                // Of an open loop only connections that are there are of use.
                if link.is_some() || matches!(world.pace, Pace::Closed { .. }) {
                    start(&world, place, link);
                }
            }
            running.set(running.get() - 1);
            if running.get() == 0 {
                done.open();
            }
        });
    }
    if count > 0 {
        done.opened().await;
    }
}

async fn first_connection(world: &World, place: usize) -> Option<Link> {
    // Where one could not be opened the others need not wait for it, too.
    if world.reasons.borrow().refused.is_some() {
        return None;
    }
    let link = open(world, place).await.ok()?;
    world.first.borrow_mut().push(link.took);
    Some(link)
}
