//! The compiled table against the plain reference, on random rules and requests.

use proptest::prelude::*;

use super::*;

const HOSTS: [&str; 7] = ["a.b", "b", "*.b", "*.a.b", "c.a.b", "*.c.a.b", "x"];
const HEADERS: [&str; 4] = ["x-a", "x-a=1", "x-b", "x-b=1"];
const QUERY: [&str; 3] = ["q", "q=1", "r=1"];

fn subset<T: Clone + std::fmt::Debug + 'static>(
    all: &'static [T],
    most: usize,
) -> impl Strategy<Value = Vec<T>> {
    prop_oneof![
        2 => Just(Vec::new()),
        1 => prop::sample::subsequence(all, 0..=most),
    ]
}

fn patterns() -> impl Strategy<Value = String> {
    let segment = prop::sample::select(vec!["a", "b", "", "{}", "{}"]);
    (prop::collection::vec(segment, 0..4), any::<bool>()).prop_map(|(segments, tail)| {
        let names = segments.iter().enumerate().map(|(index, s)| match *s {
            "{}" => format!("/{{n{index}}}"),
            literal => format!("/{literal}"),
        });
        let text: String = names.collect();
        match (tail, text.is_empty()) {
            (true, _) => text + "/*",
            (false, true) => "/".into(),
            (false, false) => text,
        }
    })
}

fn written() -> impl Strategy<Value = Written> {
    let conditions = (subset(&HEADERS, 2), subset(&QUERY, 2));
    let rest = (subset(&ALL_METHODS, 3), subset(&[1u16, 2, 3], 2), -1i32..=1);
    (subset(&HOSTS, 2), patterns(), conditions, rest, 0..4).prop_map(
        |(hosts, path, (headers, query), (methods, listeners, priority), ranked)| Written {
            listeners,
            hosts,
            path,
            methods,
            // Both `x-a` and `x-a=1` would say one thing twice; the reference counts texts.
            headers: without_implied(headers),
            query: without_implied(query),
            priority: if ranked == 0 { priority } else { 0 },
        },
    )
}

fn without_implied(conditions: Vec<&'static str>) -> Vec<&'static str> {
    let given = conditions.clone();
    let implied = |name: &str| given.iter().any(|c| c.starts_with(&format!("{name}=")));
    conditions.into_iter().filter(|c| !implied(c)).collect()
}

fn asked() -> impl Strategy<Value = Asked> {
    let segment = prop::sample::select(vec!["a", "b", "", "z"]);
    let segments = prop::collection::vec(segment, 1..5);
    let hosts = vec!["", "a.b", "A.B", "b", "x", "c.a.b", "d.c.a.b", "z.b", ".b"];
    let header = prop::sample::select(vec![("X-A", "1"), ("x-a", "2"), ("X-b", "1"), ("x-c", "1")]);
    (
        0u16..4,
        prop::sample::select(&ALL_METHODS[..]),
        prop::sample::select(hosts),
        segments,
        prop::sample::select(vec!["", "q", "q=1", "q=2&r=1", "r=1&q=1", "qq=1"]),
        prop::collection::vec(header, 0..3),
    )
        .prop_map(|(listener, method, host, segments, query, headers)| Asked {
            listener,
            method,
            host,
            path: format!("/{}", segments.join("/")),
            query,
            headers,
        })
}

proptest! {
    #[test]
    fn the_table_agrees_with_the_reference(
        mut rules in prop::collection::vec(written(), 0..24),
        asked in prop::collection::vec(asked(), 40),
    ) {
        let table = loop {
            let conflicts = match compile(&rules) {
                Ok(table) => break table,
                Err(conflicts) => conflicts,
            };
            for conflict in &conflicts {
                prop_assert_ne!(conflict.first, conflict.second);
                if conflict.kind == ConflictKind::Unreachable {
                    for asked in &asked {
                        let hidden = matches!(find(&rules, asked), Answer::Route(rule, _) if rule == conflict.second);
                        prop_assert!(!hidden, "{:?} is reached by {:?}", rules[conflict.second], asked);
                    }
                }
            }
            let losers: Vec<usize> = conflicts.iter().map(|conflict| conflict.second).collect();
            let mut position = 0;
            rules.retain(|_| {
                position += 1;
                !losers.contains(&(position - 1))
            });
        };
        for asked in &asked {
            prop_assert_eq!(answer(&table, asked), find(&rules, asked), "{:?}", asked);
        }
    }
}
