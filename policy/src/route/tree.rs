//! The path trees of all hosts in one arena. An edge is a whole segment: the literal
//! children of all nodes share one hash table, a `{name}` is a child of its own.
//!
//! Invariant: a child's number is higher than its parent's, and a walk visits a node at
//! most once, so that no path can make it cost more than the tree has nodes (in
//! practice: one node per segment and alternative). Depth is bounded by the patterns.

use super::index::Index;
use super::pattern::{Pattern, Segment};
use crate::words;
use std::collections::BTreeMap;

/// The arena.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Box<[Node]>,
    literals: Index,
    entries: Box<[Entry]>,
}

/// A rule that ends at some node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// The entry's place in the order of all entries: lower goes first.
    pub(super) rank: u32,
    /// The position of its rule.
    pub(super) rule: u32,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    /// Whether the index holds any child of this node.
    has_literals: bool,
    /// The child that takes any segment, or `NONE`.
    named: u32,
    /// The lowest rank at this node or below it.
    best: u32,
    /// The entries whose pattern ends here, as a range; sorted by rank.
    exact: (u32, u32),
    /// The entries whose pattern has its `*` here.
    tails: (u32, u32),
}

/// What is done with the entries that a path comes to.
pub(super) trait Visit {
    /// Entries of this rank and higher need not be visited.
    fn bound(&self) -> u32;
    /// One entry whose path fits.
    fn entry(&mut self, entry: Entry);
}

impl Tree {
    /// Visits the entries below `root` that `path` fits, likelier ones first.
    pub(super) fn walk(&self, root: u32, path: &[u8], visit: &mut impl Visit) {
        if path.first() == Some(&b'/') {
            self.step(root, path, 1, visit);
        } else if let (Some(node), b"*") = (self.node(root), path) {
            // The asterisk form names no path; only `/*` is meant to take everything.
            self.offer(node.tails, visit);
        }
    }

    /// `at` is where the next segment begins; beyond the path's end there is none.
    fn step(&self, node: u32, path: &[u8], at: usize, visit: &mut impl Visit) {
        let Some(place) = self.node(node) else {
            return;
        };
        if place.best >= visit.bound() {
            return;
        }
        match path.get(at..) {
            None => self.offer(place.exact, visit),
            Some(rest) => {
                let len = words::find(rest, b'/').unwrap_or(rest.len());
                let segment = rest.get(..len).unwrap_or_default();
                let next = at + len + 1;
                if place.has_literals
                    && let Some(child) = self.literals.find(node, segment)
                {
                    self.step(child, path, next, visit);
                }
                if place.named != NONE && len > 0 {
                    self.step(place.named, path, next, visit);
                }
            }
        }
        self.offer(place.tails, visit);
    }

    /// Visits the entries below `root` whose patterns fit every path that `pattern`
    /// fits.
    pub(super) fn walk_covering(&self, root: u32, pattern: &Pattern, visit: &mut impl Visit) {
        self.step_covering(root, pattern.segments(), pattern.has_tail(), visit);
    }

    fn step_covering(&self, node: u32, rest: &[Segment], tail: bool, visit: &mut impl Visit) {
        let Some(place) = self.node(node) else {
            return;
        };
        self.offer(place.tails, visit);
        let Some((first, rest)) = rest.split_first() else {
            if !tail {
                self.offer(place.exact, visit);
            }
            return;
        };
        if let Segment::Literal(text) = first
            && let Some(child) = self.literals.find(node, text.as_bytes())
        {
            self.step_covering(child, rest, tail, visit);
        }
        let empty = matches!(first, Segment::Literal(text) if text.is_empty());
        if place.named != NONE && !empty {
            self.step_covering(place.named, rest, tail, visit);
        }
    }

    /// The lists of entries that share host and path.
    pub(super) fn lists(&self) -> impl Iterator<Item = &[Entry]> {
        self.nodes
            .iter()
            .flat_map(|node| [node.exact, node.tails])
            .map(|range| self.list(range))
    }

