//! A route's policies in their order: public, with a token that is in the cache, with one that is
//! verified each time, and the gateway job's chain with 100 users in turn.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};

use bench::{Sample, World, token};
use criterion::{Criterion, criterion_group, criterion_main};
use policy::context::Context;
use policy::verdict::Verdict;

const TEXT: &str = r#"
[listener.public]
address = "127.0.0.1:0"

[auth.cached]
kind = "jwt"
issuer = "https://issuer.example"
audiences = ["api"]
algorithms = ["RS256"]
jwks = "jwks.json"
forward_claims = ["sub -> X-User-ID"]

[auth.uncached]
kind = "jwt"
issuer = "https://issuer.example"
audiences = ["api"]
algorithms = ["RS256"]
jwks = "jwks.json"
cache = 0

[limit.per_user]
rate = "1000000000/s"
key = "claim:sub"

[route.public]
path = "/public"
respond = "200 ok"
auth = "none"

[route.jwt_cached]
path = "/cached"
respond = "200 ok"
auth = "cached"

[route.jwt_uncached]
path = "/uncached"
respond = "200 ok"
auth = "uncached"

[route.jwt_cached_and_limit]
path = "/job"
respond = "200 ok"
auth = "cached"
limits = ["per_user"]
"#;

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

fn chain(criterion: &mut Criterion) {
    let world = World::new(TEXT);
    let request = |user: usize| {
        let token = token::sign(&format!("user-{user}"));
        Sample::get("/", &format!("Authorization: Bearer {token}\r\n"))
    };
    let samples: Vec<Sample> = (0..100).map(request).collect();
    let mut group = criterion.benchmark_group("chain");
    for route in &world.snapshot.routes {
        let (mut state, mut context) = (world.state(), Context::new());
        let mut now = 0;
        group.bench_function(&*route.name, |bencher| {
            bencher.iter(|| {
                now += 10_000;
                let sample = &samples[now as usize / 10_000 % samples.len()];
                context.clear();
                let verdict = route.chain.request(
                    &black_box(sample).view(now, CLIENT),
                    &mut state,
                    &mut context,
                );
                assert!(
                    matches!(verdict, Verdict::Continue),
                    "{:?}",
                    verdict.refusal()
                );
                if now % 10_000_000 == 0 {
                    state.tick(now);
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, chain);
criterion_main!(benches);
