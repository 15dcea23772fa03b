//! Keys that a section does not have: misspelt, misplaced, or not built yet; and which scope a section
//! falls under when its key `kind` decides.

use super::Block;
use crate::keys::{LATER_AUTH, SCOPES, scopes_of};
use crate::problem::{Problem, Report};
use crate::text::{Entry, Given};
use policy_keys::{Raw, Scope};

/// Refuses the keys of a section that its scope does not have.
pub(crate) fn refuse_unknown(report: &mut Report, block: &Block, scope: &'static Scope) {
    for entry in block.entries.values() {
        let key = entry.key.text.as_str();
        let known = scope.keys.iter().map(|key| key.name);
        if known.clone().any(|name| name == key) || (key == "kind" && !scope.variant.is_empty()) {
            continue;
        }
        let problem = match scope.later.contains(&key) {
            true => Problem::at(entry.key.place, format!("`{key}` is not built yet")),
            false => stray(block, scope, entry),
        };
        report.error(problem);
    }
}

fn stray(block: &Block, scope: &'static Scope, entry: &Entry) -> Problem {
    let key = entry.key.text.as_str();
    let problem = Problem::at(
        entry.key.place,
        format!("unknown key `{key}` in {}", block.title()),
    );
    let has =
        |scope: &Scope| scope.keys.iter().any(|k| k.name == key) || scope.later.contains(&key);
    if let Some(other) =
        scopes_of(scope.kind).find(|other| other.variant != scope.variant && has(other))
    {
        return problem.note(format!("it belongs to kind = \"{}\"", other.variant));
    }
    let here = scope
        .keys
        .iter()
        .map(|key| key.name)
        .chain(scope.later.iter().copied());
    if let Some(near) = crate::problem::nearest(key, here) {
        return problem.note(format!("did you mean `{near}`?"));
    }
    let elsewhere = SCOPES
        .iter()
        .filter(|other| other.kind != scope.kind && has(other));
    let elsewhere: Vec<String> = elsewhere.map(title).collect();
    let keys: Vec<&str> = scope.keys.iter().map(|key| key.name).collect();
    match elsewhere.is_empty() {
        true => problem.note(format!("the keys are {}", keys.join(", "))),
        false => problem.note(format!("it is a key of {}", elsewhere.join(", "))),
    }
}

/// `[listener.NAME]`.
pub(crate) fn title(scope: &Scope) -> String {
    match scope.named {
        true => format!("[{}.NAME]", scope.kind),
        false => format!("[{}]", scope.kind),
    }
}

/// The scope that a section falls under; by its key `kind`, where there are several.
pub(crate) fn scope_of(report: &mut Report, block: &Block) -> Option<&'static Scope> {
    let scopes: Vec<&'static Scope> = scopes_of(&block.kind).collect();
    if let [only] = scopes[..]
        && only.variant.is_empty()
    {
        return Some(only);
    }
    let variants: Vec<&str> = scopes.iter().map(|scope| scope.variant).collect();
    let expected = format!("expected kind = {}", policy_keys::one_of(&variants));
    let Some(Entry {
        value: Given { raw, place, .. },
        ..
    }) = block.entries.get("kind")
    else {
        report.error(
            Problem::at(block.place, format!("{} lacks `kind`", block.title())).note(expected),
        );
        return None;
    };
    let problem = match raw {
        None => return None,
        Some(Raw::Text(kind)) => match scopes.iter().find(|scope| scope.variant == kind) {
            Some(scope) => return Some(scope),
            None if LATER_AUTH.contains(&kind.as_str()) => {
                Problem::at(*place, format!("{} = \"{kind}\" is not built yet", "kind"))
            }
            None => Problem::at(*place, format!("unknown kind `{kind}`")).meant(
                kind,
                variants.iter().copied().chain(LATER_AUTH.iter().copied()),
            ),
        },
        Some(other) => Problem::at(*place, format!("expected a string, found {}", other.kind())),
    };
    report.error(problem.note(expected));
    None
}
