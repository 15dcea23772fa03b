//! Which TLS connections are passed on unopened, and where to, by the name that the client asks for.
//!
//! The name comes from the ClientHello (RFC 6066 section 3); reading that lives elsewhere. Invariant: an
//! exact name comes before a wildcard, a longer wildcard before a shorter, `*` last.

use std::collections::BTreeMap;

/// A listener's `passthrough`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passthrough {
    /// By whole name, in lower case.
    exact: BTreeMap<Box<str>, u16>,
    /// By what follows `*.`, in lower case.
    below: BTreeMap<Box<str>, u16>,
    /// For every other name and for none.
    rest: Option<u16>,
}

/// One side of a `passthrough` line: which names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Names {
    /// This one.
    Exact(Box<str>),
    /// Every name below this one.
    Below(Box<str>),
    /// Every name that no other line takes, and none.
    Rest,
}

impl Passthrough {
    /// Adds a line; gives the upstream that the same names lead to already.
    pub(crate) fn add(&mut self, names: Names, upstream: u16) -> Option<u16> {
        match names {
            Names::Exact(name) => self.exact.insert(name, upstream),
            Names::Below(name) => self.below.insert(name, upstream),
            Names::Rest => self.rest.replace(upstream),
        }
    }

    /// Whether nothing is passed on.
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.below.is_empty() && self.rest.is_none()
    }

    /// Whether every connection is passed on, whatever it asks for.
    pub fn takes_all(&self) -> bool {
        self.rest.is_some()
    }

    /// Whether every connection goes to one and the same upstream: no name matters.
    pub fn takes_any(&self) -> bool {
        self.rest.is_some() && self.exact.is_empty() && self.below.is_empty()
    }

    /// The upstream (an index in `Snapshot::upstreams`) that a connection is passed on to; `None`: it is
    /// not passed on. `name` is what the client asks for, in any case.
    pub fn find(&self, name: Option<&str>) -> Option<u16> {
        let named = name.and_then(|name| {
            let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
            let exact = self.exact.get(&*name).copied();
            exact.or_else(|| self.above(&name))
        });
        named.or(self.rest)
    }

    /// By the longest part of a name that follows one of its dots.
    fn above(&self, name: &str) -> Option<u16> {
        let mut rest = name;
        while let Some((label, parent)) = rest.split_once('.') {
            match self.below.get(parent) {
                Some(upstream) if !label.is_empty() => return Some(*upstream),
                _ => rest = parent,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrowest_line_wins() {
        let mut table = Passthrough::default();
        assert!(table.is_empty());
        assert_eq!(table.find(Some("a.example")), None);
        assert_eq!(table.add(Names::Exact("db.example".into()), 1), None);
        assert_eq!(table.add(Names::Below("example".into()), 2), None);
        assert_eq!(table.add(Names::Below("b.example".into()), 3), None);
        assert_eq!(table.add(Names::Below("b.example".into()), 3), Some(3));
        let found = |table: &Passthrough, name| table.find(Some(name));
        assert_eq!(found(&table, "db.example"), Some(1));
        assert_eq!(found(&table, "DB.Example."), Some(1));
        assert_eq!(found(&table, "x.db.example"), Some(2));
        assert_eq!(found(&table, "b.example"), Some(2));
        assert_eq!(found(&table, "y.x.b.example"), Some(3));
        for other in ["example", ".example", "", ".", "dbxexample", "org"] {
            assert_eq!(found(&table, other), None, "{other}");
        }
        assert_eq!(table.find(None), None);
        assert!(!table.takes_all());
        table.add(Names::Rest, 4);
        assert_eq!(
            (table.find(None), found(&table, "example")),
            (Some(4), Some(4))
        );
        assert_eq!(found(&table, "db.example"), Some(1));
        assert!(table.takes_all() && !table.is_empty() && !table.takes_any());
        let mut any = Passthrough::default();
        any.add(Names::Rest, 4);
        assert!(any.takes_any());
    }
}
