//! The compiled table: hosts to path trees, paths to rules in their order.
//!
//! Budget of a look-up: no allocation, one hash per host label (bounded by the longest
//! `*.` host) and one per path segment; rules of the same host and path are tried one
//! after the other.
//!
//! Invariant: an entry's rank is its place in the order of `precedence`, over all hosts;
//! the walk over the trees only leaves out what can't beat the best entry so far.

use super::condition::Condition;
use super::conflict::{self, Conflict};
use super::host::{Host, Kind, MAX_NAME};
use super::index::Index;
use super::methods::{AllowedMethods, Methods};
use super::pattern::Segment;
use super::precedence::Precedence;
use super::tree::{Builder, Entry, Tree, Visit};
use super::{Captures, Found, Lookup, Rule};
use crate::words;
use protocol::message::Span;
use std::collections::BTreeMap;

/// The routes of one configuration, ready to be looked up.
#[derive(Debug)]
pub struct Table {
    pub(super) rules: Box<[Compiled]>,
    pub(super) tree: Tree,
    pub(super) hosts: Hosts,
}

/// What a look-up needs of a rule once its host and path fit.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) listeners: Box<[u16]>,
    pub(super) methods: Methods,
    /// Sorted, and none follows from another; the names are in lower case.
    pub(super) headers: Box<[Condition]>,
    /// Sorted, and none follows from another.
    pub(super) query: Box<[Condition]>,
    /// Which segments of the path the pattern names; ascending.
    names: Box<[u8]>,
    /// How many segments stand before the pattern's `*`.
    tail: Option<u8>,
}

/// The root of each host's path tree.
#[derive(Debug)]
pub(super) struct Hosts {
    /// Scoped by `EXACT` and `SUFFIX`.
    named: Index,
    /// Which numbers of labels suffixes have: bit n for n, the last for all that are more.
    suffix_labels: u64,
    has_named: bool,
    any: Option<u32>,
}

impl Table {
    /// Compiles the rules, or tells which of them get in each other's way.
    pub fn compile(rules: &[Rule]) -> Result<Table, Vec<Conflict>> {
        let compiled: Vec<Compiled> = rules.iter().map(Compiled::of).collect();
        let mut order = Vec::new();
        for (position, (rule, ready)) in rules.iter().zip(&compiled).enumerate() {
            for host in hosts_of(rule) {
                let place = Precedence::of(rule, host, ready, position);
                order.push((place, host, rule));
            }
        }
        order.sort_by(|(left, ..), (right, ..)| left.cmp(right));
        let mut tree = Builder::default();
        let mut roots: BTreeMap<Option<&Host>, u32> = BTreeMap::new();
        for (rank, (place, host, rule)) in order.iter().enumerate() {
            let root = *roots.entry(*host).or_insert_with(|| tree.root());
            let entry = Entry {
                rank: rank as u32,
                rule: place.position() as u32,
            };
            tree.insert(root, &rule.path, entry);
        }
        let table = Table {
            rules: compiled.into(),
            tree: tree.freeze(),
            hosts: Hosts::of(&roots),
        };
        let conflicts = conflict::find(&table, rules);
        match conflicts.is_empty() {
            true => Ok(table),
            false => Err(conflicts),
        }
    }

    /// Finds the rule that a request falls under. `captures` holds that rule's captures
    /// afterwards, and none if there is no such rule.
    pub fn find<'t>(&'t self, lookup: &Lookup<'_>, captures: &mut Captures) -> Found<'t> {
        captures.clear();
        let mut search = Search {
            rules: &self.rules,
            lookup,
            best: None,
            allow: AllowedMethods::default(),
        };
        self.hosts.each(lookup.host, |root| {
            self.tree.walk(root, lookup.path, &mut search);
        });
        match search.best {
            Some(entry) => {
                if let Some(rule) = self.rules.get(entry.rule as usize) {
                    rule.capture(lookup.path, captures);
                }
                Found::Route(entry.rule)
            }
            None if search.allow.is_empty() => Found::NotFound,
            None => Found::MethodNotAllowed {
                allow: search.allow,
            },
        }
    }
}

/// The look-up under way.
struct Search<'t, 'l> {
    rules: &'t [Compiled],
    lookup: &'l Lookup<'l>,
    best: Option<Entry>,
    allow: AllowedMethods<'t>,
}

impl Visit for Search<'_, '_> {
    fn bound(&self) -> u32 {
        self.best.map_or(u32::MAX, |entry| entry.rank)
    }

    fn entry(&mut self, entry: Entry) {
        let Some(rule) = self.rules.get(entry.rule as usize) else {
            return;
        };
        if !rule.fits_but_for_method(self.lookup) {
            return;
        }
        if rule.methods.fit(self.lookup.request) {
            self.best = Some(entry);
        } else if self.best.is_none() {
            self.allow.add(&rule.methods);
        }
    }
}

impl Compiled {
    fn of(rule: &Rule) -> Compiled {
        let segments = rule.path.segments();
        let names = segments.iter().zip(0..);
        Compiled {
            listeners: {
                let mut listeners = rule.listeners.clone();
                listeners.sort_unstable();
                listeners.dedup();
                listeners.into()
            },
            methods: Methods::new(&rule.methods),
            headers: needed(rule.headers.iter().map(Condition::as_header).collect()),
            query: needed(rule.query.clone()),
            names: names
                .filter(|(segment, _)| matches!(segment, Segment::Name))
                .map(|(_, index)| index)
                .collect(),
            tail: rule.path.has_tail().then_some(segments.len() as u8),
        }
    }

