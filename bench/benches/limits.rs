//! Token buckets: one hot key, many keys in turn, and one that is empty.

use std::hint::black_box;
use std::net::Ipv4Addr;

use bench::{Sample, World};
use criterion::{Criterion, criterion_group, criterion_main};
use policy::context::Context;

const TEXT: &str = r#"
[listener.public]
address = "127.0.0.1:0"

[limit.plenty]
rate = "1000000000/s"
key = "ip"

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

fn limits(criterion: &mut Criterion) {
    let world = World::new(TEXT);
    let [plenty, little] = [0, 1].map(|id| &world.snapshot.routes[id].chain);
    let cases = [
        ("one_key", plenty, 1),
        ("1000_keys", plenty, 1_000),
        ("100000_keys", plenty, 100_000),
        ("empty", little, 1),
    ];
    let sample = Sample::get("/", "");
    let mut group = criterion.benchmark_group("limit");
    for (name, chain, keys) in cases {
        let (mut state, mut context) = (world.state(), Context::new());
        let (mut now, mut next) = (0, 0_u32);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                now += 10_000;
                next = (next + 6_007) % keys;
                context.clear();
                let view = black_box(&sample).view(now, Ipv4Addr::from(next).into());
                let verdict = chain.request(&view, &mut state, &mut context);
                if now % 10_000_000 == 0 {
                    state.tick(now);
                }
                verdict.refusal().is_some()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, limits);
criterion_main!(benches);
