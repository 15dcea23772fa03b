//! Tests of the table: cases of the semantics, and agreement with the reference.

use super::reference::{Answer, Asked, Written, find};
use super::*;

mod properties;

const ALL_METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "BREW", "PURGE"];

fn path(path: &str) -> Written {
    Written {
        path: path.into(),
        ..Written::default()
    }
}

fn get(path: &str) -> Asked {
    Asked {
        method: "GET",
        path: path.into(),
        ..Asked::default()
    }
}

fn compile(rules: &[Written]) -> Result<Table, Vec<Conflict>> {
    Table::compile(&rules.iter().map(Written::rule).collect::<Vec<_>>())
}

fn answer(table: &Table, asked: &Asked) -> Answer {
    let (head, bytes) = asked.head();
    let lookup = Lookup {
        listener: asked.listener,
        request: head.view(&bytes),
        host: asked.host.as_bytes(),
        path: asked.path.as_bytes(),
    };
    // What an earlier look-up left must not show.
    let mut captures = Captures::new();
    captures.push(protocol::message::Span::new(0, 9));
    captures.put_tail(protocol::message::Span::new(0, 9));
    match table.find(&lookup, &mut captures) {
        Found::Route(rule) => {
            let names = (0..captures.len()).filter_map(|index| captures.name(index));
            let spans = names.chain(captures.tail());
            let texts = spans.map(|span| asked.path[span.range()].to_owned());
            Answer::Route(rule as usize, texts.collect())
        }
        Found::MethodNotAllowed { allow } => {
            assert_eq!((captures.len(), captures.tail()), (0, None));
            let name = |name| *ALL_METHODS.iter().find(|m| **m == name).unwrap();
            let mut names: Vec<&str> = allow.names().map(name).collect();
            names.sort();
            Answer::MethodNotAllowed(names)
        }
        Found::NotFound => {
            assert_eq!((captures.len(), captures.tail()), (0, None));
            Answer::NotFound
        }
    }
}

/// `expected`: for each path, the text of the pattern that takes it, or "".
#[track_caller]
fn check_paths(patterns: &[&str], expected: &[(&str, &str)]) {
    let rules: Vec<Written> = patterns.iter().map(|text| path(text)).collect();
    let table = compile(&rules).unwrap();
    for (asked, pattern) in expected {
        let got = match answer(&table, &get(asked)) {
            Answer::Route(rule, _) => patterns[rule],
            _ => "",
        };
        assert_eq!(got, *pattern, "{asked}");
    }
}

#[test]
fn tails() {
    check_paths(
        &["/gw/*"],
        &[
            ("/gw", "/gw/*"),
            ("/gw/", "/gw/*"),
            ("/gw/a", "/gw/*"),
            ("/gw//", "/gw/*"),
            ("/gwx", ""),
            ("/g", ""),
            ("/", ""),
            ("//gw", ""),
            ("*", ""),
            ("", ""),
            ("gw", ""),
        ],
    );
    check_paths(
        &["/*"],
        &[("/", "/*"), ("/a/b", "/*"), ("*", "/*"), ("", "")],
    );
}

#[test]
fn exact_before_name_before_longest_tail() {
    check_paths(
        &[
            "/*", "/a/*", "/a/b/*", "/a/{x}", "/a/{x}/c", "/a/b", "/{x}/b", "/a/",
        ],
        &[
            ("/a/b", "/a/b"),
            ("/a/c", "/a/{x}"),
            ("/z/b", "/{x}/b"),
            ("/a/b/c", "/a/{x}/c"),
            ("/a/b/d", "/a/b/*"),
            ("/a/b/", "/a/b/*"),
            ("/a/c/d", "/a/*"),
            ("/a", "/a/*"),
            ("/a/", "/a/"),
            ("/z", "/*"),
            ("//b", "/*"),
        ],
    );
}

#[test]
fn backtracking_finds_the_way_that_fits() {
    check_paths(
        &["/a/b/c", "/a/{x}/d", "/{y}/b/e", "/{y}/{x}/f/*"],
        &[
            ("/a/b/c", "/a/b/c"),
            ("/a/b/d", "/a/{x}/d"),
            ("/a/b/e", "/{y}/b/e"),
            ("/a/b/f", "/{y}/{x}/f/*"),
            ("/a/b/g", ""),
        ],
    );
}

