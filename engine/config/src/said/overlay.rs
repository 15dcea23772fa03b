//! Overlays that are no files: `--set route.products.timeout=2s` and the environment's
//! `PORTCULLIS__ROUTE__PRODUCTS__TIMEOUT=2s`.
//!
//! Each becomes a text of its own, so that problems underline it like a line of a file. Invariant:
//! what an overlay gives is an entry like any other, checked by the same declarations.

use super::Said;
use crate::keys::scopes_of;
use crate::problem::{Place, Problem, Report, Text};
use crate::source::Environment;
use crate::text::{Entry, Given, Table, Word};
use policy_keys::{Form, Raw};

/// What the names of our variables begin with.
const PREFIX: &str = "PORTCULLIS__";

/// Lays `kind.name.key=value` texts over what is said.
pub(crate) fn sets(report: &mut Report, said: &mut Said, sets: &[String]) {
    for set in sets {
        let text = push(report, "--set", set.clone());
        let whole = Place {
            text,
            start: 0,
            end: set.len(),
        };
        let Some((path, value)) = set.split_once('=') else {
            let expected = "expected kind.name.key=value, such as route.products.timeout=2s";
            report.error(Problem::at(whole, "this sets nothing").note(expected));
            continue;
        };
        let words = path.split('.').scan(0, |at, word| {
            let start = *at;
            *at += word.len() + 1;
            Some(Word {
                text: word.trim().to_owned(),
                place: Place {
                    text,
                    start,
                    end: start + word.len(),
                },
            })
        });
        lay(
            report,
            said,
            words.collect(),
            whole,
            value.trim(),
            path.len() + 1,
        );
    }
}

/// Lays the environment's variables over what is said.
pub(crate) fn environment(report: &mut Report, said: &mut Said, variables: &Environment) {
    for (variable, value) in variables {
        let Some(path) = variable.strip_prefix(PREFIX) else {
            continue;
        };
        let text = push(report, "environment", format!("{variable}={value}"));
        let whole = Place {
            text,
            start: 0,
            end: variable.len(),
        };
        let mut at = PREFIX.len();
        let words = path.split("__").map(|word| {
            let place = Place {
                text,
                start: at,
                end: at + word.len(),
            };
            at += word.len() + 2;
            Word {
                text: word.to_lowercase(),
                place,
            }
        });
        let mut words: Vec<Word> = words.collect();
        if let [kind, name, _] = &mut words[..] {
            // A section's `-` is written `_` here: the section that is there decides.
            let there = said
                .names(&kind.text)
                .find(|there| there.replace('-', "_") == name.text);
            if let Some(there) = there {
                name.text = there.to_owned();
            }
        }
        lay(report, said, words, whole, value, variable.len() + 1);
    }
}

fn push(report: &mut Report, name: &str, text: String) -> usize {
    report.texts.push(Text {
        name: name.to_owned(),
        text,
        folder: Default::default(),
        hidden: Vec::new(),
    });
    report.texts.len() - 1
}

fn lay(
    report: &mut Report,
    said: &mut Said,
    mut words: Vec<Word>,
    whole: Place,
    value: &str,
    value_at: usize,
) {
    let Some(key) = words.pop().filter(|_| matches!(words.len(), 1 | 2)) else {
        let expected = "expected a kind, a name (unless the kind has none) and a key";
        report.error(Problem::at(whole, "this sets nothing").note(expected));
        return;
    };
    let form = words.first().and_then(|kind| {
        let mut keys = scopes_of(&kind.text).flat_map(|scope| scope.keys);
        keys.find(|known| known.name == key.text)
            .map(|known| known.shape.form)
    });
    let end = report.texts[whole.text].text.len();
    if form.is_none() {
        // A misspelt key may be meant for a secret.
        report.texts[whole.text].hidden.push(value_at..end);
    }
    let value = Given {
        raw: Some(typed(value, form.unwrap_or(Form::Text))),
        place: Place {
            text: whole.text,
            start: value_at.min(end),
            end,
        },
        items: Vec::new(),
    };
    let place = Place {
        end: words.last().map_or(whole.end, |word| word.place.end),
        ..whole
    };
    said.lay(
        report,
        vec![Table {
            header: words,
            place,
            entries: vec![Entry { key, value }],
        }],
    );
}

/// A bare text as the value that a key of this form takes; a text, if it can't be that.
fn typed(value: &str, form: Form) -> Raw {
    let text = || Raw::Text(value.to_owned());
    match form {
        Form::Text => text(),
        Form::Integer | Form::IntegerOrText => value.parse().map_or_else(|_| text(), Raw::Integer),
        Form::Number => value.parse().map_or_else(|_| text(), Raw::Number),
        Form::Boolean => value.parse().map_or_else(|_| text(), Raw::Boolean),
        Form::List if value.starts_with('[') => crate::text::list(value).unwrap_or_else(text),
        Form::List => {
            let items = value
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty());
            Raw::List(items.map(|item| Raw::Text(item.to_owned())).collect())
        }
    }
}
