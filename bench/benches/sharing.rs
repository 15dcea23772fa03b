//! What two workers do to each other through the memory that they share: nothing, on the steady path.
//!
//! For each structure of the bridge, two threads on two cores do what a request does with it: each on a
//! structure of its own, then both on one. Were a cache line written by one and touched by the other, the
//! second would take longer, as the first row shows, whose line is shared on purpose. Alone stands beside, for
//! what two busy cores cost each other anyhow.
//!
//! `cargo bench -p bench --bench sharing` ends with status 1 when a structure is shared. A word picks
//! structures by name.

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use bench::{Sample, World};
use engine_bridge::board::Total;
use engine_bridge::logs::Line;
use engine_net::runtime::{available_cores, pin_to};
use policy::context::Context;
use protocol::message::Method;

/// Together may take this much of what apart takes, or so many nanoseconds more: a line that goes to and fro
/// costs far more of them, while half of one is a matter of where things happen to lie.
const MOST: f64 = 1.15;
const FEW: f64 = 1.0;

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
    /// Whether there is one line that all workers write, and why.
    known: Option<&'static str>,
    operation: fn(&Shared, usize) -> Run,
}

/// One of everything.
struct Shared {
    world: World,
    line: Arc<AtomicU64>,
    total: Arc<Total>,
}

const STRUCTURES: [Structure; 6] = [
    Structure {
        name: "line",
        what: "one counter that both add to, to show what sharing costs",
        known: Some("shared on purpose"),
        operation: line,
    },
    Structure {
        name: "counters",
        what: "a route's counts and histograms, its upstream's, a listener's, a limit's",
        known: None,
        operation: counters,
    },
    Structure {
        name: "ledger",
        what: "a limit's tokens of the same 100 clients, given back on each tick",
        known: None,
        operation: ledger,
    },
    Structure {
        name: "logs",
        what: "a log's lines, batches handed over and taken",
        known: None,
        operation: logs,
    },
    Structure {
        name: "slot",
        what: "the snapshot's generation, the heartbeat",
        known: None,
        operation: slot,
    },
    Structure {
        name: "board",
        what: "a cap on requests in flight, where one is configured",
        known: Some("one count for all workers: requests pay only where a cap is configured"),
        operation: board,
    },
];

fn main() -> ExitCode {
    let cores = available_cores();
    let [first, second, ..] = cores[..] else {
        println!("sharing: needs two cores");
        return ExitCode::SUCCESS;
    };
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let wanted = |it: &&Structure| {
        words.is_empty() || words.iter().any(|word| it.name.contains(word.as_str()))
    };
    println!("nanoseconds   alone    apart together  together:apart (at most {MOST})");
    let mut worst = ExitCode::SUCCESS;
    for structure in STRUCTURES.iter().filter(wanted) {
        let [alone, apart, together] = medians(structure, [first, second]);
        let ratio = together / apart;
        let verdict = match (ratio > MOST && together > apart + FEW, structure.known) {
            (false, _) => "",
            (true, Some(why)) => why,
            (true, None) => {
                worst = ExitCode::FAILURE;
                "SHARED"
            }
        };
        let name = structure.name;
        println!("{name:10} {alone:8.1} {apart:8.1} {together:8.1} {ratio:8.2}  {verdict}");
        println!("           {}", structure.what);
    }
    worst
}

/// Nanoseconds for an operation: one worker alone; two, each on a structure of its own; two on one.
fn medians(structure: &Structure, cores: [usize; 2]) -> [f64; 3] {
    let once = time(structure, &[(cores[0], 0)], &[Shared::new()], 1_000);
    let count = (TIME.as_nanos() as f64 / once.max(1.0)) as u64 + 1;
    let both = [(cores[0], 0), (cores[1], 1)];
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        let one = Shared::new();
        times[0].push(time(
            structure,
            &both[..1],
            std::slice::from_ref(&one),
            count,
        ));
        times[1].push(time(
            structure,
            &both,
            &[Shared::new(), Shared::new()],
            count,
        ));
        times[2].push(time(structure, &both, &[one], count));
    }
    times.map(|mut all| {
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    })
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
            total: Arc::default(),
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
    let total = Arc::clone(&shared.total);
    repeat(move || {
        black_box(Total::acquire(&total, 1_000));
    })
}