#[test]
fn captures() {
    let table = compile(&[path("/u/{id}/p/{post}/*"), path("/t/*")]).unwrap();
    let check = |asked: &str, rule: usize, expected: &[&str]| {
        let expected = expected.iter().map(|text| text.to_string()).collect();
        assert_eq!(
            answer(&table, &get(asked)),
            Answer::Route(rule, expected),
            "{asked}"
        );
    };
    check("/u/7/p/x%20y/a/b", 0, &["7", "x%20y", "a/b"]);
    check("/u/7/p/8", 0, &["7", "8", ""]);
    check("/u/7/p/8/", 0, &["7", "8", ""]);
    check("/u/7/p/8//", 0, &["7", "8", "/"]);
    check("/t", 1, &[""]);
}

#[test]
fn rewriting() {
    #[track_caller]
    fn check(pattern: &str, template: &str, asked: &str, expected: &str) {
        let rule = path(pattern).rule();
        let rewrite = Rewrite::parse(template, &rule.path).unwrap();
        let table = Table::compile(&[rule]).unwrap();
        let (head, bytes) = get(asked).head();
        let lookup = Lookup {
            listener: 0,
            request: head.view(&bytes),
            host: b"",
            path: asked.as_bytes(),
        };
        let mut captures = Captures::new();
        assert!(matches!(
            table.find(&lookup, &mut captures),
            Found::Route(0)
        ));
        let mut out = b"before".to_vec();
        rewrite.apply(asked.as_bytes(), &captures, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), format!("before{expected}"));
    }
    check("/v1/{id}/*", "/v2/{*}?id={id}", "/v1/7/a/b", "/v2/a/b?id=7");
    check("/v1/*", "/v2/{*}", "/v1", "/v2/");
    check(
        "/v1/{id}",
        "/v2?id={id}",
        "/v1/1&admin=true",
        "/v2?id=1%26admin%3Dtrue",
    );
    check("/a/{x}/{y}", "/{y}/{x}/{y}", "/a/1/2", "/2/1/2");
    check(
        "/*",
        "https://new.example/{*}",
        "/a//b",
        "https://new.example/a//b",
    );
    check("/*", "/{*}", "//evil.example/", "/evil.example/");
    check("/gw/*", "/{*}", "/gw///evil.example", "/evil.example");
    check("/gw/*", "/{*}", "/gw/a//b", "/a//b");
    check("/gw/*", "/x/{*}", "/gw//a", "/x//a");
    check("/a/{x}/*", "/{*}/{x}", "/a/evil", "/evil");
}

#[test]
fn hosts() {
    let with = |hosts: &[&'static str]| Written {
        hosts: hosts.to_vec(),
        ..path("/*")
    };
    let rules = [
        with(&[]),
        with(&["*.b"]),
        with(&["*.a.b", "c"]),
        with(&["a.b", "127.0.0.1", "[::1]"]),
    ];
    let table = compile(&rules).unwrap();
    for (host, expected) in [
        ("", 0),
        ("z", 0),
        ("b", 0),
        (".b", 0),
        ("a.b", 3),
        ("A.B", 3),
        ("a.b.", 3),
        ("x.b", 1),
        ("y.x.b", 1),
        ("x.a.b", 2),
        ("y.x.A.b.", 2),
        ("xa.b", 1),
        ("c", 2),
        ("127.0.0.1", 3),
        ("[::1]", 3),
    ] {
        let asked = Asked { host, ..get("/") };
        let got = answer(&table, &asked);
        assert!(
            matches!(got, Answer::Route(rule, _) if rule == expected),
            "{host}: {got:?}"
        );
    }
    // The longest name there can be, and one byte more: whatever its case, that is nobody's.
    for (length, expected) in [(253, 1), (254, 0), (400, 0)] {
        for filler in ["x", "X"] {
            let host: &'static str = format!("{}.b", filler.repeat(length - 2)).leak();
            let asked = Asked { host, ..get("/") };
            let got = answer(&table, &asked);
            assert!(
                matches!(got, Answer::Route(rule, _) if rule == expected),
                "{length} {filler}: {got:?}"
            );
        }
    }
}