    fn offer(&self, range: (u32, u32), visit: &mut impl Visit) {
        for entry in self.list(range) {
            if entry.rank >= visit.bound() {
                return;
            }
            visit.entry(*entry);
        }
    }

    fn list(&self, (start, end): (u32, u32)) -> &[Entry] {
        self.entries
            .get(start as usize..end as usize)
            .unwrap_or_default()
    }

    fn node(&self, node: u32) -> Option<&Node> {
        self.nodes.get(node as usize)
    }
}

/// A tree that still grows.
#[derive(Default)]
pub(super) struct Builder {
    nodes: Vec<Growing>,
    literals: BTreeMap<(u32, Box<str>), u32>,
}

#[derive(Default)]
struct Growing {
    parent: Option<u32>,
    has_literals: bool,
    named: Option<u32>,
    exact: Vec<Entry>,
    tails: Vec<Entry>,
}

impl Builder {
    /// A new tree in the arena; gives its root.
    pub(super) fn root(&mut self) -> u32 {
        self.push(None)
    }

    /// Entries are inserted in the order of their ranks.
    pub(super) fn insert(&mut self, root: u32, pattern: &Pattern, entry: Entry) {
        let mut node = root;
        for segment in pattern.segments() {
            node = match segment {
                Segment::Literal(text) => self.literal_child(node, text),
                Segment::Name => self.named_child(node),
            };
        }
        if let Some(place) = self.nodes.get_mut(node as usize) {
            let list = match pattern.has_tail() {
                true => &mut place.tails,
                false => &mut place.exact,
            };
            list.push(entry);
        }
    }

    pub(super) fn freeze(self) -> Tree {
        let keys: Vec<(u32, &[u8], u32)> = self
            .literals
            .iter()
            .map(|((node, text), child)| (*node, text.as_bytes(), *child))
            .collect();
        let literals = Index::build(&keys);
        let mut entries = Vec::new();
        let mut nodes: Vec<Node> = self
            .nodes
            .iter()
            .map(|node| Node {
                has_literals: node.has_literals,
                named: node.named.unwrap_or(NONE),
                best: [&node.exact, &node.tails]
                    .into_iter()
                    .flatten()
                    .map(|entry| entry.rank)
                    .min()
                    .unwrap_or(NONE),
                exact: append(&mut entries, &node.exact),
                tails: append(&mut entries, &node.tails),
            })
            .collect();
        for (number, node) in self.nodes.iter().enumerate().rev() {
            let best = nodes.get(number).map_or(NONE, |node| node.best);
            if let Some(parent) = node.parent.and_then(|p| nodes.get_mut(p as usize)) {
                parent.best = parent.best.min(best);
            }
        }
        Tree {
            nodes: nodes.into(),
            literals,
            entries: entries.into(),
        }
    }

    fn literal_child(&mut self, node: u32, text: &str) -> u32 {
        if let Some(child) = self.literals.get(&(node, text.into())) {
            return *child;
        }
        let child = self.push(Some(node));
        self.literals.insert((node, text.into()), child);
        if let Some(place) = self.nodes.get_mut(node as usize) {
            place.has_literals = true;
        }
        child
    }

    fn named_child(&mut self, node: u32) -> u32 {
        let known = self.nodes.get(node as usize).and_then(|place| place.named);
        known.unwrap_or_else(|| {
            let child = self.push(Some(node));
            if let Some(place) = self.nodes.get_mut(node as usize) {
                place.named = Some(child);
            }
            child
        })
    }

    fn push(&mut self, parent: Option<u32>) -> u32 {
        self.nodes.push(Growing {
            parent,
            ..Growing::default()
        });
        self.nodes.len() as u32 - 1
    }
}

fn append(all: &mut Vec<Entry>, some: &[Entry]) -> (u32, u32) {
    let start = all.len() as u32;
    all.extend_from_slice(some);
    (start, all.len() as u32)
}

const NONE: u32 = u32::MAX;
