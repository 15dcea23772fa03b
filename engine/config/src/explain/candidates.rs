//! Which routes a request could have fallen under, and why it did not.
//!
//! Each rule is asked alone, with all of its conditions but one taken off, by the look-up that workers
//! use: no second implementation of matching can disagree with the first.

use crate::snapshot::Snapshot;
use policy::route::{Captures, Condition, Found, Lookup, Rule, Table};

/// More than these would hide the answer.
const MOST: usize = 20;

/// A route whose path fits.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Its name.
    pub route: String,
    /// Its path pattern.
    pub path: String,
    /// What does not fit; for one that fits, that another comes first; empty: it is chosen.
    pub reasons: Vec<String>,
}

/// The chosen route first, then the others whose path fits.
pub(super) fn of(snapshot: &Snapshot, lookup: &Lookup<'_>, chosen: Option<u32>) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    for (index, rule) in snapshot.rules.iter().enumerate() {
        if !fits(lookup, &bare(rule)) {
            continue;
        }
        let is_chosen = chosen.is_some_and(|chosen| chosen as usize == index);
        let mut reasons = misfits(snapshot, lookup, rule);
        if reasons.is_empty() && !is_chosen {
            reasons.push("fits too, but comes later in the order".to_owned());
        }
        let candidate = Candidate {
            route: rule.name.to_string(),
            path: rule.path.to_string(),
            reasons,
        };
        match is_chosen {
            true => candidates.insert(0, candidate),
            false => candidates.push(candidate),
        }
    }
    candidates.truncate(MOST);
    candidates
}

/// The rule with its path alone.
fn bare(rule: &Rule) -> Rule {
    Rule {
        name: rule.name.clone(),
        listeners: Vec::new(),
        hosts: Vec::new(),
        path: rule.path.clone(),
        methods: Vec::new(),
        headers: Vec::new(),
        query: Vec::new(),
        priority: 0,
    }
}

fn misfits(snapshot: &Snapshot, lookup: &Lookup<'_>, rule: &Rule) -> Vec<String> {
    let mut parts: Vec<(Rule, String)> = Vec::new();
    let listeners = rule
        .listeners
        .iter()
        .filter_map(|id| snapshot.listeners.get(usize::from(*id)));
    let listeners: Vec<&str> = listeners.map(|listener| &*listener.name).collect();
    let part = Rule {
        listeners: rule.listeners.clone(),
        ..bare(rule)
    };
    parts.push((part, format!("it exists only on {}", listeners.join(", "))));
    let host = String::from_utf8_lossy(lookup.host);
    let part = Rule {
        hosts: rule.hosts.clone(),
        ..bare(rule)
    };
    parts.push((part, format!("the host {host} is none of its hosts")));
    let part = Rule {
        methods: rule.methods.clone(),
        ..bare(rule)
    };
    parts.push((part, format!("it takes only {}", rule.methods.join(", "))));
    for condition in &rule.headers {
        let part = Rule {
            headers: vec![condition.clone()],
            ..bare(rule)
        };
        parts.push((
            part,
            format!("the header {} does not fit", shown(condition)),
        ));
    }
    for condition in &rule.query {
        let part = Rule {
            query: vec![condition.clone()],
            ..bare(rule)
        };
        parts.push((
            part,
            format!("the query parameter {} does not fit", shown(condition)),
        ));
    }
    let misfits = parts.into_iter().filter(|(part, _)| !fits(lookup, part));
    misfits.map(|(_, reason)| reason).collect()
}

fn shown(condition: &Condition) -> String {
    match condition.value() {
        Some(value) => format!("{}={value}", condition.name()),
        None => condition.name().to_owned(),
    }
}

fn fits(lookup: &Lookup<'_>, rule: &Rule) -> bool {
    let table = Table::compile(std::slice::from_ref(rule));
    table.is_ok_and(|table| matches!(table.find(lookup, &mut Captures::new()), Found::Route(_)))
}
