//! What two workers do to each other through the memory that they share: nothing, on the steady path.
//!
//! For each structure of the bridge, two threads on two cores do what a request does with it: each on a
//! structure of its own (apart), and both on one (together). In every round `apart` is timed twice, as A and
//! A', and `together` once, in an order that rotates. Of a structure, in nanoseconds per operation:
//!
//! - extra: the median over the rounds of (together - A), what sharing costs;
//! - noise: the greatest |A' - A| of any round, what the same arrangement differs from itself by;
//!
//! and of the machine
//!
//! - transfer: the extra of the control, a counter that both threads add to.
//!
//! A structure is SHARED when its extra is above its noise and above a quarter of the transfer. The control is
//! timed in each run: when the transfer is at most three times the control's noise, this machine can't show
//! sharing, and no structure is judged. One whose noise is above the transfer passes, but is marked: a line that
//! goes to and fro once in an operation would not have been seen.
//!
//! `cargo bench -p bench --bench sharing` ends with status 1 when a structure is shared, with 2 when it can't
//! tell. A word picks structures by name.

use std::collections::VecDeque;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use bench::{Sample, World};
use engine_bridge::board::Shares;
use engine_bridge::logs::Line;
use engine_net::runtime::{available_cores, pin_to};
use policy::context::Context;
use protocol::message::Method;

/// Each arrangement is timed so often, in turn with the others, and so long.
const ROUNDS: usize = 9;
const TIME: Duration = Duration::from_millis(40);

const TEXT: &str = r#"
[listener.public]
address = "127.0.0.1:0"

[access_log.main]
path = "access.log"

[limit.per_ip]
rate = "1000000000/s"
key = "ip"

[route.all]
path = "/*"
respond = "200 ok"
auth = "none"
access_log = "main"
limits = ["per_ip"]
"#;

/// Does so many operations.
type Run = Box<dyn FnMut(u64)>;

/// What is shared, and what a request does with it on one worker.
struct Structure {
    name: &'static str,
    what: &'static str,
    operation: fn(&Shared, usize) -> Run,
}

/// One of everything.
struct Shared {
    world: World,
    line: Arc<AtomicU64>,
}

const CONTROL: Structure = Structure {
    name: "line",
    what: "the control: one counter that both add to, shared on purpose",
    operation: line,
};

const STRUCTURES: [Structure; 5] = [
    Structure {
        name: "counters",
        what: "a route's counts and histograms, its upstream's, a listener's, a limit's",
        operation: counters,
    },
    Structure {
        name: "ledger",
        what: "a limit's tokens of the same 100 clients, given back on each tick",
        operation: ledger,
    },
    Structure {
        name: "logs",
        what: "a log's lines, batches handed over and taken",
        operation: logs,
    },
    Structure {
        name: "slot",
        what: "the snapshot's generation, the heartbeat",
        operation: slot,
    },
    Structure {
        name: "board",
        what: "a cap on requests in flight: up to 32 of each worker, surplus given back on each tick",
        operation: board,
    },
];

fn main() -> ExitCode {
    let cores = available_cores();
    let [first, second, ..] = cores[..] else {
        println!("sharing: can't tell on this machine: it takes two cores");
        return ExitCode::from(2);
    };
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let wanted = |it: &&Structure| {
        words.is_empty() || words.iter().any(|word| it.name.contains(word.as_str()))
    };
    println!("nanoseconds   apart    extra    noise");
    let control = Found::of(&CONTROL, [first, second]);
    let transfer = control.extra;
    control.print(&CONTROL, "");
    if transfer <= 3.0 * control.noise {
        println!(
            "sharing: can't tell on this machine: the control's extra is within 3 times its noise"
        );
        return ExitCode::from(2);
    }
    let mut status = ExitCode::SUCCESS;
    for structure in STRUCTURES.iter().filter(wanted) {
        let found = Found::of(structure, [first, second]);
        let shared = found.extra > found.noise.max(transfer / 4.0);
        let verdict = if shared {
            status = ExitCode::FAILURE;
            "SHARED"
        } else if found.noise > transfer {
            "too noisy to see a line shared once"
        } else {
            ""
        };
        found.print(structure, verdict);
    }
    status
}

/// What the rounds gave of a structure, in nanoseconds per operation.
struct Found {
    /// The median of A.
    apart: f64,
    extra: f64,
    noise: f64,
}

impl Found {
    fn of(structure: &Structure, cores: [usize; 2]) -> Found {
        let both = [(cores[0], 0), (cores[1], 1)];
        let once = time(structure, &both, &[Shared::new(), Shared::new()], 1_000);
        let count = (TIME.as_nanos() as f64 / once.max(1.0)) as u64 + 1;
        let (mut aparts, mut extras, mut noise) = (Vec::new(), Vec::new(), 0_f64);
        for round in 0..ROUNDS {
            // A, A', together; each begins in a third of the rounds.
            let mut times = [0.0; 3];
            for place in 0..3 {
                let which = (round + place) % 3;
                let shared: &[Shared] = match which {
                    2 => &[Shared::new()],
                    _ => &[Shared::new(), Shared::new()],
                };
                times[which] = time(structure, &both, shared, count);
            }
            let [apart, again, together] = times;
            aparts.push(apart);
            extras.push(together - apart);
            noise = noise.max((again - apart).abs());
        }
        Found {
            apart: median(aparts),
            extra: median(extras),
            noise,
        }
    }

