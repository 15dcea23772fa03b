//! A scope declared once is read, defaulted, range-checked and described.

use super::*;
use crate::{Address, Duration, Size};
use std::collections::BTreeMap;

crate::choices! {
    /// How to choose.
    enum Balance as "balancing method" {
        /// In turn.
        RoundRobin = "round_robin",
        /// The less busy of two.
        LeastRequests = "least_requests",
    }
    later { "consistent_hash" }
}

crate::keys! {
    /// A thing.
    /// Of two lines.
    struct Thing = "thing", named {
        /// Where.
        @connection address: required Address,
        /// How many.
        count: optional u32 where "1", "9",
        /// How long.
        timeout: default Duration = "10s" where "1ms", "1h",
        /// How large.
        size: default Size = "16KiB",
        /// Which words.
        words: default Vec<String> = "GET, HEAD",
        /// How.
        balance: default Balance = "round_robin",
    }
    later { zone }
}

#[derive(Default)]
struct Fake {
    values: BTreeMap<&'static str, Raw>,
    problems: Vec<String>,
}

impl Section for Fake {
    fn value(&mut self, key: &'static Key) -> Option<Raw> {
        self.values.get(key.name).cloned()
    }
    fn mismatch(&mut self, key: &'static Key, mismatch: Mismatch) {
        self.problems.push(format!(
            "{}: {} ({})",
            key.name, mismatch.what, mismatch.expected
        ));
    }
    fn missing(&mut self, key: &'static Key) {
        self.problems.push(format!("{}: missing", key.name));
    }
    fn has(&self, key: &'static Key) -> bool {
        self.values.contains_key(key.name)
    }
}

fn read(values: &[(&'static str, Raw)]) -> (Option<Thing>, Vec<String>) {
    let mut fake = Fake {
        values: values.iter().cloned().collect(),
        ..Fake::default()
    };
    let thing = Thing::read(&mut fake);
    (thing, fake.problems)
}

#[test]
fn absent_keys_take_their_defaults() {
    let (thing, problems) = read(&[("address", Raw::Text("127.0.0.1:1".into()))]);
    let thing = thing.unwrap();
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(thing.address.unwrap().to_string(), "127.0.0.1:1");
    assert_eq!(thing.count, None);
    assert_eq!(thing.timeout, Duration::from_secs(10));
    assert_eq!(thing.size, Size(16384));
    assert_eq!(thing.words, ["GET", "HEAD"]);
    assert_eq!(thing.balance.as_str(), "round_robin");
}

#[test]
fn every_problem_is_told_at_once() {
    let (thing, problems) = read(&[
        ("count", Raw::Integer(10)),
        ("timeout", Raw::Text("2h".into())),
        ("size", Raw::Boolean(true)),
        (
            "words",
            Raw::List(vec![Raw::Integer(1), Raw::Boolean(true)]),
        ),
        ("balance", Raw::Text("consistent_hash".into())),
    ]);
    assert_eq!(thing.unwrap().address, None);
    assert_eq!(
        problems,
        [
            "address: missing",
            "count: 10 is out of range (1 to 9)",
            "timeout: `2h` is out of range (1ms to 1h)",
            "size: expected a size such as \"64KiB\" or \"1MiB\", found a boolean ()",
            "words: expected a string, found an integer ()",
            "words: expected a string, found a boolean ()",
            "balance: balancing method `consistent_hash` is not built yet (\"round_robin\" or \"least_requests\")",
        ]
    );
}

#[test]
fn the_declaration_is_data() {
    let scope = Thing::SCOPE;
    assert_eq!(
        (scope.kind, scope.named, scope.doc, scope.later),
        ("thing", true, " A thing.\n Of two lines.\n", &["zone"][..])
    );
    assert_eq!(scope.keys[0].apply, Apply::Connection);
    assert_eq!(scope.keys[2].need, Need::Default("10s"));
    assert_eq!(
        scope.keys[5].shape.choices,
        ["round_robin", "least_requests"]
    );
}
