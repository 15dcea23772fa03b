//! Which of two rules goes first, as one derived order: the fields of `Precedence`,
//! from the top, decide.
//!
//! Invariant: with equal priorities, a rule that fits only requests which another rule
//! fits too never comes after that other one (unless the two are duplicates).

use super::Rule;
use super::host::{Host, Kind};
use super::pattern::{Pattern, Segment};
use super::table::Compiled;
use std::cmp::Reverse;

/// The place of a rule, under one of its hosts, in the order of all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Precedence {
    priority: Reverse<i32>,
    host: HostOrder,
    path: PathOrder,
    /// How many conditions on fields and query, and how many of them on a value.
    conditions: Reverse<(usize, usize)>,
    /// A rule for some methods goes before one for all, one for few before one for many.
    any_method: bool,
    methods: usize,
    any_listener: bool,
    listeners: usize,
    /// At last, the order of the file.
    position: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum HostOrder {
    Exact,
    /// The longer one first.
    Suffix(Reverse<usize>),
    Any,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum PathOrder {
    Exact,
    /// For each segment, whether it is a name: literals go first, from the left.
    Names(Vec<bool>),
    /// The longest first; with equal lengths, literals before names from the left.
    Tail(Reverse<usize>, Vec<bool>),
}

impl Precedence {
    pub(super) fn of(
        rule: &Rule,
        host: Option<&Host>,
        ready: &Compiled,
        position: usize,
    ) -> Precedence {
        let conditions = || ready.headers.iter().chain(&ready.query);
        let valued = conditions().filter(|c| c.value().is_some()).count();
        Precedence {
            priority: Reverse(rule.priority),
            host: host_order(host),
            path: path_order(&rule.path),
            conditions: Reverse((conditions().count(), valued)),
            any_method: ready.methods.is_any(),
            methods: ready.methods.count(),
            any_listener: ready.listeners.is_empty(),
            listeners: ready.listeners.len(),
            position,
        }
    }

    /// The position of the rule.
    pub(super) fn position(&self) -> usize {
        self.position
    }
}

fn host_order(host: Option<&Host>) -> HostOrder {
    match host.map(|host| (host.kind(), host.name().len())) {
        Some((Kind::Exact, _)) => HostOrder::Exact,
        Some((Kind::Suffix, length)) => HostOrder::Suffix(Reverse(length)),
        None => HostOrder::Any,
    }
}

fn path_order(path: &Pattern) -> PathOrder {
    let names: Vec<bool> = path
        .segments()
        .iter()
        .map(|segment| matches!(segment, Segment::Name))
        .collect();
    if path.has_tail() {
        PathOrder::Tail(Reverse(names.len()), names)
    } else if names.contains(&true) {
        PathOrder::Names(names)
    } else {
        PathOrder::Exact
    }
}
