//! Sections and keys that one text has twice: TOML forbids them, and the second would hide the first.

use super::Table;
use crate::problem::{Place, Problem, Report};
use std::collections::BTreeMap;

/// Refuses a section or key that one text has twice.
pub(crate) fn refuse_twins(report: &mut Report, tables: &[Table]) {
    let mut headers: BTreeMap<Vec<&str>, Place> = BTreeMap::new();
    for table in tables {
        let words: Vec<&str> = table.header.iter().map(|word| word.text.as_str()).collect();
        let shown = words.join(".");
        match headers.get(&words) {
            Some(first) => {
                let note = format!(
                    "it begins in {}: put all of its keys there",
                    report.line_of(*first)
                );
                report.error(
                    Problem::at(table.place, format!("section [{shown}] stands here twice"))
                        .note(note),
                );
            }
            None => {
                headers.insert(words, table.place);
            }
        }
        let mut keys: BTreeMap<&str, Place> = BTreeMap::new();
        for entry in &table.entries {
            match keys.get(entry.key.text.as_str()) {
                Some(first) => {
                    let note = format!("it is set already in {}", report.line_of(*first));
                    let message = format!("key `{}` stands in [{shown}] twice", entry.key.text);
                    report.error(Problem::at(entry.key.place, message).note(note));
                }
                None => {
                    keys.insert(&entry.key.text, entry.key.place);
                }
            }
        }
    }
}
