//! `[headers.NAME]`: edits, checked where they stand and joined where routes name several.

use super::Resolver;
use crate::keys::headers::Headers;
use crate::said::Block;
use policy::headers::{EditError, Edits, List};
use policy_keys::{Mismatch, Name};
use std::collections::BTreeMap;

/// The lists of one section.
#[derive(Clone, Default)]
pub(super) struct Lists {
    set: Vec<String>,
    add: Vec<String>,
    remove: Vec<String>,
}

impl Resolver<'_, '_> {
    /// Every `[headers.NAME]` that can be compiled, by name.
    pub(super) fn header_lists(&mut self) -> BTreeMap<String, Lists> {
        let mut all = BTreeMap::new();
        for block in self.said.of("headers") {
            let Some(said) = self.read(&block, &Headers::SCOPE, Headers::read) else {
                continue;
            };
            let lists = Lists {
                set: said.set.unwrap_or_default(),
                add: said.add.unwrap_or_default(),
                remove: said.remove.unwrap_or_default(),
            };
            match Edits::compile(&lists.set, &lists.add, &lists.remove) {
                Ok(edits) if edits.is_empty() => {
                    self.warn(block.place, format!("{} changes nothing", block.title()))
                }
                Ok(_) => {}
                Err(EditError { list, item, what }) => {
                    self.wrong_item(&block, word(list), item, what)
                }
            }
            all.insert(block.name, lists);
        }
        all
    }

    /// The edits of all sections that a route's key names.
    pub(super) fn edits(
        &mut self,
        block: &Block,
        key: &str,
        names: Option<Vec<Name>>,
        all: &BTreeMap<String, Lists>,
    ) -> Edits {
        let names = names.unwrap_or_default();
        self.refer_all(block, key, "headers", &names);
        let mut joined = Lists::default();
        for lists in names.iter().filter_map(|name| all.get(name.as_str())) {
            joined.set.extend_from_slice(&lists.set);
            joined.add.extend_from_slice(&lists.add);
            joined.remove.extend_from_slice(&lists.remove);
        }
        match Edits::compile(&joined.set, &joined.add, &joined.remove) {
            Ok(edits) => edits,
            Err(error) => {
                // With one section, its problem has been told where it stands.
                if names.len() > 1 && names.iter().all(|name| self.compiles(name, all)) {
                    self.wrong(
                        block,
                        key,
                        Mismatch::new(format!("these don't go together: {}", error.what)),
                    );
                }
                Edits::default()
            }
        }
    }

    fn compiles(&self, name: &Name, all: &BTreeMap<String, Lists>) -> bool {
        let lists = all.get(name.as_str());
        lists.is_some_and(|lists| Edits::compile(&lists.set, &lists.add, &lists.remove).is_ok())
    }
}

fn word(list: List) -> &'static str {
    match list {
        List::Set => "set",
        List::Add => "add",
        List::Remove => "remove",
    }
}