#[test]
fn a_candidate_that_fails_falls_through() {
    let rules = [
        Written {
            headers: vec!["X-Beta=1"],
            ..path("/a")
        },
        Written {
            query: vec!["v=2"],
            methods: vec!["GET"],
            ..path("/a")
        },
        Written {
            methods: vec!["POST", "PURGE"],
            ..path("/a")
        },
        Written {
            methods: vec!["GET"],
            ..path("/{x}")
        },
    ];
    let table = compile(&rules).unwrap();
    let with = |method, query, headers: &[(&'static str, &'static str)]| {
        let asked = Asked {
            method,
            query,
            headers: headers.to_vec(),
            ..get("/a")
        };
        answer(&table, &asked)
    };
    let name = || vec!["a".to_owned()];
    assert_eq!(
        with("GET", "", &[("x-beta", "1")]),
        Answer::Route(0, vec![])
    );
    assert_eq!(
        with("BREW", "", &[("x-beta", "1")]),
        Answer::Route(0, vec![])
    );
    assert_eq!(
        with("GET", "", &[("x-beta", "2")]),
        Answer::Route(3, name())
    );
    assert_eq!(
        with("GET", "", &[("x-beta", "2"), ("X-BETA", "1")]),
        Answer::Route(0, vec![])
    );
    assert_eq!(with("GET", "a=1&v=2", &[]), Answer::Route(1, vec![]));
    assert_eq!(with("HEAD", "v=2", &[]), Answer::Route(1, vec![]));
    assert_eq!(with("GET", "v=3", &[]), Answer::Route(3, name()));
    assert_eq!(with("PURGE", "", &[]), Answer::Route(2, vec![]));
    assert_eq!(
        with("PUT", "", &[]),
        Answer::MethodNotAllowed(vec!["GET", "HEAD", "POST", "PURGE"])
    );
    assert_eq!(
        with("get", "", &[]),
        Answer::MethodNotAllowed(vec!["GET", "HEAD", "POST", "PURGE"])
    );
}

#[test]
fn not_found_when_more_than_the_method_differs() {
    let rules = [Written {
        methods: vec!["GET"],
        headers: vec!["X-Beta"],
        listeners: vec![1],
        ..path("/a")
    }];
    let table = compile(&rules).unwrap();
    let mut asked = Asked {
        method: "POST",
        headers: vec![("x-beta", "")],
        listener: 1,
        ..get("/a")
    };
    assert_eq!(
        answer(&table, &asked),
        Answer::MethodNotAllowed(vec!["GET", "HEAD"])
    );
    asked.listener = 2;
    assert_eq!(answer(&table, &asked), Answer::NotFound);
    asked.listener = 1;
    asked.headers.clear();
    assert_eq!(answer(&table, &asked), Answer::NotFound);
}

#[test]
fn priority_goes_first() {
    let rules = [
        Written {
            hosts: vec!["a.b"],
            ..path("/a")
        },
        Written {
            priority: 1,
            methods: vec!["POST"],
            ..path("/*")
        },
        Written {
            priority: -1,
            ..path("/a/b")
        },
        path("/a/{x}"),
    ];
    let rules = &rules[..3];
    let table = compile(rules).unwrap();
    let with = |method, host, path: &str| {
        let asked = Asked {
            method,
            host,
            ..get(path)
        };
        answer(&table, &asked)
    };
    assert_eq!(with("GET", "a.b", "/a"), Answer::Route(0, vec![]));
    assert_eq!(
        with("POST", "a.b", "/a"),
        Answer::Route(1, vec!["a".into()])
    );
    assert_eq!(with("GET", "", "/a/b"), Answer::Route(2, vec![]));
}

#[track_caller]
fn check_conflicts(rules: &[Written], expected: &[(usize, usize, ConflictKind)]) {
    let conflicts = compile(rules).err().unwrap_or_default();
    let got: Vec<_> = conflicts
        .iter()
        .map(|c| (c.first, c.second, c.kind))
        .collect();
    assert_eq!(got, expected);
}

#[test]
fn duplicates() {
    use ConflictKind::Duplicate;
    let some = |methods: &[&'static str]| Written {
        methods: methods.to_vec(),
        ..path("/a/{x}")
    };
    let on = |listeners: &[u16]| Written {
        listeners: listeners.to_vec(),
        ..path("/a")
    };
    let at = |hosts: &[&'static str]| Written {
        hosts: hosts.to_vec(),
        ..path("/a")
    };
    let given = |headers: &[&'static str]| Written {
        headers: headers.to_vec(),
        ..path("/a")
    };
    check_conflicts(&[path("/a/{x}"), path("/a/{y}")], &[(0, 1, Duplicate)]);
    check_conflicts(&[path("/a"), path("/a/"), path("/a/*")], &[]);
    check_conflicts(
        &[some(&["GET", "POST"]), some(&["PUT", "POST"])],
        &[(0, 1, Duplicate)],
    );
    check_conflicts(&[some(&["GET"]), some(&["POST"]), some(&[])], &[]);
    check_conflicts(&[some(&["GET"]), some(&["HEAD"])], &[]);
    check_conflicts(&[on(&[1]), on(&[2]), on(&[])], &[]);
    check_conflicts(&[on(&[1, 3]), on(&[2, 3])], &[(0, 1, Duplicate)]);
    check_conflicts(&[at(&["a", "b"]), at(&["b", "c"])], &[(0, 1, Duplicate)]);
    check_conflicts(&[at(&["a"]), at(&["b"]), at(&["*.b"]), at(&[])], &[]);
    check_conflicts(&[at(&["a", "A"])], &[]);
    check_conflicts(&[given(&["X-A"]), given(&["X-B"]), given(&["X-A=1"])], &[]);
    check_conflicts(
        &[given(&["X-A", "X-B=1"]), given(&["x-b=1", "x-a", "x-b"])],
        &[(0, 1, Duplicate)],
    );
    check_conflicts(
        &[path("/"), path("/"), path("/")],
        &[(0, 1, Duplicate), (0, 2, Duplicate)],
    );
}

