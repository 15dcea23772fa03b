//! Budget: in steady state a plain keep-alive request costs the worker no heap allocation, nor does
//! one that is authenticated, limited, counted and logged, nor one over HTTP/2 or TLS. On io_uring and on epoll.
//!
//! The worker runs inside the test; its thread counts what it asks of the allocator. Steady means
//! that no connection comes to rest: one that is quiet for 20 ms gives its buffers back. Rounds
//! during which the machine took the test's or the worker's core away for long are not counted, but
//! are taken again.

mod gateway;
mod http2;
mod peers;
mod steady;

use std::time::{Duration, Instant};

use engine_net::runtime::{self, Driver, Wish};
use engine_net::testing::{CountingAllocator, Tally};

use gateway::Gateway;
use peers::Client;
use tests::token::{self, Key};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Connections of clients, each with a request in flight at the same time as the others'.
const CLIENTS: usize = 4;
#[test]
fn a_plain_request_allocates_nothing() {
    static TALLY: Tally = Tally::new();
    let origin = peers::origin(CLIENTS);
    let text = format!(
        "[listener.public]\naddress = \"127.0.0.1:0\"\n[upstream.backend]\nendpoints = [\"{origin}\"]\n\
         [route.all]\npath = \"/*\"\nupstream = \"backend\"\nauth = \"none\"\n"
    );
    let requests = [
        get("/products/1?page=2", ""),
        post("/products", ""),
        get("/a%7eb", ""),
    ];
    for driver in drivers() {
        let gateway = Gateway::start(&text, &[], driver, &TALLY);
        let mut load = Load::new(&gateway, &requests);
        steady::check(2_000, 0, driver, &TALLY, &mut |requests| {
            load.round(requests)
        });
    }
}

#[test]
fn the_gateway_job_allocates_nothing_that_grows() {
    static TALLY: Tally = Tally::new();
    let (origin, key) = (peers::origin(CLIENTS), Key::rsa("one"));
    let jwks = token::set(&[key.jwk()]);
    let text = JOB.replace("@ORIGIN@", &origin.to_string());
    let request = |user: usize| {
        let mut claims = token::claims(&format!("user-{user}"));
        claims["iss"] = "https://issuer.example".into();
        claims["aud"] = "api".into();
        let token = key.sign("RS256", &claims);
        get(
            "/gw/products/1",
            &format!("Authorization: Bearer {token}\r\n"),
        )
    };
    let requests: Vec<Vec<u8>> = (0..10).map(request).collect();
    for driver in drivers() {
        let gateway = Gateway::start(&text, &[("jwks.json", jwks.as_bytes())], driver, &TALLY);
        let mut load = Load::new(&gateway, &requests);
        let mut round = |requests| load.round(requests);
        steady::check(1_000, 0, driver, &TALLY, &mut round);
        steady::check(10_000, 0, driver, &TALLY, &mut round);
        let sent = load.sent;
        drop(load);
        assert_eq!(gateway.end(), sent, "lines in the access log");
    }
}

/// The gateway job of the speed budget.
const JOB: &str = r#"
[listener.public]
address = "127.0.0.1:0"

[upstream.backend]
endpoints = ["@ORIGIN@"]

[auth.users]
kind = "jwt"
issuer = "https://issuer.example"
audiences = ["api"]
algorithms = ["RS256"]
jwks = "jwks.json"
forward_claims = ["sub -> X-User-ID"]

[limit.per_user]
algorithm = "token_bucket"
rate = "1000000/s"
burst = 1000000
key = "claim:sub"

[access_log.main]
path = "access.log"
format = "json"

[route.gw]
path = "/gw/*"
upstream = "backend"
auth = "users"
limits = ["per_user"]
access_log = "main"
"#;

/// The best driver of this machine, and epoll.
fn drivers() -> Vec<Driver> {
    // On a thread of its own: the end of the ring that it probes with interrupts whoever reads.
    let probe = std::thread::spawn(|| runtime::probe(Wish::Auto).expect("epoll always works"));
    let (best, refused) = probe.join().expect("it does not panic");
    if best == Driver::Epoll {
        eprintln!("only epoll is tested here: {}", refused.join("; "));
        return vec![best];
    }
    vec![best, Driver::Epoll]
}

fn get(target: &str, fields: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: test\r\nAccept: */*\r\n{fields}\r\n")
        .into_bytes()
}

fn post(target: &str, fields: &str) -> Vec<u8> {
    let body = "y".repeat(peers::POSTED);
    let length = body.len();
    format!("POST {target} HTTP/1.1\r\nHost: shop.example\r\nContent-Length: {length}\r\n{fields}\r\n{body}")
        .into_bytes()
}

/// Clients that send the same requests again and again. Allocates only when made.
struct Load<'r> {
    clients: Vec<Client>,
    requests: &'r [Vec<u8>],
    sent: usize,
}

impl<'r> Load<'r> {
    fn new(gateway: &Gateway, requests: &'r [Vec<u8>]) -> Load<'r> {
        let clients = (0..CLIENTS).map(|_| Client::connect(gateway.address));
        Load {
            clients: clients.collect(),
            requests,
            sent: 0,
        }
    }

    /// Sends so many requests, one on each connection at a time. The longest that a connection was
    /// quiet.
    fn round(&mut self, requests: usize) -> Duration {
        let mut quiet = Duration::ZERO;
        let mut begun = Instant::now();
        for _ in 0..requests / CLIENTS {
            for client in &mut self.clients {
                client.send(&self.requests[self.sent % self.requests.len()]);
                self.sent += 1;
            }
            for client in &mut self.clients {
                client.receive();
            }
            quiet = quiet.max(begun.elapsed());
            begun = Instant::now();
        }
        quiet
    }
}