    fn fits_but_for_method(&self, lookup: &Lookup<'_>) -> bool {
        let request = lookup.request;
        (self.listeners.is_empty() || self.listeners.contains(&lookup.listener))
            && self.headers.iter().all(|c| c.fits_header(request))
            && (self.query.is_empty() || {
                let query = request.query();
                self.query.iter().all(|c| c.fits_query(query))
            })
    }

    /// `path` fits the rule's pattern.
    fn capture(&self, path: &[u8], captures: &mut Captures) {
        if self.names.is_empty() && self.tail.is_none() {
            return;
        }
        let mut names = self.names.iter().copied().peekable();
        let mut start = 1;
        for index in 0..=u8::MAX {
            if self.tail == Some(index) {
                let end = path.len();
                captures.put_tail(Span::new(start.min(end), end));
                return;
            }
            let Some(rest) = path.get(start..) else {
                return;
            };
            let len = words::find(rest, b'/').unwrap_or(rest.len());
            if names.next_if_eq(&index).is_some() {
                captures.push(Span::new(start, start + len));
            }
            start += len + 1;
        }
    }
}

impl Hosts {
    fn of(roots: &BTreeMap<Option<&Host>, u32>) -> Hosts {
        let named: Vec<(u32, &[u8], u32)> = roots
            .iter()
            .filter_map(|(host, root)| {
                let host = (*host)?;
                Some((scope(host.kind()), host.name().as_bytes(), *root))
            })
            .collect();
        Hosts {
            suffix_labels: named
                .iter()
                .filter(|(kind, ..)| *kind == SUFFIX)
                .map(|(_, name, _)| name.split(|&b| b == b'.').count())
                .fold(0, |bits, labels| bits | 1 << labels.min(MOST_LABELS)),
            has_named: !named.is_empty(),
            named: Index::build(&named),
            any: roots.get(&None).copied(),
        }
    }

    /// Calls `each` with the roots of all trees that hold rules for this host.
    pub(super) fn each(&self, host: &[u8], mut each: impl FnMut(u32)) {
        let host = host.strip_suffix(b".").unwrap_or(host);
        // A longer one is nobody's name, in whatever case it is written.
        if self.has_named && (1..=MAX_NAME).contains(&host.len()) {
            if words::has_upper_case(host) {
                let mut buffer = [0; MAX_NAME];
                if let Some(lower) = buffer.get_mut(..host.len()) {
                    lower.copy_from_slice(host);
                    lower.make_ascii_lowercase();
                    self.each_named(lower, &mut each);
                }
            } else {
                self.each_named(host, &mut each);
            }
        }
        if let Some(root) = self.any {
            each(root);
        }
    }

    /// Calls `each` with the roots of what a host's name, in lower case, fits.
    fn each_named(&self, name: &[u8], each: &mut impl FnMut(u32)) {
        if let Some(root) = self.named.find(EXACT, name) {
            each(root);
        }
        self.each_above(name, each);
    }

    /// Calls `each` with the roots of the suffixes that `name`, in lower case, lies
    /// below.
    pub(super) fn each_above(&self, name: &[u8], each: &mut impl FnMut(u32)) {
        let mut end = name.len();
        let mut labels = 1;
        // As long as there are suffixes of so many labels or of more.
        while self.suffix_labels >> labels != 0 {
            let before = name.get(..end).unwrap_or_default();
            // A suffix needs something before its dot.
            let Some(dot) = before.iter().rposition(|&b| b == b'.').filter(|d| *d > 0) else {
                return;
            };
            let suffix = name.get(dot + 1..).unwrap_or_default();
            if self.suffix_labels >> labels & 1 != 0
                && let Some(root) = self.named.find(SUFFIX, suffix)
            {
                each(root);
            }
            end = dot;
            labels = MOST_LABELS.min(labels + 1);
        }
    }

    /// The roots of all trees whose rules fit whatever fits `host`.
    pub(super) fn each_covering(&self, host: Option<&Host>, mut each: impl FnMut(u32)) {
        if let Some(host) = host {
            let name = host.name().as_bytes();
            if let Some(root) = self.named.find(scope(host.kind()), name) {
                each(root);
            }
            self.each_above(name, &mut each);
        }
        if let Some(root) = self.any {
            each(root);
        }
    }
}

/// The hosts of a rule, each once; `None` stands for any.
pub(super) fn hosts_of(rule: &Rule) -> Vec<Option<&Host>> {
    if rule.hosts.is_empty() {
        return vec![None];
    }
    let mut hosts: Vec<Option<&Host>> = rule.hosts.iter().map(Some).collect();
    hosts.sort();
    hosts.dedup();
    hosts
}

/// The conditions without those that follow from others, sorted.
fn needed(mut all: Vec<Condition>) -> Box<[Condition]> {
    all.sort();
    all.dedup();
    let follows = |one: &Condition| all.iter().any(|c| c != one && one.follows_from(c));
    all.iter().filter(|one| !follows(one)).cloned().collect()
}

fn scope(kind: Kind) -> u32 {
    match kind {
        Kind::Exact => EXACT,
        Kind::Suffix => SUFFIX,
    }
}

/// A host may have more labels; what a suffix of so many would need is looked up for all that are longer.
const MOST_LABELS: usize = 63;
const EXACT: u32 = 0;
const SUFFIX: u32 = 1;
