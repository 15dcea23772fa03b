//! Rules that get in each other's way. The search runs over the compiled trees, so that
//! it doesn't compare each rule with every other.
//!
//! What is found is certain; what a union of several rules hides may be missed.

use super::Rule;
use super::condition::Condition;
use super::table::{Compiled, Table, hosts_of};
use super::tree::{Entry, Visit};
use std::collections::{BTreeMap, BTreeSet};

/// Two rules of which one can't mean what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conflict {
    /// The position of the rule that wins.
    pub first: usize,
    /// The position of the rule that loses.
    pub second: usize,
    /// In which way.
    pub kind: ConflictKind,
}

/// How two rules get in each other's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConflictKind {
    /// Nothing but their order in the file would decide between them for some request:
    /// they share a host, the path, conditions and priority, and a method and listener.
    Duplicate,
    /// The second never gets a request, since the first fits all of them and has the
    /// higher priority.
    Unreachable,
}

/// All conflicts, at most one per second rule, in the order of the second rules.
pub(super) fn find(table: &Table, rules: &[Rule]) -> Vec<Conflict> {
    let mut conflicts: BTreeMap<usize, Conflict> = BTreeMap::new();
    for conflict in duplicates(table, rules) {
        conflicts.entry(conflict.second).or_insert(conflict);
    }
    let priorities: BTreeSet<i32> = rules.iter().map(|rule| rule.priority).collect();
    // With one priority, `precedence` puts the narrower rule first.
    if priorities.len() > 1 {
        for position in 0..rules.len() {
            if let Some(first) = hidden_by(table, rules, position) {
                conflicts.entry(position).or_insert(Conflict {
                    first,
                    second: position,
                    kind: ConflictKind::Unreachable,
                });
            }
        }
    }
    conflicts.into_values().collect()
}

fn duplicates(table: &Table, rules: &[Rule]) -> Vec<Conflict> {
    type Key<'k> = (i32, &'k [Condition], &'k [Condition]);
    let mut found = Vec::new();
    for list in table.tree.lists() {
        let mut alike: BTreeMap<Key<'_>, Vec<usize>> = BTreeMap::new();
        let mut positions: Vec<usize> = list.iter().map(|entry| entry.rule as usize).collect();
        positions.sort_unstable();
        for position in positions {
            let (Some(rule), Some(ready)) = (rules.get(position), table.rules.get(position)) else {
                continue;
            };
            let earlier = alike
                .entry((rule.priority, &*ready.headers, &*ready.query))
                .or_default();
            let clash = earlier.iter().find(|earlier| {
                table
                    .rules
                    .get(**earlier)
                    .is_some_and(|earlier| clash(earlier, ready))
            });
            match clash {
                Some(first) => found.push(Conflict {
                    first: *first,
                    second: position,
                    kind: ConflictKind::Duplicate,
                }),
                None => earlier.push(position),
            }
        }
    }
    found
}

fn clash(one: &Compiled, other: &Compiled) -> bool {
    let listeners = match (one.listeners.is_empty(), other.listeners.is_empty()) {
        (true, true) => true,
        (false, false) => one.listeners.iter().any(|id| other.listeners.contains(id)),
        _ => false,
    };
    listeners && one.methods.clash(&other.methods)
}

/// The rule that hides the one at `position`, if each of its hosts has such a rule: the
/// one that hides it on the first.
fn hidden_by(table: &Table, rules: &[Rule], position: usize) -> Option<usize> {
    let rule = rules.get(position)?;
    let mut first = None;
    for host in hosts_of(rule) {
        let mut cover = Cover {
            table,
            rules,
            hidden: rule,
            ready: table.rules.get(position)?,
            found: None,
        };
        table.hosts.each_covering(host, |root| {
            table.tree.walk_covering(root, &rule.path, &mut cover);
        });
        first = first.or(Some(cover.found?));
    }
    first
}

struct Cover<'t> {
    table: &'t Table,
    rules: &'t [Rule],
    hidden: &'t Rule,
    ready: &'t Compiled,
    found: Option<usize>,
}

impl Visit for Cover<'_> {
    fn bound(&self) -> u32 {
        match self.found {
            Some(_) => 0,
            None => u32::MAX,
        }
    }

    fn entry(&mut self, entry: Entry) {
        let position = entry.rule as usize;
        let (Some(rule), Some(ready)) = (self.rules.get(position), self.table.rules.get(position))
        else {
            return;
        };
        if rule.priority > self.hidden.priority && covers(ready, self.ready) {
            self.found = Some(position);
        }
    }
}

/// Whether whatever fits `small` fits `large`, host and path aside.
fn covers(large: &Compiled, small: &Compiled) -> bool {
    let listeners = large.listeners.is_empty()
        || !small.listeners.is_empty()
            && small
                .listeners
                .iter()
                .all(|id| large.listeners.contains(id));
    let follow = |large: &[Condition], small: &[Condition]| {
        large
            .iter()
            .all(|wanted| small.iter().any(|given| wanted.follows_from(given)))
    };
    listeners
        && large.methods.cover(&small.methods)
        && follow(&large.headers, &small.headers)
        && follow(&large.query, &small.query)
}
