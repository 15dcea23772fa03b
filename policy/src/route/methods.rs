//! Which methods a rule takes, and which a 405 names in `Allow`.
//!
//! Invariant: a set with `GET` holds `HEAD` too; known methods are bits, so that the
//! check costs an instruction, and only extension methods are compared as text.

use protocol::message::{Method, Request};

/// The methods of one rule.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Methods {
    /// `None`: every method.
    some: Option<Named>,
}

#[derive(Debug, PartialEq, Eq)]
struct Named {
    /// One bit for each known method, `HEAD` included with `GET`.
    bits: u16,
    /// As `bits`, but only what the rule spells out.
    spelt: u16,
    /// Extension methods, sorted.
    others: Box<[Box<str>]>,
}

impl Methods {
    /// Empty `names` means every method.
    pub(super) fn new(names: &[String]) -> Methods {
        if names.is_empty() {
            return Methods { some: None };
        }
        let mut spelt = 0;
        let mut others = Vec::new();
        for name in names {
            match Method::parse(name.as_bytes()) {
                Method::Other => others.push(name.as_str().into()),
                method => spelt |= bit(method),
            }
        }
        others.sort();
        others.dedup();
        let bits = if spelt & bit(Method::Get) != 0 {
            spelt | bit(Method::Head)
        } else {
            spelt
        };
        Methods {
            some: Some(Named {
                bits,
                spelt,
                others: others.into(),
            }),
        }
    }

    /// Whether the rule takes this request's method.
    pub(super) fn fit(&self, request: Request<'_>) -> bool {
        let Some(named) = &self.some else {
            return true;
        };
        match request.method() {
            Method::Other => {
                let text = request.method_text();
                named.others.iter().any(|other| other.as_bytes() == text)
            }
            method => named.bits & bit(method) != 0,
        }
    }

    /// Whether every method fits.
    pub(super) fn is_any(&self) -> bool {
        self.some.is_none()
    }

    /// How many methods fit; 0 for all of them.
    pub(super) fn count(&self) -> usize {
        self.some.as_ref().map_or(0, |named| {
            named.bits.count_ones() as usize + named.others.len()
        })
    }

    /// Whether every method that fits `other` fits this.
    pub(super) fn cover(&self, other: &Methods) -> bool {
        match (&self.some, &other.some) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(mine), Some(theirs)) => {
                theirs.bits & !mine.bits == 0
                    && theirs
                        .others
                        .iter()
                        .all(|other| mine.others.contains(other))
            }
        }
    }

    /// Whether both spell out one method, or neither spells out any.
    pub(super) fn clash(&self, other: &Methods) -> bool {
        match (&self.some, &other.some) {
            (None, None) => true,
            (Some(mine), Some(theirs)) => {
                mine.spelt & theirs.spelt != 0
                    || mine
                        .others
                        .iter()
                        .any(|other| theirs.others.contains(other))
            }
            _ => false,
        }
    }
}

/// The methods that would have found a route. Rendered for `Allow`.
#[derive(Clone, Copy, Debug, Default)]
pub struct AllowedMethods<'t> {
    bits: u16,
    /// Extension methods, rule by rule. Those of further rules are left out: the list
    /// is fixed so that a look-up allocates nothing.
    others: [&'t [Box<str>]; MAX_LISTS],
    lists: usize,
}

impl<'t> AllowedMethods<'t> {
    pub(super) fn add(&mut self, methods: &'t Methods) {
        let Some(named) = &methods.some else {
            return;
        };
        self.bits |= named.bits;
        if named.others.is_empty() || self.seen(self.lists).any(|list| list == &*named.others) {
            return;
        }
        if let Some(slot) = self.others.get_mut(self.lists) {
            *slot = &named.others;
            self.lists += 1;
        }
    }

    /// Whether no rule was added.
    pub(super) fn is_empty(&self) -> bool {
        self.bits == 0 && self.lists == 0
    }

    /// The methods, known ones first, each once.
    pub fn names(&self) -> impl Iterator<Item = &'t str> + '_ {
        let known = KNOWN
            .into_iter()
            .filter(|method| self.bits & bit(*method) != 0)
            .map(|method| -> &'t str { method.as_str() });
        let others = self
            .seen(self.lists)
            .enumerate()
            .flat_map(move |(index, list)| {
                list.iter()
                    .filter(move |name| !self.seen(index).any(|earlier| earlier.contains(name)))
                    .map(|name| &**name)
            });
        known.chain(others)
    }

    /// Appends the value of `Allow`: `GET, HEAD, POST`.
    pub fn write(&self, out: &mut Vec<u8>) {
        for (index, name) in self.names().enumerate() {
            if index > 0 {
                out.extend_from_slice(b", ");
            }
            out.extend_from_slice(name.as_bytes());
        }
    }

    fn seen(&self, count: usize) -> impl Iterator<Item = &'t [Box<str>]> + '_ {
        self.others.iter().take(count).copied()
    }
}

impl std::fmt::Display for AllowedMethods<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = Vec::new();
        self.write(&mut text);
        out.write_str(&String::from_utf8_lossy(&text))
    }
}

fn bit(method: Method) -> u16 {
    1 << method.index()
}

/// In the order in which `Allow` lists them.
const KNOWN: [Method; 9] = [
    Method::Get,
    Method::Head,
    Method::Post,
    Method::Put,
    Method::Patch,
    Method::Delete,
    Method::Options,
    Method::Trace,
    Method::Connect,
];
const MAX_LISTS: usize = 8;
const _: () = assert!(Method::COUNT <= 16, "a method is a bit of a u16");

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &[&str]) -> Methods {
        Methods::new(
            &names
                .iter()
                .map(|name| name.to_string())
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn cover_and_clash() {
        let (any, get, head, both) = (of(&[]), of(&["GET"]), of(&["HEAD"]), of(&["GET", "POST"]));
        assert!(any.cover(&get) && any.cover(&any) && !get.cover(&any));
        assert!(get.cover(&head) && !head.cover(&get) && both.cover(&get));
        assert!(any.clash(&any) && !any.clash(&get));
        assert!(!get.clash(&head), "HEAD may have a route of its own");
        assert!(get.clash(&both));
        assert!(of(&["PURGE"]).clash(&of(&["GET", "PURGE"])));
        assert!(!of(&["purge"]).clash(&of(&["PURGE"])), "methods have case");
        assert_eq!((any.count(), get.count(), both.count()), (0, 2, 3));
    }

    #[test]
    fn allow() {
        let sets = [
            of(&["POST", "LOCK"]),
            of(&["GET"]),
            of(&["LOCK", "BREW"]),
            of(&["POST", "LOCK"]),
        ];
        let mut allowed = AllowedMethods::default();
        assert!(allowed.is_empty());
        for set in &sets {
            allowed.add(set);
        }
        assert_eq!(allowed.to_string(), "GET, HEAD, POST, LOCK, BREW");
    }

    #[test]
    fn lists_are_bounded() {
        let sets: Vec<Methods> = (0..20).map(|n| of(&[&format!("M{n:02}")])).collect();
        let mut allowed = AllowedMethods::default();
        sets.iter().for_each(|set| allowed.add(set));
        assert_eq!(
            allowed.to_string(),
            "M00, M01, M02, M03, M04, M05, M06, M07"
        );
    }
}