#[test]
fn unreachable_rules() {
    use ConflictKind::Unreachable;
    let first = |text: &str| Written {
        priority: 1,
        ..path(text)
    };
    check_conflicts(&[path("/a/b"), first("/a/*")], &[(1, 0, Unreachable)]);
    check_conflicts(&[path("/a/*"), first("/a/*")], &[(1, 0, Unreachable)]);
    check_conflicts(&[path("/a/{y}"), first("/{x}/{y}")], &[(1, 0, Unreachable)]);
    check_conflicts(&[path("/{x}/b"), first("/a/b"), first("/a/{x}")], &[]);
    check_conflicts(&[path("/a/*"), first("/a")], &[]);
    check_conflicts(&[path("/a/"), first("/a/{x}")], &[]);
    let only = |methods: &[&'static str]| Written {
        methods: methods.to_vec(),
        ..first("/*")
    };
    let head = Written {
        methods: vec!["HEAD"],
        ..path("/a")
    };
    check_conflicts(&[path("/a"), only(&["GET"])], &[]);
    check_conflicts(&[head, only(&["GET"])], &[(1, 0, Unreachable)]);
    let hosts = |hosts: &[&'static str], priority| Written {
        hosts: hosts.to_vec(),
        priority,
        ..path("/a")
    };
    check_conflicts(
        &[hosts(&["a.b", "x.b"], 0), hosts(&["*.b"], 1)],
        &[(1, 0, Unreachable)],
    );
    check_conflicts(
        &[hosts(&["*.a.b"], 0), hosts(&["*.b"], 1)],
        &[(1, 0, Unreachable)],
    );
    check_conflicts(&[hosts(&["a.b", "b"], 0), hosts(&["*.b"], 1)], &[]);
    check_conflicts(&[hosts(&[], 0), hosts(&["*.b"], 1)], &[]);
    check_conflicts(
        &[hosts(&["a", "b"], 0), hosts(&["a"], 1), hosts(&["b"], 1)],
        &[(1, 0, Unreachable)],
    );
}

/// The walk must not fan out: many patterns that share every prefix, and a long path
/// that fits none of them.
#[test]
fn adversarial_paths_end() {
    let rules: Vec<Written> = (0..10)
        .flat_map(|bits: u32| {
            let segments = (0..10).map(|bit| match bits >> (bit % 4) & 1 {
                0 => "/a".to_owned(),
                _ => format!("/{{n{bit}}}"),
            });
            let stem: String = segments.collect();
            [
                path(&format!("{stem}/end{bits}")),
                path(&format!("{stem}/x/y")),
            ]
        })
        .collect();
    let table = compile(&rules).unwrap();
    let long = "/a".repeat(100_000);
    assert_eq!(answer(&table, &get(&long)), Answer::NotFound);
    assert_eq!(answer(&table, &get(&"/".repeat(100_000))), Answer::NotFound);
}

#[test]
fn ten_thousand_rules() {
    let rules: Vec<Written> = (0..10_000)
        .map(|n| match n % 3 {
            0 => path(&format!("/service-{n}/*")),
            1 => path(&format!("/api/r{n}/{{id}}/items")),
            _ => Written {
                hosts: vec![format!("h{n}.example.com").leak()],
                ..path("/api/{x}")
            },
        })
        .collect();
    let table = compile(&rules).unwrap();
    for n in (0..10_000).step_by(97) {
        let asked = match n % 3 {
            0 => get(&format!("/service-{n}/x/y")),
            1 => get(&format!("/api/r{n}/5/items")),
            _ => Asked {
                host: rules[n].hosts[0],
                ..get("/api/5")
            },
        };
        let got = answer(&table, &asked);
        assert!(
            matches!(got, Answer::Route(rule, _) if rule == n),
            "{got:?}"
        );
    }
}