    fn print(&self, structure: &Structure, verdict: &str) {
        let Found {
            apart,
            extra,
            noise,
        } = self;
        println!(
            "{:10} {apart:8.1} {extra:8.1} {noise:8.1}  {verdict}",
            structure.name
        );
        println!("           {}", structure.what);
    }
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// Nanoseconds for an operation of these workers, each with its core, at the same time; they use the
/// structures in turn.
fn time(structure: &Structure, workers: &[(usize, usize)], shared: &[Shared], count: u64) -> f64 {
    let barrier = Barrier::new(workers.len());
    let nanoseconds = std::thread::scope(|scope| {
        let run = |(core, worker): (usize, usize)| {
            let (barrier, shared) = (&barrier, &shared[worker % shared.len()]);
            scope.spawn(move || {
                pin_to(core).expect("the core is one of ours");
                let mut run = (structure.operation)(shared, worker);
                run(count / 10);
                barrier.wait();
                let begun = Instant::now();
                run(count);
                begun.elapsed().as_nanos() as f64 / count as f64
            })
        };
        let threads: Vec<_> = workers.iter().map(|worker| run(*worker)).collect();
        let times = threads
            .into_iter()
            .map(|thread| thread.join().expect("it does not panic"));
        times.sum::<f64>()
    });
    nanoseconds / workers.len() as f64
}

impl Shared {
    fn new() -> Shared {
        Shared {
            world: World::new(TEXT, 2),
            line: Arc::default(),
        }
    }
}

/// What does an operation so many times.
fn repeat(mut operation: impl FnMut() + 'static) -> Run {
    Box::new(move |count| {
        for _ in 0..count {
            operation();
        }
    })
}

fn line(shared: &Shared, _: usize) -> Run {
    let line = Arc::clone(&shared.line);
    repeat(move || {
        line.fetch_add(1, Ordering::Relaxed);
    })
}

fn counters(shared: &Shared, worker: usize) -> Run {
    let metrics = &shared.world.bridge.metrics;
    let (route, backend) = (
        metrics.route(worker, "all"),
        metrics.backend(worker, "up", "all"),
    );
    let (upstream, listener) = (
        metrics.upstream(worker, "up"),
        metrics.listener(worker, "public"),
    );
    let limit = metrics.limit(worker, "per_ip");
    let mut total = 50_000;
    repeat(move || {
        total = (total + 7_919) % 5_000_000;
        listener.opened();
        upstream.active.inc();
        route.count(
            black_box(Method::Get),
            black_box(200),
            total,
            Some(total / 2),
        );
        backend.observe(total / 2);
        limit.exceeded.inc();
        upstream.active.dec();
        listener.closed();
    })
}

fn ledger(shared: &Shared, _: usize) -> Run {
    let (mut state, mut context) = (shared.world.state(), Context::new());
    let snapshot = Arc::clone(&shared.world.snapshot);
    let sample = Sample::get("/", "");
    let mut now = 0;
    repeat(move || {
        // As the time passes that an operation takes, so that ticks come as they would.
        now += 100;
        context.clear();
        let client = [192, 0, 2, (now / 100 % 100) as u8].into();
        let view = black_box(&sample).view(now, client);
        let verdict = snapshot.routes[0]
            .chain
            .request(&view, &mut state, &mut context);
        assert!(verdict.refusal().is_none());
        if now.is_multiple_of(10_000_000) {
            state.tick(now);
        }
    })
}

fn logs(shared: &Shared, worker: usize) -> Run {
    let world = &shared.world;
    let mut sink = world
        .bridge
        .logs
        .sink(worker, &world.snapshot.access_logs[0]);
    let log = Arc::clone(&world.bridge.logs.all()[0]);
    let mut lines = 0_u64;
    repeat(move || {
        let line = sink.line(|out| {
            out.extend_from_slice(black_box(&[b'x'; 300]));
            out.push(b'\n');
        });
        assert_eq!(line, Line::Written);
        lines += 1;
        // Somewhat more often than there are batches: the writer's part.
        if lines.is_multiple_of(200)
            && let Some(batch) = log.take()
        {
            log.give_back(batch);
        }
    })
}

fn slot(shared: &Shared, worker: usize) -> Run {
    let bridge = Arc::clone(&shared.world.bridge);
    let mut now = 0;
    repeat(move || {
        now += 1;
        black_box(bridge.slot.generation());
        bridge.life.beat(worker, now);
        bridge.life.in_flight(worker, now);
    })
}

fn board(shared: &Shared, _: usize) -> Run {
    let shares = Shares::new(&shared.world.bridge.board);
    let share = shares.in_flight("up");
    let mut held = VecDeque::with_capacity(64);
    let mut now = 0_u64;
    repeat(move || {
        // As the time passes that an operation takes, so that ticks come as they would.
        now += 100;
        held.push_back(black_box(share.acquire(1_000)));
        // None, one or two end, so that their number goes up and down.
        let chance = now.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let end = if held.len() < 32 { chance % 3 } else { 2 };
        for _ in 0..end {
            assert!(!matches!(held.pop_front(), Some(None)), "far from the cap");
        }
        if now.is_multiple_of(10_000_000) {
            shares.tick();
        }
    })
}
