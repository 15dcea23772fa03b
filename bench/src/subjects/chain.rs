//! A route's policies in their order: public, with a token that is in the cache, with one that is
//! verified each time, the gateway job's chain with 100 users in turn, and a chain of eight policies.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};

use policy::context::Context;
use policy::verdict::Verdict;

use crate::{Sample, Subject, World, token};

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

[limit.per_ip]
rate = "1000000000/s"
key = "ip"

[limit.per_route]
rate = "1000000000/s"
key = "route+ip"

[limit.per_user]
rate = "1000000000/s"
key = "claim:sub"

[limit.per_tenant]
rate = "1000000000/s"
key = "tenant"

[limit.all]
rate = "1000000000/s"
key = "global"

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

[route.job]
path = "/job"
respond = "200 ok"
auth = "cached"
limits = ["per_user"]

[route.eight]
path = "/eight"
respond = "200 ok"
allow = ["198.51.100.0/24", "192.0.2.0/24"]
auth = "cached"
require_scopes = ["read"]
require_claims = ["tenant=acme"]
limits = ["per_ip", "per_route", "per_user", "per_tenant", "all"]
"#;

/// The routes, and how many operations of each are counted.
const ROUTES: [(&str, u64); 5] = [
    ("public", 10_000),
    ("jwt_cached", 10_000),
    ("jwt_uncached", 100),
    ("job", 10_000),
    ("eight", 10_000),
];

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const USERS: usize = 100;

/// Nanoseconds between two requests, and between two ticks.
const PACE: u64 = 10_000;
const TICK: u64 = 10_000_000;

/// The subjects of this room.
pub fn all() -> Vec<Subject> {
    let run = |(route, counted): (&'static str, u64)| {
        Subject::new(format!("chain/{route}"), move || chain(route)).counted(counted)
    };
    ROUTES.into_iter().map(run).collect()
}

/// The chain of a route, with each user's request in turn; all tokens have been seen when it begins.
fn chain(name: &str) -> impl FnMut() + use<> {
    let world = World::new(TEXT, 1);
    let route = world.route(name);
    let request = |user: usize| {
        let token = token::sign(&format!("user-{user:02}"));
        Sample::get("/", &format!("Authorization: Bearer {token}\r\n"))
    };
    let samples: Vec<Sample> = (0..USERS).map(request).collect();
    let (mut state, mut context) = (world.state(), Context::new());
    let (mut now, mut user) = (0, 0);
    let mut operation = move || {
        now += PACE;
        user = (user + 1) % USERS;
        context.clear();
        let view = black_box(&samples)[user].view(now, CLIENT);
        let verdict = world.snapshot.routes[route]
            .chain
            .request(&view, &mut state, &mut context);
        assert!(
            matches!(verdict, Verdict::Continue),
            "{:?}",
            verdict.refusal()
        );
        if now.is_multiple_of(TICK) {
            state.tick(now);
        }
    };
    for _ in 0..USERS {
        operation();
    }
    operation
}
