//! Token buckets: that of one key, in a ledger of few keys and of a million.
//!
//! There are two operations, and neither may grow with the number of keys: `hot` spends from what the worker
//! has on lease, as a key does that is used often; `once` asks the ledger, as one does that is used once
//! in a tick. `turn` is all keys in turn, ticks as they come: of one key one request in a thousand asks, of a thousand keys
//! or more each does, so that between these `turn` goes from the price of `hot` to that of `once`, and then stays.

use std::hint::black_box;
use std::net::Ipv4Addr;

use policy::context::Context;

use crate::{Sample, Subject, World};

const TEXT: &str = r#"
[listener.public]
address = "127.0.0.1:0"

[limit.plenty]
rate = "1000000000/s"
key = "ip"
max_keys = 2000000

[limit.little]
rate = "1/h"
key = "ip"

[route.plenty]
path = "/plenty"
respond = "200 ok"
auth = "none"
limits = ["plenty"]

[route.little]
path = "/little"
respond = "200 ok"
auth = "none"
limits = ["little"]
"#;

/// How many keys the ledger remembers.
const KEYS: [u32; 4] = [1, 1_000, 100_000, 1_000_000];

/// Nanoseconds between two requests, and how many there are between two ticks.
const PACE: u64 = 10_000;
const TICK: u64 = 1_000;

/// The subjects of this room.
pub fn all() -> Vec<Subject> {
    let mut subjects = Vec::new();
    for keys in KEYS {
        subjects.push(subject("hot", keys, |limit, keys, count| {
            limit.take(keys / 2);
            if count.is_multiple_of(TICK) {
                limit.tick();
            }
        }));
        subjects.push(subject("once", keys, |limit, keys, count| {
            limit.take(spread(keys, count));
            limit.tick();
        }));
        subjects.push(subject("turn", keys, |limit, keys, count| {
            limit.take(spread(keys, count));
            if count.is_multiple_of(TICK) {
                limit.tick();
            }
        }));
    }
    subjects.push(Subject::new("limit/empty", || {
        let mut limit = Limit::new("little");
        limit.take(1);
        move || {
            black_box(limit.take(1));
        }
    }));
    subjects
}

fn subject(name: &str, keys: u32, operation: impl Fn(&mut Limit, u32, u64) + 'static) -> Subject {
    Subject::new(format!("limit/{name}/{keys}"), move || {
        let mut limit = Limit::new("plenty");
        // Every key once, and a few ticks for what the worker holds to grow to its size.
        for count in 0..u64::from(keys).max(8 * TICK) {
            limit.take(spread(keys, count));
            if count.is_multiple_of(TICK) {
                limit.tick();
            }
        }
        let mut count = 0;
        move || {
            count += 1;
            operation(&mut limit, keys, count);
        }
    })
}

/// All keys in turn, in no order that a cache could foresee.
fn spread(keys: u32, count: u64) -> u32 {
    (count * 600_011 % u64::from(keys)) as u32
}

/// A route's limit on one worker.
struct Limit {
    world: World,
    route: usize,
    state: policy::chain::State,
    context: Context,
    sample: Sample,
    now: u64,
}

impl Limit {
    fn new(route: &str) -> Limit {
        let world = World::new(TEXT, 1);
        let route = world.route(route);
        Limit {
            state: world.state(),
            world,
            route,
            context: Context::new(),
            sample: Sample::get("/", ""),
            now: 0,
        }
    }

    /// A request of a client; true when it is refused.
    #[inline]
    fn take(&mut self, client: u32) -> bool {
        self.now += PACE;
        self.context.clear();
        let view = black_box(&self.sample).view(self.now, Ipv4Addr::from(client).into());
        let chain = &self.world.snapshot.routes[self.route].chain;
        let verdict = chain.request(&view, &mut self.state, &mut self.context);
        verdict.refusal().is_some()
    }

    fn tick(&mut self) {
        self.state.tick(self.now);
    }
}
