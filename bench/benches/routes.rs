//! Finding a route: its cost must not grow noticeably from 10 routes to 10,000.
//!
//! `same` asks for one route again and again, so that the table's code is measured; `spread` asks for
//! all of them in turn, so that the table's memory is too.

use std::hint::black_box;

use bench::Sample;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use policy::route::{Captures, Found, Host, Lookup, Pattern, Rule, Table};

/// How many routes.
const SIZES: [usize; 3] = [10, 1_000, 10_000];

/// The routes of one site: services with exact, captured and open-ended paths.
struct Tree;

/// A site for each route.
struct Hosts;

/// Rules by number, and for each what finds it.
trait Rules {
    /// The name of the group.
    const NAME: &'static str;

    fn rule(number: usize) -> Rule;

    /// Puts host and path down in buffers that stay in the cache, as a connection's does.
    fn target(number: usize, host: &mut Vec<u8>, path: &mut Vec<u8>);
}

impl Rules for Tree {
    const NAME: &'static str = "route/tree";

    fn rule(number: usize) -> Rule {
        let path = match number % 3 {
            0 => format!("/service-{number}/status"),
            1 => format!("/service-{number}/products/{{id}}"),
            _ => format!("/service-{number}/*"),
        };
        rule(number, &[], &path)
    }

    fn target(number: usize, host: &mut Vec<u8>, path: &mut Vec<u8>) {
        put(host, &["api.example.com"]);
        let rest = match number % 3 {
            0 => "/status",
            1 => "/products/4711",
            _ => "/images/logo.png",
        };
        let mut digits = itoa::Buffer::new();
        put(path, &["/service-", digits.format(number), rest]);
    }
}

impl Rules for Hosts {
    const NAME: &'static str = "route/hosts";

    fn rule(number: usize) -> Rule {
        let host = match number % 2 {
            0 => format!("site-{number}.example.com"),
            _ => format!("*.site-{number}.example.com"),
        };
        rule(number, &[&host], "/products/*")
    }

    fn target(number: usize, host: &mut Vec<u8>, path: &mut Vec<u8>) {
        let start = match number % 2 {
            0 => "site-",
            _ => "www.site-",
        };
        let mut digits = itoa::Buffer::new();
        put(host, &[start, digits.format(number), ".example.com"]);
        put(path, &["/products/4711"]);
    }
}

fn put(out: &mut Vec<u8>, parts: &[&str]) {
    out.clear();
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

fn rule(number: usize, hosts: &[&str], path: &str) -> Rule {
    let host = |text: &&str| Host::parse(text).expect("a host");
    Rule {
        name: format!("route-{number}").into(),
        listeners: Vec::new(),
        hosts: hosts.iter().map(host).collect(),
        path: Pattern::parse(path).expect("a path"),
        methods: vec!["GET".to_owned()],
        headers: Vec::new(),
        query: Vec::new(),
        priority: 0,
    }
}

fn find<R: Rules>(criterion: &mut Criterion) {
    let sample = Sample::get("/", "Accept: */*\r\n");
    let (mut captures, mut host, mut path) = (Captures::default(), Vec::new(), Vec::new());
    let mut group = criterion.benchmark_group(R::NAME);
    for size in SIZES {
        let rules: Vec<Rule> = (0..size).map(R::rule).collect();
        let table = Table::compile(&rules).expect("no conflicts");
        let mut find = |number| {
            R::target(number, &mut host, &mut path);
            let lookup = Lookup {
                listener: 0,
                request: sample.request(),
                host: black_box(&host),
                path: black_box(&path),
            };
            let found = table.find(&lookup, &mut captures);
            assert!(matches!(found, Found::Route(id) if id as usize == number));
        };
        group.bench_function(BenchmarkId::new("same", size), |bencher| {
            bencher.iter(|| find(size / 2));
        });
        group.bench_function(BenchmarkId::new("spread", size), |bencher| {
            // A stride without a common factor with the sizes: no order that a cache could foresee.
            let mut next = 0;
            bencher.iter(|| {
                next = (next + 6_007) % size;
                find(next);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, find::<Tree>, find::<Hosts>);
criterion_main!(benches);
