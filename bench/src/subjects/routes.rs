//! Finding a route: its cost must not grow noticeably from 10 routes to 10,000.
//!
//! `same` asks for one route again and again, so that the table's code is measured; `spread` asks for
//! all of them in turn, so that the table's memory is too. Numbers have five digits whatever the size, so
//! that the paths are equally long.

use std::hint::black_box;

use policy::route::{Captures, Found, Host, Lookup, Pattern, Rule, Table};

use crate::{Sample, Subject};

/// How many routes.
const SIZES: [usize; 3] = [10, 1_000, 10_000];

/// What is looked up.
#[derive(Clone, Copy)]
enum Kind {
    /// The routes of one site: services with exact, captured and open-ended paths.
    Tree,
    /// A site for each route.
    Hosts,
}

/// The subjects of this room.
pub fn all() -> Vec<Subject> {
    let mut subjects = Vec::new();
    for (name, kind) in [("tree", Kind::Tree), ("hosts", Kind::Hosts)] {
        for size in SIZES {
            let same = format!("route/{name}/same/{size}");
            subjects.push(Subject::new(same, move || {
                let mut find = finder(kind, size);
                // The same kind of route at each size: number 0, 498, 4998 are all exact paths.
                let number = size / 2 / 6 * 6;
                move || find(number)
            }));
            let spread = format!("route/{name}/spread/{size}");
            subjects.push(Subject::new(spread, move || {
                let (mut find, mut next) = (finder(kind, size), 0);
                move || {
                    // A stride without a common factor with the sizes: no order that a cache could foresee.
                    next = (next + 6_007) % size;
                    find(next);
                }
            }));
        }
    }
    subjects
}

/// Looks up the route of a number.
fn finder(kind: Kind, size: usize) -> impl FnMut(usize) {
    let sample = Sample::get("/", "Accept: */*\r\n");
    let (mut captures, mut host, mut path) = (Captures::default(), Vec::new(), Vec::new());
    let rules: Vec<Rule> = (0..size).map(|number| kind.rule(number)).collect();
    let table = Table::compile(&rules).expect("no conflicts");
    move |number| {
        kind.target(number, &mut host, &mut path);
        let lookup = Lookup {
            listener: 0,
            request: sample.request(),
            host: black_box(&host),
            path: black_box(&path),
        };
        let found = table.find(&lookup, &mut captures);
        assert!(matches!(found, Found::Route(id) if id as usize == number));
    }
}

impl Kind {
    fn rule(self, number: usize) -> Rule {
        match self {
            Kind::Tree => {
                let path = match number % 3 {
                    0 => format!("/service-{number:05}/status"),
                    1 => format!("/service-{number:05}/products/{{id}}"),
                    _ => format!("/service-{number:05}/*"),
                };
                rule(number, &[], &path)
            }
            Kind::Hosts => {
                let host = match number % 2 {
                    0 => format!("site-{number:05}.example.com"),
                    _ => format!("*.site-{number:05}.example.com"),
                };
                rule(number, &[&host], "/products/*")
            }
        }
    }

    /// Puts host and path down in buffers that stay in the cache, as a connection's does.
    fn target(self, number: usize, host: &mut Vec<u8>, path: &mut Vec<u8>) {
        let digits = digits(number);
        match self {
            Kind::Tree => {
                let rest: &[u8] = match number % 3 {
                    0 => b"/status",
                    1 => b"/products/4711",
                    _ => b"/images/logo.png",
                };
                put(host, &[b"api.example.com"]);
                put(path, &[b"/service-", &digits, rest]);
            }
            Kind::Hosts => {
                let start: &[u8] = match number % 2 {
                    0 => b"site-",
                    _ => b"www.site-",
                };
                put(host, &[start, &digits, b".example.com"]);
                put(path, &[b"/products/4711"]);
            }
        }
    }
}

fn digits(number: usize) -> [u8; 5] {
    [10_000, 1_000, 100, 10, 1].map(|place| b'0' + (number / place % 10) as u8)
}

fn put(out: &mut Vec<u8>, parts: &[&[u8]]) {
    out.clear();
    for part in parts {
        out.extend_from_slice(part);
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
